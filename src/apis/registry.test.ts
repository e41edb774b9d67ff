import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deepFreeze } from '../machinery/freeze.ts';
import type { KubeObject } from '../machinery/kind.ts';
import { KindRegistry } from '../machinery/kindRegistry.ts';
import { tableRow } from '../machinery/table.ts';
import { builtinKinds, subresourceKinds } from './registry.ts';
import { arbitraryOf } from './testing/arbitrary.ts';
import { created, received } from './testing/create.ts';

const NOW = Date.UTC(2026, 0, 2);
const all = [...builtinKinds, ...subresourceKinds];

describe('the registry', () => {
  it('has no name twice', () => {
    expect(() => new KindRegistry(all)).not.toThrow();
    // Another version of a kind has the same names.
    const hubs = builtinKinds.filter((kind) => kind.hub === undefined);
    const short = hubs.flatMap((kind) => [kind.plural, ...kind.shortNames].map((n) => `${kind.group}/${n}`));
    expect(new Set(short).size).toBe(short.length);
  });

  it('gives every stored kind all verbs that change it', () => {
    for (const kind of builtinKinds.filter((k) => k.stored)) {
      expect(kind.verbs, kind.plural).toEqual(expect.arrayContaining(['get', 'list', 'watch', 'create', 'delete']));
    }
    for (const kind of builtinKinds.filter((k) => !k.stored)) {
      expect(kind.verbs, kind.plural).toEqual(kind.plural === 'componentstatuses' ? ['get', 'list'] : ['create']);
    }
  });

  it('describes every column, in words of its own', () => {
    for (const kind of builtinKinds) {
      for (const column of kind.columns) expect(column.description, `${kind.plural} ${column.name}`).not.toBe('');
    }
  });
});

describe.each(all.map((kind) => [kind.kind, kind] as const))('%s, whatever is sent', (_name, kind) => {
  const anything = arbitraryOf(kind.schema);

  it('is never thrown at', () => {
    fc.assert(
      fc.property(anything, anything, (a, b) => {
        const old = deepFreeze(created(kind, a) as KubeObject);
        kind.validate?.(old);
        for (const rules of [kind.update, kind.status, ...Object.values(kind.subresources ?? {}).map((s) => s.rules)]) {
          const object = received(kind, b);
          rules?.prepare?.(object, old, NOW);
          rules?.validate?.(object, old);
        }
        tableRow(kind, old, NOW, 'None');
        for (const field of Object.values(kind.selectableFields ?? {})) expect(typeof field(old)).toBe('string');
        if (kind.scale !== undefined) {
          expect(typeof kind.scale.specReplicas(old)).toBe('number');
          expect(typeof kind.scale.statusReplicas(old)).toBe('number');
          expect(typeof kind.scale.selector(old)).toBe('string');
        }
        kind.gracePeriodSeconds?.(old);
        kind.warnings?.(old, old);
      }),
      { numRuns: 150 },
    );
  });

  it('is defaulted once: a second time changes nothing', () => {
    fc.assert(
      fc.property(anything, (json) => {
        const once = received(kind, json);
        expect(received(kind, once)).toEqual(once);
      }),
      { numRuns: 150 },
    );
  });

  it('an update that changes nothing is let through wherever the object itself was', () => {
    fc.assert(
      fc.property(anything, (json) => {
        const old = created(kind, json) as KubeObject;
        if ((kind.validate?.(old) ?? []).length > 0 || kind.update === undefined) return;
        const same = received(kind, structuredClone(old));
        kind.update.prepare?.(same, deepFreeze(old), NOW);
        expect(kind.update.validate?.(same, old) ?? []).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });
});
