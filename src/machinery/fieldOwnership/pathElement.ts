/**
 * Path elements, as FieldsV1 writes them: `f:name` a field, `k:{"name":"x"}` the item of a list with these keys,
 * `v:"x"` a member of a set, `i:0` an index. They are kept as text; equal elements have equal text.
 */
import { parseExactJson, stringifyExactJson } from '../exactJson.ts';
import { jsonEqual } from '../jsonEqual.ts';
import type { JsonValue } from '../schema/types.ts';

/** The text of one key and its value in an item's element, in the order of the keys' names. */
export function keyElement(keys: readonly (readonly [string, unknown])[]): string {
  let text = '';
  for (const [name, value] of keys) text += `${text === '' ? '' : ','}${JSON.stringify(name)}:${goJson(value)}`;
  return `k:{${text}}`;
}

export function valueElement(value: unknown): string {
  return `v:${goJson(value)}`;
}

/** The characters that JSON as Go writes it escapes besides. */
const ESCAPED = /[<>&\u2028\u2029]/g;

function goJson(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  const text = stringifyExactJson(value) ?? 'null';
  return text.replace(ESCAPED, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/**
 * An element that a client wrote, as we write it.
 * @returns undefined for a sort of element that nobody knows, which is left out
 * @throws Error for one that makes no sense
 */
export function parseElement(text: string): string | undefined {
  if (text.length < 2) throw new Error('a path element must be 2 characters long');
  if (text[1] !== ':') throw new Error(`missing colon: ${text}`);
  switch (text[0]) {
    case 'f':
      return text;
    case 'v':
      return valueElement(parseExactJson(text.slice(2)));
    case 'k': {
      const keys = parseExactJson(text.slice(2));
      if (typeof keys !== 'object' || keys === null || Array.isArray(keys)) throw new Error(`keys expected: ${text}`);
      return keyElement(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    case 'i': {
      const index = text.slice(2);
      if (!/^[+-]?\d{1,15}$/.test(index)) throw new Error(`an index expected: ${text}`);
      return `i:${Number(index)}`;
    }
    default:
      return undefined;
  }
}

const SORTS = 'fkvi';

/** The order in which Kubernetes writes elements: fields, items, values, indexes. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0;
  if (a[0] !== b[0]) return SORTS.indexOf(a[0] ?? '') - SORTS.indexOf(b[0] ?? '');
  switch (a[0]) {
    case 'k':
      return compareKeys(contentOf(a) as JsonRecord, contentOf(b) as JsonRecord);
    case 'v':
      return compareValues(contentOf(a), contentOf(b));
    case 'i':
      return Number(a.slice(2)) - Number(b.slice(2));
    default:
      return a < b ? -1 : 1;
  }
}

type JsonRecord = { [key: string]: JsonValue };

const contentOf = (element: string): JsonValue => parseExactJson(element.slice(2)) as JsonValue;

function compareKeys(a: JsonRecord, b: JsonRecord): number {
  const x = Object.entries(a);
  const y = Object.entries(b);
  for (let i = 0; i < x.length && i < y.length; i++) {
    // Both are there: i is below both lengths.
    const [nameA, valueA] = x[i] as [string, JsonValue];
    const [nameB, valueB] = y[i] as [string, JsonValue];
    if (nameA !== nameB) return nameA < nameB ? -1 : 1;
    const order = compareValues(valueA, valueB);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

const TYPES = ['number', 'string', 'boolean', 'object'];

/** Numbers of every size are of one sort. */
function sortOf(value: unknown): string {
  return typeof value === 'bigint' ? 'number' : typeof value;
}

function compareValues(a: JsonValue, b: JsonValue): number {
  if (sortOf(a) !== sortOf(b)) return TYPES.indexOf(sortOf(a)) - TYPES.indexOf(sortOf(b));
  if (typeof a === 'object') {
    if (jsonEqual(a, b)) return 0;
    return stringifyExactJson(a) < stringifyExactJson(b) ? -1 : 1;
  }
  if (a === b) return 0;
  // Of one type, and no objects.
  return (a as string) < (b as string) ? -1 : 1;
}

/** As a message shows it: `.name`, `[name="x"]`, `[="x"]`, `[0]`. */
export function showElement(element: string): string {
  switch (element[0]) {
    case 'f':
      return `.${element.slice(2)}`;
    case 'k': {
      const keys = Object.entries(contentOf(element) as JsonRecord);
      return `[${keys.map(([name, value]) => `${name}=${stringifyExactJson(value)}`).join(',')}]`;
    }
    case 'v':
      return `[=${stringifyExactJson(contentOf(element))}]`;
    default:
      return `[${element.slice(2)}]`;
  }
}
