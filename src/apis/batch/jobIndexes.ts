/** The indexes of an Indexed job as text: `1,3-5,7`. */

/** From first to last, both of them in. */
export type Interval = readonly [first: number, last: number];

export class IndexesError extends Error {
  override readonly name = 'IndexesError';
}

/** The intervals of a text, in order. @throws IndexesError */
export function parseIndexes(text: string, completions: number): Interval[] {
  if (text === '') return [];
  const intervals: Interval[] = [];
  let before: number | undefined;
  for (const part of text.split(',')) {
    const interval = parseInterval(part, completions);
    if (before !== undefined && before >= interval[0]) throw wrongOrder(before, interval[0]);
    before = interval[1];
    intervals.push(interval);
  }
  return intervals;
}

function parseInterval(text: string, completions: number): Interval {
  const parts = text.split('-');
  if (parts.length > 2) {
    throw new IndexesError(`the fragment ${JSON.stringify(text)} has more than two parts separated by '-'`);
  }
  const [first = Number.NaN, last = first] = parts.map((part) => parseIndex(part, completions));
  if (parts.length > 1 && first >= last) throw wrongOrder(first, last);
  return [first, last];
}

function parseIndex(text: string, completions: number): number {
  if (!/^\+?[0-9]{1,15}$/.test(text)) {
    throw new IndexesError(`cannot convert string to integer for index: ${JSON.stringify(text)}`);
  }
  const index = Number(text);
  if (index >= completions) throw new IndexesError(`too large index: ${JSON.stringify(text)}`);
  return index;
}

const wrongOrder = (previous: number, current: number) =>
  new IndexesError(`non-increasing order, previous: ${previous}, current: ${current}`);

/** How many indexes there are. */
export function countOf(intervals: readonly Interval[]): number {
  return intervals.reduce((count, [first, last]) => count + last - first + 1, 0);
}

/** The first index that is in both; undefined where none is. */
export function overlapOf(a: readonly Interval[], b: readonly Interval[]): number | undefined {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    // Within both lists' bounds.
    const x = a[i] as Interval;
    const y = b[j] as Interval;
    if (x[0] <= y[1] && y[0] <= x[1]) return Math.max(x[0], y[0]);
    if (x[0] < y[0]) i++;
    else j++;
  }
  return undefined;
}
