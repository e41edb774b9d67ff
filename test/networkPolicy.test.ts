/** Network policies with real containers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('policies');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const pod = (name: string, labels: object, more: object) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels },
  spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'c', imagePullPolicy: 'IfNotPresent', ...more }] },
});
const policy = (name: string, spec: object) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name },
  spec,
});
const WEB = { matchLabels: { app: 'web' } };
const sleeper = { image: 'busybox', command: ['sleep', '1000'] };

beforeAll(async () => {
  await cluster.up();
  const items = [
    pod('web', { app: 'web' }, { image: 'nginx', ports: [{ name: 'http', containerPort: 80 }] }),
    pod('friend', { app: 'friend' }, sleeper),
    pod('stranger', { app: 'stranger' }, sleeper),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    },
  ];
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
  await kubectl('wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s');
});
afterAll(() => cluster.remove());

async function reaches(from: string): Promise<boolean> {
  const command = ['exec', from, '--', 'timeout', '2', 'wget', '-qO-', 'http://web/'];
  return (await cluster.tryKubectl(command)).stdout.includes('nginx');
}
const reached = async () => ({ friend: await reaches('friend'), stranger: await reaches('stranger') });

describe('a network policy', () => {
  it('that is not there lets everybody in', async () => {
    await eventually(async () => expect(await reached()).toEqual({ friend: true, stranger: true }));
  });

  it('keeps everybody out, then lets one in, by the name of the port, through the service', async () => {
    await cluster.apply(policy('none', { podSelector: WEB, policyTypes: ['Ingress'] }));
    await eventually(async () => expect(await reached()).toEqual({ friend: false, stranger: false }));
    const from = [{ podSelector: { matchLabels: { app: 'friend' } } }];
    await cluster.apply(policy('friends', { podSelector: WEB, ingress: [{ from, ports: [{ port: 'http' }] }] }));
    await eventually(async () => expect(await reached()).toEqual({ friend: true, stranger: false }));
    await kubectl('label', 'pod', 'stranger', 'app=friend', '--overwrite');
    await eventually(async () => expect(await reached()).toEqual({ friend: true, stranger: true }));
    await kubectl('delete', 'networkpolicy', '--all');
  });

  it('keeps a pod from going out, but to names and where it may', async () => {
    const dns = {
      to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
      ports: [{ protocol: 'UDP', port: 53 }],
    };
    const friend = { matchLabels: { app: 'friend' } };
    await cluster.apply(policy('out', { podSelector: friend, policyTypes: ['Egress'] }));
    const resolves = async () =>
      (await cluster.tryKubectl(['exec', 'friend', '--', 'timeout', '2', 'nslookup', 'web.default.svc.cluster.local']))
        .code === 0;
    await eventually(async () => expect(await resolves()).toBe(false));
    await cluster.apply(policy('out', { podSelector: friend, policyTypes: ['Egress'], egress: [dns] }));
    await eventually(async () => expect(await resolves()).toBe(true));
    expect(await reaches('friend')).toBe(false);
    const egress = [dns, { to: [{ podSelector: WEB }], ports: [{ port: 80 }] }];
    await cluster.apply(policy('out', { podSelector: friend, policyTypes: ['Egress'], egress }));
    await eventually(async () => expect(await reaches('friend')).toBe(true));
  });
});
