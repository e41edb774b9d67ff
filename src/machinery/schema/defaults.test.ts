import { describe, expect, it } from 'vitest';
import { applyDefaults } from './defaults.ts';
import { bool, list, map, type ObjectType, object, opt, rawObject, str } from './types.ts';

const Inner = object('Inner', () => ({
  mode: opt(1, str, { default: 'Always' }),
  on: opt(2, bool, { default: true }),
}));
const Plain = object('Plain', () => ({ name: opt(1, str) }));
const Outer: ObjectType = object('Outer', () => ({
  inner: opt(1, Inner),
  all: opt(2, list(Inner)),
  byName: opt(3, map(Inner)),
  plain: opt(4, Plain),
  raw: opt(5, rawObject, { default: { a: 1 } }),
  children: opt(6, list(Outer)),
}));

function withDefaults(value: Record<string, unknown>): unknown {
  applyDefaults(Outer, value);
  return value;
}

const raw = { a: 1 };
const always = { mode: 'Always', on: true };

describe('defaults', () => {
  it.each<[string, Record<string, unknown>, unknown]>([
    ['make no objects', {}, { raw }],
    ['fill what is there', { inner: {} }, { raw, inner: always }],
    ['leave what is set', { inner: { mode: '', on: false }, raw: {} }, { raw: {}, inner: { mode: '', on: false } }],
    ['reach into lists', { all: [{}, { mode: 'x' }] }, { raw, all: [always, { mode: 'x', on: true }] }],
    ['reach into maps', { byName: { a: {} } }, { raw, byName: { a: always } }],
    ['pass what has none', { plain: { name: 'a' } }, { raw, plain: { name: 'a' } }],
    [
      'reach into types that contain themselves',
      { children: [{ children: [{ inner: {} }] }] },
      { raw, children: [{ raw, children: [{ raw, inner: always }] }] },
    ],
  ])('%s', (_what, value, expected) => expect(withDefaults(value)).toEqual(expected));

  it('are not shared', () => {
    const first = withDefaults({}) as { raw: { a: number } };
    first.raw.a = 2;
    expect(withDefaults({})).toEqual({ raw });
  });
});
