import { describe, expect, it } from 'vitest';
import type { Node, NodeCondition } from '../../apis/core/node.ts';
import { awaitsEviction, type Eviction, labelsOf, silentConditions, taintsOf } from './plan.ts';

const NOW = Date.UTC(2026, 0, 1);
const nodeOf = (conditions: Record<string, string>, taints: string[] = [], spec: Node['spec'] = {}): Node => ({
  metadata: { name: 'n' },
  spec: { ...spec, taints: taints.map(parse) },
  status: { conditions: Object.entries(conditions).map(([type, status]): NodeCondition => ({ type, status })) },
});
const parse = (text: string) => {
  const [key = '', effect = ''] = text.split(':');
  return { key: key.includes('/') ? key : `node.kubernetes.io/${key}`, effect };
};
const short = (node: Node, eviction?: Eviction) =>
  (taintsOf(node, NOW, eviction) ?? node.spec?.taints ?? []).map(
    (t) => `${t.key.replace('node.kubernetes.io/', '')}:${t.effect}`,
  );

describe('taints of a node', () => {
  it.each<[string, Node, Eviction, string[]]>([
    ['fine', nodeOf({ Ready: 'True', MemoryPressure: 'False' }), 'now', []],
    ['not heard of yet', nodeOf({}), 'now', ['not-ready:NoSchedule']],
    ['not ready', nodeOf({ Ready: 'False' }), 'now', ['not-ready:NoSchedule', 'not-ready:NoExecute']],
    ['not ready, not its turn', nodeOf({ Ready: 'False' }), 'wait', ['not-ready:NoSchedule']],
    [
      'silent after it was not ready',
      nodeOf({ Ready: 'Unknown' }, ['not-ready:NoSchedule', 'not-ready:NoExecute']),
      'wait',
      ['unreachable:NoSchedule', 'unreachable:NoExecute'],
    ],
    [
      'silent as all others',
      nodeOf({ Ready: 'Unknown' }, ['unreachable:NoSchedule', 'unreachable:NoExecute']),
      'stop',
      ['unreachable:NoSchedule'],
    ],
    [
      'back',
      nodeOf({ Ready: 'True' }, ['unreachable:NoSchedule', 'unreachable:NoExecute', 'a/b:NoExecute']),
      'wait',
      ['a/b:NoExecute'],
    ],
    [
      'under pressure',
      nodeOf({
        Ready: 'True',
        MemoryPressure: 'True',
        DiskPressure: 'True',
        PIDPressure: 'True',
        NetworkUnavailable: 'True',
      }),
      'wait',
      [
        'memory-pressure:NoSchedule',
        'disk-pressure:NoSchedule',
        'pid-pressure:NoSchedule',
        'network-unavailable:NoSchedule',
      ],
    ],
    ['cordoned', nodeOf({ Ready: 'True' }, [], { unschedulable: true }), 'wait', ['unschedulable:NoSchedule']],
    ['no longer cordoned', nodeOf({ Ready: 'True' }, ['unschedulable:NoSchedule']), 'wait', []],
  ])('%s', (_what, node, eviction, wanted) => {
    expect(short(node, eviction)).toEqual(wanted);
  });

  it('wait for their turn only where pods are to be driven off and that has not begun', () => {
    expect(awaitsEviction(nodeOf({ Ready: 'Unknown' }))).toBe(true);
    expect(awaitsEviction(nodeOf({ Ready: 'Unknown' }, ['not-ready:NoExecute']))).toBe(false);
    expect(awaitsEviction(nodeOf({ Ready: 'True' }))).toBe(false);
    expect(awaitsEviction(nodeOf({}))).toBe(false);
  });
});

it('a node that never reported is said to be unknown since it was made', () => {
  const node: Node = { metadata: { name: 'n', creationTimestamp: '2025-12-31T00:00:00Z' } };
  expect(silentConditions(node, NOW)?.[0]).toEqual({
    type: 'Ready',
    status: 'Unknown',
    reason: 'NodeStatusNeverUpdated',
    message: 'Kubelet never posted node status.',
    lastHeartbeatTime: '2025-12-31T00:00:00Z',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });
  expect(silentConditions({ ...node, status: { conditions: silentConditions(node, NOW) ?? [] } }, NOW)).toBeUndefined();
});

it('older labels follow the newer ones', () => {
  const labels = { 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'arm64', 'beta.kubernetes.io/arch': 'arm64' };
  expect(labelsOf({ metadata: { labels } })).toEqual({ 'beta.kubernetes.io/os': 'linux' });
  expect(labelsOf({ metadata: { labels: { ...labels, 'beta.kubernetes.io/os': 'linux' } } })).toBeUndefined();
});
