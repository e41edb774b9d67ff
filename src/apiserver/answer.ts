/** What a request is answered with, before it is known how the client wants it encoded. */
import type { Kind, KubeObject } from '../machinery/kind.ts';
import type { Status } from '../machinery/status.ts';
import type { Revision } from '../storage/storage.ts';
import type { Entry, WatchVerb } from './registry/entry.ts';

/** A stored object at a revision. */
export interface EntryAnswer {
  readonly type: 'entry';
  readonly status: number;
  readonly kind: Kind;
  readonly entry: Entry;
}

/** An object that is not stored as it is answered: a Status, a review, a Scale. */
export interface ObjectAnswer {
  readonly type: 'object';
  readonly status: number;
  readonly object: KubeObject;
  /** for a table; absent for a Status */
  readonly kind?: Kind;
}

export interface ListAnswer {
  readonly type: 'list';
  readonly kind: Kind;
  readonly revision: Revision;
  readonly entries: readonly Entry[];
  readonly continue?: string;
  readonly remaining?: number;
}

/** Anything that is not an object of the API: health, discovery documents, metrics. */
export interface RawAnswer {
  readonly type: 'raw';
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One event for a watcher; `bookmark` carries only a revision. */
export type WatchItem =
  | { readonly type: WatchVerb; readonly entry: Entry }
  | { readonly type: 'BOOKMARK'; readonly revision: Revision; readonly initialEventsEnd: boolean }
  | { readonly type: 'ERROR'; readonly status: Status };

export interface WatchSink {
  /** False: this one was taken, but no more is welcome until `resume` is called. */
  send(item: WatchItem): boolean;
  /** No more will come. `behind`: because the watcher could not keep up. */
  end(behind: boolean): void;
}

/** A watch that runs. */
export interface RunningWatch {
  /** The sink takes more again. */
  resume(): void;
  close(): void;
}

/** A stream of events. `open` is called once; the watch runs until it ends by itself or `close`. */
export interface WatchAnswer {
  readonly type: 'watch';
  readonly kind: Kind;
  open(sink: WatchSink): RunningWatch;
}

/** The handler has taken the connection and answers by itself. */
export interface TakenAnswer {
  readonly type: 'taken';
  readonly done: Promise<void>;
}

export type Answer = EntryAnswer | ObjectAnswer | ListAnswer | RawAnswer | WatchAnswer | TakenAnswer;

export function rawJson(value: unknown, status = 200): RawAnswer {
  return { type: 'raw', status, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) };
}

export function text(body: string, status = 200): RawAnswer {
  return { type: 'raw', status, contentType: 'text/plain; charset=utf-8', body: Buffer.from(body) };
}
