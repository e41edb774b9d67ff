import { expect, it } from 'vitest';
import { defineKind } from './kind.ts';
import { KindRegistry } from './kindRegistry.ts';
import { ObjectMeta } from './meta.ts';
import { object, opt } from './schema/types.ts';

const schema = object('Thing', () => ({ metadata: opt(1, ObjectMeta) }));
const things = defineKind({ group: '', version: 'v1', kind: 'Thing', plural: 'things', schema });
const others = defineKind({ ...things, group: 'example.com', version: 'v2' });

it('finds a kind by each of its names', () => {
  const registry = new KindRegistry([things, others]);
  expect(registry.byResource('', 'v1', 'things')).toBe(things);
  expect(registry.byKind('example.com/v2', 'Thing')).toBe(others);
  expect(registry.byKind('v1', 'Other')).toBeUndefined();
  expect(registry.byResource('example.com', 'v1', 'things')).toBeUndefined();
  expect(registry.all()).toEqual([things, others]);
  expect(registry.groupVersions()).toEqual([
    { group: '', version: 'v1' },
    { group: 'example.com', version: 'v2' },
  ]);
});

it('holds a resource once', () => {
  expect(() => new KindRegistry([things, things])).toThrow('there twice');
});
