import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { ingresses } from '../../apis/networking/ingress.ts';
import { ingressClasses } from '../../apis/networking/ingressClass.ts';
import { runtimeClasses } from '../../apis/node/runtimeClass.ts';
import { storageClasses } from '../../apis/storage/storageClass.ts';
import type { Stored } from '../../machinery/kind.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
let server: TestServer;

beforeAll(async () => {
  server = await startTestServer();
  await server.client.create(serviceAccounts, { metadata: { namespace, name: 'default' } });
});
afterAll(() => server.stop());

const claim = (
  name: string,
  spec: Partial<NonNullable<PersistentVolumeClaim['spec']>> = {},
): Promise<Stored<PersistentVolumeClaim>> =>
  server.client.create(persistentVolumeClaims, {
    metadata: { namespace, name },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec },
  });

const pod = (name: string, spec: Partial<NonNullable<Pod['spec']>>): Promise<Stored<Pod>> =>
  server.client.create(pods, {
    metadata: { namespace, name },
    spec: { containers: [{ name: 'c', image: 'x' }], ...spec },
  });

const storageClass = (name: string, more: object = {}, annotations: Record<string, string> = {}) =>
  server.client.create(storageClasses, { metadata: { name, annotations }, provisioner: 'example.com/p', ...more });

describe('claims', () => {
  test('wait, are held while in use, and get the class of the default', async () => {
    const before = await claim('before');
    expect(before.spec?.storageClassName).toBeUndefined();
    expect(before.status).toEqual({ phase: 'Pending' });
    expect(before.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection']);
    const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };
    await storageClass('usual', {}, isDefault);
    expect((await claim('open')).spec?.storageClassName).toBe('usual');
    expect((await claim('none', { storageClassName: '' })).spec?.storageClassName).toBe('');
    // One that was made before there was a default may be told its class later.
    const told = { ...before, spec: { ...before.spec, storageClassName: 'usual' } };
    expect((await server.client.update(persistentVolumeClaims, told)).spec?.storageClassName).toBe('usual');
    await server.client.delete(storageClasses, { name: 'usual' });
  });

  test('grow only with a volume, of a class that grows', async () => {
    await storageClass('rigid');
    await storageClass('growing', { allowVolumeExpansion: true });
    const resources = { requests: { storage: '2Gi' } };
    const bind = async (name: string, storageClassName: string) => {
      const made = await claim(name, { storageClassName });
      const named = await server.client.update(persistentVolumeClaims, {
        ...made,
        spec: { ...made.spec, volumeName: 'pv' },
      });
      const status = { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] };
      return server.client.update(persistentVolumeClaims, { ...named, status }, { subresource: 'status' });
    };
    const grow = (object: Stored<PersistentVolumeClaim>) =>
      server.client.update(persistentVolumeClaims, { ...object, spec: { ...object.spec, resources } });
    await expect(grow(await bind('on-rigid', 'rigid'))).rejects.toThrow('must support resize');
    expect((await grow(await bind('on-growing', 'growing'))).spec?.resources).toEqual(resources);
    await expect(grow(await claim('waiting', { storageClassName: 'growing' }))).rejects.toMatchObject({
      status: { reason: 'Invalid', details: { causes: [{ reason: 'FieldValueForbidden', field: 'spec' }] } },
    });
  });
});

describe('volumes', () => {
  const volume: PersistentVolume = {
    metadata: { name: 'pv' },
    spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } },
  };

  test('are held while in use, and note when their phase changed', async () => {
    const made = await server.client.create(persistentVolumes, volume);
    expect(made.metadata.finalizers).toEqual(['kubernetes.io/pv-protection']);
    expect(made.status?.phase).toBe('Pending');
    expect(made.status?.lastPhaseTransitionTime).toBe(made.metadata.creationTimestamp);
    const bound = await server.client.update(
      persistentVolumes,
      { ...made, spec: { ...made.spec, storageClassName: 'ignored' }, status: { phase: 'Available' } },
      { subresource: 'status' },
    );
    expect(bound.spec?.storageClassName).toBeUndefined();
    expect(bound.status?.lastPhaseTransitionTime).toMatch(/^\d{4}-/);
    await expect(
      server.client.update(persistentVolumes, { ...bound, spec: { ...bound.spec, hostPath: { path: '/other' } } }),
    ).rejects.toThrow('spec.persistentvolumesource is immutable after creation');
    // Deleted, it stays until a controller lets it go.
    await server.client.delete(persistentVolumes, { name: 'pv' });
    expect((await server.client.get(persistentVolumes, { name: 'pv' })).metadata.deletionTimestamp).toBeDefined();
  });
});

describe('ingresses', () => {
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const create = (name: string, annotations: Record<string, string> = {}) =>
    server.client.create(ingresses, { metadata: { namespace, name, annotations }, spec: { defaultBackend: backend } });

  test('get the class of the default', async () => {
    expect((await create('before')).spec?.ingressClassName).toBeUndefined();
    await server.client.create(ingressClasses, {
      metadata: { name: 'usual', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
      spec: { controller: 'example.com/ingress' },
    });
    expect((await create('open')).spec?.ingressClassName).toBe('usual');
    expect((await create('noted', { 'kubernetes.io/ingress.class': 'other' })).spec?.ingressClassName).toBeUndefined();
  });
});

describe('pods of a runtime class', () => {
  test('cost what it costs, and go where it can be run', async () => {
    const nodeSelector = { sandboxed: 'yes' };
    await server.client.create(runtimeClasses, {
      metadata: { name: 'sandboxed' },
      handler: 'runsc',
      overhead: { podFixed: { memory: '64Mi' } },
      scheduling: { nodeSelector, tolerations: [{ key: 'sandboxed', operator: 'Exists', effect: 'NoSchedule' }] },
    });
    const made = await pod('boxed', { runtimeClassName: 'sandboxed', nodeSelector: { disk: 'ssd' } });
    expect(made.spec).toMatchObject({ overhead: { memory: '64Mi' }, nodeSelector: { ...nodeSelector, disk: 'ssd' } });
    expect(made.spec?.tolerations?.map((t) => t.key)).toContain('sandboxed');
  });

  test.each<[string, Partial<NonNullable<Pod['spec']>>, string]>([
    ['unknown', { runtimeClassName: 'absent' }, 'pod rejected: RuntimeClass "absent" not found'],
    ['other costs', { runtimeClassName: 'sandboxed', overhead: { memory: '1Mi' } }, "doesn't match RuntimeClass"],
    ['costs without a class', { overhead: { memory: '1Mi' } }, 'without corresponding RuntimeClass'],
    ['another place', { runtimeClassName: 'sandboxed', nodeSelector: { sandboxed: 'no' } }, 'conflict: runtimeClass'],
  ])('%s', async (_what, spec, why) => {
    await expect(pod('refused', spec)).rejects.toThrow(why);
    await expect(pod('refused', spec)).rejects.toMatchObject({ status: { code: 403 } });
  });
});
