import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import type { NetworkPolicy, NetworkPolicySpec } from '../../apis/networking/networkPolicy.ts';
import { type PolicyWorld, planPolicies } from './plan.ts';
import { policyScript } from './rules.ts';

const pod = (
  name: string,
  ip: string,
  labels: Record<string, string>,
  more: { namespace?: string; node?: string } = {},
): Pod => ({
  metadata: { name, namespace: more.namespace ?? 'default', labels },
  spec: {
    nodeName: more.node ?? 'here',
    containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }],
  },
  status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
});

const PODS = [
  pod('web', '10.244.0.2', { app: 'web' }),
  pod('client', '10.244.0.3', { app: 'client' }),
  pod('far', '10.244.1.4', { app: 'web' }, { node: 'there' }),
  pod('other', '10.244.0.5', { app: 'client' }, { namespace: 'team' }),
];
const DNS = {
  namespace: 'kube-system',
  labels: { 'k8s-app': 'kube-dns' },
  ip: '192.0.2.2',
  ports: new Map([[53, 4353]]),
};

function planned(...specs: NetworkPolicySpec[]) {
  const policies = specs.map(
    (spec, i): NetworkPolicy => ({
      metadata: { name: `p${i}`, namespace: 'default', uid: `u${i}` },
      spec: { podSelector: {}, ...spec },
    }),
  );
  const world: PolicyWorld = {
    policies,
    pods: PODS,
    namespaces: new Map<string, Record<string, string>>([
      ['default', { 'kubernetes.io/metadata.name': 'default' }],
      ['team', { team: 'a' }],
      ['kube-system', { 'kubernetes.io/metadata.name': 'kube-system' }],
    ]),
    nodeName: 'here',
    servers: [DNS],
  };
  return planPolicies(world, 4);
}

const scriptOf = (...specs: NetworkPolicySpec[]) => policyScript('test-policies', planned(...specs), 4);
const WEB = { podSelector: { matchLabels: { app: 'web' } } };

describe('network policies', () => {
  it('guard the pods of this node that they select, in the directions that they name', () => {
    const plan = planned({ ...WEB, policyTypes: ['Ingress'] }, { policyTypes: ['Egress'] });
    expect([...plan.guarded.ingress.keys()]).toEqual(['10.244.0.2']);
    expect([...plan.guarded.egress.keys()]).toEqual(['10.244.0.2', '10.244.0.3']);
    expect(plan.chains.every(({ allowed }) => allowed.length === 0)).toBe(true);
  });

  it.each<[string, NetworkPolicySpec, string[]]>([
    ['everything', { policyTypes: ['Ingress'], ingress: [{}] }, ['accept']],
    [
      'pods of the same namespace',
      { policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }] },
      ['ip saddr { 10.244.0.3 } accept'],
    ],
    [
      'pods of other namespaces',
      { policyTypes: ['Ingress'], ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'a' } } }] }] },
      ['ip saddr { 10.244.0.5 } accept'],
    ],
    [
      'a range but for a part of it, on two ports',
      {
        policyTypes: ['Ingress'],
        ingress: [
          {
            from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }],
            ports: [{ port: 80 }, { protocol: 'UDP', port: 5000, endPort: 5010 }],
          },
        ],
      },
      [
        'ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 } meta l4proto tcp th dport 80 accept',
        'ip saddr 10.0.0.0/8 ip saddr != { 10.1.0.0/16 } meta l4proto udp th dport 5000-5010 accept',
      ],
    ],
    [
      'a port by its name, in the pods that are reached',
      { ...WEB, policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 'http' }] }] },
      ['ip daddr . meta l4proto . th dport { 10.244.0.2 . tcp . 8080 } accept'],
    ],
    [
      'nobody, where nobody is found',
      { policyTypes: ['Ingress'], ingress: [{ from: [{ podSelector: { matchLabels: { app: 'absent' } } }] }] },
      [],
    ],
    [
      'names, of the server that listens elsewhere',
      {
        policyTypes: ['Egress'],
        egress: [
          {
            to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
            ports: [{ protocol: 'UDP', port: 53 }],
          },
        ],
      },
      [
        'ip daddr { 192.0.2.2 } meta l4proto udp th dport 53 accept',
        'ip daddr . meta l4proto . th dport { 192.0.2.2 . udp . 4353 } accept',
      ],
    ],
  ])('allow %s', (_what, spec, expected) => {
    const script = scriptOf(spec);
    const direction = spec.policyTypes?.[0] === 'Egress' ? 'egress' : 'ingress';
    const body =
      new RegExp(`chain ${direction}-u0 \\{\\n([^}]*(?:\\{[^}]*\\}[^}]*)*?)\\n? {2}\\}`).exec(script)?.[1] ?? '';
    expect(
      body
        .split('\n')
        .map((line) => line.trim())
        .filter((line) => line !== ''),
    ).toEqual(expected);
  });

  it('guard addresses of the other family, too', () => {
    const both = PODS.map((one, i) => ({
      ...one,
      status: { ...one.status, podIPs: [...(one.status?.podIPs ?? []), { ip: `fd00::${i + 1}` }] },
    }));
    const ipBlock = { cidr: 'fd00:1::/32', except: ['fd00:1:1::/48'] };
    const policy: NetworkPolicy = {
      metadata: { name: 'p', namespace: 'default', uid: 'u' },
      spec: {
        ...WEB,
        policyTypes: ['Ingress', 'Egress'],
        ingress: [
          {
            from: [
              { ipBlock },
              { ipBlock: { cidr: '10.0.0.0/8' } },
              { podSelector: { matchLabels: { app: 'client' } } },
            ],
          },
          { ports: [{ port: 'http' }] },
        ],
      },
    };
    const world = { policies: [policy], pods: both, namespaces: new Map(), nodeName: 'here', servers: [DNS] };
    const script = policyScript('test-policies', planPolicies(world, 6), 6);
    expect(script).toContain('ip6 saddr fd00:1::/32 ip6 saddr != { fd00:1:1::/48 } accept');
    expect(script).toContain('ip6 saddr { fd00::2 } accept');
    expect(script).toContain('ip6 daddr . meta l4proto . th dport { fd00::1 . tcp . 8080 } accept');
    expect(script).toContain('fd00::1 : goto ingress-guard-0');
    expect(script).not.toContain('10.');
    const result = spawnSync('unshare', ['-n', 'nft', '-f', '-'], { input: script, encoding: 'utf8' });
    expect(result).toMatchObject({ stderr: '', status: 0 });
  });

  it('are rules that the kernel takes', () => {
    const script = scriptOf(
      { policyTypes: ['Ingress', 'Egress'] },
      {
        ...WEB,
        policyTypes: ['Ingress'],
        ingress: [{ from: [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] } }], ports: [{ port: 'http' }] }],
      },
    );
    const result = spawnSync('unshare', ['-n', 'nft', '-f', '-'], { input: script, encoding: 'utf8' });
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
  });
});
