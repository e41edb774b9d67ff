import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeStored, openingLengthOf, spliceResourceVersion } from './encode.ts';
import { defineKind, type KubeObject } from './kind.ts';
import { ObjectMeta } from './meta.ts';
import { object, opt } from './schema/types.ts';

const schema = object('Thing', () => ({ metadata: opt(1, ObjectMeta) }));
const things = defineKind({ group: 'example.com', version: 'v1', kind: 'Thing', plural: 'things', schema });

it('stores kind and metadata first, and no resourceVersion', () => {
  const given = { spec: { a: 1 }, metadata: { resourceVersion: '7', name: 'a' }, kind: 'x', apiVersion: 'y' };
  expect(encodeStored(things, given).toString()).toBe(
    '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"a":1}}',
  );
  expect(encodeStored(things, { metadata: { name: 'a' } }).toString()).toBe(
    '{"apiVersion":"example.com/v1","kind":"Thing","metadata":{"name":"a"}}',
  );
});

it('puts the resourceVersion where it belongs, whatever the object', () => {
  const objects = fc.record({ name: fc.string({ minLength: 1 }), spec: fc.jsonValue(), revision: fc.nat() });
  fc.assert(
    fc.property(objects, ({ name, spec, revision }) => {
      const stored = encodeStored(things, { metadata: { name }, spec } as KubeObject);
      const whole = spliceResourceVersion(openingLengthOf(things), stored, revision).toString();
      expect(JSON.parse(whole)).toEqual({
        apiVersion: 'example.com/v1',
        kind: 'Thing',
        metadata: { resourceVersion: String(revision), name },
        spec: JSON.parse(JSON.stringify(spec)),
      });
    }),
  );
});
