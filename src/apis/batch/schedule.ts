/**
 * The schedules of cron jobs: five fields, a macro (`@hourly`), or `@every 5m`. What is accepted is what Kubernetes
 * accepts, whose words differ from those of most cron libraries: no 7 for Sunday, `?` for any, no seconds.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
 */

/** When something is to happen: at times that fit five fields, or again and again after a while. */
export type Schedule =
  | {
      readonly type: 'fields';
      /** minute, hour, day of month, month, day of week; each `*` or its numbers, as any cron library reads them */
      readonly fields: readonly string[];
    }
  | { readonly type: 'every'; readonly ms: number };

export class ScheduleSyntaxError extends Error {
  override readonly name = 'ScheduleSyntaxError';
}

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** by number, from `min` on */
  readonly names: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const MACROS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);
const EVERY = '@every ';

/** @throws ScheduleSyntaxError */
export function parseSchedule(text: string): Schedule {
  if (text === '') throw new ScheduleSyntaxError('empty spec string');
  if (text.startsWith(EVERY)) return { type: 'every', ms: parseEvery(text) };
  const plain = text.startsWith('@') ? MACROS.get(text) : text;
  if (plain === undefined) throw new ScheduleSyntaxError(`unrecognized descriptor: ${text}`);
  const fields = plain.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== FIELDS.length) {
    throw new ScheduleSyntaxError(
      `expected exactly ${FIELDS.length} fields, found ${fields.length}: ${JSON.stringify(fields)}`,
    );
  }
  // As many bounds as fields: counted above.
  return { type: 'fields', fields: fields.map((field, i) => parseField(field, FIELDS[i] as Bounds)) };
}

/** `*`, or the numbers that fit, each once and in order. */
function parseField(field: string, bounds: Bounds): string {
  const numbers = new Set<number>();
  let any = false;
  for (const part of field.split(',')) {
    if (part === '') continue;
    const range = parseRange(part, bounds);
    any ||= range.any;
    for (let n = range.start; n <= range.end; n += range.step) numbers.add(n);
  }
  return any ? '*' : [...numbers].sort((a, b) => a - b).join(',');
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  /** whether it was written as a star, which says that the field asks for nothing */
  readonly any: boolean;
}

function parseRange(text: string, bounds: Bounds): Range {
  const [span = '', stepText, ...moreSteps] = text.split('/');
  const [low = '', high, ...moreEnds] = span.split('-');
  const star = low === '*' || low === '?';
  if (!star && moreEnds.length > 0) throw new ScheduleSyntaxError(`too many hyphens: ${text}`);
  if (moreSteps.length > 0) throw new ScheduleSyntaxError(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  const start = star ? bounds.min : parseNumberOrName(low, bounds);
  let end = start;
  if (star || (high === undefined && stepText !== undefined)) end = bounds.max;
  else if (high !== undefined) end = parseNumberOrName(high, bounds);
  if (start < bounds.min) {
    throw new ScheduleSyntaxError(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`);
  }
  if (end > bounds.max) throw new ScheduleSyntaxError(`end of range (${end}) above maximum (${bounds.max}): ${text}`);
  if (start > end) throw new ScheduleSyntaxError(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new ScheduleSyntaxError(`step of range should be a positive number: ${text}`);
  return { start, end, step, any: star && step === 1 };
}

function parseNumberOrName(text: string, { names, min }: Bounds): number {
  const at = names.indexOf(text.toLowerCase());
  return at < 0 ? parseNumber(text) : at + min;
}

function parseNumber(text: string): number {
  if (!/^\+?[0-9]{1,9}$/.test(text)) throw new ScheduleSyntaxError(`failed to parse int from ${text}`);
  return Number(text);
}

const SECOND = 1000;
const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
};
/** About 292 years: the longest duration that Kubernetes can tell. */
const LONGEST_MS = 2 ** 63 / 1e6;

/** A duration as Go writes it, in whole seconds and of one at least. */
function parseEvery(text: string): number {
  const duration = text.slice(EVERY.length);
  const fail = () => new ScheduleSyntaxError(`failed to parse duration ${text}`);
  const unsigned = duration.replace(/^[-+]/, '');
  let rest = unsigned === '0' ? '' : unsigned;
  if (unsigned === '') throw fail();
  let ms = 0;
  while (rest !== '') {
    const [part = '', amount = '', unit = ''] =
      /^([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest) ?? [];
    if (part === '') throw fail();
    ms += Number(amount) * (UNIT_MS[unit] ?? 0);
    rest = rest.slice(part.length);
  }
  if (ms > LONGEST_MS) throw fail();
  if (duration.startsWith('-')) return SECOND;
  return Math.max(SECOND, Math.floor(ms / SECOND) * SECOND);
}
