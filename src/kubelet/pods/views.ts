/** What the kubelet's server is told of the pods on the node. */
import { join } from 'node:path';
import { containerStatusesOf, containersOf } from '../../apis/core/podContainers.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { PodViews, StreamingRuntime } from '../server/podView.ts';
import { containerIDOf, logPath } from './labels.ts';
import type { ObservedPod, RuntimeObserver } from './observed.ts';
import { podLogDirectory } from './sandboxConfig.ts';
import type { PodWorkers } from './workers.ts';

export function podViewsOf(workers: PodWorkers, observer: RuntimeObserver, podLogsDir: string): PodViews {
  return {
    find(namespace, name) {
      const pod = workers.pod(namespace, name);
      if (pod === undefined) return undefined;
      const uid = pod.metadata?.uid ?? '';
      const observed = observer.get(uid);
      const dir = podLogDirectory(podLogsDir, pod);
      const specs = containersOf(pod.spec ?? { containers: [] });
      const statuses = containerStatusesOf(pod.status ?? {});
      const containers = new Map(
        specs.flatMap((spec) => {
          const runs = (observed?.containers ?? []).filter((c) => c.name === spec.name);
          const [run] = runs;
          if (run === undefined) return [];
          // While a container waits to start again, its newest run is the previous one.
          const told = statuses.find((s) => s.name === spec.name)?.lastState?.terminated?.containerID;
          const previous = runs.find((r) => told === containerIDOf(r.id)) ?? runs[1];
          const view = {
            id: run.id,
            running: run.state === 'running',
            logPath: join(dir, logPath(spec.name, run.restarts)),
            ...(previous === undefined ? {} : { previousLogPath: join(dir, logPath(spec.name, previous.restarts)) }),
            tty: spec.tty === true,
          };
          return [[spec.name, view] as const];
        }),
      );
      const sandbox = observed?.sandboxes.find((s) => s.ready);
      return {
        namespace,
        name,
        uid,
        ...(sandbox === undefined ? {} : { sandboxId: sandbox.id }),
        containers,
        containerNames: specs.map((c) => c.name),
      };
    },
    list: () => workers.pods(),
    running: () => [...observer.all()].flatMap((pod) => runningPod(pod) ?? []),
  };
}

/** A pod as the runtime alone knows it. */
function runningPod({ uid, namespace, name, sandboxes, containers }: ObservedPod): object | undefined {
  if (!sandboxes.some((s) => s.ready)) return undefined;
  const running = containers.filter((c) => c.state === 'running');
  const shown = running.map((c) => ({ name: c.name, image: c.status.image_ref ?? '', resources: {} }));
  return { metadata: { name, namespace, uid, creationTimestamp: null }, spec: { containers: shown }, status: {} };
}

export function streamingOf(runtime: ContainerRuntime): StreamingRuntime {
  return {
    async exec({ containerId, command, tty, stdin, stdout, stderr }) {
      const request = { container_id: containerId, cmd: [...command], tty, stdin, stdout, stderr };
      return (await runtime.call('exec', request)).url ?? '';
    },
    async attach({ containerId, tty, stdin, stdout, stderr }) {
      const request = { container_id: containerId, tty, stdin, stdout, stderr };
      return (await runtime.call('attach', request)).url ?? '';
    },
    async portForward({ podSandboxId, ports }) {
      return (await runtime.call('portForward', { pod_sandbox_id: podSandboxId, port: [...ports] })).url ?? '';
    },
  };
}
