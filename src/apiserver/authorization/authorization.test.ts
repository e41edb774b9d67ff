import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selfSubjectRulesReviews } from '../../apis/authorization/selfSubjectRulesReview.ts';
import { subjectAccessReviews } from '../../apis/authorization/subjectAccessReview.ts';
import { bindings } from '../../apis/core/binding.ts';
import { nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { secrets } from '../../apis/core/secret.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { clusterRoles } from '../../apis/rbac/clusterRole.ts';
import { roles } from '../../apis/rbac/role.ts';
import { roleBindings } from '../../apis/rbac/roleBinding.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/createClient.ts';
import type { OwnerReference } from '../../machinery/meta.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';
import type { User } from '../user.ts';

const GROUP = 'rbac.authorization.k8s.io';
const namespace = 'default';
let server: TestServer;
const as = (name: string, ...groups: string[]): Client => createClient(server.api.transport({ name, groups } as User));

beforeAll(async () => {
  server = await startTestServer();
  await server.client.create(serviceAccounts, { metadata: { namespace, name: 'default' } });
});
afterAll(() => server.stop());

const pod = (name: string, more: Partial<NonNullable<Pod['spec']>> = {}): Pod => ({
  metadata: { namespace, name },
  spec: { containers: [{ name: 'c', image: 'x' }], ...more },
});

describe('RBAC', () => {
  test('a binding allows what its role says, there and nowhere else, from the moment it is acknowledged', async () => {
    const bob = as('bob');
    const refused =
      'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"';
    await expect(bob.list(pods, { namespace })).rejects.toThrow(refused);
    await server.client.create(roles, {
      metadata: { namespace, name: 'lister' },
      rules: [{ verbs: ['list'], apiGroups: [''], resources: ['pods'] }],
    });
    await server.client.create(roleBindings, {
      metadata: { namespace, name: 'lister' },
      roleRef: { apiGroup: GROUP, kind: 'Role', name: 'lister' },
      subjects: [{ kind: 'User', name: 'bob', apiGroup: GROUP }],
    });
    expect((await bob.list(pods, { namespace })).items).toEqual([]);
    await expect(bob.list(pods, { namespace: 'kube-system' })).rejects.toThrow('in the namespace "kube-system"');
    await expect(bob.list(pods)).rejects.toThrow('at the cluster scope');
    await server.client.delete(roleBindings, { namespace, name: 'lister' });
    await expect(bob.list(pods, { namespace })).rejects.toThrow(refused);
  });

  test('the bootstrap roles for people', async () => {
    for (const name of ['view', 'edit', 'admin']) {
      await server.client.create(roleBindings, {
        metadata: { namespace, name },
        roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name },
        subjects: [{ kind: 'Group', name: `${name}ers`, apiGroup: GROUP }],
      });
    }
    const may = async (group: string, verb: string, resource: string, apiGroup = '') => {
      const review = await server.client.create(subjectAccessReviews, {
        spec: { user: 'u', groups: [group], resourceAttributes: { namespace, verb, resource, group: apiGroup } },
      });
      return review.status?.allowed;
    };
    expect(await may('viewers', 'list', 'pods')).toBe(true);
    expect(await may('viewers', 'list', 'secrets')).toBe(false);
    expect(await may('viewers', 'delete', 'pods')).toBe(false);
    expect(await may('editers', 'delete', 'deployments', 'apps')).toBe(true);
    expect(await may('editers', 'create', 'rolebindings', GROUP)).toBe(false);
    expect(await may('adminers', 'create', 'rolebindings', GROUP)).toBe(true);
    expect(await may('adminers', 'list', 'pods')).toBe(true);
    expect(await may('system:masters', 'dance', 'anything', 'x.y')).toBe(true);
  });

  test('a rules review lists what is allowed', async () => {
    const review = await as('v', 'viewers').create(selfSubjectRulesReviews, { spec: { namespace } });
    expect(review.status?.incomplete).toBe(false);
    expect(review.status?.resourceRules.some((r) => r.resources?.includes('pods') && r.verbs.includes('watch'))).toBe(
      true,
    );
    expect(review.status?.nonResourceRules.some((r) => r.nonResourceURLs?.includes('/version'))).toBe(true);
  });
});

