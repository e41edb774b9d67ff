import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../freeze.ts';
import { type JsonObject, list, map, object, opt, rawObject, str } from '../schema/types.ts';
import { isApiError } from '../status.ts';
import { mergePatch } from './merge.ts';
import { strategicMergePatch } from './strategic.ts';

const Port = object('Port', () => ({ port: opt(1, str), name: opt(2, str) }));
const Container = object('Container', () => ({
  name: opt(1, str),
  image: opt(2, str),
  args: opt(3, list(str)),
  ports: opt(4, list(Port, { patch: 'merge', mergeKey: 'port' })),
}));
const Spec = object('Spec', () => ({
  containers: opt(1, list(Container, { patch: 'merge', mergeKey: 'name' })),
  finalizers: opt(2, list(str, { patch: 'merge' })),
  args: opt(3, list(str)),
  labels: opt(4, map(str)),
  strategy: opt(
    5,
    object('Strategy', () => ({ type: opt(1, str), max: opt(2, str) })),
    { patch: 'retainKeys' },
  ),
  whole: opt(6, map(str), { patch: 'replace' }),
  raw: opt(7, rawObject),
}));

const apply = (target: JsonObject, patch: JsonObject) =>
  strategicMergePatch(Spec, deepFreeze(structuredClone(target)), deepFreeze(structuredClone(patch)));

const a = { name: 'a', image: '1' };
const b = { name: 'b', image: '2' };
const c = { name: 'c', image: '3' };

describe('a strategic merge patch', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    [
      'merges maps and removes by null',
      { labels: { x: '1', y: '2' } },
      { labels: { x: null, z: '3' } },
      { labels: { y: '2', z: '3' } },
    ],
    ['keeps no null in what is new', {}, { labels: { x: null, y: '1' } }, { labels: { y: '1' } }],
    ['removes a field', { labels: { x: '1' }, args: ['a'] }, { labels: null }, { args: ['a'] }],
    ['replaces lists that are not merged', { args: ['a', 'b'] }, { args: ['c'] }, { args: ['c'] }],
    ['replaces by strategy', { whole: { a: '1' } }, { whole: { b: '2' } }, { whole: { b: '2' } }],
    [
      'merges elements by key',
      { containers: [a, b] },
      { containers: [{ name: 'b', image: '9' }] },
      { containers: [a, { name: 'b', image: '9' }] },
    ],
    ['puts new elements before the others', { containers: [a] }, { containers: [b] }, { containers: [b, a] }],
    [
      'keeps the order of elements that are there',
      { containers: [a, b, c] },
      { containers: [{ name: 'c' }, { name: 'a' }] },
      { containers: [b, c, a] },
    ],
    [
      'deletes an element',
      { containers: [a, b] },
      { containers: [{ name: 'a', $patch: 'delete' }] },
      { containers: [b] },
    ],
    [
      'deletes what is not there',
      { containers: [a] },
      { containers: [{ name: 'x', $patch: 'delete' }] },
      { containers: [a] },
    ],
    ['replaces a list', { containers: [a, b] }, { containers: [{ $patch: 'replace' }, c] }, { containers: [c] }],
    [
      'replaces a list by several elements of one key, as they are',
      { containers: [a, b] },
      { containers: [{ $patch: 'replace' }, { name: 'x', image: '1' }, { name: 'x', image: '2' }, a] },
      { containers: [{ name: 'x', image: '1' }, { name: 'x', image: '2' }, a] },
    ],
    ['empties a list', { containers: [a, b] }, { containers: [{ $patch: 'replace' }] }, { containers: [] }],
    [
      'merges lists in lists',
      { containers: [{ ...a, ports: [{ port: '80' }] }] },
      { containers: [{ name: 'a', ports: [{ port: '80', name: 'http' }, { port: '443' }] }] },
      { containers: [{ ...a, ports: [{ port: '80', name: 'http' }, { port: '443' }] }] },
    ],
    [
      'obeys directives in new elements',
      {},
      { containers: [{ name: 'a', ports: [{ port: '1', $patch: 'delete' }, { port: '2' }] }] },
      { containers: [{ name: 'a', ports: [{ port: '2' }] }] },
    ],
    ['adds primitives', { finalizers: ['a', 'b'] }, { finalizers: ['c', 'a'] }, { finalizers: ['c', 'a', 'b'] }],
    [
      'removes primitives',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a', 'x'] },
      { finalizers: ['b'] },
    ],
    [
      'removes and adds primitives in order',
      { finalizers: ['a', 'b'] },
      { '$deleteFromPrimitiveList/finalizers': ['a'], finalizers: ['c'], '$setElementOrder/finalizers': ['c', 'b'] },
      { finalizers: ['c', 'b'] },
    ],
    [
      'orders elements',
      { containers: [a, b, c] },
      { '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }] },
      { containers: [c, b, a] },
    ],
    [
      'orders elements with those of the patch',
      { containers: [a, b] },
      { '$setElementOrder/containers': [{ name: 'a' }, { name: 'c' }, { name: 'b' }], containers: [c] },
      { containers: [a, c, b] },
    ],
    [
      'keeps the server’s own elements where they were',
      { containers: [a, b, c] },
      { '$setElementOrder/containers': [{ name: 'c' }, { name: 'x' }], containers: [{ name: 'x' }] },
      { containers: [a, b, c, { name: 'x' }] },
    ],
    ['makes no list of an order alone', {}, { '$setElementOrder/containers': [{ name: 'a' }] }, {}],
    [
      'retains keys',
      { strategy: { type: 'a', max: '1' } },
      { strategy: { $retainKeys: ['type'], type: 'b' } },
      { strategy: { type: 'b' } },
    ],
    ['replaces a map', { labels: { x: '1' } }, { labels: { $patch: 'replace', y: '2' } }, { labels: { y: '2' } }],
    ['empties a map', { labels: { x: '1' } }, { labels: { $patch: 'delete' } }, { labels: {} }],
    [
      'merges a map when told',
      { labels: { x: '1' } },
      { labels: { $patch: 'merge', y: '2' } },
      { labels: { x: '1', y: '2' } },
    ],
    [
      'merges values without a schema as merge patch does',
      { raw: { a: { b: 1, c: [1] } } },
      { raw: { a: { b: null, c: [2] } } },
      { raw: { a: { c: [2] } } },
    ],
    ['replaces what is of another type', { labels: 'x' }, { labels: { a: '1' } }, { labels: { a: '1' } }],
    [
      'leaves elements with one key apart',
      { containers: [{ name: 'a', ports: [{ port: '53', name: 'u' }, { port: '53', name: 't' }, { port: '1' }] }] },
      { containers: [{ name: 'a', ports: [{ port: '1', name: 'x' }] }] },
      {
        containers: [
          {
            name: 'a',
            ports: [
              { port: '53', name: 'u' },
              { port: '53', name: 't' },
              { port: '1', name: 'x' },
            ],
          },
        ],
      },
    ],
  ])('%s', (_what, target, patch, expected) => expect(apply(target, patch)).toEqual(expected));

  it.each<[string, JsonObject]>([
    ['an element without its key', { containers: [{ image: '1' }] }],
    ['an element that is no object', { containers: ['a'] }],
    ['an unknown directive', { labels: { $patch: 'remove' } }],
    ['an unknown directive in a list', { containers: [{ name: 'a', $patch: 'x' }] }],
    [
      'an order against the patch',
      { '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [b, a] },
    ],
    ['an order that leaves out what is patched', { '$setElementOrder/containers': [{ name: 'a' }], containers: [b] }],
    ['an order that is no list', { '$setElementOrder/containers': 'a' }],
    ['keys to retain that leave out what is set', { strategy: { $retainKeys: ['type'], max: '1' } }],
    ['deletions that are no list', { '$deleteFromPrimitiveList/finalizers': 'a' }],
  ])('refuses %s', (_what, patch) => {
    try {
      apply({ containers: [a], strategy: { type: 'a' } }, patch);
    } catch (error) {
      expect(isApiError(error, 'BadRequest')).toBe(true);
      return;
    }
    expect.fail('it was taken');
  });

  it('leaves the prototype alone', () => {
    const patch = JSON.parse(
      '{"labels":{"__proto__":"x"},"__proto__":{"polluted":"1"},"constructor":{"prototype":{"polluted":"1"}}}',
    );
    const result = apply({ labels: {} }, patch as JsonObject);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(Object.keys(result.labels as object)).toEqual(['__proto__']);
  });

  it('of a hundred thousand elements takes no long', () => {
    const items = Array.from({ length: 100_000 }, (_, i) => ({ name: `c${i}` }));
    const result = apply({ containers: items }, { containers: items.toReversed() });
    expect((result.containers as JsonObject[])[0]).toEqual({ name: 'c99999' });
  });
});

