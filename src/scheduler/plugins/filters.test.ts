import { describe, expect, it } from 'vitest';
import type { PodInfo } from '../podInfo.ts';
import { nodeCheck } from '../schedule.ts';
import type { Snapshot } from '../snapshot.ts';
import { cluster, info, node, type PodOptions } from '../testing/objects.ts';

/** The reasons against each node, in order; an empty string where the pod fits. */
function verdicts(snapshot: Snapshot, pod: PodInfo): string[] {
  const check = nodeCheck(snapshot, pod);
  return snapshot.nodes.map((n) => {
    const refusal = check(n);
    return refusal === undefined
      ? ''
      : `${refusal.plugin}: ${refusal.reasons.join(', ')}${refusal.resolvable ? ' (?)' : ''}`;
  });
}

const term = (labels: Record<string, string>, topologyKey = 'zone', more = {}) => ({
  labelSelector: { matchLabels: labels },
  topologyKey,
  ...more,
});
const required = (...terms: object[]) => ({ requiredDuringSchedulingIgnoredDuringExecution: terms });

describe('NodeResourcesFit', () => {
  const full = info('full', { requests: { cpu: '3', memory: '6Gi' } });
  const one = cluster([[node('a'), full]]);
  const cases: [string, PodOptions, string][] = [
    ['what is free', { requests: { cpu: '1', memory: '2Gi' } }, ''],
    ['nothing', {}, ''],
    ['too much cpu', { requests: { cpu: '1001m' } }, 'NodeResourcesFit: Insufficient cpu (?)'],
    [
      'too much of both',
      { requests: { cpu: '2', memory: '3Gi' } },
      'NodeResourcesFit: Insufficient cpu, Insufficient memory (?)',
    ],
    ['more than there is', { requests: { cpu: '5' } }, 'NodeResourcesFit: Insufficient cpu'],
    [
      'what the node does not have',
      { spec: withLimits({ 'example.com/gpu': '1' }) },
      'NodeResourcesFit: Insufficient example.com/gpu',
    ],
    [
      'a hungry init container',
      { spec: { initContainers: [{ name: 'init', image: 'i', resources: { requests: { cpu: '2' } } }] } },
      'NodeResourcesFit: Insufficient cpu (?)',
    ],
    [
      'overhead',
      { requests: { cpu: '900m' }, spec: { overhead: { cpu: '200m' } } },
      'NodeResourcesFit: Insufficient cpu (?)',
    ],
    [
      'an amount for the pod as a whole',
      { requests: { cpu: '500m' }, spec: { resources: { requests: { cpu: '1500m' } } } },
      'NodeResourcesFit: Insufficient cpu (?)',
    ],
  ];
  it.each(cases)('%s', (_, options, expected) => {
    expect(verdicts(one, info('p', options))).toEqual([expected]);
  });

  it('counts pods', () => {
    const small = cluster([[node('a', { allocatable: { cpu: '4', memory: '8Gi', pods: '1' } }), info('x')]]);
    expect(verdicts(small, info('p'))).toEqual(['NodeResourcesFit: Too many pods (?)']);
  });
});

function withLimits(limits: Record<string, string>): object {
  return { containers: [{ name: 'main', image: 'app:1', resources: { limits } }] };
}

describe('nodes that a pod asks for', () => {
  const snapshot = cluster([
    [node('a', { labels: { disk: 'ssd', cores: '8' } })],
    [node('b', { labels: { disk: 'hdd', cores: '16' } })],
    [node('c')],
  ]);
  const no = "NodeAffinity: node(s) didn't match Pod's node affinity/selector";
  const nodeAffinity = (...nodeSelectorTerms: object[]) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  });
  const by = (key: string, operator: string, ...values: string[]) => ({ key, operator, values });
  const cases: [string, object, string[]][] = [
    ['selector', { nodeSelector: { disk: 'ssd' } }, ['', no, no]],
    ['In', nodeAffinity({ matchExpressions: [by('disk', 'In', 'ssd', 'hdd')] }), ['', '', no]],
    ['NotIn', nodeAffinity({ matchExpressions: [by('disk', 'NotIn', 'ssd')] }), [no, '', '']],
    ['Exists', nodeAffinity({ matchExpressions: [{ key: 'disk', operator: 'Exists' }] }), ['', '', no]],
    ['DoesNotExist', nodeAffinity({ matchExpressions: [{ key: 'disk', operator: 'DoesNotExist' }] }), [no, no, '']],
    ['Gt', nodeAffinity({ matchExpressions: [by('cores', 'Gt', '8')] }), [no, '', no]],
    ['Lt', nodeAffinity({ matchExpressions: [by('cores', 'Lt', '16')] }), ['', no, no]],
    ['by name', nodeAffinity({ matchFields: [by('metadata.name', 'In', 'c')] }), [no, no, '']],
    [
      'any term, all of it',
      nodeAffinity(
        { matchExpressions: [by('disk', 'In', 'ssd'), by('cores', 'In', '16')] },
        { matchFields: [by('metadata.name', 'In', 'b')] },
      ),
      [no, '', no],
    ],
    ['an empty term', nodeAffinity({}), [no, no, no]],
    [
      'selector and affinity',
      { nodeSelector: { disk: 'ssd' }, ...nodeAffinity({ matchExpressions: [by('disk', 'In', 'hdd')] }) },
      [no, no, no],
    ],
  ];
  it.each(cases)('%s', (_, spec, expected) => {
    expect(verdicts(snapshot, info('p', { spec }))).toEqual(expected);
  });
});