describe('nobody grants rights that they do not have', () => {
  test('roles and bindings', async () => {
    const eve = as('eve', 'adminers');
    const wanted = [{ verbs: ['get'], apiGroups: ['certificates.k8s.io'], resources: ['signers'] }];
    await expect(eve.create(roles, { metadata: { namespace, name: 'greedy' }, rules: wanted })).rejects.toThrow(
      /attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["certificates.k8s.io"\], Resources:\["signers"\], Verbs:\["get"\]\}/,
    );
    const modest = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }];
    await eve.create(roles, { metadata: { namespace, name: 'modest' }, rules: modest });
    const bind = (name: string, kind: string, role: string) =>
      eve.create(roleBindings, {
        metadata: { namespace, name },
        roleRef: { apiGroup: GROUP, kind, name: role },
        subjects: [{ kind: 'User', name: 'x', apiGroup: GROUP }],
      });
    await bind('modest', 'Role', 'modest');
    await expect(bind('all', 'ClusterRole', 'cluster-admin')).rejects.toThrow('not currently held');
    await expect(bind('none', 'Role', 'absent')).rejects.toThrow('"absent" not found');
    // The verb bind is enough.
    await server.client.create(clusterRoles, {
      metadata: { name: 'binder' },
      rules: [{ verbs: ['bind'], apiGroups: [GROUP], resources: ['clusterroles'], resourceNames: ['cluster-admin'] }],
    });
    await server.client.create(roleBindings, {
      metadata: { namespace, name: 'binder' },
      roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: 'binder' },
      subjects: [{ kind: 'User', name: 'eve', apiGroup: GROUP }],
    });
    await bind('all', 'ClusterRole', 'cluster-admin');
  });
});

