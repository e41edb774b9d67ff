import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { isCriticalPod, type RankedPod, rankPods } from './ranking.ts';
import type { Signal } from './thresholds.ts';

interface Told {
  readonly priority?: number;
  readonly request?: string;
  readonly used?: number;
  readonly processes?: number;
  readonly inodes?: number;
}

function ranked(name: string, told: Told, resource = 'memory'): RankedPod {
  const { priority = 0, request, used, processes = 0, inodes = 0 } = told;
  const resources = request === undefined ? {} : { resources: { requests: { [resource]: request } } };
  const pod: Pod = {
    ...podOf({ priority, containers: [container('main', resources)] }),
    metadata: { name, uid: name },
  };
  return {
    pod,
    usage: used === undefined ? undefined : { memoryBytes: used, diskBytes: used, processes, inodes },
  };
}

const order = (pods: readonly RankedPod[], signal: Signal) =>
  rankPods(pods, signal).map(({ pod }) => pod.metadata?.name);

describe('rankPods', () => {
  it.each([
    [
      'beyond what was asked for goes first',
      { a: { request: '100', used: 90 }, b: { request: '10', used: 20 } },
      ['b', 'a'],
    ],
    [
      'whatever its priority',
      { a: { request: '100', used: 90 }, b: { request: '10', used: 20, priority: 9 } },
      ['b', 'a'],
    ],
    ['then by priority', { a: { used: 10, priority: 2 }, b: { used: 10, priority: 1 } }, ['b', 'a']],
    [
      'then by how far beyond',
      { a: { used: 10 }, b: { used: 500 }, c: { request: '400', used: 450 } },
      ['b', 'c', 'a'],
    ],
    ['what cannot be told goes first', { a: { used: 10_000 }, b: {} }, ['b', 'a']],
  ] as const)('%s', (_what, pods, expected) => {
    for (const [signal, resource] of [
      ['memory.available', 'memory'],
      ['nodefs.available', 'ephemeral-storage'],
    ] as const) {
      const list = Object.entries(pods).map(([name, told]) => ranked(name, told, resource));
      expect(order(list, signal)).toEqual(expected);
      expect(order(list.reverse(), signal)).toEqual(expected);
    }
  });

  it('counts processes and files', () => {
    const list = [ranked('a', { used: 9, processes: 1, inodes: 5 }), ranked('b', { used: 1, processes: 2, inodes: 4 })];
    expect(order(list, 'pid.available')).toEqual(['b', 'a']);
    expect(order(list, 'nodefs.inodesFree')).toEqual(['a', 'b']);
  });

  it('puts no pod within its request before one beyond it', () => {
    const pod = fc.record({
      priority: fc.integer({ min: 0, max: 3 }),
      used: fc.nat(100),
      request: fc.nat(100).map(String),
    });
    fc.assert(
      fc.property(fc.array(pod, { maxLength: 12 }), (told) => {
        const list = rankPods(
          told.map((t, i) => ranked(String(i), t)),
          'memory.available',
        );
        const beyond = list.map(({ pod: { metadata } }) => {
          const one = told[Number(metadata?.name)];
          return (one?.used ?? 0) > Number(one?.request);
        });
        expect(beyond.lastIndexOf(true)).toBeLessThanOrEqual(beyond.filter(Boolean).length - 1);
      }),
    );
  });
});

it.each([
  ['an ordinary one', {}, {}, false],
  ['one of the system', { priority: 2_000_000_000 }, {}, true],
  ['one from a file', {}, { 'kubernetes.io/config.source': 'file' }, true],
  ['the mirror of one', {}, { 'kubernetes.io/config.mirror': 'x' }, true],
  ['one from the API', {}, { 'kubernetes.io/config.source': 'api' }, false],
] as const)('critical: %s', (_what, spec, annotations, expected) => {
  expect(isCriticalPod(podOf(spec, { metadata: { name: 'p', annotations } }))).toBe(expected);
});
