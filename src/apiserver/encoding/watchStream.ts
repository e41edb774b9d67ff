/** Writes a watch to a client: a JSON object a line, no faster than the client reads. */
import type { Writable } from 'node:stream';
import { apiVersionOf, type Kind, type KubeObject } from '../../machinery/kind.ts';
import { partialMetadata } from '../../machinery/table.ts';
import type { WatchAnswer, WatchItem } from '../answer.ts';
import { tableOf } from './encodeAnswer.ts';
import type { Wanted } from './negotiate.ts';
import { protobufEntry, protobufEvent, protobufObject, protobufStatus } from './protobufAnswer.ts';

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

/** Makes lines of events. What is sent as it is stored goes out as bytes that all watchers share. */
function encoder(kind: Kind, wanted: Wanted, now: () => number): (item: WatchItem) => Buffer {
  const plain = wanted.form === 'object' && !wanted.pretty && !wanted.yaml;
  let withDefinitions = true;
  if (wanted.protobuf) return (item) => protobufItem(kind, item);
  return (item) => {
    if (item.type === 'BOOKMARK') return line('BOOKMARK', bookmarkOf(kind, item, wanted));
    if (item.type === 'ERROR') return line('ERROR', item.status);
    const entry = item.entry.as(kind);
    if (plain) return entry.event(item.type);
    const { object } = entry;
    switch (wanted.form) {
      case 'object':
        return line(item.type, object);
      case 'metadata':
        return line(item.type, { ...partialMetadata(object), apiVersion: `meta.k8s.io/${wanted.metaVersion}` });
      case 'table': {
        const meta = { resourceVersion: object.metadata.resourceVersion };
        const table = tableOf(kind, [object], meta, wanted, now(), withDefinitions);
        withDefinitions = false;
        return line(item.type, table);
      }
    }
  };
}

function protobufItem(kind: Kind, item: WatchItem): Buffer {
  switch (item.type) {
    case 'BOOKMARK':
      return protobufEvent('BOOKMARK', protobufObject(kind, bookmarkOf(kind, item)));
    case 'ERROR':
      return protobufEvent('ERROR', protobufStatus(item.status));
    default:
      return protobufEvent(item.type, protobufEntry(kind, item.entry));
  }
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
    case 'table': {
      const table = { kind: 'Table', apiVersion: `meta.k8s.io/${wanted.metaVersion}`, metadata };
      return { ...table, columnDefinitions: null, rows: [] } as KubeObject;
    }
    default:
      return { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata };
  }
}
