/** Sends the body of an answer: small ones at once, large ones at the pace of their reader. */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ListBody } from './encoding/listBody.ts';

/** Answers above this are compressed for whom it pleases, as in Kubernetes. */
const GZIP_FROM_BYTES = 128 << 10;
const GZIP_LEVEL = 1;
/** What of a list is made at a time. Measured: 64 KB to 1 MB are alike, a list of 10 MB made at once is half as fast. */
const PIECE_BYTES = 128 << 10;

export interface Head {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** @param gzip whether the client takes it */
export function sendBody(res: ServerResponse, head: Head, body: Buffer | ListBody, gzip: boolean): void {
  const { status, headers } = head;
  if (gzip && body.length >= GZIP_FROM_BYTES) {
    res.writeHead(status, { ...headers, 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' });
    const source = Readable.from(body instanceof ListBody ? copies(body) : [body], { objectMode: false });
    // A client that goes away ends it; nobody is left to be told.
    pipeline(source, createGzip({ level: GZIP_LEVEL }), res).catch(() => res.destroy());
    return;
  }
  res.writeHead(status, { ...headers, 'Content-Length': body.length });
  if (!(body instanceof ListBody)) res.end(body);
  else if (body.length <= PIECE_BYTES) res.end(body.toBuffer());
  else sendPieces(res, body.pieces(PIECE_BYTES));
}

/** The pieces share a buffer, and a stream may hold on to what it was given. */
function* copies(body: ListBody): Generator<Buffer> {
  for (const piece of body.pieces(PIECE_BYTES)) yield Buffer.from(piece);
}

/** Each piece when the one before is gone. */
function sendPieces(res: ServerResponse, pieces: Iterator<Buffer>): void {
  const next = (error?: Error | null): void => {
    if (error !== undefined && error !== null) return;
    const { value, done } = pieces.next();
    if (done === true) res.end();
    else res.write(value, next);
  };
  next();
}
