import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { type Service, type ServiceSpec, services } from '../../apis/core/service.ts';
import { ipAddresses } from '../../apis/networking/ipAddress.ts';
import { type ServiceCIDR, serviceCIDRs } from '../../apis/networking/serviceCIDR.ts';
import type { Stored } from '../../machinery/kind.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
let server: TestServer;
let port = 0;

beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const make = (name: string, spec: ServiceSpec = {}): Promise<Stored<Service>> =>
  server.client.create(services, { metadata: { namespace, name }, spec: { ports: [{ port: 80 }], ...spec } });
const range = (name: string, ...cidrs: string[]) =>
  server.client.create(serviceCIDRs, { metadata: { name }, spec: { cidrs } });
const names = async () => (await server.client.list(ipAddresses)).items.map((item) => item.metadata.name);
const readyOf = (object: ServiceCIDR) => object.status?.conditions?.find((c) => c.type === 'Ready');
const isReady = (name: string, status = 'True') =>
  vi.waitFor(async () => {
    expect(readyOf(await server.client.get(serviceCIDRs, { name }))?.status).toBe(status);
  });

describe('the default range', () => {
  test('is an object, ready and held', async () => {
    const found = await server.client.get(serviceCIDRs, { name: 'kubernetes' });
    expect(found.spec?.cidrs).toEqual(['10.96.0.0/16']);
    expect(found.metadata.finalizers).toEqual(['networking.k8s.io/service-cidr-finalizer']);
    expect(readyOf(found)).toMatchObject({ status: 'True', message: 'Kubernetes default Service CIDR is ready' });
  });
});

describe('an address of a service', () => {
  test('is an object, from the first one on', async () => {
    expect(await server.client.get(ipAddresses, { name: '10.96.0.1' })).toMatchObject({
      metadata: {
        labels: { 'ipaddress.kubernetes.io/managed-by': 'ipallocator', 'ipaddress.kubernetes.io/ip-family': 'IPv4' },
      },
      spec: { parentRef: { resource: 'services', namespace: 'default', name: 'kubernetes' } },
    });
  });

  test('comes and goes with the service, and is put back', async () => {
    await make('web', { clusterIP: '10.96.0.40' });
    await vi.waitFor(async () => expect(await names()).toContain('10.96.0.40'));
    await server.client.delete(ipAddresses, { name: '10.96.0.40' });
    await vi.waitFor(async () => expect(await names()).toContain('10.96.0.40'));
    await server.client.delete(services, { namespace, name: 'web' });
    await vi.waitFor(async () => expect(await names()).not.toContain('10.96.0.40'));
  });

  test('of its next owner says so', async () => {
    await make('one', { clusterIP: '10.96.0.41' });
    await server.client.delete(services, { namespace, name: 'one' });
    await make('two', { clusterIP: '10.96.0.41' });
    await vi.waitFor(async () => {
      const found = await server.client.get(ipAddresses, { name: '10.96.0.41' });
      expect(found.spec.parentRef.name).toBe('two');
    });
  });

  test('many at once have one each', async () => {
    const made = await Promise.all(Array.from({ length: 60 }, (_, i) => make(`many-${i}`)));
    await vi.waitFor(async () => {
      expect(await names()).toEqual(expect.arrayContaining(made.map((service) => service.spec?.clusterIP)));
    });
  });

  test('that somebody else has is not given away', async () => {
    const parentRef = { group: 'example.com', resource: 'things', name: 'mine' };
    await server.client.create(ipAddresses, { metadata: { name: '10.96.0.50' }, spec: { parentRef } });
    await expect(make('late', { clusterIP: '10.96.0.50' })).rejects.toThrow('provided IP is already allocated');
    await server.client.delete(ipAddresses, { name: '10.96.0.50' });
    expect((await make('late', { clusterIP: '10.96.0.50' })).spec?.clusterIP).toBe('10.96.0.50');
  });
});

describe('another range', () => {
  test('adds its addresses, and stays while they are held', async () => {
    await expect(make('early', { clusterIP: '172.30.0.5' })).rejects.toThrow('not in the valid range');
    await range('more', '172.30.0.0/28');
    await isReady('more');
    expect((await make('inside', { clusterIP: '172.30.0.5' })).spec?.clusterIP).toBe('172.30.0.5');
    await server.client.delete(serviceCIDRs, { name: 'more' });
    await isReady('more', 'False');
    await expect(make('too-late', { clusterIP: '172.30.0.6' })).rejects.toThrow('not in the valid range');
    await server.client.delete(services, { namespace, name: 'inside' });
    await vi.waitFor(
      () => expect(server.client.get(serviceCIDRs, { name: 'more' })).rejects.toMatchObject({ reason: 'NotFound' }),
      { timeout: 5_000 },
    );
  });

  test('goes at once where a larger one has its addresses', async () => {
    await range('wide', '172.31.0.0/16');
    await range('narrow', '172.31.1.0/24');
    await Promise.all([isReady('wide'), isReady('narrow')]);
    await make('both', { clusterIP: '172.31.1.7' });
    await server.client.delete(serviceCIDRs, { name: 'narrow' });
    await vi.waitFor(() =>
      expect(server.client.get(serviceCIDRs, { name: 'narrow' })).rejects.toMatchObject({ reason: 'NotFound' }),
    );
  });
});

describe('over HTTP', () => {
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };

  test('tables have the columns that kubectl shows', async () => {
    const columns = async (path: string) =>
      (await http(server, port, path, { headers: table })).json.columnDefinitions.map(
        (column: { name: string; priority: number }) => (column.priority > 0 ? `${column.name}*` : column.name),
      );
    expect(await columns('/apis/networking.k8s.io/v1/servicecidrs')).toEqual(['Name', 'CIDRs', 'Age']);
    expect(await columns('/apis/networking.k8s.io/v1/ipaddresses')).toEqual(['Name', 'ParentRef']);
    expect(await columns('/api/v1/persistentvolumeclaims')).toEqual([
      'Name',
      'Status',
      'Volume',
      'Capacity',
      'Access Modes',
      'StorageClass',
      'VolumeAttributesClass',
      'Age',
      'VolumeMode*',
    ]);
    expect(await columns('/apis/storage.k8s.io/v1/csidrivers')).toContain('AttachRequired');
  });

  test('what is deprecated is said with a warning, and what is wrong with a cause each', async () => {
    const body = (spec: object) => ({
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' }, spec }),
    });
    const good = {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Recycle',
      nfs: { server: 's', path: '/' },
    };
    const made = await http(server, port, '/api/v1/persistentvolumes', body(good));
    expect(made.status).toBe(201);
    expect(String(made.headers.warning)).toContain('The Recycle reclaim policy is deprecated');
    const refused = await http(server, port, '/api/v1/persistentvolumes', body({}));
    expect(refused.status).toBe(422);
    const fields = refused.json.details.causes.map((cause: { field: string }) => cause.field);
    expect(fields).toEqual(expect.arrayContaining(['spec.accessModes', 'spec.capacity', 'spec']));
    // Deleted, it is answered as it is: held by its finalizer.
    const deleted = await http(server, port, '/api/v1/persistentvolumes/pv', { method: 'DELETE' });
    expect(deleted.json.kind).toBe('PersistentVolume');
    expect((await server.client.get(persistentVolumes, { name: 'pv' })).metadata.deletionTimestamp).toBeDefined();
  });
});
