/** Strings: the standard functions and the extended ones. Positions count code points. */
import { CelError } from '../error.ts';
import { fn, method, type Overload, type Run } from '../overload.ts';
import { Timestamp } from '../timestamp.ts';
import { BOOL, DYN, INT, listOf, STRING } from '../types.ts';
import { Duration, isMap, ListValue, showDuration, showTimestamp, TypeValue, Uint, type Value } from '../value.ts';
import { showDouble } from './conversions.ts';

/** The work of going over a text. */
const pass = (run: Run, ...texts: string[]) => {
  for (const text of texts) run.spend(text.length / 10);
};

const points = (text: string): string[] => Array.from(text);

function within(position: bigint, length: number): number {
  if (position < 0n || position > BigInt(length)) throw new CelError(`index out of range: ${position}`);
  return Number(position);
}

function indexOf(text: string, part: string, from: bigint): bigint {
  const all = points(text);
  const start = within(from, all.length);
  const skipped = all.slice(0, start).join('').length;
  const at = text.indexOf(part, skipped);
  return at < 0 ? -1n : BigInt(points(text.slice(0, at)).length);
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const all = points(text);
  const limit = from === undefined ? text.length : all.slice(0, within(from, all.length)).join('').length;
  const at = text.lastIndexOf(part, limit);
  return at < 0 ? -1n : BigInt(points(text.slice(0, at)).length);
}

function replace(text: string, from: string, to: string, times: bigint, run: Run): string {
  pass(run, text);
  const parts = from === '' ? ['', ...points(text), ''] : text.split(from);
  const count = times < 0n ? parts.length - 1 : Math.min(Number(times), parts.length - 1);
  run.spend((count * to.length) / 10);
  return (
    parts.slice(0, count + 1).join(to) + (count + 1 < parts.length ? from + parts.slice(count + 1).join(from) : '')
  );
}

function split(text: string, by: string, limit: bigint): ListValue {
  if (limit === 0n) return new ListValue([]);
  const parts = by === '' ? points(text) : text.split(by);
  if (limit < 0n || BigInt(parts.length) <= limit) return new ListValue(parts);
  const n = Number(limit);
  return new ListValue([...parts.slice(0, n - 1), parts.slice(n - 1).join(by)]);
}

function join(list: ListValue, separator: string, run: Run): string {
  const texts: string[] = [];
  for (const item of list) {
    if (typeof item !== 'string') throw new CelError('no such overload');
    pass(run, item);
    texts.push(item);
  }
  run.spend(texts.length);
  return texts.join(separator);
}

const ascii = (text: string, pattern: RegExp, change: (letters: string) => string) => text.replace(pattern, change);
/** What Unicode calls white space: Go trims no byte order mark. */
const SPACE = /[^\S\ufeff]|\u0085/;

/** From both ends: to look for spaces before the end from each place on would take for ever. */
function trimmed(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && SPACE.test(text.charAt(from))) from++;
  while (to > from && SPACE.test(text.charAt(to - 1))) to--;
  return text.slice(from, to);
}

/** One value where a format has `%s`. */
function shownAs(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return showDouble(value);
  if (value === null) return 'null';
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  if (value instanceof Timestamp) return showTimestamp(value);
  if (value instanceof Duration) return showDuration(value);
  if (value instanceof TypeValue) return value.name;
  if (value instanceof ListValue) return `[${[...value].map(shownAs).join(', ')}]`;
  if (isMap(value)) {
    const shown = [...value.keys()].map((key) => `${shownAs(key)}: ${shownAs(value.get(key) ?? null)}`);
    return `{${shown.sort().join(', ')}}`;
  }
  throw new CelError('could not convert argument to string');
}

const VERB = /%(?:(%)|(?:\.(\d{1,3}))?([a-zA-Z]))/g;

function format(template: string, args: ListValue, run: Run): string {
  let next = 0;
  const text = template.replace(
    VERB,
    (_all, percent: string | undefined, precision: string | undefined, verb: string) => {
      if (percent !== undefined) return '%';
      if (next >= args.size) throw new CelError(`index ${next} out of range`);
      return formatted(args.at(next++), verb, precision === undefined ? undefined : Number(precision));
    },
  );
  pass(run, text);
  return text;
}