describe('taints and cordons', () => {
  const snapshot = cluster([
    [node('a', { taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] })],
    [node('b', { taints: [{ key: 'gone', effect: 'NoExecute' }] })],
    [node('c', { taints: [{ key: 'rather-not', effect: 'PreferNoSchedule' }] })],
    [node('d', { unschedulable: true })],
  ]);
  const tainted = 'TaintToleration: node(s) had untolerated taint(s)';
  const cordoned = 'NodeUnschedulable: node(s) were unschedulable';
  const cases: [string, object[], string[]][] = [
    ['no tolerations', [], [tainted, tainted, '', cordoned]],
    ['of all', [{ operator: 'Exists' }], ['', '', '', '']],
    ['by value', [{ key: 'gpu', value: 'yes' }], ['', tainted, '', cordoned]],
    ['of another value', [{ key: 'gpu', value: 'no' }], [tainted, tainted, '', cordoned]],
    ['by key', [{ key: 'gone', operator: 'Exists' }], [tainted, '', '', cordoned]],
    [
      'of another effect',
      [{ key: 'gone', operator: 'Exists', effect: 'NoSchedule' }],
      [tainted, tainted, '', cordoned],
    ],
    [
      'of the cordon',
      [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }],
      [tainted, tainted, '', ''],
    ],
  ];
  it.each(cases)('%s', (_, tolerations, expected) => {
    expect(verdicts(snapshot, info('p', { spec: { tolerations } }))).toEqual(expected);
  });
});

describe('NodePorts', () => {
  const ports = (...list: object[]) => ({ containers: [{ name: 'main', image: 'a', ports: list }] });
  const snapshot = cluster([
    [node('a'), info('x', { spec: ports({ containerPort: 80, hostPort: 8080, hostIP: '127.0.0.1' }) })],
    [node('b'), info('y', { spec: ports({ containerPort: 80, hostPort: 8080 }) })],
  ]);
  const no = "NodePorts: node(s) didn't have free ports for the requested pod ports (?)";
  const cases: [string, object, string[]][] = [
    ['the same', { containerPort: 80, hostPort: 8080 }, [no, no]],
    ['another port', { containerPort: 80, hostPort: 8081 }, ['', '']],
    ['another protocol', { containerPort: 80, hostPort: 8080, protocol: 'UDP' }, ['', '']],
    ['another address', { containerPort: 80, hostPort: 8080, hostIP: '127.0.0.2' }, ['', no]],
    ['no port of the host', { containerPort: 8080 }, ['', '']],
  ];
  it.each(cases)('%s', (_, port, expected) => {
    expect(verdicts(snapshot, info('p', { spec: ports(port) }))).toEqual(expected);
  });
});

