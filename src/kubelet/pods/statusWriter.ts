/** Tells the API server of pods' status: only what changed, the newest last, and again after a failure. */
import { isDeepStrictEqual } from 'node:util';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { PodStatus } from '../../apis/core/podStatus.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';

const RETRY_MS = 1000;

export class StatusWriter {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #signal: AbortSignal;
  /** by uid: what the API server was told last */
  readonly #told = new Map<string, PodStatus>();
  readonly #wanted = new Map<string, { pod: Pod; status: PodStatus }>();
  readonly #writing = new Map<string, Promise<void>>();

  constructor(client: Client, clock: Clock, log: Logger, signal: AbortSignal) {
    this.#client = client;
    this.#clock = clock;
    this.#log = log;
    this.#signal = signal;
  }

  /** The status that readers will see, though it may be on its way still. */
  latest(pod: Pod): PodStatus | undefined {
    const uid = pod.metadata?.uid ?? '';
    return this.#wanted.get(uid)?.status ?? this.#told.get(uid);
  }

  set(pod: Pod, status: PodStatus): void {
    const uid = pod.metadata?.uid ?? '';
    if (isDeepStrictEqual(this.#wanted.get(uid)?.status ?? this.#told.get(uid) ?? pod.status, status)) return;
    this.#wanted.set(uid, { pod, status });
    if (!this.#writing.has(uid)) this.#start(uid);
  }

  /** Waits until the newest status of a pod is written, or cannot be. */
  async flushed(uid: string): Promise<void> {
    await this.#writing.get(uid);
  }

  forget(uid: string): void {
    this.#told.delete(uid);
    this.#wanted.delete(uid);
  }

  #start(uid: string): void {
    const work = this.#write(uid).finally(() => this.#writing.delete(uid));
    this.#writing.set(uid, work);
  }

  async #write(uid: string): Promise<void> {
    for (let next = this.#wanted.get(uid); next !== undefined && !this.#signal.aborted; next = this.#wanted.get(uid)) {
      const { namespace, name = '' } = next.pod.metadata ?? {};
      // The conditions of others are theirs: a merge by type leaves them be.
      const patch = { metadata: { uid }, status: next.status };
      try {
        await this.#client.patch(pods, { namespace, name }, 'strategic', patch, { subresource: 'status' });
        this.#told.set(uid, next.status);
        if (this.#wanted.get(uid) === next) this.#wanted.delete(uid);
      } catch (error) {
        if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) {
          // Gone, or another pod of the same name.
          if (this.#wanted.get(uid) === next) this.#wanted.delete(uid);
          continue;
        }
        this.#log.warn('the status of a pod could not be written', { err: error, pod: name, namespace });
        await this.#clock.sleep(RETRY_MS, this.#signal).catch(() => {});
      }
    }
  }
}
