/** Names in a real cluster, asked for from within pods. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rangesOf } from '../src/cluster/config.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('dns');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const inPod = (command: string) => kubectl('exec', 'asking', '--', 'sh', '-c', command);
const DOMAIN = 'default.svc.cluster.local';

const labels = { app: 'web' };
const container = (name: string, command: string) => ({
  name,
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', command],
});
const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });
const ports = [{ name: 'http', port: 8080 }];

beforeAll(async () => {
  await cluster.up();
  const items = [
    service('web', { selector: labels, ports }),
    service('peers', { selector: labels, clusterIP: 'None', ports }),
    service('alias', { type: 'ExternalName', externalName: `web.${DOMAIN}` }),
    {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'web' },
      spec: {
        serviceName: 'peers',
        replicas: 2,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 0,
            containers: [container('web', 'mkdir /www; hostname > /www/index.html; httpd -f -p 8080 -h /www')],
          },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'asking' },
      spec: { terminationGracePeriodSeconds: 0, containers: [container('asking', 'sleep 1000')] },
    },
  ];
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
  await kubectl('rollout', 'status', 'statefulset/web', '--timeout=60s');
  await kubectl('wait', 'pod/asking', '--for=condition=Ready', '--timeout=60s');
});
afterAll(() => cluster.remove());

describe('within a pod', () => {
  it('the resolver is the cluster DNS, with the search path of the namespace', async () => {
    const { dnsIP } = rangesOf(cluster.config);
    const text = await inPod('cat /etc/resolv.conf');
    expect(text).toContain(`nameserver ${dnsIP}`);
    expect(text).toContain(`search ${DOMAIN} svc.cluster.local cluster.local`);
    expect(text).toContain('options ndots:5');
  });

  it.each([
    ['web', /^web-[01]\n$/],
    ['web.default', /^web-[01]\n$/],
    [`web.${DOMAIN}`, /^web-[01]\n$/],
    ['alias', /^web-[01]\n$/],
    ['web-1.peers', /^web-1\n$/],
    ['peers', /^web-[01]\n$/],
  ])('http://%s:8080 is reached', async (name, expected) => {
    expect(await inPod(`timeout 10 wget -qO- http://${name}:8080/`)).toMatch(expected);
  });

  it('ports and addresses are found', async () => {
    const { serviceIP, dnsIP } = rangesOf(cluster.config);
    const ports = await inPod(`nslookup -type=srv _http._tcp.peers.${DOMAIN}`);
    expect(ports).toContain(`8080 web-0.peers.${DOMAIN}`);
    expect(ports).toContain(`8080 web-1.peers.${DOMAIN}`);
    expect(await inPod(`nslookup ${serviceIP}`)).toContain(`kubernetes.${DOMAIN}`);
    expect(await inPod(`nslookup ${dnsIP}`)).toContain('kube-dns.kube-system.svc.cluster.local');
  });

  it('what is scaled away is found no more', async () => {
    await kubectl('scale', 'statefulset/web', '--replicas=1');
    await eventually(async () => {
      const outcome = await cluster.tryKubectl(['exec', 'asking', '--', 'nslookup', `web-1.peers.${DOMAIN}`]);
      expect(outcome).toMatchObject({ code: 1, stdout: expect.stringContaining('NXDOMAIN') });
    });
    expect(await inPod(`nslookup web-0.peers.${DOMAIN}`)).toMatch(/Name:[\s\S]*Address: 10\.\d+/);
  });
});
