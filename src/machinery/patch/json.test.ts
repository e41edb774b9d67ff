import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../freeze.ts';
import type { JsonValue } from '../schema/types.ts';
import { isApiError, type StatusReason } from '../status.ts';
import { applyJsonPatch } from './json.ts';

const apply = (document: JsonValue, patch: JsonValue) => applyJsonPatch(deepFreeze(document), deepFreeze(patch));

function refused(document: JsonValue, patch: unknown, reason: StatusReason): void {
  try {
    applyJsonPatch(deepFreeze(document), patch);
  } catch (error) {
    expect(isApiError(error, reason), String(error)).toBe(true);
    return;
  }
  expect.fail('it was taken');
}

describe('operations', () => {
  it.each<[JsonValue, JsonValue[], JsonValue]>([
    [{ a: 1 }, [{ op: 'add', path: '/b', value: 2 }], { a: 1, b: 2 }],
    [{ a: 1 }, [{ op: 'add', path: '/a', value: null }], { a: null }],
    [{ a: 1 }, [{ op: 'add', path: '', value: [1] }], [1]],
    [[1, 3], [{ op: 'add', path: '/1', value: 2 }], [1, 2, 3]],
    [[1], [{ op: 'add', path: '/1', value: 2 }], [1, 2]],
    [[1], [{ op: 'add', path: '/-', value: 2 }], [1, 2]],
    [{ a: { b: 1 } }, [{ op: 'remove', path: '/a/b' }], { a: {} }],
    [[1, 2], [{ op: 'remove', path: '/0' }], [2]],
    [{ a: 1 }, [{ op: 'replace', path: '/a', value: 2 }], { a: 2 }],
    [[1], [{ op: 'replace', path: '/0', value: { x: 1 } }], [{ x: 1 }]],
    [{ a: { b: 1 }, c: {} }, [{ op: 'move', from: '/a/b', path: '/c/d' }], { a: {}, c: { d: 1 } }],
    [[1, 2, 3], [{ op: 'move', from: '/0', path: '/2' }], [2, 3, 1]],
    [
      { a: { b: 1 } },
      [
        { op: 'copy', from: '/a', path: '/c' },
        { op: 'replace', path: '/c/b', value: 2 },
      ],
      { a: { b: 1 }, c: { b: 2 } },
    ],
    [{ a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/a/c' }], { a: { b: 1, c: { b: 1 } } }],
    [{ a: [1, { x: 1, y: 2 }] }, [{ op: 'test', path: '/a', value: [1, { y: 2, x: 1 }] }], { a: [1, { x: 1, y: 2 }] }],
    [
      { 'a/b': 1, 'c~d': 2, '': 3 },
      [
        { op: 'test', path: '/a~1b', value: 1 },
        { op: 'replace', path: '/c~0d', value: 0 },
        { op: 'remove', path: '/' },
      ],
      { 'a/b': 1, 'c~d': 0 },
    ],
    [{ '~1': 1 }, [{ op: 'test', path: '/~01', value: 1 }], { '~1': 1 }],
    [{ a: 1 }, [], { a: 1 }],
  ])('of %j by %j make %j', (document, patch, expected) => expect(apply(document, patch)).toEqual(expected));

  it.each<[JsonValue, JsonValue]>([
    [{ a: 1 }, { op: 'test', path: '/a', value: 2 }],
    [{ a: '1' }, { op: 'test', path: '/a', value: 1 }],
    [{ a: 1 }, { op: 'test', path: '/a' }],
    [{ a: 1 }, { op: 'add', path: '/b' }],
    [{ a: 1 }, { op: 'remove', path: '/b' }],
    [{ a: 1 }, { op: 'replace', path: '/b', value: 1 }],
    [{ a: 1 }, { op: 'add', path: '/b/c', value: 1 }],
    [{ a: 1 }, { op: 'add', path: '/a/c', value: 1 }],
    [{ a: 1 }, { op: 'add', path: 'a', value: 1 }],
    [{ a: 1 }, { op: 'add', path: '/a~2', value: 1 }],
    [{ a: 1 }, { op: 'add', value: 1 }],
    [{ a: 1 }, { op: 'move', path: '/b' }],
    [{ a: {} }, { op: 'move', from: '/a', path: '/a/b' }],
    [{ a: 1 }, { op: 'spam', path: '/a' }],
    [{ a: 1 }, { path: '/a' }],
    [[1], { op: 'add', path: '/2', value: 1 }],
    [[1], { op: 'add', path: '/01', value: 1 }],
    [[1], { op: 'add', path: '/-1', value: 1 }],
    [[1], { op: 'replace', path: '/-', value: 1 }],
    [[1], { op: 'remove', path: '/1' }],
    [[1], { op: 'remove', path: '/length' }],
    [{}, { op: 'remove', path: '/constructor' }],
    [{}, { op: 'add', path: '/__proto__/polluted', value: 1 }],
    [{}, { op: 'add', path: '/a'.repeat(1001), value: 1 }],
  ])('of %j, %j does not apply', (document, operation) => refused(document, [operation], 'Invalid'));

  it('says in its message what does not apply, which people see only where there are no causes', () => {
    const patch = () => applyJsonPatch({}, [{ op: 'replace', path: '/a', value: 1 }]);
    expect(patch).toThrow(/there is nothing at "\/a"$/);
    expect(patch).toThrow(expect.objectContaining({ status: expect.objectContaining({ details: {} }) }));
  });

  it.each([null, {}, 'x', [null], ['x'], [[]]])('%j is no patch', (patch) => refused({}, patch, 'BadRequest'));
});

describe('limits', () => {
  it('bound the number of operations', () => {
    refused(
      {},
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '', value: {} })),
      'RequestEntityTooLarge',
    );
  });

  it('bound what copies add', () => {
    const doubling = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
    refused({ a: ['x'.repeat(100)] }, doubling, 'RequestEntityTooLarge');
  });
});

it('gives __proto__ no power', () => {
  const result = apply({}, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }]);
  expect(Object.keys(result as object)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

const operation = fc.record(
  {
    op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
    path: fc.constantFrom('', '/a', '/a/0', '/a/-', '/b/a', '/b'),
    from: fc.constantFrom('', '/a', '/a/0', '/b'),
    value: fc.constantFrom<JsonValue>(1, [1, 2], { a: [] }, null),
  },
  { requiredKeys: ['op', 'path'] },
);

it('never changes the document, and throws nothing but an ApiError', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 8 }), (patch) => {
      const document = deepFreeze({ a: [{ a: 1 }], b: { a: 'x' } });
      try {
        expect(JSON.stringify(applyJsonPatch(document, deepFreeze(patch)))).toBeTypeOf('string');
      } catch (error) {
        expect(isApiError(error), String(error)).toBe(true);
      }
    }),
  );
});
