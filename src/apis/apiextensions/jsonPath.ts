/**
 * JSON paths as columns, scale and selectable fields give them: `.status.conditions[?(@.type=="Ready")].status`.
 * Source: https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */

type Step =
  | { readonly k: 'field'; readonly name: string }
  | { readonly k: 'index'; readonly at: number }
  | { readonly k: 'slice'; readonly from: number | undefined; readonly to: number | undefined }
  | { readonly k: 'all' }
  | { readonly k: 'below' }
  | { readonly k: 'where'; readonly path: readonly Step[]; readonly operator: string; readonly value: unknown };

export type JsonPath = readonly Step[];

const MAX_LENGTH = 4096;
const FIELD = /\.((?:[^\s.[\]\\(){}'"?@=<>!|&,:*]|\\.)+)/y;
const QUOTED = /\[(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\]/y;
const INDEX = /\[(-?\d{1,9})\]/y;
const SLICE = /\[(-?\d{1,9})?:(-?\d{1,9})?\]/y;
const ALL = /\[\*\]|\.\*/y;
const BELOW = /\.(?=\.)/y;
const WHERE =
  /\[\?\(\s*@((?:\.[^\s=<>!)]+|\[[^\]]*\])*)\s*(?:(==|!=|<=|>=|<|>)\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s)]+)\s*)?\)\]/y;

/** Undefined for what is no path. */
export function parseJsonPath(text: string): JsonPath | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const steps: Step[] = [];
  for (let at = 0; at < text.length; ) {
    const match = (pattern: RegExp): RegExpExecArray | null => {
      pattern.lastIndex = at;
      return pattern.exec(text);
    };
    const found =
      step(match(ALL), () => ({ k: 'all' })) ??
      step(match(BELOW), () => ({ k: 'below' })) ??
      step(match(FIELD), (m) => ({ k: 'field', name: unescaped(m[1] as string) })) ??
      step(match(QUOTED), (m) => ({ k: 'field', name: unescaped((m[1] ?? m[2]) as string) })) ??
      step(match(INDEX), (m) => ({ k: 'index', at: Number(m[1]) })) ??
      step(match(SLICE), (m) => ({ k: 'slice', from: numberOr(m[1]), to: numberOr(m[2]) })) ??
      step(match(WHERE), where);
    if (found === undefined) return undefined;
    steps.push(found.step);
    at += found.length;
  }
  return steps;
}

const numberOr = (text: string | undefined) => (text === undefined ? undefined : Number(text));
const unescaped = (text: string) => text.replace(/\\(.)/g, '$1');

function step(match: RegExpExecArray | null, make: (m: RegExpExecArray) => Step | undefined) {
  const made = match === null ? undefined : make(match);
  return match === null || made === undefined ? undefined : { step: made, length: match[0].length };
}

function where(m: RegExpExecArray): Step | undefined {
  const path = parseJsonPath(m[1] ?? '');
  if (path === undefined) return undefined;
  const literal = m[3];
  return {
    k: 'where',
    path,
    operator: m[2] ?? 'exists',
    value: literal === undefined ? undefined : literalOf(literal),
  };
}

function literalOf(text: string): unknown {
  if (/^["']/.test(text)) return unescaped(text.slice(1, -1));
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/** All that the path leads to. */
export function findAll(path: JsonPath, value: unknown): unknown[] {
  let found: unknown[] = [value];
  for (const next of path) {
    found = found.flatMap((item) => [...follow(next, item)]);
    if (found.length === 0) break;
  }
  return found;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function* follow(next: Step, value: unknown): Generator<unknown> {
  switch (next.k) {
    case 'field':
      if (isRecord(value) && Object.hasOwn(value, next.name)) yield value[next.name];
      break;
    case 'index': {
      const item = Array.isArray(value) ? value.at(next.at) : undefined;
      if (item !== undefined) yield item;
      break;
    }
    case 'slice':
      if (Array.isArray(value)) yield* value.slice(next.from, next.to);
      break;
    case 'all':
      if (Array.isArray(value)) yield* value;
      else if (isRecord(value)) yield* Object.values(value);
      break;
    case 'below':
      yield* below(value);
      break;
    case 'where':
      if (Array.isArray(value)) for (const item of value) if (holds(next, item)) yield item;
      break;
  }
}

function* below(value: unknown): Generator<unknown> {
  yield value;
  if (typeof value !== 'object' || value === null) return;
  for (const item of Object.values(value)) yield* below(item);
}

function holds({ path, operator, value }: Step & { k: 'where' }, item: unknown): boolean {
  const [found] = findAll(path, item);
  if (operator === 'exists') return found !== undefined;
  if (operator === '==') return found === value;
  if (operator === '!=') return found !== value;
  if (typeof found !== typeof value || (typeof found !== 'number' && typeof found !== 'string')) return false;
  const [a, b] = [found, value as typeof found];
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

/** The names of a path of plain fields, `.spec.replicas`; undefined for any other. */
export function plainFields(text: string): readonly string[] | undefined {
  const path = parseJsonPath(text);
  if (path === undefined || path.length === 0) return undefined;
  return path.every((s) => s.k === 'field') ? path.map((s) => (s as Step & { k: 'field' }).name) : undefined;
}
