import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { OwnerGraph } from './graph.ts';
import { judge, type OwnerState } from './plan.ts';

const kind = configMaps as Kind;
const object = (
  uid: number,
  owners: readonly number[],
  more: Partial<ConfigMap['metadata']> = {},
): Stored<KubeObject> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name: `n${uid}`,
    namespace: 'x',
    uid: `u${uid}`,
    resourceVersion: '1',
    ...(owners.length === 0
      ? {}
      : { ownerReferences: owners.map((o) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: `n${o}`, uid: `u${o}` })) }),
    ...more,
  },
});

it('the graph knows exactly the dependents that there are, and holds nothing else', () => {
  const step = fc.record({ uid: fc.nat(7), owners: fc.uniqueArray(fc.nat(7), { maxLength: 3 }), there: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const graph = new OwnerGraph(() => true);
      const objects = new Map<number, readonly number[]>();
      for (const { uid, owners, there } of steps) {
        if (there) {
          objects.set(uid, owners);
          graph.put(kind, object(uid, owners));
        } else if (objects.delete(uid)) graph.remove(`u${uid}`);
        for (let owner = 0; owner < 8; owner++) {
          const dependents = [...objects].filter(([, o]) => o.includes(owner)).map(([d]) => `u${d}`);
          const known = [...(graph.get(`u${owner}`)?.dependents ?? [])].map((d) => d.identity.uid);
          expect(known.sort()).toEqual(dependents.sort());
        }
      }
      for (const uid of objects.keys()) graph.remove(`u${uid}`);
      expect(graph.size).toBe(0);
    }),
  );
});

describe('an object', () => {
  const states = (all: Record<string, OwnerState>) => (r: { uid: string }) => all[r.uid] ?? 'unknown';
  const going = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const cases: [string, Stored<KubeObject>, Record<string, OwnerState>, unknown][] = [
    ['without owners stays', object(1, []), {}, { do: 'nothing' }],
    ['with an owner stays', object(1, [2]), { u2: 'solid' }, { do: 'nothing' }],
    ['whose owner is gone goes', object(1, [2]), { u2: 'absent' }, { do: 'delete', policy: 'Background' }],
    ['whose owner waits goes', object(1, [2]), { u2: 'waiting' }, { do: 'delete', policy: 'Background' }],
    [
      'with one of two owners gone stays',
      object(1, [2, 3]),
      { u2: 'solid', u3: 'absent' },
      { do: 'disown', uids: ['u3'] },
    ],
    ['whose owner nobody knows stays', object(1, [2, 3]), { u2: 'unknown', u3: 'absent' }, { do: 'nothing' }],
    ['that is going already is left alone', object(1, [2], going), { u2: 'absent' }, { do: 'nothing' }],
    [
      'that was to be orphaned keeps that',
      object(1, [2], { finalizers: ['orphan'] }),
      { u2: 'absent' },
      { do: 'delete', policy: 'Orphan' },
    ],
  ];
  it.each(cases)('%s', (_what, it, owners, verdict) => {
    expect(judge(it, undefined, states(owners))).toMatchObject(verdict as object);
  });
});
