/** The table of what becomes of each field of a pod says something of every field, and names tests that there are. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { ObjectType, Type } from '../../machinery/schema/types.ts';
import { PodSpec } from './podSpec.ts';

const TABLE = new URL('../../../docs/pod-fields.md', import.meta.url);
/** Of every object, and told elsewhere. */
const OF_EVERY_OBJECT: ReadonlySet<string> = new Set(['ObjectMeta', 'OwnerReference', 'ManagedFieldsEntry']);

interface Row {
  readonly what: string;
  readonly tests: readonly string[];
}

/** The rows of the table, by type and field. */
function rowsOf(text: string): Map<string, Map<string, Row>> {
  const types = new Map<string, Map<string, Row>>();
  let rows = new Map<string, Row>();
  for (const line of text.split('\n')) {
    if (line.startsWith('## ')) {
      rows = new Map();
      types.set(line.slice(3).trim(), rows);
    }
    const [, field = '', what = '', tests = ''] = line.split('|').map((cell) => cell.trim());
    const name = /^`(.+)`$/.exec(field)?.[1];
    if (name === undefined) continue;
    expect(rows.has(name), `${name} is there twice`).toBe(false);
    rows.set(name, { what, tests: [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path) });
  }
  return types;
}

function reachable(type: Type, found = new Map<string, ObjectType>()): Map<string, ObjectType> {
  if (type.kind === 'list' || type.kind === 'map') return reachable(type.of, found);
  const name = type.kind === 'object' ? type.name.slice(type.name.lastIndexOf('.') + 1) : '';
  if (type.kind !== 'object' || found.has(name) || OF_EVERY_OBJECT.has(name)) return found;
  found.set(name, type);
  for (const field of Object.values(type.fields)) reachable(field.type, found);
  return found;
}

const table = rowsOf(readFileSync(TABLE, 'utf8'));
const types = [...reachable(PodSpec)];

describe('docs/pod-fields.md', () => {
  it.each(types)('%s', (name, type) => {
    const rows = table.get(name);
    if (rows?.has('*') === true) return;
    expect([...(rows?.keys() ?? [])].sort()).toEqual(Object.keys(type.fields).sort());
    for (const [field, { what, tests }] of rows ?? []) {
      expect(what, field).not.toBe('');
      expect(tests, field).not.toEqual([]);
      for (const path of tests) {
        expect(existsSync(new URL(`../../../${path}`, import.meta.url)), path).toBe(true);
      }
    }
  });

  it('says nothing of what is not there', () => {
    expect([...table.keys()].sort()).toEqual(types.map(([name]) => name).sort());
  });
});
