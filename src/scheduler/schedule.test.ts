import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../lib/random.ts';
import { NodeInfo } from './nodeInfo.ts';
import type { PodInfo } from './podInfo.ts';
import { enoughNodes, nodeCheck, schedule } from './schedule.ts';
import { type Snapshot, snapshotOf } from './snapshot.ts';
import { anyCluster } from './testing/arbitrary.ts';
import { cluster, info, node } from './testing/objects.ts';

function place(snapshot: Snapshot, pod: PodInfo, nodeName: string): Snapshot {
  return snapshotOf({
    ...snapshot,
    nodes: snapshot.nodes.map((n) => (n.name === nodeName ? n.with(pod) : n)),
  });
}

describe('a placement', () => {
  it('never breaks a rule; a pod is refused only where any node would break one, with a reason for each', () => {
    fc.assert(
      fc.property(anyCluster, fc.nat(), ({ nodes, pods }, seed) => {
        const random = new SeededRandom(seed);
        let snapshot = snapshotOf({ nodes: nodes.map((n) => new NodeInfo(n, [])) });
        for (const pod of pods) {
          const placement = schedule(snapshot, pod, random);
          if (placement.nodeName === undefined) {
            expect([...placement.refusals.keys()].sort()).toEqual(snapshot.nodes.map((n) => n.name).sort());
            for (const { reasons } of placement.refusals.values()) expect(reasons.length).toBeGreaterThan(0);
            for (const n of snapshot.nodes) expect(() => expectSound(place(snapshot, pod, n.name))).toThrow();
            continue;
          }
          snapshot = place(snapshot, pod, placement.nodeName);
          expectSound(snapshot);
        }
      }),
      { numRuns: 150 },
    );
  });

  it('is the same for the same seed', () => {
    fc.assert(
      fc.property(anyCluster, fc.nat(), ({ nodes, pods }, seed) => {
        const snapshot = snapshotOf({ nodes: nodes.map((n) => new NodeInfo(n, [])) });
        const [pod] = pods as [PodInfo];
        expect(schedule(snapshot, pod, new SeededRandom(seed))).toEqual(
          schedule(snapshot, pod, new SeededRandom(seed)),
        );
      }),
    );
  });
});

/** What must hold of any cluster that a scheduler has filled, stated without its plugins. */
function expectSound(snapshot: Snapshot): void {
  const everywhere = snapshot.nodes.flatMap((n) => n.pods.map((pod) => ({ pod, zone: n.labels.zone })));
  for (const n of snapshot.nodes) {
    for (const resource of ['cpu', 'memory']) expect(n.free(resource)).toBeGreaterThanOrEqual(0);
    expect(n.pods.length).toBeLessThanOrEqual(n.allocatable.get('pods') ?? 0);
    const ports = n.pods.flatMap((p) => p.hostPorts.map((h) => h.port));
    expect(new Set(ports).size).toBe(ports.length);
    for (const pod of n.pods) {
      if (pod.spec.nodeSelector?.zone !== undefined) expect(n.labels.zone).toBe(pod.spec.nodeSelector.zone);
      if ((n.node.spec?.taints ?? []).length > 0) expect(pod.spec.tolerations).toBeDefined();
      if (pod.antiAffinity.required.length > 0) {
        const like = everywhere.filter((o) => o.pod.labels.app === pod.labels.app && o.zone === n.labels.zone);
        expect(like.length).toBe(1);
      }
    }
  }
}

describe('nominated nodes', () => {
  it('are taken where they still fit', () => {
    const snapshot = cluster([[node('a')], [node('b')]]);
    const pod = info('p', { status: { nominatedNodeName: 'a' } });
    for (let seed = 0; seed < 10; seed++) expect(schedule(snapshot, pod, new SeededRandom(seed)).nodeName).toBe('a');
  });

  it('are kept free for pods of the same or a higher priority', () => {
    const coming = info('coming', { requests: { cpu: '4' }, spec: { priority: 10 } });
    const snapshot = { ...cluster([[node('a')]]), nominated: new Map([['a', [coming]]]) };
    const check = (priority: number, more = {}) =>
      nodeCheck(
        snapshot,
        info('p', { requests: { cpu: '1' }, spec: { priority, ...more } }),
      )(snapshot.nodes[0] as NodeInfo);
    expect(check(5)?.reasons).toEqual(['Insufficient cpu']);
    expect(check(10)?.reasons).toEqual(['Insufficient cpu']);
    expect(check(11)).toBeUndefined();
  });
});

describe('large clusters', () => {
  it.each([
    [1, 1],
    [99, 99],
    [100, 100],
    [1000, 420],
    [5000, 500],
    [10_000, 500],
  ])('of %i nodes: %i that fit are enough', (nodes, enough) => {
    expect(enoughNodes(nodes)).toBe(enough);
  });

  it('begin where the last search ended', () => {
    const names = Array.from({ length: 300 }, (_, i) => `node${i}`);
    const snapshot = cluster(names.map((name) => [node(name)]));
    const first = schedule(snapshot, info('p'), new SeededRandom(1), 0);
    expect(first.examined).toBe(enoughNodes(300));
    const next = schedule(snapshot, info('p'), new SeededRandom(1), 299);
    expect(names.indexOf(next.nodeName ?? '')).toBeLessThan(enoughNodes(300));
  });
});
