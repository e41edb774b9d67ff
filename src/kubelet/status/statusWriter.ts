/** Tells the API server of pods' status: only what changed, the newest last, and again after a failure. */
import { isDeepStrictEqual } from 'node:util';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { PodStatus } from '../../apis/core/podStatus.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';
import { mergeOfOthers, saysTheSame, statusPatch } from './statusPatch.ts';

const RETRY_MS = 1000;
/** What follows at once is told with it: on a fast runtime a pod is created and running within this time. */
const GATHER_MS = 4;
/** So long others have their say on what is this kubelet's to say: whoever waits for what they wrote sees it. */
const SET_RIGHT_MS = 10_000;

interface Wanted {
  readonly pod: Pod;
  readonly status: PodStatus;
}

interface Told extends Wanted {
  /** the resourceVersion that came of it */
  readonly revision: number;
}

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  readonly #inApi: (pod: Pod) => Pod | undefined;
  /** by uid: what the API server was told last */
  readonly #told = new Map<string, Told>();
  /** by uid: what it is to be told next; one for each pod, the newest */
  readonly #wanted = new Map<string, Wanted>();
  readonly #writing = new Map<string, Promise<void>>();
  /** pods whose status others have changed, as they were seen last */
  readonly #changed = new Map<string, Pod>();

  /** @param inApi what stands for a pod in the API; undefined: nothing does yet, and its status waits */
  constructor(
    client: Client,
    clock: Clock,
    log: Logger,
    signal: AbortSignal,
    inApi: (pod: Pod) => Pod | undefined = (pod) => pod,
  ) {
    this.#client = client;
    this.#inApi = inApi;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
  }

  /** The status that readers will see, though it may be on its way still. */
  latest(pod: Pod): PodStatus {
    const said = this.#said(pod.metadata?.uid ?? '');
    return said === undefined ? (pod.status ?? {}) : mergeOfOthers(said, pod.status);
  }

  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata?.uid ?? '';
    if (isDeepStrictEqual(this.#said(uid) ?? pod.status, status)) {
      this.#lookAtOthers(uid, pod);
      return;
    }
    this.#wanted.set(uid, { pod, status });
    this.#begin(uid);
  }

  /** Where somebody else changed what was told, it is told again, after a while. */
  #lookAtOthers(uid: string, pod: Pod): void {
    const waits = this.#changed.has(uid);
    if (!waits && !this.#isChanged(uid, pod)) return;
    this.#changed.set(uid, pod);
    if (waits) return;
    this.#clock.sleep(SET_RIGHT_MS, this.#signal).then(
      () => {
        const seen = this.#changed.get(uid);
        this.#changed.delete(uid);
        const told = this.#told.get(uid);
        if (seen === undefined || told === undefined || !this.#isChanged(uid, seen)) return;
        this.#wanted.set(uid, { pod: told.pod, status: told.status });
        this.#begin(uid);
      },
      () => {},
    );
  }

  #isChanged(uid: string, pod: Pod): boolean {
    const told = this.#told.get(uid);
    if (told === undefined || this.#wanted.has(uid) || this.#writing.has(uid)) return false;
    const { metadata, status } = this.#inApi(pod) ?? {};
    // What was seen before that was told is only late.
    return Number(metadata?.resourceVersion) > told.revision && !saysTheSame(told.status, status);
  }

  /** Something else stands for the pod in the API now: it is told everything. */
  again(uid: string): void {
    const next = this.#wanted.get(uid) ?? this.#told.get(uid);
    if (next === undefined) return;
    this.#told.delete(uid);
    this.#wanted.set(uid, { ...next });
    this.#begin(uid);
  }

  #begin(uid: string): void {
    if (this.#writing.has(uid)) return;
    this.#writing.set(
      uid,
      this.#write(uid).finally(() => this.#writing.delete(uid)),
    );
  }

  /** Waits until the newest status of a pod is written, or cannot be. */
  async flushed(uid: string): Promise<void> {
    await this.#writing.get(uid);
  }

  forget(uid: string): void {
    this.#told.delete(uid);
    this.#wanted.delete(uid);
    this.#changed.delete(uid);
  }

  #said(uid: string): PodStatus | undefined {
    return (this.#wanted.get(uid) ?? this.#told.get(uid))?.status;
  }

  async #write(uid: string): Promise<void> {
    await this.#clock.sleep(GATHER_MS, this.#signal).catch(() => {});
    for (let next = this.#wanted.get(uid); next !== undefined && !this.#signal.aborted; next = this.#wanted.get(uid)) {
      const target = this.#inApi(next.pod);
      if (target === undefined) return;
      try {
        const revision = await this.#send(uid, target, next.status);
        this.#told.set(uid, { ...next, revision });
        if (this.#wanted.get(uid) === next) this.#wanted.delete(uid);
      } catch (error) {
        if (isApiError(error, 'NotFound') || (isApiError(error, 'Conflict') && (await this.#isGone(target)))) {
          // Where it is shown by another object, that one will be made again.
          if (target === next.pod) this.forget(uid);
          return;
        }
        const { name, namespace } = next.pod.metadata ?? {};
        this.#log.warn('the status of a pod could not be written', { err: error, pod: name, namespace });
        await this.#clock.sleep(RETRY_MS, this.#signal).catch(() => {});
      }
    }
  }

  /** The resourceVersion that came of it. @param target what stands for the pod in the API */
  async #send(uid: string, target: Pod, status: PodStatus): Promise<number> {
    const { namespace, name = '' } = target.metadata ?? {};
    // The uid is a precondition: another pod of the same name has a status of its own.
    const before = this.#told.get(uid)?.status ?? target.status;
    const patch = { metadata: { uid: target.metadata?.uid }, status: statusPatch(before, status) };
    const { metadata } = await this.#client.patch(pods, { namespace, name }, 'strategic', patch, {
      subresource: 'status',
    });
    return Number(metadata.resourceVersion);
  }

  /** A conflict is either another pod of the same name, or a write of somebody else that came between. */
  async #isGone(pod: Pod): Promise<boolean> {
    const { namespace, name = '', uid } = pod.metadata ?? {};
    try {
      return (await this.#client.get(pods, { namespace, name })).metadata.uid !== uid;
    } catch (error) {
      return isApiError(error, 'NotFound');
    }
  }
}
