/** Timestamps exact to the nanosecond, from RFC 3339 or a plain date. */
import { readTime } from '../time.ts';

/** An instant in nanoseconds since 1970. */
export class Timestamp {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}

/** Undefined for what is no time. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const full = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text;
  const moment = readTime(full);
  if (moment === undefined) return undefined;
  const fraction = /[.,](\d{1,9})/.exec(full)?.[1] ?? '';
  return new Timestamp(BigInt(Date.parse(moment.seconds)) * 1_000_000n + BigInt(fraction.padEnd(9, '0')));
}
