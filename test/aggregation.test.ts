/** An API server of another behind this one: reached through a service without pods, used with kubectl. */
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { APIService } from '../src/apis/apiregistration/apiService.ts';
import type { ConfigMap } from '../src/apis/core/configMap.ts';
import { TestCA } from '../src/apiserver/testing/certificates.ts';
import { type ExtensionServer, GROUP, startExtensionServer } from '../src/apiserver/testing/extensionServer.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('aggregation');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const API_SERVICE = `v1.${GROUP}`;
let extension: ExtensionServer | undefined;
let slice: object;

/** Endpoints are no loopback addresses. */
function ownAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    for (const { family, internal, address } of addresses ?? []) if (family === 'IPv4' && !internal) return address;
  }
  throw new Error('this machine has no address but the loopback ones');
}

beforeAll(async () => {
  await cluster.up('--runtime', 'simulated');
  const { data = {} } = await cluster.get<ConfigMap>(
    'configmap',
    '--namespace=kube-system',
    'extension-apiserver-authentication',
  );
  const ca = await TestCA.create(new SystemClock(), 'shop');
  extension = await startExtensionServer({
    ...(await ca.issue('till', [], ['till.default.svc'])),
    clientCA: data['requestheader-client-ca-file'] ?? '',
    host: '0.0.0.0',
  });
  slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'till', labels: { 'kubernetes.io/service-name': 'till' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [ownAddress()] }],
    ports: [{ name: 'https', port: extension.port }],
  };
  const items = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'till' },
      spec: { ports: [{ name: 'https', port: 443, targetPort: extension.port }] },
    },
    slice,
    {
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      metadata: { name: API_SERVICE },
      spec: {
        group: GROUP,
        version: 'v1',
        groupPriorityMinimum: 1000,
        versionPriority: 10,
        caBundle: Buffer.from(ca.pem).toString('base64'),
        service: { namespace: 'default', name: 'till' },
      },
    },
  ];
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
  await kubectl('wait', '--for=condition=Available', `apiservice/${API_SERVICE}`, '--timeout=60s');
});

afterAll(async () => {
  await extension?.close();
  await cluster.remove();
});

describe('an API service', () => {
  it('is listed beside those of the cluster itself', async () => {
    const all = await kubectl('get', 'apiservices');
    expect(all).toMatch(/^v1\.apps +Local +True /m);
    expect(all).toMatch(new RegExp(`^${API_SERVICE} +default/till +True `, 'm'));
  });

  it('has resources that kubectl finds, explains, creates, lists and deletes', async () => {
    expect(await kubectl('api-resources', `--api-group=${GROUP}`)).toMatch(
      /^wares +wa +shop\.example\.com\/v1 +true +Ware$/m,
    );
    expect(await kubectl('explain', 'ware.price')).toContain('What it costs.');
    const ware = { apiVersion: `${GROUP}/v1`, kind: 'Ware', metadata: { name: 'tea' }, price: 3 };
    const { code, stderr } = await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(ware) });
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect(await kubectl('get', 'wa', 'tea', '-o', 'jsonpath={.price}')).toBe('3');
    expect(await kubectl('get', 'wares', '-o', 'name')).toBe(`ware.${GROUP}/tea\n`);
    await kubectl('delete', 'ware', 'tea');
    expect((await cluster.tryKubectl(['get', 'ware', 'tea'])).stderr).toContain('"tea" not found');
  });

  it('is told who asks, by a server that it can believe', async () => {
    const as = ['--as=jane', '--as-group=staff', 'get', 'wares'];
    expect((await cluster.tryKubectl(as)).stderr).toContain('User "jane" cannot list resource "wares"');
    await kubectl('create', 'clusterrole', 'buyer', '--verb=list', `--resource=wares.${GROUP}`);
    await kubectl('create', 'clusterrolebinding', 'buyer', '--clusterrole=buyer', '--group=staff');
    await kubectl(...as);
    const { headers, peer } = extension?.asked.at(-1) ?? {};
    expect(peer).toBe('front-proxy-client');
    expect(headers?.['x-remote-user']).toBe('jane');
    expect(headers?.['x-remote-group']).toMatch(/^staff, ?system:authenticated$/);
  });

  it('sends events to those who watch', async () => {
    const watch = cluster.start('kubectl', ['get', 'wares', '--watch-only', '-o', 'name']);
    await eventually(async () => expect(extension?.watches).toBe(1));
    extension?.tell('cup');
    await eventually(async () => expect(watch.output).toContain(`ware.${GROUP}/cup`));
    await watch.stop();
    await eventually(async () => expect(extension?.watches).toBe(0));
  });

  it('loses what it has in a namespace that is deleted, which waits for that', async () => {
    await kubectl('create', 'namespace', 'shop');
    const ware = { apiVersion: `${GROUP}/v1`, kind: 'Ware', metadata: { name: 'tea', namespace: 'shop' } };
    await cluster.tryKubectl(['create', '-f', '-'], { input: JSON.stringify(ware) });
    expect(await kubectl('get', 'wares', '-n', 'shop', '-o', 'name')).toBe(`ware.${GROUP}/tea\n`);
    await kubectl('delete', 'namespace', 'shop', '--timeout=60s');
    expect(await kubectl('get', '--raw', `/apis/${GROUP}/v1/namespaces/shop/wares`)).toContain('"items":[]');
  });

  it('is unavailable without endpoints, and nothing else is', async () => {
    await kubectl('delete', 'endpointslice', 'till');
    await kubectl('wait', '--for=condition=Available=false', `apiservice/${API_SERVICE}`, '--timeout=60s');
    const { status } = await cluster.get<APIService>('apiservice', API_SERVICE);
    expect(status?.conditions?.[0]).toMatchObject({ type: 'Available', reason: 'EndpointsNotFound' });
    const refused = await cluster.tryKubectl(['get', '--raw', `/apis/${GROUP}/v1/namespaces/default/wares`]);
    expect(refused.stderr).toContain('service unavailable');
    expect(await kubectl('get', 'deployments')).toBe('');
    await kubectl('create', 'namespace', 'gone');
    await kubectl('delete', 'namespace', 'gone', '--wait=false');
    await kubectl('wait', '--for=condition=NamespaceDeletionDiscoveryFailure', 'namespace/gone', '--timeout=60s');
    await cluster.apply(slice);
    await kubectl('wait', '--for=condition=Available', `apiservice/${API_SERVICE}`, '--timeout=60s');
    await kubectl('wait', '--for=delete', 'namespace/gone', '--timeout=60s');
    await kubectl('delete', 'apiservice', API_SERVICE);
    expect((await cluster.tryKubectl(['get', '--raw', `/apis/${GROUP}`])).stderr).toContain('NotFound');
  });
});