const name = fc.constantFrom('a', 'b', 'c', 'd');
const containers = fc.uniqueArray(fc.record({ name, image: name }), { selector: (item) => item.name });
const specs = fc.record(
  { containers, finalizers: fc.uniqueArray(name), args: fc.array(name), labels: fc.dictionary(name, name) },
  { requiredKeys: [] },
) as fc.Arbitrary<JsonObject>;

it('changes nothing the second time', () => {
  fc.assert(
    fc.property(specs, specs, (target, patch) => {
      const once = apply(target, patch);
      expect(apply(once, patch)).toEqual(once);
    }),
  );
});

it('gives the elements of the patch in its order, and loses none of the others', () => {
  fc.assert(
    fc.property(containers, containers, (target, patch) => {
      const names = ((apply({ containers: target }, { containers: patch }).containers ?? []) as { name: string }[]).map(
        (x) => x.name,
      );
      const patched: string[] = patch.map((x) => x.name);
      const others = target.map((x) => x.name as string).filter((x) => !patched.includes(x));
      expect(names.filter((x) => patched.includes(x))).toEqual(patched);
      expect(names.filter((x) => !patched.includes(x))).toEqual(others);
    }),
  );
});

it('is a merge patch where there are no lists that are merged', () => {
  const plain = fc.record({ args: fc.array(name), labels: fc.dictionary(name, fc.option(name)) }, { requiredKeys: [] });
  fc.assert(
    fc.property(specs, plain, (target, patch) => {
      expect(apply(target, patch)).toEqual(mergePatch(target, patch));
    }),
  );
});
