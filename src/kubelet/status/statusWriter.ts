/** Tells the API server of pods' status: only what changed, the newest last, and again after a failure. */
import { isDeepStrictEqual } from 'node:util';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { PodStatus } from '../../apis/core/podStatus.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';
import { mergeOfOthers, statusPatch } from './statusPatch.ts';

const RETRY_MS = 1000;

interface Wanted {
  readonly pod: Pod;
  readonly status: PodStatus;
}

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  /** by uid: what the API server was told last */
  readonly #told = new Map<string, PodStatus>();
  /** by uid: what it is to be told next; one for each pod, the newest */
  readonly #wanted = new Map<string, Wanted>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(client: Client, clock: Clock, log: Logger, signal: AbortSignal) {
    this.#client = client;
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
    if (isDeepStrictEqual(this.#said(uid) ?? pod.status, status)) return;
    this.#wanted.set(uid, { pod, status });
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
  }

  #said(uid: string): PodStatus | undefined {
    return this.#wanted.get(uid)?.status ?? this.#told.get(uid);
  }

  async #write(uid: string): Promise<void> {
    for (let next = this.#wanted.get(uid); next !== undefined && !this.#signal.aborted; next = this.#wanted.get(uid)) {
      try {
        await this.#send(uid, next);
        this.#told.set(uid, next.status);
        if (this.#wanted.get(uid) === next) this.#wanted.delete(uid);
      } catch (error) {
        if (isApiError(error, 'NotFound') || (isApiError(error, 'Conflict') && (await this.#isGone(uid, next.pod)))) {
          this.forget(uid);
          return;
        }
        const { name, namespace } = next.pod.metadata ?? {};
        this.#log.warn('the status of a pod could not be written', { err: error, pod: name, namespace });
        await this.#clock.sleep(RETRY_MS, this.#signal).catch(() => {});
      }
    }
  }

  async #send(uid: string, { pod, status }: Wanted): Promise<void> {
    const { namespace, name = '' } = pod.metadata ?? {};
    // The uid is a precondition: another pod of the same name has a status of its own.
    const patch = { metadata: { uid }, status: statusPatch(this.#told.get(uid) ?? pod.status, status) };
    await this.#client.patch(pods, { namespace, name }, 'strategic', patch, { subresource: 'status' });
  }

  /** A conflict is either another pod of the same name, or a write of somebody else that came between. */
  async #isGone(uid: string, pod: Pod): Promise<boolean> {
    const { namespace, name = '' } = pod.metadata ?? {};
    try {
      return (await this.#client.get(pods, { namespace, name })).metadata.uid !== uid;
    } catch (error) {
      return isApiError(error, 'NotFound');
    }
  }
}
