/** Durations as Go writes them: `300ms`, `1m30s`, `1.5h`. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const TERM = /(\d{1,15}(?:\.\d{1,9})?|\.\d{1,9})(ns|us|µs|ms|s|m|h)/y;

/** In milliseconds; undefined for what is no duration. Source: https://pkg.go.dev/time#ParseDuration */
export function parseDuration(text: string): number | undefined {
  const negative = text.startsWith('-');
  const rest = negative || text.startsWith('+') ? text.slice(1) : text;
  if (rest === '0') return 0;
  if (rest === '') return undefined;
  let ms = 0;
  for (TERM.lastIndex = 0; TERM.lastIndex < rest.length; ) {
    const term = TERM.exec(rest);
    if (term === null) return undefined;
    // Both groups are there in every match.
    ms += Number(term[1]) * (UNIT_MS[term[2] as string] as number);
  }
  return negative ? -ms : ms;
}
