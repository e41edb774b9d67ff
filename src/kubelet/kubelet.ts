/** The kubelet: runs the pods that are bound to its node. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configMaps } from '../apis/core/configMap.ts';
import { pods } from '../apis/core/pod.ts';
import { secrets } from '../apis/core/secret.ts';
import { services } from '../apis/core/service.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/eventRecorder.ts';
import { Informers } from '../client/informers.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { isApiError } from '../machinery/status.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { ImagePuller } from './images/puller.ts';
import { NodeAgent } from './node/nodeAgent.ts';
import { capacityOf, memoryBytes } from './node/nodeStatus.ts';
import { Actor } from './pods/actor.ts';
import { logPath } from './pods/containerConfig.ts';
import { parseResolvConf } from './pods/dns.ts';
import { RuntimeObserver } from './pods/observed.ts';
import { podLogDirectory } from './pods/sandboxConfig.ts';
import { StatusWriter } from './pods/statusWriter.ts';
import { PodWorkers } from './pods/workers.ts';
import { Cgroups } from './resources/cgroups.ts';
import type { PodViews } from './server/podView.ts';
import { startKubeletServer } from './server/server.ts';
import { PodVolumes } from './volumes/podVolumes.ts';
import { PodTokens } from './volumes/tokens.ts';

export interface KubeletOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly runtime: ContainerRuntime;
  /** where the kubelet keeps the pods' volumes */
  readonly rootDir: string;
  readonly podLogsDir: string;
  /** PEM; clients of the kubelet's server show a certificate of clientCA */
  readonly serving: { readonly cert: string; readonly key: string; readonly clientCA: string };
  /** of the kubelet's server; another free one is taken where it is in use */
  readonly port: number;
  readonly clusterDNS?: string;
  readonly clusterDomain: string;
  readonly podCIDR?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends the kubelet; containers go on */
  readonly signal: AbortSignal;
}

export interface Kubelet {
  readonly port: number;
  /** Resolves when the kubelet has ended. */
  readonly ended: Promise<void>;
}

/** The runtime is looked at this often though it reports nothing. */
const RELIST_MS = 10_000;
/** Events come in groups: one look is enough for those that come together. */
const GATHER_MS = 5;
const RESUBSCRIBE_MS = 1_000;

/** Resolves when the kubelet's server listens and the runtime has been looked at. */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, runtime, clock, random, signal, rootDir, podLogsDir, nodeIP } = options;
  const log = options.log.child({ component: 'kubelet' });
  await mkdir(join(rootDir, 'pods'), { recursive: true, mode: 0o750 });
  const allocatable = await capacityOf(rootDir);
  const events = createEventRecorder({
    client,
    component: 'kubelet',
    host: options.nodeName,
    clock,
    random,
    log,
    signal,
  });
  const informers = new Informers({ client, clock, random, log, signal });
  const tokens = new PodTokens(client, clock);
  const volumes = new PodVolumes(join(rootDir, 'pods'), {
    configMap: (namespace, name) => orMissing(client.get(configMaps, { namespace, name })),
    secret: (namespace, name) => orMissing(client.get(secrets, { namespace, name })),
    token: (pod, audience, seconds) => tokens.token(pod, audience, seconds),
    nodeAllocatable: allocatable,
  });
  const observer = new RuntimeObserver(runtime, log);
  const serviceInformer = informers.of(services);
  const actor = new Actor({
    client,
    runtime,
    images: new ImagePuller(runtime, clock),
    volumes,
    cgroups: new Cgroups(),
    events,
    clock,
    log,
    podLogsDir,
    dns: {
      clusterDomain: options.clusterDomain,
      host: parseResolvConf(readResolvConf()),
      ...(options.clusterDNS === undefined ? {} : { clusterDNS: options.clusterDNS }),
    },
    memoryCapacity: memoryBytes(),
    nodeAllocatable: allocatable,
    services: () => serviceInformer.list(),
  });

  const looker = new Looker(observer, clock, log, signal, (uids) => workers.poke(uids));
  const workers: PodWorkers = new PodWorkers({
    client,
    runtime,
    observer,
    actor,
    volumes,
    statuses: new StatusWriter(client, clock, log, signal),
    events,
    hostIP: nodeIP,
    clock,
    random,
    log,
    signal,
    look: () => looker.look(),
  });

  const server = await listenOnFreePort(
    (port) =>
      startKubeletServer({
        client,
        clock,
        log,
        nodeName: options.nodeName,
        views: viewsOf(workers, observer, podLogsDir),
        runtime: streamingOf(runtime),
        serving: options.serving,
        host: '0.0.0.0',
        port,
      }),
    options.port,
  );
  const agent = new NodeAgent({
    client,
    runtime,
    facts: { nodeName: options.nodeName, nodeIP, kubeletPort: server.port, rootDir },
    ...(options.podCIDR === undefined ? {} : { podCIDR: options.podCIDR }),
    events,
    clock,
    log,
    signal,
  });
  const agentEnded = agent.run();

  const podInformer = informers.of(pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
  looker.start(runtime);
  // Pods are worked on only after the runtime was looked at once: what runs is adopted, not started again.
  const begin = async () => {
    await Promise.all([looker.first, serviceInformer.synced]);
    podInformer.handle({
      onAdd: (pod) => workers.update(pod),
      onUpdate: (pod) => workers.update(pod),
      onDelete: (pod) => {
        const uid = pod.metadata.uid;
        tokens.forget(uid);
        workers.remove(uid);
      },
    });
    await podInformer.synced;
    // Only now is it known what belongs to nobody.
    const known = new Set(workers.pods().map((p) => p.metadata?.uid ?? ''));
    workers.complete([...observer.all()].map((p) => p.uid).filter((uid) => !known.has(uid)));
    for (const uid of await volumes.uids()) {
      if (known.has(uid) || observer.get(uid) !== undefined) continue;
      await actor
        .removePod(uid, undefined)
        .catch((error: unknown) => log.warn('what is left of a pod could not be removed', { err: error, uid }));
    }
  };
  const begun = begin().catch((error: unknown) => {
    if (!signal.aborted) log.error('the kubelet could not begin', { err: error });
  });
  const ended = Promise.allSettled([agentEnded, begun, aborted(signal)]).then(async () => {
    await server.close();
  });
  return { port: server.port, ended };
}