describe('InterPodAffinity', () => {
  const zone = (name: string) => ({ labels: { zone: name } });
  const notNear = "InterPodAffinity: node(s) didn't match pod affinity rules";
  const tooNear = "InterPodAffinity: node(s) didn't match pod anti-affinity rules (?)";
  const keptOff = "InterPodAffinity: node(s) didn't satisfy existing pods anti-affinity rules (?)";
  const db = info('db', { labels: { app: 'db' } });
  const snapshot = cluster([[node('a', zone('1')), db], [node('b', zone('1'))], [node('c', zone('2'))], [node('d')]]);
  const near = (...terms: object[]) => ({ affinity: { podAffinity: required(...terms) } });
  const far = (...terms: object[]) => ({ affinity: { podAntiAffinity: required(...terms) } });

  const cases: [string, PodOptions, string[]][] = [
    ['near', { spec: near(term({ app: 'db' })) }, ['', '', notNear, notNear]],
    [
      'on the same node',
      { spec: near(term({ app: 'db' }, 'kubernetes.io/hostname')) },
      ['', notNear, notNear, notNear],
    ],
    ['far', { spec: far(term({ app: 'db' })) }, [tooNear, tooNear, '', '']],
    ['near what is nowhere', { spec: near(term({ app: 'x' })) }, [notNear, notNear, notNear, notNear]],
    ['the first of its kind', { labels: { app: 'x' }, spec: near(term({ app: 'x' })) }, ['', '', '', notNear]],
    [
      'near in another namespace',
      { namespace: 'other', spec: near(term({ app: 'db' })) },
      [notNear, notNear, notNear, notNear],
    ],
    [
      'near, with namespaces named',
      { namespace: 'other', spec: near(term({ app: 'db' }, 'zone', { namespaces: ['default'] })) },
      ['', '', notNear, notNear],
    ],
    [
      'near, with namespaces selected',
      { namespace: 'other', spec: near(term({ app: 'db' }, 'zone', { namespaceSelector: {} })) },
      ['', '', notNear, notNear],
    ],
    [
      'near, in two ways at once',
      { spec: near(term({ app: 'db' }), term({ app: 'db' }, 'kubernetes.io/hostname')) },
      ['', notNear, notNear, notNear],
    ],
  ];
  it.each(cases)('%s', (_, options, expected) => {
    expect(verdicts(snapshot, info('p', options))).toEqual(expected);
  });

  it('respects those that are there', () => {
    const shy = info('shy', { spec: far(term({ app: 'p' })) });
    const there = cluster([[node('a', zone('1')), shy], [node('b', zone('1'))], [node('c', zone('2'))]]);
    expect(verdicts(there, info('p', { labels: { app: 'p' } }))).toEqual([keptOff, keptOff, '']);
    expect(verdicts(there, info('q', { labels: { app: 'q' } }))).toEqual(['', '', '']);
  });
});

describe('PodTopologySpread', () => {
  const zone = (name: string) => ({ labels: { zone: name } });
  const web = (name: string, more: PodOptions = {}) => info(name, { labels: { app: 'web' }, ...more });
  const spread = (more = {}) => ({
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: 'zone',
        whenUnsatisfiable: 'DoNotSchedule',
        labelSelector: { matchLabels: { app: 'web' } },
        ...more,
      },
    ],
  });
  const uneven = "PodTopologySpread: node(s) didn't match pod topology spread constraints (?)";
  const nowhere = "PodTopologySpread: node(s) didn't match pod topology spread constraints (missing required label)";
  const snapshot = cluster([
    [node('a', zone('1')), web('w1'), web('w2')],
    [node('b', zone('1'))],
    [node('c', zone('2')), web('w3')],
    [node('d')],
  ]);
  const cases: [string, object, string[]][] = [
    ['evenly', spread(), [uneven, uneven, '', nowhere]],
    ['with some skew', spread({ maxSkew: 2 }), ['', '', '', nowhere]],
    ['over more domains than there are', spread({ minDomains: 3 }), [uneven, uneven, uneven, nowhere]],
    [
      'not counting nodes that the pod does not select',
      { ...spread(), nodeSelector: { zone: '1' } },
      [
        '',
        '',
        "NodeAffinity: node(s) didn't match Pod's node affinity/selector",
        "NodeAffinity: node(s) didn't match Pod's node affinity/selector",
      ],
    ],
    [
      'counting them where nodeAffinityPolicy says so',
      { ...spread({ nodeAffinityPolicy: 'Ignore' }), nodeSelector: { zone: '1' } },
      [
        uneven,
        uneven,
        "NodeAffinity: node(s) didn't match Pod's node affinity/selector",
        "NodeAffinity: node(s) didn't match Pod's node affinity/selector",
      ],
    ],
    ['if possible', spread({ whenUnsatisfiable: 'ScheduleAnyway' }), ['', '', '', '']],
  ];
  it.each(cases)('%s', (_, spec, expected) => {
    expect(verdicts(snapshot, web('p', { spec }))).toEqual(expected);
  });

  it.each([
    ['Ignore', uneven],
    ['Honor', ''],
  ])('nodeTaintsPolicy %s: nodes that the pod does not tolerate', (nodeTaintsPolicy, expected) => {
    const taints = [{ key: 'k', effect: 'NoSchedule' }];
    const there = cluster([[node('a', zone('1')), web('w1')], [node('c', { ...zone('2'), taints })]]);
    expect(verdicts(there, web('p', { spec: spread({ nodeTaintsPolicy }) }))[0]).toBe(expected);
  });

  it('does not count pods that go, nor those of other namespaces', () => {
    const going = web('w1', { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } });
    const there = cluster([[node('a', zone('1')), going, web('w2', { namespace: 'other' })], [node('c', zone('2'))]]);
    expect(verdicts(there, web('p', { spec: spread() }))).toEqual(['', '']);
  });
});
