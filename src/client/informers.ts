/** The informers of a process: one for each kind and selection, however many parts of it ask. */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Kind, KubeObject } from '../machinery/kind.ts';
import { apiVersionOf } from '../machinery/kind.ts';
import type { Client } from './client.ts';
import { Informer } from './informer.ts';

export interface InformersOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends all of them */
  readonly signal: AbortSignal;
}

export interface Selection {
  /** absent: all namespaces */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}

export class Informers {
  readonly #options: InformersOptions;
  readonly #informers = new Map<string, unknown>();
  /** of kinds that may go, what ends their informers */
  readonly #ends = new Map<string, AbortController>();

  constructor(options: InformersOptions) {
    this.#options = options;
  }

  /** The informer of that kind and selection, which starts when it is first asked for. */
  of<T extends KubeObject>(kind: Kind<T>, selection: Selection = {}): Informer<T> {
    const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
    const resource = keyOf(kind);
    const key = [resource, namespace, labelSelector, fieldSelector].join('\n');
    let informer = this.#informers.get(key) as Informer<T> | undefined;
    if (informer === undefined) {
      const end = this.#ends.get(resource);
      const own = end === undefined ? {} : { signal: AbortSignal.any([this.#options.signal, end.signal]) };
      informer = new Informer({ ...this.#options, ...selection, ...own, kind });
      this.#informers.set(key, informer);
    }
    return informer;
  }

  /** From now on the kind's informers can be ended by `drop`. */
  mayGo(kind: Kind): void {
    if (!this.#ends.has(keyOf(kind))) this.#ends.set(keyOf(kind), new AbortController());
  }

  /** Ends the informers of a kind that is served no more; who asks for it again gets a new one. */
  drop(kind: Kind): void {
    const resource = keyOf(kind);
    this.#ends.get(resource)?.abort(new Error(`${kind.plural} are served no more`));
    this.#ends.delete(resource);
    for (const key of this.#informers.keys()) if (key.startsWith(`${resource}\n`)) this.#informers.delete(key);
  }
}

const keyOf = (kind: Pick<Kind, 'group' | 'version' | 'plural'>) => `${apiVersionOf(kind)}\n${kind.plural}`;