describe('nodes', () => {
  test('read what their pods need, and nothing else', async () => {
    for (const name of ['mine', 'other']) await server.client.create(secrets, { metadata: { namespace, name } });
    const volumes = [{ name: 'v', secret: { secretName: 'mine' } }];
    await server.client.create(pods, pod('needs-secret', { volumes }));
    const node = as('system:node:n1', 'system:nodes');
    await expect(node.get(secrets, { namespace, name: 'mine' })).rejects.toThrow('is forbidden');
    await server.client.createSubresource(pods as never, { namespace, name: 'needs-secret' }, 'binding', {
      apiVersion: 'v1',
      kind: 'Binding',
      target: { kind: 'Node', name: 'n1' },
    });
    expect((await node.get(secrets, { namespace, name: 'mine' })).metadata.name).toBe('mine');
    await expect(node.get(secrets, { namespace, name: 'other' })).rejects.toThrow('is forbidden');
    await expect(node.list(secrets, { namespace })).rejects.toThrow('is forbidden');
    await expect(as('system:node:n2', 'system:nodes').get(secrets, { namespace, name: 'mine' })).rejects.toThrow();
    await expect(as('system:node:n1').get(secrets, { namespace, name: 'mine' })).rejects.toThrow();
  });

  test('list, and change the status of, their own pods only', async () => {
    const [n1, n2] = [as('system:node:n1', 'system:nodes'), as('system:node:n2', 'system:nodes')];
    await expect(n1.list(pods)).rejects.toThrow('is forbidden');
    await expect(n1.list(pods, { fieldSelector: 'spec.nodeName=n2' })).rejects.toThrow('is forbidden');
    expect((await n1.list(pods, { fieldSelector: 'spec.nodeName=n1' })).items).toHaveLength(1);
    const found = await n1.get(pods, { namespace, name: 'needs-secret' });
    const running = { ...found, status: { ...found.status, phase: 'Running' } } as Pod;
    await expect(n2.update(pods, running, { subresource: 'status' })).rejects.toThrow('is forbidden');
    expect((await n1.update(pods, running, { subresource: 'status' })).status?.phase).toBe('Running');
    await expect(
      n1.delete(pods, { namespace, name: 'needs-secret' }, { gracePeriodSeconds: 0 }),
    ).resolves.toBeUndefined();
  });

  test('do not watch for pods of a name, wherever they may come to be', async () => {
    const n1 = as('system:node:n1', 'system:nodes');
    await server.client.create(pods, pod('elsewhere', { nodeName: 'n2' }));
    for (const fieldSelector of ['metadata.name=elsewhere', 'metadata.name=absent']) {
      await expect(n1.list(pods, { fieldSelector })).rejects.toThrow('is forbidden');
      await expect(n1.list(pods, { namespace, fieldSelector })).rejects.toThrow('is forbidden');
    }
    await expect(n1.get(pods, { namespace, name: 'absent' })).rejects.toThrow('not found');
  });

  test('get no rights from pods that they make themselves', async () => {
    await server.client.create(secrets, { metadata: { namespace, name: 'not-theirs' } });
    const { metadata } = await server.client.create(nodes, { metadata: { name: 'n1' } });
    const n1 = as('system:node:n1', 'system:nodes');
    const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: metadata.uid, controller: true };
    const mirror = (more: Partial<NonNullable<Pod['spec']>>, ownerReferences: OwnerReference[] = [owner]) =>
      n1.create(pods, {
        metadata: {
          namespace,
          generateName: 'mirror-',
          annotations: { 'kubernetes.io/config.mirror': 'x' },
          ownerReferences,
        },
        spec: { containers: [{ name: 'c', image: 'x' }], nodeName: 'n1', ...more },
      });
    const volume = (source: object) => ({ volumes: [{ name: 'v', ...source }] });
    const env = (valueFrom: object) => ({ containers: [{ name: 'c', image: 'x', env: [{ name: 'E', valueFrom }] }] });
    const name = 'not-theirs';
    const references: [Partial<NonNullable<Pod['spec']>>, string][] = [
      [volume({ secret: { secretName: name } }), 'secrets'],
      [volume({ configMap: { name } }), 'configmaps'],
      [volume({ persistentVolumeClaim: { claimName: name } }), 'persistentvolumeclaims'],
      [volume({ projected: { sources: [{ secret: { name } }] } }), 'secrets'],
      [volume({ csi: { driver: 'd.example.com', nodePublishSecretRef: { name } } }), 'secrets'],
      [volume({ rbd: { monitors: ['m'], image: 'i', secretRef: { name } } }), 'secrets'],
      [env({ secretKeyRef: { name, key: 'k' } }), 'secrets'],
      [{ imagePullSecrets: [{ name }] }, 'secrets'],
      [{ serviceAccountName: 'default' }, 'a service account'],
      [{ serviceAccount: 'default' }, 'a service account'],
    ];
    for (const [spec, what] of references) {
      await expect(mirror(spec)).rejects.toThrow(`node "n1" can not create pods that reference ${what}`);
    }
    for (const owners of [
      [],
      [{ ...owner, name: 'n2' }],
      [{ ...owner, uid: 'other' }],
      [{ ...owner, controller: false }],
    ]) {
      await expect(mirror({}, owners)).rejects.toThrow('is forbidden');
    }
    await mirror({});
    await expect(n1.get(secrets, { namespace, name })).rejects.toThrow('is forbidden');
    // Nor from such a pod that somebody else made for them.
    await server.client.create(pods, {
      metadata: { namespace, name: 'mirror', annotations: { 'kubernetes.io/config.mirror': 'x' } },
      spec: { containers: [{ name: 'c', image: 'x' }], nodeName: 'n1', ...volume({ secret: { secretName: name } }) },
    });
    await expect(n1.get(secrets, { namespace, name })).rejects.toThrow('is forbidden');
  });

  test('a pod is bound once', async () => {
    await server.client.create(pods, pod('bound'));
    const bind = (name: string) =>
      server.client.create(bindings, { metadata: { namespace, name: 'bound' }, target: { kind: 'Node', name } });
    await bind('n1');
    await expect(bind('n2')).rejects.toThrow('pod bound is already assigned to node "n1"');
    const found = await server.client.get(pods, { namespace, name: 'bound' });
    expect(found.spec?.nodeName).toBe('n1');
    expect(found.status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'True' }]);
  });
});
