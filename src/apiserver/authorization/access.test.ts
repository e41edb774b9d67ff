/** Who may, and why, as clients see it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';
import { Abac } from './abac.ts';
import type { Attributes } from './authorizer.ts';
import { parseAuthorizationModes } from './modes.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const ACCESS = '/apis/authorization.k8s.io/v1';
let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
  await role('reader', [{ verbs: ['list'], apiGroups: [''], resources: ['configmaps'] }]);
});
afterAll(() => server.stop());

const role = (name: string, rules: object[]) => api.send('POST', `${RBAC}/clusterroles`, { metadata: { name }, rules });
const bind = (name: string, roleName: string, subject: object, namespace?: string) =>
  api.send(
    'POST',
    namespace === undefined ? `${RBAC}/clusterrolebindings` : `${RBAC}/namespaces/${namespace}/rolebindings`,
    {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: roleName },
      subjects: [subject],
    },
  );
const review = async (user: string, groups: string[], attributes: object) =>
  (await api.send('POST', `${ACCESS}/subjectaccessreviews`, { spec: { user, groups, resourceAttributes: attributes } }))
    .json.status;
const LIST = { verb: 'list', resource: 'configmaps', namespace: 'default' };

describe('RBAC says why', () => {
  test.each([
    [
      'User',
      { kind: 'User', name: 'ann' },
      'ann',
      undefined,
      'ClusterRoleBinding "b-User" of ClusterRole "reader" to User "ann"',
    ],
    [
      'Group',
      { kind: 'Group', name: 'readers' },
      'gus',
      undefined,
      'ClusterRoleBinding "b-Group" of ClusterRole "reader" to Group "readers"',
    ],
    [
      'ServiceAccount',
      { kind: 'ServiceAccount', name: 'sa', namespace: 'kube-system' },
      'system:serviceaccount:kube-system:sa',
      'default',
      'RoleBinding "b-ServiceAccount/default" of ClusterRole "reader" to ServiceAccount "sa/kube-system"',
    ],
  ])('to a %s', async (kind, subject, user, namespace, reason) => {
    await bind(`b-${kind}`, 'reader', subject, namespace);
    const groups = kind === 'Group' ? ['readers'] : [];
    expect(await review(user, groups, LIST)).toEqual({ allowed: true, reason: `RBAC: allowed by ${reason}` });
    expect(await review(user, groups, { ...LIST, verb: 'delete' })).toEqual({ allowed: false });
  });

  test('and of roles that are not there', async () => {
    await bind('dangling', 'gone', { kind: 'User', name: 'dan' });
    const reason = 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found';
    expect(await review('dan', [], LIST)).toEqual({ allowed: false, reason });
    const refused = await api.get('/api/v1/configmaps', { 'impersonate-user': 'dan' });
    expect(refused.json.message).toContain(reason);
  });
});

describe('impersonation', () => {
  const as = (who: string, wanted: Record<string, string>, path = '/api/v1/namespaces/default/configmaps') =>
    server.ca.issue(who).then((pair) => api.get(path, wanted, pair));

  test('of everything, by those who may be anybody', async () => {
    const { json } = await api.send(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      {},
      {
        'impersonate-user': 'eve',
        'impersonate-group': 'a,b',
        'impersonate-uid': 'u',
        'impersonate-extra-example.com%2fx': 'y',
      },
    );
    expect(json.status.userInfo).toEqual({
      username: 'eve',
      uid: 'u',
      groups: ['a,b', 'system:authenticated'],
      extra: { 'example.com/x': ['y'] },
    });
  });

  test.each([
    ['system:serviceaccount:a:b', ['system:serviceaccounts', 'system:serviceaccounts:a', 'system:authenticated']],
    ['system:node:n', ['system:nodes', 'system:authenticated']],
  ])('of %s brings its groups', async (name, groups) => {
    const { json } = await api.send(
      'POST',
      `${ACCESS.replace('authorization', 'authentication')}/selfsubjectreviews`,
      {},
      { 'impersonate-user': name },
    );
    expect(json.message ?? json.status.userInfo.groups).toEqual(groups);
  });

  test('in a narrow way: as one user, and only for what is allowed as that one', async () => {
    await role('as-ann', [
      {
        verbs: ['impersonate:user-info'],
        apiGroups: ['authentication.k8s.io'],
        resources: ['users'],
        resourceNames: ['ann'],
      },
      { verbs: ['impersonate-on:user-info:list'], apiGroups: [''], resources: ['configmaps'] },
    ]);
    await bind('as-ann', 'as-ann', { kind: 'User', name: 'ned' });
    await bind('ann-reads', 'reader', { kind: 'User', name: 'ann' });
    expect((await as('ned', { 'impersonate-user': 'ann' })).status).toBe(200);
    const other = await as('ned', { 'impersonate-user': 'bob' });
    expect(other.json).toMatchObject({
      code: 403,
      message: expect.stringContaining(
        'users.authentication.k8s.io "bob" is forbidden: User "ned" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope',
      ),
    });
    const secrets = await as('ned', { 'impersonate-user': 'ann' }, '/api/v1/namespaces/default/secrets');
    expect(secrets.json.message).toContain('cannot impersonate-on:user-info:list resource "secrets"');
    const masters = await as('ned', { 'impersonate-user': 'ann', 'impersonate-group': 'system:masters' });
    expect(masters.json.message).toContain('impersonating the system:masters group is not allowed');
    expect((await as('ned', {})).status).toBe(403);
  });

  test('in the oldest way: as somebody, whatever is then done', async () => {
    await role('be-ann', [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users'], resourceNames: ['ann'] }]);
    await bind('be-ann', 'be-ann', { kind: 'User', name: 'old' });
    expect((await as('old', { 'impersonate-user': 'ann' })).status).toBe(200);
    const after = await as('old', { 'impersonate-user': 'ann' }, '/api/v1/namespaces/default/secrets');
    expect(after.json.message).toContain('User "ann" cannot list resource "secrets"');
  });

  test('of groups alone is none', async () => {
    expect((await api.get('/api/v1/configmaps', { 'impersonate-group': 'a' })).status).toBe(400);
  });
});

describe('what may I', () => {
  test('as kubectl auth can-i --list asks', async () => {
    const post = async (wanted: Record<string, string>) =>
      (await api.send('POST', `${ACCESS}/selfsubjectrulesreviews`, { spec: { namespace: 'default' } }, wanted)).json
        .status;
    const all = await post({});
    expect(all.resourceRules).toContainEqual({ verbs: ['*'], apiGroups: ['*'], resources: ['*'] });
    expect(all.nonResourceRules).toContainEqual({ verbs: ['*'], nonResourceURLs: ['*'] });
    const nobody = await post({ 'impersonate-user': 'nobody' });
    expect(nobody.incomplete).toBe(false);
    expect(nobody.resourceRules).toContainEqual({
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    });
  });
});

describe('nobody in particular', () => {
  test.each([
    ['/healthz', 200],
    ['/livez', 200],
    ['/version', 200],
    ['/metrics', 403],
    ['/healthz/etcd', 403],
    ['/api/v1/namespaces', 403],
    ['/apis', 403],
    ['/openapi/v2', 403],
  ])('%s is answered %i', async (path, code) => {
    const { status, json } = await api.get(path, {}, null);
    expect(status).toBe(code);
    if (code === 403 && !path.startsWith('/api/')) {
      expect(json.message).toBe(`forbidden: User "system:anonymous" cannot get path "${path}"`);
    }
  });

  test('is not let in where that is not wanted', async () => {
    const strict = await startTestServer({ anonymous: false });
    try {
      const { get } = await overHttp(strict);
      expect((await get('/healthz', {}, null)).json).toMatchObject({ code: 401, reason: 'Unauthorized' });
      expect((await get('/healthz')).status).toBe(200);
    } finally {
      await strict.stop();
    }
  });
});

describe('ABAC', () => {
  const policy = (spec: object) =>
    JSON.stringify({ apiVersion: 'abac.authorization.kubernetes.io/v1beta1', kind: 'Policy', spec });
  const asked = (user: string, groups: string[], more: Partial<Attributes> = {}): Attributes => ({
    user: { name: user, groups },
    verb: 'get',
    isResource: true,
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: 'default',
    name: '',
    path: '',
    ...more,
  });
  const path = (at: string): Partial<Attributes> => ({ isResource: false, resource: '', namespace: '', path: at });
  test.each<[string, object, Attributes, boolean]>([
    ['a user in a namespace', { user: 'ann', namespace: 'default', resource: 'pods' }, asked('ann', []), true],
    ['elsewhere', { user: 'ann', namespace: 'other', resource: 'pods' }, asked('ann', []), false],
    ['another resource', { user: 'ann', namespace: '*', resource: 'secrets' }, asked('ann', []), false],
    ['another group', { user: 'ann', namespace: '*', resource: '*', apiGroup: 'apps' }, asked('ann', []), false],
    ['stars', { user: 'ann', namespace: '*', resource: '*', apiGroup: '*' }, asked('ann', [], { group: 'apps' }), true],
    [
      'only reading',
      { user: 'ann', namespace: '*', resource: '*', readonly: true },
      asked('ann', [], { verb: 'watch' }),
      true,
    ],
    [
      'no writing',
      { user: 'ann', namespace: '*', resource: '*', readonly: true },
      asked('ann', [], { verb: 'create' }),
      false,
    ],
    ['a group', { group: 'g', namespace: '*', resource: '*' }, asked('x', ['g']), true],
    ['a user who must be in a group', { user: 'x', group: 'g', namespace: '*', resource: '*' }, asked('x', []), false],
    ['whoever is known', { user: '*', namespace: '*', resource: '*' }, asked('x', ['system:authenticated']), true],
    ['not everybody', { group: '*', namespace: '*', resource: '*' }, asked('x', ['system:unauthenticated']), false],
    ['nobody', { namespace: '*', resource: '*' }, asked('x', ['system:authenticated']), false],
    ['a path', { user: 'x', nonResourcePath: '/metrics' }, asked('x', [], path('/metrics')), true],
    ['what is below a path', { user: 'x', nonResourcePath: '/api/*' }, asked('x', [], path('/api/v1')), true],
    ['another path', { user: 'x', nonResourcePath: '/api/*' }, asked('x', [], path('/apis')), false],
    ['a path is no resource', { user: 'x', nonResourcePath: '*' }, asked('x', []), false],
  ])('%s', (_what, spec, attributes, allowed) => {
    expect(new Abac(`# a comment\n\n${policy(spec)}\n`).authorize(attributes).allowed).toBe(allowed ? true : undefined);
  });

  test.each([
    ['{', /line 1/],
    ['{"apiVersion":"v1","kind":"Policy"}', /apiVersion/],
    [`${policy({ user: 'x' })}\n${policy({ usr: 'x' })}`, /line 2: unknown field "spec.usr"/],
    [policy({ user: 1 }), /spec.user/],
  ])('%s is refused', (text, message) => {
    expect(() => new Abac(text)).toThrow(message);
  });

  test('among the modes of a server, from a file', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kubets-abac-'));
    const policyFile = join(dir, 'policy.jsonl');
    await writeFile(policyFile, policy({ user: 'ann', namespace: 'default', resource: 'configmaps', readonly: true }));
    const mixed = await startTestServer({
      authorization: { modes: parseAuthorizationModes('Node,RBAC,ABAC'), policyFile },
    });
    try {
      const { get } = await overHttp(mixed);
      const ann = await mixed.ca.issue('ann');
      expect((await get('/api/v1/namespaces/default/configmaps', {}, ann)).status).toBe(200);
      const refused = await get('/api/v1/namespaces/default/secrets', {}, ann);
      expect(refused.json.message).toContain('in the namespace "default": No policy matched.');
    } finally {
      await mixed.stop();
      await rm(dir, { recursive: true });
    }
  });

  test('modes that cannot be', async () => {
    expect(() => parseAuthorizationModes('RBAC,Webhook')).toThrow(/by webhook/);
    expect(() => parseAuthorizationModes('RBAC,')).toThrow(/no such mode/);
    await expect(startTestServer({ authorization: { modes: ['ABAC'] } })).rejects.toThrow(/needs a policy file/);
    await expect(startTestServer({ authorization: { modes: ['ABAC'], policyFile: '/none' } })).rejects.toThrow(
      /authorization policy \/none/,
    );
    await expect(startTestServer({ authorization: { modes: ['RBAC', 'RBAC'] } })).rejects.toThrow(/twice/);
  });
});
