import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Attributes } from '../authorization/authorizer.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';
import { auditInstructions, parseAuditPolicy } from './policy.ts';

const HEAD = 'apiVersion: audit.k8s.io/v1\nkind: Policy\n';
const POLICY = `${HEAD}omitStages: [RequestReceived]
rules:
- {level: None, users: [quiet]}
- {level: RequestResponse, omitManagedFields: true, resources: [{group: "", resources: [configmaps]}]}
- {level: Request, resources: [{group: apps}], omitStages: [ResponseStarted]}
- {level: Metadata, omitStages: []}
`;

let dir: string;
let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kubets-audit-'));
  await writeFile(join(dir, 'policy.yaml'), POLICY);
  server = await startTestServer({ audit: { policyFile: join(dir, 'policy.yaml'), logPath: join(dir, 'audit.log') } });
  api = await overHttp(server);
});
afterAll(async () => {
  api.close();
  await server.stop();
  await rm(dir, { recursive: true });
});

interface Line {
  auditID: string;
  stage: string;
  responseStatus: { code: number };
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into objects of every shape
  [field: string]: any;
}
/** What the log tells of one request. */
async function linesOf(id: string | string[] | undefined, count = 1): Promise<Line[]> {
  const read = async () =>
    (await readFile(join(dir, 'audit.log'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
      .filter((line) => line.auditID === id);
  await expect.poll(async () => (await read()).length).toBe(count);
  return read();
}
const MAPS = '/api/v1/namespaces/default/configmaps';

describe('the log', () => {
  test('tells who asked for what, what was sent, and what came of it', async () => {
    const { headers } = await api.send(
      'POST',
      `${MAPS}?fieldManager=me`,
      { metadata: { name: 'a' }, data: { x: '1' } },
      { 'user-agent': 'test/1' },
    );
    const [line] = await linesOf(headers['audit-id']);
    expect(line).toEqual({
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: 'RequestResponse',
      auditID: headers['audit-id'],
      stage: 'ResponseComplete',
      requestURI: `${MAPS}?fieldManager=me`,
      verb: 'create',
      user: {
        username: 'admin',
        groups: ['system:masters', 'system:authenticated'],
        extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=/)] },
      },
      sourceIPs: ['127.0.0.1'],
      userAgent: 'test/1',
      objectRef: { resource: 'configmaps', namespace: 'default', name: 'a', apiVersion: 'v1' },
      responseStatus: { metadata: {}, code: 201 },
      requestObject: { metadata: { name: 'a' }, data: { x: '1' } },
      responseObject: expect.objectContaining({ kind: 'ConfigMap', data: { x: '1' } }),
      requestReceivedTimestamp: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/),
      stageTimestamp: expect.stringMatching(/^\d{4}-.*\.\d{6}Z$/),
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    });
    expect(line?.responseObject.metadata.managedFields).toBeUndefined();
  });

  test('has lists and patches as they are', async () => {
    const list = await api.get(MAPS);
    const [listed] = await linesOf(list.headers['audit-id']);
    expect(listed?.responseObject).toMatchObject({ kind: 'ConfigMapList', items: [{ metadata: { name: 'a' } }] });
    const patched = await api.patch('json', `${MAPS}/a`, [{ op: 'add', path: '/data/y', value: '2' }]);
    const [patch] = await linesOf(patched.headers['audit-id']);
    expect(patch?.requestObject).toEqual([{ op: 'add', path: '/data/y', value: '2' }]);
  });

  test('has refusals with their reason', async () => {
    const bob = await server.ca.issue('bob');
    const refused = await api.get('/api/v1/secrets', {}, bob);
    const [line] = await linesOf(refused.headers['audit-id']);
    expect(line).toMatchObject({
      level: 'Metadata',
      user: { username: 'bob' },
      responseStatus: {
        metadata: {},
        status: 'Failure',
        reason: 'Forbidden',
        code: 403,
        message: refused.json.message,
      },
      annotations: { 'authorization.k8s.io/decision': 'forbid' },
    });
    const stranger = await api.get('/api/v1/secrets', { authorization: 'Bearer x', 'audit-id': 'stranger' }, null);
    expect(stranger.status).toBe(401);
    const [unknown] = await linesOf('stranger');
    expect(unknown).toMatchObject({ stage: 'ResponseStarted', responseStatus: { code: 401 } });
  });

  test('says as whom', async () => {
    const { headers } = await api.get('/apis/apps/v1/deployments', { 'impersonate-user': 'eve', 'audit-id': 'mine' });
    expect(headers['audit-id']).toBe('mine');
    const [line] = await linesOf('mine');
    expect(line).toMatchObject({
      level: 'Request',
      user: { username: 'admin' },
      impersonatedUser: { username: 'eve', groups: ['system:authenticated'] },
      authenticationMetadata: { impersonationConstraint: 'impersonate:user-info' },
    });
    expect(line?.responseObject).toBeUndefined();
  });

  test('has a watch when it begins and when it ends', async () => {
    const watch = await api.watch('/api/v1/secrets?watch=1&resourceVersion=0');
    watch.close();
    const ended = async () =>
      (await readFile(join(dir, 'audit.log'), 'utf8')).split('\n').filter((l) => l.includes('secrets?watch=1'));
    await expect.poll(async () => (await ended()).length).toBe(2);
    const lines = (await ended()).map((l) => JSON.parse(l) as Line);
    expect(lines.map((l) => l.stage)).toEqual(['ResponseStarted', 'ResponseComplete']);
    expect(new Set(lines.map((l) => l.auditID)).size).toBe(1);
  });

  test('is silent where the policy says so', async () => {
    const quiet = await server.ca.issue('quiet');
    const { headers } = await api.get('/api/v1/secrets', { 'audit-id': 'silent' }, quiet);
    expect(headers['audit-id']).toBeUndefined();
    const { headers: next } = await api.get('/version');
    await linesOf(next['audit-id']);
    expect(await readFile(join(dir, 'audit.log'), 'utf8')).not.toContain('silent');
  });

  test('has what admission policies have to say', async () => {
    const group = '/apis/admissionregistration.k8s.io/v1';
    const rule = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['configmaps'] };
    await api.send('POST', `${group}/validatingadmissionpolicies`, {
      metadata: { name: 'noted' },
      spec: {
        matchConstraints: { resourceRules: [rule] },
        validations: [{ expression: "object.metadata.name != 'bad'", message: 'a bad name' }],
        auditAnnotations: [{ key: 'name', valueExpression: "'named ' + object.metadata.name" }],
      },
    });
    await api.send('POST', `${group}/validatingadmissionpolicybindings`, {
      metadata: { name: 'noting' },
      spec: { policyName: 'noted', validationActions: ['Audit'] },
    });
    const { status, headers } = await api.send('POST', MAPS, { metadata: { name: 'bad' } });
    expect(status).toBe(201);
    const [line] = await linesOf(headers['audit-id']);
    expect(line?.annotations['noted/name']).toBe('named bad');
    expect(JSON.parse(line?.annotations['validation.policy.admission.k8s.io/validation_failure'])).toEqual([
      { message: 'a bad name', policy: 'noted', binding: 'noting', expressionIndex: 0, validationActions: ['Audit'] },
    ]);
  });

  test('has what parts of the process ask for, too', async () => {
    const own = server.api.transport({ name: 'system:kube-scheduler', groups: [] });
    await own.request({ method: 'GET', path: '/api/v1/persistentvolumes' }).catch(() => {});
    await expect.poll(() => readFile(join(dir, 'audit.log'), 'utf8')).toContain('"username":"system:kube-scheduler"');
  });
});

