/** What of the cluster's storage a kubelet may see and say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { namespaces } from '../../apis/core/namespace.ts';
import { persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { pods } from '../../apis/core/pod.ts';
import { secrets } from '../../apis/core/secret.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { csiNodes } from '../../apis/storage/csiNode.ts';
import { volumeAttachments } from '../../apis/storage/volumeAttachment.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/createClient.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'test';
const FORBIDDEN = /is forbidden|is not allowed|can only|may only/;
let server: TestServer;
let mine: Client;
let other: Client;

beforeAll(async () => {
  server = await startTestServer();
  const { client } = server;
  const node = (name: string) =>
    createClient(
      server.api.transport({ name: `system:node:${name}`, groups: ['system:nodes', 'system:authenticated'] }),
    );
  [mine, other] = [node('n1'), node('n2')];
  await client.create(namespaces, { metadata: { name: namespace } });
  await client.create(serviceAccounts, { metadata: { name: 'default', namespace } });
  for (const name of ['key', 'unused']) await client.create(secrets, { metadata: { name, namespace: 'default' } });
  await client.create(persistentVolumeClaims, {
    metadata: { name: 'data', namespace },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      volumeName: 'used',
      resources: { requests: { storage: '1Gi' } },
    },
  });
  for (const name of ['used', 'unused']) {
    await client.create(persistentVolumes, {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        csi: { driver: 'd.example.com', volumeHandle: name, nodeStageSecretRef: { name: 'key', namespace: 'default' } },
        ...(name === 'used' ? { claimRef: { namespace, name: 'data' } } : {}),
      },
    });
  }
  for (const nodeName of ['n1', 'n2']) {
    const source = { persistentVolumeName: 'used' };
    const spec = { attacher: 'd.example.com', nodeName, source };
    await client.create(volumeAttachments, { metadata: { name: `at-${nodeName}` }, spec });
  }
  await client.create(pods, {
    metadata: { name: 'user', namespace },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'c', image: 'app' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }],
    },
  });
  // The caches that the authorizer looks into are filled when they are first asked for.
  await mine.get(persistentVolumes, { name: 'used' }).catch(() => {});
  await mine.get(secrets, { namespace: 'default', name: 'key' }).catch(() => {});
  await mine.get(volumeAttachments, { name: 'at-n1' }).catch(() => {});
  for (const kind of [persistentVolumes, persistentVolumeClaims, volumeAttachments]) await client.list(kind as never);
});
afterAll(() => server.stop());

describe('a kubelet', () => {
  it('sees the claims of its pods, their volumes and what these are mounted with', async () => {
    expect((await mine.get(persistentVolumeClaims, { namespace, name: 'data' })).metadata.name).toBe('data');
    expect((await mine.get(persistentVolumes, { name: 'used' })).metadata.name).toBe('used');
    expect((await mine.get(secrets, { namespace: 'default', name: 'key' })).metadata.name).toBe('key');
    expect((await mine.get(volumeAttachments, { name: 'at-n1' })).metadata.name).toBe('at-n1');
  });

  it('sees no others', async () => {
    await expect(mine.get(persistentVolumes, { name: 'unused' })).rejects.toThrow(FORBIDDEN);
    await expect(mine.get(secrets, { namespace: 'default', name: 'unused' })).rejects.toThrow(FORBIDDEN);
    await expect(mine.get(volumeAttachments, { name: 'at-n2' })).rejects.toThrow(FORBIDDEN);
    await expect(mine.list(persistentVolumes)).rejects.toThrow(FORBIDDEN);
    for (const asked of [
      other.get(persistentVolumes, { name: 'used' }),
      other.get(persistentVolumeClaims, { namespace, name: 'data' }),
      other.get(secrets, { namespace: 'default', name: 'key' }),
    ]) {
      await expect(asked).rejects.toThrow(FORBIDDEN);
    }
  });

  it('says of a claim how large it is, and nothing else', async () => {
    const ref = { namespace, name: 'data' };
    const patch = (status: object) =>
      mine.patch(persistentVolumeClaims, ref, 'merge', { status }, { subresource: 'status' });
    expect((await patch({ capacity: { storage: '2Gi' } })).status?.capacity).toEqual({ storage: '2Gi' });
    await expect(patch({ phase: 'Lost' })).rejects.toThrow(FORBIDDEN);
    await expect(
      mine.patch(persistentVolumeClaims, ref, 'merge', { metadata: { labels: { a: 'b' } } }),
    ).rejects.toThrow(FORBIDDEN);
  });

  it('makes the CSINode of its own name', async () => {
    const create = (name: string) => mine.create(csiNodes, { metadata: { name }, spec: { drivers: [] } });
    expect((await create('n1')).metadata.name).toBe('n1');
    await expect(create('n2')).rejects.toThrow(FORBIDDEN);
  });
});
