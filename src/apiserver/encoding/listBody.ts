/**
 * A list as bytes: an opening, the objects' own bytes, and the end. It is made piece by piece while it
 * is sent, so that a list of any length costs its reader's pace and no memory of its own.
 */
import { apiVersionOf } from '../../machinery/kind.ts';
import type { ListAnswer } from '../answer.ts';

export class ListBody {
  /** in bytes */
  readonly length: number;
  readonly #parts: () => Iterable<Buffer>;

  /** @param parts makes them, the same each time, `length` bytes in all */
  constructor(length: number, parts: () => Iterable<Buffer>) {
    this.length = length;
    this.#parts = parts;
  }

  /** The whole, for what is small. */
  toBuffer(): Buffer {
    const out = Buffer.allocUnsafe(this.length);
    let at = 0;
    for (const part of this.#parts()) at += part.copy(out, at);
    return out;
  }

  /** Pieces of about `size` bytes, one after the other in the same buffer: each must be gone before the next is asked for. */
  *pieces(size: number): Generator<Buffer> {
    const piece = Buffer.allocUnsafeSlow(size);
    let at = 0;
    for (const part of this.#parts()) {
      for (let from = 0; from < part.length; ) {
        const copied = part.copy(piece, at, from);
        from += copied;
        at += copied;
        if (at === size) {
          yield piece;
          at = 0;
        }
      }
    }
    if (at > 0) yield piece.subarray(0, at);
  }
}

const COMMA = Buffer.from(',');
const END = Buffer.from(']}');

/** In JSON. */
export function listBody(answer: ListAnswer): ListBody {
  const { kind } = answer;
  const opening = Buffer.from(
    `{"kind":${JSON.stringify(kind.listKind)},"apiVersion":${JSON.stringify(apiVersionOf(kind))},"metadata":${JSON.stringify(listMeta(answer))},"items":[`,
  );
  const entries = kind.hub === undefined ? answer.entries : answer.entries.map((e) => e.as(kind));
  let length = opening.length + END.length + Math.max(0, entries.length - 1);
  for (const entry of entries) length += entry.bytes.length;
  return new ListBody(length, function* () {
    yield opening;
    let first = true;
    for (const { bytes } of entries) {
      if (!first) yield COMMA;
      first = false;
      yield bytes;
    }
    yield END;
  });
}

export interface ListMeta {
  readonly resourceVersion: string;
  readonly continue?: string;
  readonly remainingItemCount?: number;
}

export function listMeta(answer: ListAnswer): ListMeta {
  return {
    resourceVersion: String(answer.revision),
    ...(answer.continue === undefined ? {} : { continue: answer.continue }),
    ...(answer.remaining === undefined ? {} : { remainingItemCount: answer.remaining }),
  };
}
