import { describe, expect, it } from 'vitest';
import { list, map, object, opt, quantity, str } from './schema/types.ts';
import { semanticEqual } from './semanticEqual.ts';

const T = object('test.T', () => ({
  text: opt(1, str),
  names: opt(2, list(str)),
  amounts: opt(3, map(quantity)),
  inner: opt(
    4,
    object('test.Inner', () => ({ text: opt(1, str) })),
  ),
}));

describe('equality of objects of the API', () => {
  it.each<[string, object, object, boolean]>([
    ['the same', { text: 'a' }, { text: 'a' }, true],
    ['no text and empty text', {}, { text: '' }, true],
    ['no list and an empty list', {}, { names: [] }, true],
    ['no map and an empty map', {}, { amounts: {} }, true],
    ['no object and an empty object', {}, { inner: {} }, false],
    ['objects of empty text', { inner: {} }, { inner: { text: '' } }, true],
    ['amounts', { amounts: { cpu: '1' } }, { amounts: { cpu: '1000m' } }, true],
    ['other amounts', { amounts: { cpu: '1' } }, { amounts: { cpu: '2' } }, false],
    ['other names of amounts', { amounts: { cpu: '1' } }, { amounts: { memory: '1' } }, false],
    ['other order', { names: ['a', 'b'] }, { names: ['b', 'a'] }, false],
    ['a longer list', { names: ['a'] }, { names: ['a', 'a'] }, false],
  ])('%s', (_what, a, b, expected) => {
    expect(semanticEqual(T, a, b)).toBe(expected);
    expect(semanticEqual(T, b, a)).toBe(expected);
  });
});
