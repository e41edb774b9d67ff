/** Durations exact to the nanosecond, as Go's time.ParseDuration reads them. */

const UNIT: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const TERM = /(\d{1,18})?(?:\.(\d{0,18}))?(ns|us|µs|ms|s|m|h)/y;
const MAX = 9223372036854775807n;

/** In nanoseconds; undefined for what is no duration. */
export function parseGoDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-');
  const rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0n;
  if (rest === '' || rest.length > 256) return undefined;
  let nanos = 0n;
  for (TERM.lastIndex = 0; TERM.lastIndex < rest.length; ) {
    const term = TERM.exec(rest);
    if (term === null) return undefined;
    const [, whole, fraction = '', unit = ''] = term;
    if (whole === undefined && fraction === '') return undefined;
    const size = UNIT[unit] as bigint; // the pattern takes no other unit
    nanos += BigInt(whole ?? '0') * size;
    if (fraction !== '') nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
    if (nanos > MAX) return undefined;
  }
  return negative ? -nanos : nanos;
}
