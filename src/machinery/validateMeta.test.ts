import { describe, expect, it } from 'vitest';
import { defineKind } from './kind.ts';
import { ObjectMeta } from './meta.ts';
import { dnsLabel } from './names.ts';
import { object, opt } from './schema/types.ts';
import { validateMeta, validateMetaUpdate } from './validateMeta.ts';

const schema = object('Thing', () => ({ metadata: opt(1, ObjectMeta) }));
const things = defineKind({ group: '', version: 'v1', kind: 'Thing', plural: 'things', schema });
const wide = defineKind({ ...things, namespaced: false, nameRule: dnsLabel });

const good: ObjectMeta = { name: 'a', namespace: 'ns' };
const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: '1' };
const faults = (meta: ObjectMeta, kind = things) => validateMeta(kind, meta).map((e) => `${e.field} ${e.type}`);

describe('new metadata', () => {
  it.each<[string, ObjectMeta]>([
    ['the least', good],
    ['a dot in a name', { ...good, name: 'a.b' }],
    ['labels and annotations', { ...good, labels: { 'a.b/c': 'D', e: '' }, annotations: { 'A.b/c': ' any\n' } }],
    ['a base of a name', { ...good, generateName: 'a-' }],
    [
      'owners',
      {
        ...good,
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, apiVersion: 'v1', controller: false },
        ],
      },
    ],
    ['finalizers', { ...good, finalizers: ['kubernetes', 'orphan', 'example.com/x'] }],
    ['annotations of 256 KiB', { ...good, annotations: { a: 'x'.repeat(256 * 1024 - 1) } }],
  ])('with %s is right', (_what, meta) => expect(faults(meta)).toEqual([]));

  it.each<[ObjectMeta, string[]]>([
    [{}, ['metadata.name FieldValueRequired', 'metadata.namespace FieldValueRequired']],
    [{ name: 'A', namespace: 'a.b' }, ['metadata.name FieldValueInvalid', 'metadata.namespace FieldValueInvalid']],
    [{ ...good, generateName: 'A-' }, ['metadata.generateName FieldValueInvalid']],
    [
      { ...good, labels: { 'a b': 'c', d: '-' } },
      ['metadata.labels FieldValueInvalid', 'metadata.labels FieldValueInvalid'],
    ],
    [{ ...good, annotations: { 'a b': 'c' } }, ['metadata.annotations FieldValueInvalid']],
    [{ ...good, annotations: { a: 'é'.repeat(128 * 1024) } }, ['metadata.annotations FieldValueTooLong']],
    [{ ...good, generation: -1 }, ['metadata.generation FieldValueInvalid']],
    [
      { ...good, ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }] },
      ['apiVersion', 'kind', 'name', 'uid'].map((field) => `metadata.ownerReferences.${field} FieldValueInvalid`),
    ],
    [
      { ...good, ownerReferences: [{ ...owner, apiVersion: 'apps/' }] },
      ['metadata.ownerReferences.apiVersion FieldValueInvalid'],
    ],
    [
      { ...good, ownerReferences: [{ ...owner, apiVersion: 'v1', kind: 'Event' }] },
      ['metadata.ownerReferences FieldValueInvalid'],
    ],
    [
      {
        ...good,
        ownerReferences: [
          { ...owner, controller: true },
          { ...owner, controller: true },
        ],
      },
      ['metadata.ownerReferences FieldValueInvalid'],
    ],
    [{ ...good, finalizers: ['plain'] }, ['metadata.finalizers[0] FieldValueInvalid']],
    [{ ...good, finalizers: ['a/b/c'] }, ['metadata.finalizers FieldValueInvalid']],
    [{ ...good, finalizers: ['orphan', 'foregroundDeletion'] }, ['metadata.finalizers FieldValueInvalid']],
  ])('%j has faults', (meta, expected) => expect(faults(meta)).toEqual(expected));

  it('of a kind without namespaces has none, and follows the rule of its kind', () => {
    expect(faults({ name: 'a' }, wide)).toEqual([]);
    expect(faults({ name: 'a.b', namespace: 'ns' }, wide)).toEqual([
      'metadata.name FieldValueInvalid',
      'metadata.namespace FieldValueForbidden',
    ]);
  });
});

describe('an update of metadata', () => {
  const old: ObjectMeta = {
    ...good,
    uid: '1',
    creationTimestamp: '2026-01-01T00:00:00Z',
    generation: 3,
    finalizers: ['a.b/c'],
  };
  const changes = (meta: ObjectMeta, of = old) => validateMetaUpdate(meta, of).map((e) => `${e.field} ${e.type}`);

  it('may change labels, annotations, owners and finalizers', () => {
    expect(changes({ ...old, labels: { a: 'b' }, ownerReferences: [owner], finalizers: ['x.y/z'] })).toEqual([]);
  });

  it('may not change who an object is', () => {
    expect(changes({ ...old, name: 'b', namespace: 'other', uid: '2' })).toEqual(
      ['name', 'namespace', 'uid'].map((field) => `metadata.${field} FieldValueInvalid`),
    );
    expect(changes({ ...old, generation: 2 })).toEqual(['metadata.generation FieldValueInvalid']);
  });

  it('may take finalizers from what is being deleted, and add none', () => {
    const dying = { ...old, deletionTimestamp: '2026-01-02T00:00:00Z' };
    expect(changes({ ...dying, finalizers: [] }, dying)).toEqual([]);
    expect(changes({ ...dying, finalizers: ['a.b/c', 'x.y/z'] }, dying)).toEqual([
      'metadata.finalizers FieldValueForbidden',
    ]);
  });
});
