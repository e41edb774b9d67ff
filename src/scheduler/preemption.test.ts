import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodDisruptionBudget } from '../apis/policy/podDisruptionBudget.ts';
import { SeededRandom } from '../lib/random.ts';
import type { Stored } from '../machinery/kind.ts';
import { unschedulableMessage } from './message.ts';
import { NodeInfo } from './nodeInfo.ts';
import type { PodInfo } from './podInfo.ts';
import { type PreemptionPlan, planPreemption } from './preemption.ts';
import { nodeCheck, schedule } from './schedule.ts';
import { type Snapshot, snapshotOf, withNode } from './snapshot.ts';
import { anyCluster } from './testing/arbitrary.ts';
import { cluster, info, node } from './testing/objects.ts';

const worker = (name: string, priority: number, cpu: string, more = {}) =>
  info(name, { requests: { cpu }, spec: { priority }, ...more });

function plan(snapshot: Snapshot, pod: PodInfo): { plan: PreemptionPlan; message: string } {
  const placement = schedule(snapshot, pod, new SeededRandom(1));
  if (placement.nodeName !== undefined) throw new Error('it fits');
  const made = planPreemption(snapshot, pod, placement.refusals, new SeededRandom(1));
  return { plan: made, message: unschedulableMessage(snapshot.nodes.length, placement.refusals, made) };
}

const shown = ({ preemption }: PreemptionPlan) =>
  preemption === undefined ? undefined : [preemption.nodeName, ...preemption.victims.map((v) => v.name)];

describe('victims', () => {
  const started = (at: string) => ({ status: { startTime: at } });
  const cases: [string, Snapshot, PodInfo, string[] | undefined][] = [
    [
      'are of lower priority',
      cluster([[node('a'), worker('low', 1, '2'), worker('same', 5, '2')]]),
      worker('p', 5, '1'),
      ['a', 'low'],
    ],
    ['are none where all matter as much', cluster([[node('a'), worker('x', 5, '4')]]), worker('p', 5, '1'), undefined],
    [
      'are no more than needed, the least important',
      cluster([[node('a'), worker('x', 1, '1'), worker('y', 2, '1'), worker('z', 3, '2')]]),
      worker('p', 5, '2'),
      ['a', 'y', 'x'],
    ],
    [
      'are where the most important of them is least so',
      cluster([
        [node('a'), worker('x', 3, '4')],
        [node('b'), worker('y', 2, '2'), worker('z', 2, '2')],
      ]),
      worker('p', 5, '4'),
      ['b', 'y', 'z'],
    ],
    [
      'are few',
      cluster([
        [node('a'), worker('x', 2, '2'), worker('y', 1, '2')],
        [node('b'), worker('z', 2, '4')],
      ]),
      worker('p', 5, '4'),
      ['b', 'z'],
    ],
    [
      'are young',
      cluster([
        [node('a'), worker('old', 1, '4', started('2026-01-01T00:00:00Z'))],
        [node('b'), worker('young', 1, '4', started('2026-01-02T00:00:00Z'))],
      ]),
      worker('p', 5, '4'),
      ['b', 'young'],
    ],
    [
      'are none where it would not help',
      cluster([[node('a', { labels: { disk: 'hdd' } }), worker('x', 1, '4')]]),
      info('p', { requests: { cpu: '1' }, spec: { priority: 5, nodeSelector: { disk: 'ssd' } } }),
      undefined,
    ],
  ];
  it.each(cases)('%s', (_, snapshot, pod, expected) => {
    expect(shown(plan(snapshot, pod).plan)).toEqual(expected);
  });

  describe('with disruption budgets', () => {
    const budget = (name: string, disruptionsAllowed: number, more = {}): Stored<PodDisruptionBudget> => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name, namespace: 'default', uid: name, resourceVersion: '1' },
      spec: { minAvailable: 1, selector: { matchLabels: { guarded: name } }, ...more },
      status: { disruptionsAllowed },
    });
    const guarded = (name: string, priority: number, by: string) =>
      worker(name, priority, '2', { labels: { guarded: by } });
    const victims = (snapshot: Snapshot, cpu: string, ...budgets: Stored<PodDisruptionBudget>[]) => {
      const pod = worker('p', 5, cpu);
      const placement = schedule(snapshot, pod, new SeededRandom(1));
      const refusals = placement.nodeName === undefined ? placement.refusals : new Map();
      const of = (namespace: string) => budgets.filter((b) => b.metadata.namespace === namespace);
      return shown(planPreemption(snapshot, pod, refusals, new SeededRandom(1), of));
    };
    const onOne = cluster([[node('a'), guarded('low', 1, 'x'), worker('medium', 2, '2')]]);
    const onTwo = cluster([
      [node('a'), guarded('low', 1, 'x'), guarded('lower', 0, 'x')],
      [node('b'), worker('high', 4, '4')],
    ]);

    it.each<[string, Snapshot, string, Stored<PodDisruptionBudget>[], string[]]>([
      ['go by their priority where nothing guards them', onOne, '2', [], ['a', 'low']],
      ['stay where one is guarded and the other is not', onOne, '2', [budget('x', 0)], ['a', 'medium']],
      ['go where the budget has room', onOne, '2', [budget('x', 1)], ['a', 'low']],
      ['go where nothing else helps', onOne, '4', [budget('x', 0)], ['a', 'medium', 'low']],
      ['are not guarded by the budget of all pods', onOne, '2', [budget('x', 0, { selector: {} })], ['a', 'low']],
      ['are counted one after the other', onTwo, '4', [budget('x', 2)], ['a', 'low', 'lower']],
      ['are taken from where no budget breaks', onTwo, '4', [budget('x', 1)], ['b', 'high']],
    ])('%s', (_, snapshot, cpu, budgets, expected) => {
      expect(victims(snapshot, cpu, ...budgets)).toEqual(expected);
    });

    it('count no pod that is disrupted already', () => {
      const counted = {
        ...budget('x', 0),
        status: { disruptionsAllowed: 0, disruptedPods: { low: '2026-01-01T00:00:00Z' } },
      };
      expect(victims(onOne, '2', counted)).toEqual(['a', 'low']);
    });
  });

  it('are never asked for by pods that do not preempt', () => {
    const snapshot = cluster([[node('a'), worker('low', 1, '4')]]);
    const polite = info('p', { requests: { cpu: '1' }, spec: { priority: 5, preemptionPolicy: 'Never' } });
    const { plan: made, message } = plan(snapshot, polite);
    expect(made.preemption).toBeUndefined();
    expect(message).toBe(
      '0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, ' +
        'preemption: not eligible due to preemptionPolicy=Never.',
    );
  });

  it('are not asked for again while others go', () => {
    const going = worker('going', 1, '3', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    const snapshot = cluster([[node('a'), going, worker('low', 1, '1')]]);
    const pod = info('p', { requests: { cpu: '3' }, spec: { priority: 5 }, status: { nominatedNodeName: 'a' } });
    expect(plan(snapshot, pod).plan.preemption).toBeUndefined();
  });
});

