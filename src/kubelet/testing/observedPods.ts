/** Pods and what a runtime has of them, for tests, in few words. */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import type { ContainerStatus } from '../cri/messages.ts';
import { containerHash } from '../pods/labels.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from '../pods/observed.ts';

export function container(name: string, more: Partial<Container> = {}): Container {
  return { name, image: 'busybox', ...more };
}

export function podOf(spec: Partial<PodSpec>, more: Partial<Pod> = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'default', uid: 'u', generation: 1 },
    spec: { containers: [container('main')], restartPolicy: 'Always', ...spec },
    ...more,
  };
}

export function sandbox(id: string, more: Partial<ObservedSandbox> = {}): ObservedSandbox {
  return { id, ready: true, attempt: 0, createdAt: 0, ips: ['10.0.0.5'], ...more };
}

export interface RunOptions {
  readonly sandbox?: string;
  readonly restarts?: number;
  readonly exit?: number;
  /** ms since the epoch */
  readonly finishedAt?: number;
  readonly state?: ObservedContainer['state'];
  readonly image?: string;
  readonly status?: ContainerStatus;
}

/** A run of a container: it runs, unless it has an exit code or another state. */
export function run(name: string, options: RunOptions = {}): ObservedContainer {
  const { exit, restarts = 0, finishedAt = 0 } = options;
  const ended = exit === undefined ? {} : { exit_code: exit, started_at: 1e6, finished_at: finishedAt * 1e6 };
  return {
    id: `${name}-${restarts}`,
    name,
    sandboxId: options.sandbox ?? 's0',
    restarts,
    resources: undefined,
    state: options.state ?? (exit === undefined ? 'running' : 'exited'),
    hash: containerHash(container(name, { image: options.image ?? 'busybox' })),
    status: {
      image: { image: 'docker.io/library/busybox:latest' },
      image_ref: 'sha256:1',
      ...ended,
      ...options.status,
    },
  };
}

/** @param containers newest first */
export function observedPod(sandboxes: ObservedSandbox[], ...containers: ObservedContainer[]): ObservedPod {
  return { uid: 'u', namespace: 'default', name: 'p', sandboxes, containers };
}
