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
  readonly #informers = new Map<string, { readonly informer: unknown; readonly end: AbortController }>();

  constructor(options: InformersOptions) {
    this.#options = options;
  }

  /** The informer of that kind and selection, which starts when it is first asked for. */
  of<T extends KubeObject>(kind: Kind<T>, selection: Selection = {}): Informer<T> {
    const { namespace = '', labelSelector = '', fieldSelector = '' } = selection;
    const key = [apiVersionOf(kind), kind.plural, namespace, labelSelector, fieldSelector].join('\n');
    const known = this.#informers.get(key);
    if (known !== undefined) return known.informer as Informer<T>;
    const end = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, end.signal]);
    const informer = new Informer({ ...this.#options, ...selection, kind, signal });
    this.#informers.set(key, { informer, end });
    return informer;
  }

  /** Ends the informers of a kind that is served no more; who asks for it again gets a new one. */
  drop(kind: Kind): void {
    const prefix = `${apiVersionOf(kind)}\n${kind.plural}\n`;
    for (const [key, { end }] of this.#informers) {
      if (!key.startsWith(prefix)) continue;
      this.#informers.delete(key);
      end.abort(new Error(`${kind.plural} are served no more`));
    }
  }
}
