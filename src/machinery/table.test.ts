import { describe, expect, it } from 'vitest';
import { defineKind, type KubeObject } from './kind.ts';
import { ObjectMeta } from './meta.ts';
import { object, opt } from './schema/types.ts';
import { AGE_COLUMN, columnDefinitions, NAME_COLUMN, tableRow } from './table.ts';

const schema = object('Thing', () => ({ metadata: opt(1, ObjectMeta) }));
const plain = defineKind({ group: '', version: 'v1', kind: 'Thing', plural: 'things', schema });
const printed = defineKind<KubeObject>({
  ...plain,
  columns: [
    NAME_COLUMN,
    {
      name: 'Labels',
      type: 'integer',
      description: 'How many.',
      priority: 1,
      value: (o) => Object.keys(o.metadata?.labels ?? {}).length,
    },
    AGE_COLUMN,
  ],
});

const created = '2026-01-01T00:00:00Z';
const now = Date.parse(created) + 200_000;
const thing: KubeObject = {
  apiVersion: 'v1',
  kind: 'Thing',
  metadata: { name: 'a', creationTimestamp: created, labels: { x: 'y' } },
};

describe('a table', () => {
  it('has the columns of its kind', () => {
    expect(columnDefinitions(printed)).toEqual([
      { name: 'Name', type: 'string', format: 'name', description: NAME_COLUMN.description, priority: 0 },
      { name: 'Labels', type: 'integer', format: '', description: 'How many.', priority: 1 },
      { name: 'Age', type: 'string', format: '', description: AGE_COLUMN.description, priority: 0 },
    ]);
    expect(tableRow(printed, thing, now, 'None')).toEqual({ cells: ['a', 1, '3m20s'] });
  });

  it('has name and creation where the kind names none', () => {
    expect(columnDefinitions(plain).map((c) => (c as { name: string }).name)).toEqual(['Name', 'Created At']);
    expect(tableRow(plain, thing, now, 'None')).toEqual({ cells: ['a', created] });
    expect(tableRow(plain, {}, now, 'None')).toEqual({ cells: ['', null] });
  });

  it('carries as much of the object as is asked for', () => {
    expect(tableRow(printed, thing, now, 'Object')).toMatchObject({ object: thing });
    expect(tableRow(printed, thing, now, 'Metadata')).toMatchObject({
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: thing.metadata },
    });
  });

  it('says that an age is not known', () => {
    expect(tableRow(printed, { metadata: { name: 'a' } }, now, 'None')).toEqual({ cells: ['a', 0, '<unknown>'] });
  });
});