function formatted(value: Value, verb: string, precision: number | undefined): string {
  const whole = value instanceof Uint ? value.value : value;
  switch (verb) {
    case 's':
      return shownAs(value);
    case 'd':
      if (typeof whole === 'bigint') return String(whole);
      if (typeof whole === 'number') return showDouble(whole);
      break;
    case 'f':
    case 'e': {
      const number = typeof whole === 'bigint' ? Number(whole) : whole;
      if (typeof number !== 'number') break;
      if (!Number.isFinite(number)) return showDouble(number).replace('+Inf', 'Infinity').replace('-Inf', '-Infinity');
      const digits = Math.min(precision ?? 6, 100);
      if (verb === 'f') return number.toFixed(digits);
      return number.toExponential(digits).replace(/e([+-])(\d)$/, 'e$10$2');
    }
    case 'b':
      if (typeof whole === 'boolean') return whole ? '1' : '0';
      if (typeof whole === 'bigint') return whole.toString(2);
      break;
    case 'o':
      if (typeof whole === 'bigint') return whole.toString(8);
      break;
    case 'x':
    case 'X': {
      const text =
        typeof whole === 'bigint'
          ? whole.toString(16)
          : typeof whole === 'string' || whole instanceof Uint8Array
            ? Buffer.from(whole as string).toString('hex')
            : undefined;
      if (text !== undefined) return verb === 'X' ? text.toUpperCase() : text;
      break;
    }
    default:
      throw new CelError(`unrecognized formatting clause "${verb}"`);
  }
  throw new CelError(`error during formatting: %${verb} can not take a value of that type`);
}

export const strings: readonly Overload[] = [
  method('contains', [STRING, STRING], BOOL, (a: string, b: string, run: Run) => {
    pass(run, a, b);
    return a.includes(b);
  }),
  method('startsWith', [STRING, STRING], BOOL, (a: string, b: string) => a.startsWith(b)),
  method('endsWith', [STRING, STRING], BOOL, (a: string, b: string) => a.endsWith(b)),
  method('charAt', [STRING, INT], STRING, (a: string, at: bigint, run: Run) => {
    pass(run, a);
    const all = points(a);
    return all[within(at, all.length)] ?? '';
  }),
  method('indexOf', [STRING, STRING], INT, (a: string, b: string, run: Run) => {
    pass(run, a, b);
    return indexOf(a, b, 0n);
  }),
  method('indexOf', [STRING, STRING, INT], INT, (a: string, b: string, from: bigint, run: Run) => {
    pass(run, a, b);
    return indexOf(a, b, from);
  }),
  method('lastIndexOf', [STRING, STRING], INT, (a: string, b: string, run: Run) => {
    pass(run, a, b);
    return lastIndexOf(a, b);
  }),
  method('lastIndexOf', [STRING, STRING, INT], INT, (a: string, b: string, from: bigint, run: Run) => {
    pass(run, a, b);
    return lastIndexOf(a, b, from);
  }),
  method('lowerAscii', [STRING], STRING, (a: string, run: Run) => {
    pass(run, a);
    return ascii(a, /[A-Z]+/g, (s) => s.toLowerCase());
  }),
  method('upperAscii', [STRING], STRING, (a: string, run: Run) => {
    pass(run, a);
    return ascii(a, /[a-z]+/g, (s) => s.toUpperCase());
  }),
  method('replace', [STRING, STRING, STRING], STRING, (a: string, from: string, to: string, run: Run) =>
    replace(a, from, to, -1n, run),
  ),
  method('replace', [STRING, STRING, STRING, INT], STRING, (a: string, from: string, to: string, n: bigint, run: Run) =>
    replace(a, from, to, n, run),
  ),
  method('split', [STRING, STRING], listOf(STRING), (a: string, by: string, run: Run) => {
    run.spend(a.length);
    return split(a, by, -1n);
  }),
  method('split', [STRING, STRING, INT], listOf(STRING), (a: string, by: string, n: bigint, run: Run) => {
    run.spend(a.length);
    return split(a, by, n);
  }),
  method('substring', [STRING, INT], STRING, (a: string, from: bigint, run: Run) => {
    pass(run, a);
    const all = points(a);
    return all.slice(within(from, all.length)).join('');
  }),
  method('substring', [STRING, INT, INT], STRING, (a: string, from: bigint, to: bigint, run: Run) => {
    pass(run, a);
    const all = points(a);
    if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`);
    return all.slice(within(from, all.length), within(to, all.length)).join('');
  }),
  method('trim', [STRING], STRING, (a: string, run: Run) => {
    pass(run, a);
    return trimmed(a);
  }),
  method('reverse', [STRING], STRING, (a: string, run: Run) => {
    pass(run, a);
    return points(a).reverse().join('');
  }),
  method('join', [listOf(STRING)], STRING, (list: ListValue, run: Run) => join(list, '', run)),
  method('join', [listOf(STRING), STRING], STRING, (list: ListValue, by: string, run: Run) => join(list, by, run)),
  method('format', [STRING, listOf(DYN)], STRING, format),
  fn('strings.quote', [STRING], STRING, (a: string) => JSON.stringify(a)),
];