/** Looks at the runtime: on its events, after our own actions, and now and then. Never twice at once. */
class Looker {
  readonly #observer: RuntimeObserver;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #onChange: (uids: ReadonlySet<string>) => void;
  #underWay: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #gathering: Timer | undefined;
  readonly first: Promise<void>;
  #markFirst: () => void = () => {};

  constructor(
    observer: RuntimeObserver,
    clock: Clock,
    log: Logger,
    signal: AbortSignal,
    onChange: (uids: ReadonlySet<string>) => void,
  ) {
    this.#observer = observer;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
    this.#onChange = onChange;
    this.first = new Promise((resolve) => {
      this.#markFirst = resolve;
    });
  }

  start(runtime: ContainerRuntime): void {
    this.#subscribe(runtime);
    this.#again(0);
  }

  #again(ms: number): void {
    this.#clock.after(ms, () => {
      if (this.#signal.aborted) return;
      void this.look().then(
        () => this.#again(RELIST_MS),
        () => this.#again(RESUBSCRIBE_MS),
      );
    });
  }

  #subscribe(runtime: ContainerRuntime): void {
    runtime.subscribe(
      () => {
        this.#gathering ??= this.#clock.after(GATHER_MS, () => {
          this.#gathering = undefined;
          void this.look().catch(() => {});
        });
      },
      () => {
        this.#log.warn('the event stream of the container runtime ended; it is opened again');
        this.#clock.after(RESUBSCRIBE_MS, () => {
          if (!this.#signal.aborted) this.#subscribe(runtime);
        });
      },
      this.#signal,
    );
  }

  /** Resolves after a look that began no earlier than now. @throws RuntimeError */
  look(): Promise<void> {
    if (this.#underWay === undefined) return this.#begin();
    this.#next ??= this.#underWay
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        return this.#begin();
      });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#underWay = this.#observer
      .look()
      .then((changed) => {
        this.#markFirst();
        this.#onChange(changed);
      })
      .finally(() => {
        this.#underWay = undefined;
      });
    return this.#underWay;
  }
}

function viewsOf(workers: PodWorkers, observer: RuntimeObserver, podLogsDir: string): PodViews {
  return {
    find(namespace, name) {
      const pod = workers.pod(namespace, name);
      if (pod === undefined) return undefined;
      const uid = pod.metadata?.uid ?? '';
      const observed = observer.get(uid);
      const dir = podLogDirectory(podLogsDir, pod);
      const specs = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
      const containers = new Map(
        specs.flatMap((spec) => {
          const runs = (observed?.containers ?? []).filter((c) => c.name === spec.name);
          const [run, previous] = runs;
          if (run === undefined) return [];
          return [
            [
              spec.name,
              {
                id: run.id,
                running: run.state === 'running',
                logPath: join(dir, logPath(spec.name, run.restarts)),
                ...(previous === undefined
                  ? {}
                  : { previousLogPath: join(dir, logPath(spec.name, previous.restarts)) }),
                tty: spec.tty === true,
              },
            ] as const,
          ];
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
  };
}

function streamingOf(runtime: ContainerRuntime) {
  return {
    async exec(r: {
      containerId: string;
      command: readonly string[];
      tty: boolean;
      stdin: boolean;
      stdout: boolean;
      stderr: boolean;
    }) {
      const { url = '' } = await runtime.call('exec', {
        container_id: r.containerId,
        cmd: [...r.command],
        tty: r.tty,
        stdin: r.stdin,
        stdout: r.stdout,
        stderr: r.stderr,
      });
      return url;
    },
    async attach(r: { containerId: string; tty: boolean; stdin: boolean; stdout: boolean; stderr: boolean }) {
      const { url = '' } = await runtime.call('attach', {
        container_id: r.containerId,
        stdin: r.stdin,
        tty: r.tty,
        stdout: r.stdout,
        stderr: r.stderr,
      });
      return url;
    },
    async portForward(r: { podSandboxId: string; ports: readonly number[] }) {
      const { url = '' } = await runtime.call('portForward', { pod_sandbox_id: r.podSandboxId, port: [...r.ports] });
      return url;
    },
  };
}

async function listenOnFreePort<T>(listen: (port: number) => Promise<T>, port: number): Promise<T> {
  try {
    return await listen(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return listen(0);
  }
}

async function orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function readResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
