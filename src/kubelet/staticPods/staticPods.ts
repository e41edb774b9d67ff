/**
 * Static pods: run whatever the API server says, and shown there by mirrors, which are made anew when somebody
 * deletes them.
 */
import { type Node, nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';
import { CONFIG } from './manifest.ts';

export interface StaticPodsOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The node is to run this pod. */
  run(pod: Pod): void;
  /** … no more. */
  end(pod: Pod): void;
  /** There is a mirror now that can tell of a pod's status. @param uid of the static pod */
  mirrored(uid: string): void;
}

const RETRY_MS = 3_000;

/** Whether an object of the API stands for a static pod. */
export function isMirror(pod: Pod): boolean {
  return pod.metadata?.annotations?.[CONFIG.mirror] !== undefined;
}

const keyOf = ({ metadata }: Pod) => `${metadata?.namespace}/${metadata?.name}`;

export class StaticPods {
  readonly #o: StaticPodsOptions;
  readonly #bySource = new Map<string, readonly Pod[]>();
  /** what is to run, by namespace and name */
  #wanted = new Map<string, Pod>();
  /** what runs, or is about to end, by namespace and name */
  readonly #running = new Map<string, Pod>();
  /** as the API has them, by namespace and name */
  readonly #mirrors = new Map<string, Pod>();
  readonly #reconciling = new Set<string>();
  /** Mirrors of the API are known. */
  #synced = false;

  constructor(options: StaticPodsOptions) {
    this.#o = options;
  }

  /** All that a source has. The first of two pods of the same name counts. */
  fromSource(source: string, found: readonly Pod[]): void {
    this.#bySource.set(source, found);
    const wanted = new Map<string, Pod>();
    for (const pod of [...this.#bySource.values()].flat()) if (!wanted.has(keyOf(pod))) wanted.set(keyOf(pod), pod);
    const before = this.#wanted;
    this.#wanted = wanted;
    for (const key of new Set([...before.keys(), ...wanted.keys()])) this.#bring(key);
  }

  /** Nothing is left of a pod: another of its name may start. */
  forgotten(uid: string): void {
    for (const [key, pod] of this.#running) {
      if (pod.metadata?.uid !== uid) continue;
      this.#running.delete(key);
      this.#bring(key);
    }
  }

  /** The API has this mirror, or has it no more. */
  mirror(pod: Pod, gone: boolean): void {
    const key = keyOf(pod);
    if (gone) this.#mirrors.delete(key);
    else this.#mirrors.set(key, pod);
    if (this.#synced) void this.#reflect(key);
  }

  /** The mirrors that the API has are known: those of pods that are no more go, others are made. */
  synced(): void {
    this.#synced = true;
    for (const key of new Set([...this.#mirrors.keys(), ...this.#wanted.keys()])) void this.#reflect(key);
  }

  /** What stands for a pod in the API: itself, or its mirror, where there is one. */
  inApi(pod: Pod): Pod | undefined {
    if (pod.metadata?.annotations?.[CONFIG.source] === undefined) return pod;
    const mirror = this.#mirrors.get(keyOf(pod));
    return mirror !== undefined && mirrors(mirror, pod) && !isGoing(mirror) ? mirror : undefined;
  }

  #bring(key: string): void {
    const { run, end } = this.#o;
    const running = this.#running.get(key);
    const wanted = this.#wanted.get(key);
    if (running !== undefined && running.metadata?.uid !== wanted?.metadata?.uid) end(running);
    else if (wanted !== undefined && running === undefined) {
      this.#running.set(key, wanted);
      run(wanted);
    }
    if (this.#synced) void this.#reflect(key);
  }

  /** Brings the mirror to what it is to be. One at a time for each name. */
  async #reflect(key: string): Promise<void> {
    if (this.#reconciling.has(key)) return;
    this.#reconciling.add(key);
    const { log, clock, signal } = this.#o;
    try {
      while (!signal.aborted && (await this.#step(key))) {
        // Until there is nothing to do.
      }
    } catch (err) {
      if (signal.aborted) return;
      log.warn('the mirror of a static pod could not be brought about', { err, pod: key });
      clock.after(RETRY_MS, () => void this.#reflect(key));
    } finally {
      this.#reconciling.delete(key);
    }
  }

  /** False where all is as it is to be, or the API will tell of what was done. */
  async #step(key: string): Promise<boolean> {
    const mirror = this.#mirrors.get(key);
    const wanted = this.#wanted.get(key);
    if (mirror !== undefined && (wanted === undefined || !mirrors(mirror, wanted) || isGoing(mirror))) {
      await this.#delete(mirror);
      if (this.#mirrors.get(key) === mirror) this.#mirrors.delete(key);
      return true;
    }
    if (wanted === undefined || mirror !== undefined) return false;
    const created = await this.#create(wanted);
    if (!this.#mirrors.has(key)) this.#mirrors.set(key, created);
    this.#o.mirrored(wanted.metadata?.uid ?? '');
    return true;
  }

  async #delete({ metadata }: Pod): Promise<void> {
    const { namespace, name = '', uid = '' } = metadata ?? {};
    try {
      await this.#o.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error;
    }
  }

  async #create(pod: Pod): Promise<Pod> {
    const { client, nodeName } = this.#o;
    const { name, namespace, labels, annotations } = pod.metadata ?? {};
    const node: Node = await client.get(nodes, { name: nodeName });
    const owner = { apiVersion: 'v1', kind: 'Node', name: nodeName, uid: node.metadata?.uid ?? '', controller: true };
    return client.create(pods, {
      metadata: {
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
        ...(labels === undefined ? {} : { labels }),
        annotations: { ...annotations, [CONFIG.mirror]: annotations?.[CONFIG.hash] ?? '' },
        ownerReferences: [owner],
      },
      ...(pod.spec === undefined ? {} : { spec: pod.spec }),
    });
  }
}

const isGoing = ({ metadata }: Pod) => metadata?.deletionTimestamp !== undefined;

function mirrors(mirror: Pod, pod: Pod): boolean {
  return mirror.metadata?.annotations?.[CONFIG.mirror] === pod.metadata?.annotations?.[CONFIG.hash];
}
