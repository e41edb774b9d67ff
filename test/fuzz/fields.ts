/** The fields of a kind as paths, and values for them: right ones, wrong ones, and ones that break careless code. */
import fc from 'fast-check';
import { arbitraryOf } from '../../src/apis/testing/arbitrary.ts';
import type { ObjectType, Type } from '../../src/machinery/schema/types.ts';
import { setOwn } from '../../src/machinery/setOwn.ts';

export interface FieldPath {
  /** `0` stands for the first element of a list, `key` for a key of a map */
  readonly path: readonly string[];
  readonly type: Type;
}

const MAX_DEPTH = 6;
const MAX_PATHS = 1_500;
const MAP_KEY = 'app';

/** The paths of a type, those nearest to the root first. */
export function pathsOf(type: ObjectType): FieldPath[] {
  const found: FieldPath[] = [];
  let level: FieldPath[] = [{ path: [], type }];
  for (let depth = 0; depth < MAX_DEPTH && found.length < MAX_PATHS; depth++) {
    level = level.flatMap(({ path, type: of }) =>
      childrenOf(of).map(([name, t]) => ({ path: [...path, name], type: t })),
    );
    found.push(...level);
  }
  return found.slice(0, MAX_PATHS);
}

function childrenOf(type: Type): [string, Type][] {
  switch (type.kind) {
    case 'object':
      return Object.entries(type.fields).map(([name, field]) => [name, field.type]);
    case 'list':
      return [['0', type.of]];
    case 'map':
      return [[MAP_KEY, type.of]];
    default:
      return [];
  }
}

const deep = (depth: number, wrap: (inner: unknown) => unknown): unknown => {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = wrap(value);
  return value;
};

const NAMES = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'prototype',
  'length',
  '',
  'a/b',
  '~0~1',
  '$patch',
  'null',
];

/** Values that are of no type in particular. */
export const oddValue: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, {}, [], [[]], [null], [{}], '', ' ', '0', '-1', 'null', '../../x'),
  fc.constantFrom<unknown>(0, -1, 1.5, 1e308, -1e-7, 2 ** 31, 2 ** 53, -(2 ** 63), 65_536, 1e21),
  fc.constantFrom<unknown>(
    'x'.repeat(64),
    'x'.repeat(300),
    '\u0000',
    '\ud800',
    '\u2028',
    'ﷺ',
    '1e999999999',
    '9'.repeat(40),
  ),
  fc.constantFrom<unknown>(
    '9999999999999Ei',
    '1n',
    '-0',
    '+5',
    '2026-13-45T99:99:99Z',
    '0000-00-00T00:00:00Z',
    'P1D',
    '-1h',
    '%%%',
  ),
  fc.constantFrom<unknown>(
    '=YQ',
    'ff::/200',
    '300.1.2.3',
    '::ffff:1.2.3.4',
    '10.96.0.1',
    '10.96.0.300',
    '(a+)+$',
    '*',
    '@daily',
  ),
  fc.constantFrom(...NAMES),
  fc.constantFrom(...NAMES).map((name) => owning(name, 'x')),
  fc.constantFrom(...NAMES).map((name) => owning(name, { x: 'y' })),
  fc.constantFrom(8, 70, 200).map((depth) => deep(depth, (inner) => ({ a: inner }))),
  fc.constantFrom(8, 200).map((depth) => deep(depth, (inner) => [inner])),
  fc.string({ maxLength: 20, unit: 'grapheme' }),
  fc.double(),
  fc.json({ maxDepth: 2 }).map((text) => JSON.parse(text) as unknown),
);

const owning = (name: string, value: unknown): object => {
  const made = {};
  setOwn(made, name, value);
  return made;
};

/** Values for a field: mostly of its type. */
export function valueFor(type: Type): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 4, arbitrary: arbitraryOf(type, 3) }, { weight: 1, arbitrary: oddValue });
}

export interface Change {
  readonly path: readonly string[];
  /** undefined: the field is taken out */
  readonly value: unknown;
}

/** A copy with the changes made; what is missing on the way is made. */
export function changed(object: unknown, changes: readonly Change[]): unknown {
  const copy = structuredClone(object);
  for (const { path, value } of changes) {
    const last = path.at(-1);
    if (last === undefined) continue;
    let at = copy as Record<string, unknown>;
    for (const [i, name] of path.slice(0, -1).entries()) {
      let next = Object.hasOwn(at, name) ? at[name] : undefined;
      if (typeof next !== 'object' || next === null) {
        next = path[i + 1] === '0' ? [] : {};
        setOwn(at, name, next);
      }
      at = next as Record<string, unknown>;
    }
    if (value === undefined) delete at[last];
    else setOwn(at, last, value);
  }
  return copy;
}
