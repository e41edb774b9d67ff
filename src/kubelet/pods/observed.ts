/** What the runtime has of each pod: looked at anew whenever something happened. */
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { CONTAINER_STATE, type ContainerStatus, SANDBOX_READY } from '../cri/messages.ts';
import { type ContainerRuntime, isNotFound } from '../cri/runtime.ts';
import { ANNOTATION, LABEL } from './labels.ts';

export interface ObservedSandbox {
  readonly id: string;
  readonly ready: boolean;
  readonly attempt: number;
  /** ns since the epoch */
  readonly createdAt: number;
  readonly ips: readonly string[];
}

export interface ObservedContainer {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  /** how often the container had been restarted when this one was made */
  readonly restarts: number;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  /** of the part of the spec that it was made from */
  readonly hash: string;
  /** what it was made with, as `resourcesKey` says it */
  readonly resources: string | undefined;
  readonly status: ContainerStatus;
}

export interface ObservedPod {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** newest first */
  readonly sandboxes: readonly ObservedSandbox[];
  /** newest first */
  readonly containers: readonly ObservedContainer[];
}

const STATE = new Map<number, ObservedContainer['state']>([
  [CONTAINER_STATE.created, 'created'],
  [CONTAINER_STATE.running, 'running'],
  [CONTAINER_STATE.exited, 'exited'],
]);

/** Out of memory is told shortly after the exit: for so long an exit by SIGKILL is asked about again. */
const OOM_NEWS_MS = 3_000;
const KILLED_EXIT_CODE = 137;

/** The newest run of a container. */
export function latestRun(pod: ObservedPod | undefined, name: string): ObservedContainer | undefined {
  return pod?.containers.find((c) => c.name === name);
}

/** Looks at the whole runtime; asks for details only of what changed since the last look. */
export class RuntimeObserver {
  readonly #runtime: ContainerRuntime;
  readonly #clock: Clock;
  readonly #log: Logger;
  #pods = new Map<string, ObservedPod>();
  #sandboxIps = new Map<string, readonly string[]>();
  #statuses = new Map<string, { state: number; status: ContainerStatus }>();

  constructor(runtime: ContainerRuntime, clock: Clock, log: Logger) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#log = log;
  }

  get(uid: string): ObservedPod | undefined {
    return this.#pods.get(uid);
  }

  all(): IterableIterator<ObservedPod> {
    return this.#pods.values();
  }

  /** Whether a container ran, or a sandbox was there, at the last look. */
  isAlive(id: string): boolean {
    for (const { containers, sandboxes } of this.#pods.values()) {
      if (containers.some((c) => c.id === id && c.state === 'running')) return true;
      if (sandboxes.some((s) => s.id === id && s.ready)) return true;
    }
    return false;
  }

  /** Looks, and returns the uids of pods that are not as they were. @throws RuntimeError */
  async look(): Promise<Set<string>> {
    const [{ items = [] }, { containers = [] }] = await Promise.all([
      this.#runtime.call('listPodSandbox', {}),
      this.#runtime.call('listContainers', {}),
    ]);
    const pods = new Map<
      string,
      { -readonly [K in keyof ObservedPod]: ObservedPod[K] } & {
        sandboxes: ObservedSandbox[];
        containers: ObservedContainer[];
      }
    >();
    const ips = new Map<string, readonly string[]>();
    const statuses = new Map<string, { state: number; status: ContainerStatus }>();
    await Promise.all(
      items.map(async (sandbox) => {
        const id = sandbox.id ?? '';
        const { uid = '', namespace = '', name = '', attempt = 0 } = sandbox.metadata ?? {};
        const ready = (sandbox.state ?? SANDBOX_READY) === SANDBOX_READY;
        const known = this.#sandboxIps.get(id) ?? (ready ? await this.#ipsOf(id) : []);
        if (known.length > 0) ips.set(id, known);
        let pod = pods.get(uid);
        if (pod === undefined) {
          pod = { uid, namespace, name, sandboxes: [], containers: [] };
          pods.set(uid, pod);
        }
        pod.sandboxes.push({ id, ready, attempt, createdAt: sandbox.created_at ?? 0, ips: known });
      }),
    );
    await Promise.all(
      containers.map(async (container) => {
        const id = container.id ?? '';
        const state = container.state ?? CONTAINER_STATE.created;
        const known = this.#statuses.get(id);
        const status = known?.state === state && this.#isFinal(known.status) ? known.status : await this.#statusOf(id);
        if (status === undefined) return;
        const actual = status.state ?? CONTAINER_STATE.created;
        statuses.set(id, { state: actual, status });
        const labels = container.labels ?? {};
        const uid = labels[LABEL.podUid] ?? '';
        let pod = pods.get(uid);
        if (pod === undefined) {
          pod = {
            uid,
            namespace: labels[LABEL.podNamespace] ?? '',
            name: labels[LABEL.podName] ?? '',
            sandboxes: [],
            containers: [],
          };
          pods.set(uid, pod);
        }
        pod.containers.push({
          id,
          name: labels[LABEL.containerName] ?? container.metadata?.name ?? '',
          sandboxId: container.pod_sandbox_id ?? '',
          restarts: Number(container.annotations?.[ANNOTATION.restartCount] ?? 0),
          state: STATE.get(actual) ?? 'unknown',
          hash: container.annotations?.[ANNOTATION.hash] ?? '',
          resources: container.annotations?.[ANNOTATION.resources],
          status,
        });
      }),
    );
    for (const pod of pods.values()) {
      pod.sandboxes.sort((a, b) => b.createdAt - a.createdAt);
      pod.containers.sort((a, b) => (b.status.created_at ?? 0) - (a.status.created_at ?? 0));
    }
    const changed = new Set<string>();
    for (const [uid, pod] of pods) if (signature(pod) !== signature(this.#pods.get(uid))) changed.add(uid);
    for (const uid of this.#pods.keys()) if (!pods.has(uid)) changed.add(uid);
    this.#pods = pods as Map<string, ObservedPod>;
    this.#sandboxIps = ips;
    this.#statuses = statuses;
    return changed;
  }

  /** Whether nothing more is to be heard of this state of a container. */
  #isFinal(status: ContainerStatus): boolean {
    if (status.exit_code !== KILLED_EXIT_CODE || status.reason === 'OOMKilled') return true;
    return this.#clock.now() - (status.finished_at ?? 0) / 1e6 > OOM_NEWS_MS;
  }

  async #ipsOf(id: string): Promise<readonly string[]> {
    try {
      const { status } = await this.#runtime.call('podSandboxStatus', { pod_sandbox_id: id });
      const network = status?.network;
      if (network?.ip === undefined) return [];
      return [network.ip, ...(network.additional_ips ?? []).map((p) => p.ip ?? '')];
    } catch (error) {
      if (!isNotFound(error)) this.#log.warn('a sandbox could not be looked at', { err: error, sandbox: id });
      return [];
    }
  }

  async #statusOf(id: string): Promise<ContainerStatus | undefined> {
    try {
      return (await this.#runtime.call('containerStatus', { container_id: id })).status;
    } catch (error) {
      if (!isNotFound(error)) this.#log.warn('a container could not be looked at', { err: error, container: id });
      return undefined;
    }
  }
}

function signature(pod: ObservedPod | undefined): string {
  if (pod === undefined) return '';
  const sandboxes = pod.sandboxes.map((s) => `${s.id}${s.ready ? '+' : '-'}${s.ips.join()}`);
  return `${sandboxes.join()}|${pod.containers.map((c) => `${c.id}${c.state}${c.status.reason ?? ''}`).join()}`;
}