describe('a policy', () => {
  const attributes = (more: Partial<Attributes>): Attributes => ({
    user: { name: 'ann', groups: ['g'] },
    verb: 'get',
    isResource: true,
    group: '',
    version: 'v1',
    resource: 'pods',
    subresource: '',
    namespace: 'default',
    name: 'p',
    path: '',
    ...more,
  });
  const path = (at: string) => attributes({ isResource: false, path: at, resource: '', namespace: '', name: '' });
  test.each<[string, Attributes, boolean]>([
    ['users: [ann]', attributes({}), true],
    ['users: [bob]', attributes({}), false],
    ['userGroups: [g]', attributes({}), true],
    ['userGroups: [h]', attributes({}), false],
    ['verbs: [get, list]', attributes({}), true],
    ['verbs: [list]', attributes({}), false],
    ['namespaces: [default]', attributes({}), true],
    ['namespaces: [""]', attributes({}), false],
    ['resources: [{resources: [pods]}]', attributes({}), true],
    ['resources: [{resources: [pods]}]', attributes({ subresource: 'log' }), false],
    ['resources: [{resources: [pods/log]}]', attributes({ subresource: 'log' }), true],
    ['resources: [{resources: ["pods/*"]}]', attributes({ subresource: 'log' }), true],
    ['resources: [{resources: ["*/log"]}]', attributes({ subresource: 'log' }), true],
    ['resources: [{resources: ["*"]}]', attributes({ subresource: 'log' }), true],
    ['resources: [{resources: [pods], resourceNames: [q]}]', attributes({}), false],
    ['resources: [{group: apps}]', attributes({}), false],
    ['resources: [{group: "*"}]', attributes({}), true],
    ['resources: [{group: "*"}]', path('/healthz'), false],
    ['nonResourceURLs: ["/healthz*"]', path('/healthz/etcd'), true],
    ['nonResourceURLs: ["/healthz"]', path('/healthz/etcd'), false],
    ['nonResourceURLs: ["*"]', attributes({}), false],
  ])('%s', async (rule, asked, matches) => {
    const policy = await parseAuditPolicy(`${HEAD}rules: [{level: Metadata, ${rule}}]`);
    expect(auditInstructions(policy)(asked).level).toBe(matches ? 'Metadata' : 'None');
  });

  test.each([
    ['', /no object/],
    ['apiVersion: v1\nkind: Policy', /audit.k8s.io\/v1/],
    [`${HEAD}rules: []`, /none/],
    [`${HEAD}rules: [{level: Loud}]`, /rules\[0\].level: Unsupported value: "Loud"/],
    [`${HEAD}rules: [{users: [x]}]`, /rules\[0\].level: Required value/],
    [`${HEAD}rules: [{level: None, user: [x]}]`, /unknown field "rules\[0\].user"/],
    [`${HEAD}rules: [{level: None, omitStages: [Never]}]`, /allowed stages are/],
    [`${HEAD}rules: [{level: None, nonResourceURLs: [x]}]`, /must begin with/],
    [`${HEAD}rules: [{level: None, nonResourceURLs: ["/a*b"]}]`, /final character/],
    [`${HEAD}rules: [{level: None, nonResourceURLs: ["/a"], namespaces: [x]}]`, /cannot apply to both/],
    [`${HEAD}rules: [{level: None, resources: [{resourceNames: [x]}]}]`, /at least one resource/],
    [`${HEAD}rules: {`, /./],
  ])('%j is refused', async (text, message) => {
    await expect(parseAuditPolicy(text)).rejects.toThrow(message);
  });

  test('that is not there keeps the server from starting', async () => {
    const audit = { policyFile: join(dir, 'none.yaml'), logPath: '-' };
    await expect(startTestServer({ audit })).rejects.toThrow(/audit: .*none\.yaml/);
  });
});
