import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { nodes } from './node.ts';

const node = (spec: object = {}, more: object = {}) => ({ metadata: { name: 'n' }, spec, ...more });
const taint = (effect?: string, more: object = {}) => ({ key: 'a', effect, ...more });

describe('a node', () => {
  it('is defaulted', () => {
    const object = created(
      nodes,
      node({ podCIDR: '10.244.0.0/24', unschedulable: false }, { status: { capacity: { cpu: '2' } } }),
    );
    expect(object.spec).toEqual({ podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] });
    expect(object.status?.allocatable).toEqual({ cpu: '2' });
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', { taints: [taint('NoSchedule'), taint('NoExecute')] }, []],
    [
      'a taint twice',
      { taints: [taint('NoSchedule'), taint('NoSchedule', { value: 'b' })] },
      ['spec.taints[1]: Duplicate'],
    ],
    ['a taint without effect', { taints: [taint()] }, ['spec.taints[0].effect: Required']],
    ['a taint of other effect', { taints: [taint('Rust')] }, ['spec.taints[0].effect: NotSupported']],
    [
      'a taint of bad words',
      { taints: [taint('NoExecute', { key: '-', value: '-' })] },
      ['spec.taints[0].key: Invalid', 'spec.taints[0].value: Invalid'],
    ],
    ['a range that is none', { podCIDR: '10.0.0.0' }, ['spec.podCIDRs[0]: Invalid']],
  ])('with %s', (_what, spec, expected) => {
    expect(createFaults(nodes, node(spec))).toEqual(expected);
  });

  it('keeps what is set once', () => {
    const before = node({ podCIDR: '10.244.0.0/24', providerID: 'a' });
    const after = node({ podCIDR: '10.244.1.0/24', providerID: 'b', unschedulable: true });
    expect(updated(nodes, nodes.update, before, after).faults).toEqual([
      'spec.podCIDR: Forbidden',
      'spec.providerID: Forbidden',
    ]);
  });

  it('keeps its spec from writes to the status', () => {
    const { object, faults } = updated(
      nodes,
      nodes.status,
      node(),
      node({ unschedulable: true }, { status: { capacity: { cpu: '-1' } } }),
    );
    expect(object.spec).toEqual({});
    expect(faults).toContain('status.capacity[cpu]: Invalid');
  });

  it('is shown', () => {
    const status = {
      conditions: [{ type: 'Ready', status: 'True' }],
      addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
      nodeInfo: {
        kubeletVersion: 'v1.36.0',
        osImage: 'Debian',
        kernelVersion: '6',
        containerRuntimeVersion: 'containerd://1.6',
      },
    };
    const object = created(nodes, node({ unschedulable: true }, { status }));
    object.metadata = { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '' } };
    expect(tableRow(nodes, object, 0, 'None')).toEqual({
      cells: [
        'n',
        'Ready,SchedulingDisabled',
        'control-plane',
        '<unknown>',
        'v1.36.0',
        '10.0.0.1',
        '<none>',
        'Debian',
        '6',
        'containerd://1.6',
      ],
    });
  });
});
