/** Nodes get tokens of their own pods, for those that the pods name, and no others. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TokenRequest } from '../../apis/authentication/tokenRequest.ts';
import { persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { pods } from '../../apis/core/pod.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { clusterRoles } from '../../apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../../apis/rbac/clusterRoleBinding.ts';
import { csiDrivers } from '../../apis/storage/csiDriver.ts';
import { createClient } from '../../client/createClient.ts';
import type { Kind } from '../../machinery/kind.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
let server: TestServer;
let uid = '';

const asNode = (name: string) =>
  createClient(server.api.transport({ name: `system:node:${name}`, groups: ['system:nodes'] }));

beforeAll(async () => {
  server = await startTestServer();
  const { client } = server;
  await client.create(serviceAccounts, { metadata: { namespace, name: 'default' } });
  for (const [driver, audience] of [
    ['inline.example.com', 'inline'],
    ['claimed.example.com', 'claimed'],
  ] as const) {
    await client.create(csiDrivers, {
      metadata: { name: driver },
      spec: { tokenRequests: [{ audience }], volumeLifecycleModes: ['Persistent', 'Ephemeral'] },
    });
  }
  const size = { storage: '1Gi' };
  await client.create(persistentVolumes, {
    metadata: { name: 'volume' },
    spec: {
      capacity: size,
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'claimed.example.com', volumeHandle: 'h' },
    },
  });
  await client.create(persistentVolumeClaims, {
    metadata: { namespace, name: 'claim' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: size }, volumeName: 'volume', storageClassName: '' },
  });
  const pod = await client.create(pods, {
    metadata: { namespace, name: 'p' },
    spec: {
      nodeName: 'n1',
      containers: [{ name: 'c', image: 'x' }],
      volumes: [
        { name: 'a', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] } },
        { name: 'b', csi: { driver: 'inline.example.com' } },
        { name: 'c', persistentVolumeClaim: { claimName: 'claim' } },
      ],
    },
  });
  uid = pod.metadata.uid;
});
afterAll(() => server.stop());

function request(node: string, spec: object): Promise<string> {
  const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid };
  return asNode(node)
    .createSubresource<object, TokenRequest>(
      serviceAccounts as unknown as Kind<object>,
      { namespace, name: 'default' },
      'token',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { boundObjectRef, ...spec } },
    )
    .then(
      () => '',
      (error: Error) => error.message,
    );
}

describe('a token for a node', () => {
  it.each<[string, object, string]>([
    ['for the API server, which every pod has', { audiences: [] }, ''],
    ['for whom a volume names', { audiences: ['vault'] }, ''],
    ['for whom the driver of a volume of the pod names', { audiences: ['inline'] }, ''],
    ['for whom the driver of a claim names', { audiences: ['claimed'] }, ''],
    [
      'for somebody else',
      { audiences: ['other'] },
      'audience "other" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    ],
    ['for two at once', { audiences: ['vault', 'inline'] }, 'node may only request 0 or 1 audiences'],
    ['of no pod', { boundObjectRef: undefined }, 'node requested token not bound to a pod'],
  ])('%s', async (_name, spec, why) => {
    const said = await request('n1', spec);
    if (why === '') expect(said).toBe('');
    else expect(said).toContain(why);
  });

  it('of a pod elsewhere', async () => {
    expect(await request('n2', { audiences: [] })).toMatch(/different node|forbidden/);
  });

  it('for somebody else, where that was allowed', async () => {
    const rule = { verbs: ['request-serviceaccounts-token-audience'], apiGroups: [''], resources: ['allowed'] };
    await server.client.create(clusterRoles, { metadata: { name: 'audience' }, rules: [rule] });
    await server.client.create(clusterRoleBindings, {
      metadata: { name: 'audience' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'audience' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:nodes' }],
    });
    await expect.poll(() => request('n1', { audiences: ['allowed'] })).toBe('');
  });
});
