/** Writes a watch to a client: a JSON object a line, no faster than the client reads. */
import type { Writable } from 'node:stream';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { partialMetadata } from '../../machinery/table.ts';
import type { WatchAnswer, WatchItem, WatchSink } from '../answer.ts';
import { tableOf } from './encodeAnswer.ts';
import type { Wanted } from './negotiate.ts';

/** A client that lets this much pile up is dropped; it will list again. */
const MAX_UNSENT_BYTES = 16 << 20;

/** Runs the watch until it ends or `out` closes. */
export function streamWatch(answer: WatchAnswer, out: Writable, wanted: Wanted, now: () => number): void {
  let withDefinitions = true;
  const plain = wanted.form === 'object' && !wanted.pretty && !wanted.yaml;
  const encode = (item: WatchItem): Buffer => {
    if (item.type === 'BOOKMARK') return line('BOOKMARK', bookmarkOf(answer.kind, item, wanted));
    if (item.type === 'ERROR') return line('ERROR', item.status);
    if (plain) return item.entry.event(item.type);
    const { object } = item.entry;
    if (wanted.form === 'metadata') {
      return line(item.type, { ...partialMetadata(object), apiVersion: `meta.k8s.io/${wanted.metaVersion}` });
    }
    if (wanted.form === 'object') return line(item.type, object);
    const meta = { resourceVersion: object.metadata.resourceVersion };
    const table = tableOf(answer.kind, [object], meta, wanted, now(), withDefinitions);
    withDefinitions = false;
    return line(item.type, table);
  };
  const sink: WatchSink = {
    send(item) {
      if (out.destroyed || out.writableEnded) return false;
      out.write(encode(item));
      return out.writableLength <= MAX_UNSENT_BYTES;
    },
    end() {
      // Whoever does not read will not read the end either.
      if (out.writableLength > MAX_UNSENT_BYTES) out.destroy();
      else out.end();
    },
  };
  const watch = answer.open(sink);
  out.once('close', () => watch.close());
}

function line(type: string, object: unknown): Buffer {
  return Buffer.from(`${JSON.stringify({ type, object })}\n`);
}

/** Annotation of the bookmark that ends the initial events of a streaming list. */
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** A bookmark: an object of the kind that has nothing but a resourceVersion. */
export function bookmarkOf(kind: Kind, item: Extract<WatchItem, { type: 'BOOKMARK' }>, wanted?: Wanted): KubeObject {
  const metadata = {
    resourceVersion: String(item.revision),
    ...(item.initialEventsEnd ? { annotations: { [INITIAL_EVENTS_END]: 'true' } } : {}),
  };
  switch (wanted?.form) {
    case 'metadata':
      return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${wanted.metaVersion}`, metadata };
    case 'table':
      return { kind: 'Table', apiVersion: `meta.k8s.io/${wanted.metaVersion}`, metadata, columnDefinitions: null, rows: [] } as KubeObject;
    default:
      return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
  }
}