describe('messages', () => {
  it('count the reasons', () => {
    const snapshot = cluster([
      [node('a'), worker('x', 0, '4')],
      [node('b'), worker('y', 0, '4')],
      [node('c', { unschedulable: true })],
    ]);
    expect(plan(snapshot, info('p', { requests: { cpu: '1' } })).message).toBe(
      '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu. no new claims to deallocate, ' +
        'preemption: 0/3 nodes are available: 1 Preemption is not helpful for scheduling, ' +
        '2 No preemption victims found for incoming pod.',
    );
  });

  it('are of the pod where its claims are at fault', () => {
    const reason = 'persistentvolumeclaim "data" not found';
    const refusal = { plugin: 'VolumeBinding', reasons: [reason], resolvable: false, ofPod: true } as const;
    expect(unschedulableMessage(1, new Map([['a', refusal]]), { preemption: undefined, reasons: new Map() })).toBe(
      `0/1 nodes are available: ${reason}. not found`,
    );
  });

  it('say that there is no node', () => {
    expect(unschedulableMessage(0, new Map(), undefined)).toBe('no nodes available to schedule pods');
  });
});

it('whatever the cluster: the pod fits without the victims, who are lesser, and needs every one of them gone', () => {
  let preemptions = 0;
  fc.assert(
    fc.property(anyCluster, fc.nat(), ({ nodes, pods }, seed) => {
      const random = new SeededRandom(seed);
      let snapshot = snapshotOf({ nodes: nodes.map((n) => new NodeInfo(n, [])) });
      for (const pod of pods) {
        const placement = schedule(snapshot, pod, random);
        if (placement.nodeName !== undefined) {
          const { nodeName } = placement;
          snapshot = withNode(snapshot, (snapshot.nodes.find((n) => n.name === nodeName) as NodeInfo).with(pod));
          continue;
        }
        const { preemption } = planPreemption(snapshot, pod, placement.refusals, random);
        if (preemption === undefined) continue;
        preemptions++;
        const there = snapshot.nodes.find((n) => n.name === preemption.nodeName) as NodeInfo;
        const fitsWithout = (gone: readonly PodInfo[]) => {
          const left = there.without(new Set(gone));
          return nodeCheck(withNode(snapshot, left), pod)(left) === undefined;
        };
        expect(fitsWithout(preemption.victims)).toBe(true);
        for (const victim of preemption.victims) {
          expect(victim.priority).toBeLessThan(pod.priority);
          expect(fitsWithout(preemption.victims.filter((v) => v !== victim))).toBe(false);
        }
      }
    }),
    { numRuns: 200 },
  );
  expect(preemptions).toBeGreaterThan(10);
});
