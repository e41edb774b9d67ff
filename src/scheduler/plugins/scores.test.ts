import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../lib/random.ts';
import type { Plugin } from '../plugin.ts';
import type { PodInfo } from '../podInfo.ts';
import { schedule } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { cluster, info, node } from '../testing/objects.ts';
import { imageLocality } from './imageLocality.ts';
import { interPodAffinity } from './interPodAffinity.ts';
import { nodeAffinity } from './nodeAffinity.ts';
import { nodeResourcesBalancedAllocation } from './nodeResourcesBalancedAllocation.ts';
import { nodeResourcesFit } from './nodeResourcesFit.ts';
import { podTopologySpread } from './podTopologySpread.ts';
import { taintToleration } from './taintToleration.ts';

function scores(plugin: Plugin, snapshot: Snapshot, pod: PodInfo): number[] | undefined {
  const score = plugin.score?.(pod, snapshot, snapshot.nodes);
  if (score === undefined) return undefined;
  const raw = snapshot.nodes.map((n) => score.of(n));
  return score.normalize?.(raw, snapshot.nodes) ?? raw;
}

const zone = (name: string) => ({ labels: { zone: name } });

describe('scores', () => {
  it('LeastAllocated: what is left over, on average', () => {
    const half = info('half', { requests: { cpu: '2', memory: '2Gi' } });
    const snapshot = cluster([[node('a')], [node('b'), half]]);
    const pod = info('p', { requests: { cpu: '1', memory: '2Gi' } });
    // a: cpu 75, memory 75; b: cpu 25, memory 50
    expect(scores(nodeResourcesFit, snapshot, pod)).toEqual([75, 37]);
  });

  it('LeastAllocated assumes something for pods that ask for nothing', () => {
    const snapshot = cluster([[node('a'), info('x'), info('y')], [node('b')]]);
    const [a = 0, b = 0] = scores(nodeResourcesFit, snapshot, info('p')) ?? [];
    expect(b).toBeGreaterThan(a);
  });

  it('balanced allocation: the same share of cpu and memory', () => {
    const snapshot = cluster([
      [node('a'), info('x', { requests: { cpu: '2' } })],
      [node('b'), info('y', { requests: { memory: '4Gi' } })],
    ]);
    // a: 3/4 of cpu, 1/8 of memory; b: 1/4 of cpu, 5/8 of memory
    expect(
      scores(nodeResourcesBalancedAllocation, snapshot, info('p', { requests: { cpu: '1', memory: '1Gi' } })),
    ).toEqual([68, 81]);
    expect(scores(nodeResourcesBalancedAllocation, snapshot, info('p'))).toBeUndefined();
  });

  it('taints that are rather not put up with', () => {
    const rather = (key: string) => ({ key, effect: 'PreferNoSchedule' });
    const snapshot = cluster([
      [node('a')],
      [node('b', { taints: [rather('x')] })],
      [node('c', { taints: [rather('x'), rather('y')] })],
    ]);
    expect(scores(taintToleration, snapshot, info('p'))).toEqual([100, 50, 0]);
    const tolerations = [{ key: 'x', operator: 'Exists' }];
    expect(scores(taintToleration, snapshot, info('p', { spec: { tolerations } }))).toEqual([100, 100, 0]);
  });

  it('preferred nodes', () => {
    const snapshot = cluster([
      [node('a', { labels: { x: '1', y: '1' } })],
      [node('b', { labels: { x: '1' } })],
      [node('c')],
    ]);
    const prefers = (weight: number, key: string) => ({
      weight,
      preference: { matchExpressions: [{ key, operator: 'Exists' }] },
    });
    const spec = {
      affinity: {
        nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [prefers(30, 'x'), prefers(10, 'y')] },
      },
    };
    expect(scores(nodeAffinity, snapshot, info('p', { spec }))).toEqual([100, 75, 0]);
  });

  it('pods that like each other, from either side', () => {
    const preferred = (weight: number, app: string) => ({
      preferredDuringSchedulingIgnoredDuringExecution: [
        { weight, podAffinityTerm: { topologyKey: 'zone', labelSelector: { matchLabels: { app } } } },
      ],
    });
    const snapshot = cluster([
      [node('a', zone('1')), info('db', { labels: { app: 'db' } })],
      [node('b', zone('2')), info('loud', { labels: { app: 'loud' } })],
      [node('c', zone('3')), info('fan', { spec: { affinity: { podAffinity: preferred(10, 'p') } } })],
    ]);
    const affinity = { podAffinity: preferred(20, 'db'), podAntiAffinity: preferred(20, 'loud') };
    expect(scores(interPodAffinity, snapshot, info('p', { labels: { app: 'p' }, spec: { affinity } }))).toEqual([
      100, 0, 75,
    ]);
    expect(scores(interPodAffinity, snapshot, info('q', { labels: { app: 'q' } }))).toBeUndefined();
  });

  it('spreads if possible', () => {
    const web = (name: string) => info(name, { labels: { app: 'web' } });
    const snapshot = cluster([
      [node('a', zone('1')), web('1'), web('2')],
      [node('b', zone('2')), web('3')],
      [node('c', zone('3'))],
      [node('d')],
    ]);
    const topologySpreadConstraints = [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'ScheduleAnyway',
        labelSelector: { matchLabels: { app: 'web' } },
      },
    ];
    const pod = info('p', { labels: { app: 'web' }, spec: { topologySpreadConstraints } });
    const [a = 0, b = 0, c = 0, d = 0] = scores(podTopologySpread, snapshot, pod) ?? [];
    expect([c, d]).toEqual([100, 0]);
    expect(b).toBeGreaterThan(a);
  });

  it('images that are there', () => {
    const images = (sizeBytes: number) => ({ images: [{ names: ['app:1'], sizeBytes }] });
    const snapshot = cluster([[node('a', images(800 * 2 ** 20))], [node('b')], [node('c', images(10 * 2 ** 20))]]);
    const [a = 0, b, c] = scores(imageLocality, snapshot, info('p')) ?? [];
    expect(a).toBeGreaterThan(0);
    expect([b, c]).toEqual([0, 0]);
    const none = cluster([[node('a')]]);
    expect(scores(imageLocality, none, info('p'))).toBeUndefined();
  });
});

describe('all together', () => {
  it('an empty node before a busy one, and chance among equals', () => {
    const busy = info('busy', { requests: { cpu: '2', memory: '4Gi' } });
    const snapshot = cluster([[node('a'), busy], [node('b')], [node('c')]]);
    const chosen = new Set<string | undefined>();
    for (let seed = 0; seed < 30; seed++) {
      chosen.add(
        schedule(snapshot, info('p', { requests: { cpu: '1', memory: '2Gi' } }), new SeededRandom(seed)).nodeName,
      );
    }
    expect([...chosen].sort()).toEqual(['b', 'c']);
  });
});
