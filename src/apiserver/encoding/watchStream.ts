/** Writes a watch to a client: event after event, no faster than the client reads. */
import type { Writable } from 'node:stream';
import { stringifyExactJson } from '../../machinery/exactJson.ts';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { PartialObjectMetadata } from '../../machinery/statusTypes.ts';
import type { WatchAnswer, WatchItem } from '../answer.ts';
import type { BinaryFormat } from './binaryFormat.ts';
import { binaryFormat, itemOf, namesOf, oneForm, type Shaped, wholeOf } from './encodeAnswer.ts';
import type { Wanted } from './negotiate.ts';

/** What may wait for a client to read it. With this much, the watch stands still; one event may go beyond. */
const MAX_UNSENT_BYTES = 256 << 10;

/**
 * Runs the watch until it ends or `out` closes.
 * @param flush sends what was written on its way; called once for the events of one commit
 */
export function streamWatch(
  answer: WatchAnswer,
  out: Writable,
  wanted: Wanted,
  now: () => number,
  flush: () => void,
): void {
  const encode = encoder(answer.kind, wanted, now);
  let flushing = false;
  const flushOnce = () => {
    flushing = false;
    flush();
  };
  const watch = answer.open({
    send(item) {
      if (out.destroyed || out.writableEnded) return false;
      out.write(encode(item));
      if (!flushing) {
        flushing = true;
        // Behind the other events of the same commit, and before the answer to its writer.
        queueMicrotask(flushOnce);
      }
      return out.writableLength < MAX_UNSENT_BYTES;
    },
    end(behind) {
      // Whoever does not read will not read the end either.
      if (behind) out.destroy();
      else out.end();
    },
  });
  out.on('drain', () => watch.resume());
  out.once('close', () => watch.close());
}

/** Makes bytes of events. What is sent as it is stored goes out as bytes that all watchers share. */
function encoder(kind: Kind, wanted: Wanted, now: () => number): (item: WatchItem) => Buffer {
  const format = binaryFormat(wanted.encoding);
  const plain = wanted.form === 'object' && !wanted.pretty;
  let withDefinitions = true;
  return (item) => {
    if (item.type === 'BOOKMARK') return eventOf(format, item.type, bookmarkForm(kind, item, wanted));
    if (item.type === 'ERROR') return eventOf(format, item.type, { value: item.status as KubeObject });
    const entry = item.entry.as(kind);
    if (plain && format === undefined) return entry.event(item.type);
    if (wanted.form === 'object' && format !== undefined) {
      const { type } = item;
      return entry.eventBy(format, type, () =>
        format.event(type, format.whole(namesOf(kind), itemOf(kind, entry, format))),
      );
    }
    const shaped = oneForm(kind, entry.object, wanted, now(), withDefinitions);
    withDefinitions = false;
    return eventOf(format, item.type, shaped);
  };
}

function eventOf(format: BinaryFormat | undefined, type: string, shaped: Shaped): Buffer {
  if (format !== undefined) return format.event(type, wholeOf(format, shaped));
  return Buffer.from(`${stringifyExactJson({ type, object: shaped.value })}\n`);
}

function bookmarkForm(kind: Kind, item: Extract<WatchItem, { type: 'BOOKMARK' }>, wanted: Wanted): Shaped {
  const value = bookmarkOf(kind, item, wanted);
  if (wanted.form === 'table') return { value };
  return { value, type: wanted.form === 'metadata' ? PartialObjectMetadata : kind.schema };
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
    case 'table': {
      const table = { kind: 'Table', apiVersion: `meta.k8s.io/${wanted.metaVersion}`, metadata };
      return { ...table, columnDefinitions: null, rows: [] } as KubeObject;
    }
    default:
      return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
  }
}
