/** Webhooks over real HTTPS on loopback, asked by a whole API server. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { MutatingWebhook } from '../../../apis/admissionregistration/mutatingWebhookConfiguration.ts';
import { mutatingWebhookConfigurations } from '../../../apis/admissionregistration/mutatingWebhookConfiguration.ts';
import { validatingWebhookConfigurations } from '../../../apis/admissionregistration/validatingWebhookConfiguration.ts';
import { configMaps } from '../../../apis/core/configMap.ts';
import { namespaces } from '../../../apis/core/namespace.ts';
import { pods } from '../../../apis/core/pod.ts';
import { services } from '../../../apis/core/service.ts';
import { serviceAccounts } from '../../../apis/core/serviceAccount.ts';
import { http, startTestServer, type TestServer } from '../../testing/testServer.ts';

interface Review {
  // biome-ignore lint/suspicious/noExplicitAny: tests reach into reviews of every shape
  readonly request: any;
}
type Reply = Record<string, unknown> | 'hang' | { raw: string; status: number };

let server: TestServer;
let port = 0;
let hook: Server;
let hookPort = 0;
let caBundle = '';
/** what the webhook was asked, by path */
let asked: { path: string; review: Review }[] = [];
let reply: (path: string, review: Review) => Reply = () => ({ allowed: true });

beforeAll(async () => {
  server = await startTestServer();
  port = (await server.api.listen({ host: '127.0.0.1', port: 0 })).port;
  caBundle = Buffer.from(server.ca.pem).toString('base64');
  const pair = await server.ca.issue('webhook', [], ['outside.default.svc']);
  hook = createServer(pair, (req, res) => {
    const chunks: Buffer[] = [];
    req.on('data', (chunk: Buffer) => chunks.push(chunk));
    req.on('end', () => {
      const path = (req.url ?? '').split('?')[0] ?? '';
      const review = JSON.parse(Buffer.concat(chunks).toString()) as Review & { apiVersion: string };
      asked.push({ path, review });
      const answer = reply(path, review);
      if (answer === 'hang') return;
      if ('raw' in answer) {
        res.writeHead(answer.status as number).end(answer.raw as string);
        return;
      }
      const response = { uid: review.request.uid, ...answer };
      res.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: review.apiVersion, response }));
    });
  });
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
  hookPort = (hook.address() as AddressInfo).port;
  await server.client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'default' } });
});

afterAll(async () => {
  await server.stop();
  hook.closeAllConnections();
  await new Promise((resolve) => hook.close(resolve));
});

afterEach(async () => {
  asked = [];
  reply = () => ({ allowed: true });
  for (const kind of ['mutating', 'validating']) {
    await http(server, port, `/apis/admissionregistration.k8s.io/v1/${kind}webhookconfigurations`, {
      method: 'DELETE',
    });
  }
});

const CONFIG_MAPS = [{ operations: ['*'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }];

const webhook = (path: string, more: Partial<MutatingWebhook> = {}): MutatingWebhook => ({
  name: `hook${path.replaceAll('/', '-')}.example.com`,
  clientConfig: { url: `https://127.0.0.1:${hookPort}${path}`, caBundle },
  rules: CONFIG_MAPS,
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
  ...more,
});

const mutating = (name: string, ...webhooks: MutatingWebhook[]) =>
  server.client.create(mutatingWebhookConfigurations, { metadata: { name }, webhooks });
const validating = (name: string, ...webhooks: MutatingWebhook[]) =>
  server.client.create(validatingWebhookConfigurations, { metadata: { name }, webhooks });

let count = 0;
const newMap = (data?: Record<string, string>, labels?: Record<string, string>) => ({
  metadata: { namespace: 'default', name: `map-${++count}`, ...(labels === undefined ? {} : { labels }) },
  ...(data === undefined ? {} : { data }),
});
const make = (...args: Parameters<typeof newMap>) => server.client.create(configMaps, newMap(...args));
const patch = (...operations: unknown[]) => ({
  allowed: true,
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
});

describe('a name that the server makes up', () => {
  const create = () =>
    server.client.create(configMaps, { metadata: { namespace: 'default', generateName: 'made-up-' } });

  test('is there for those who validate, not for those who change', async () => {
    await mutating('m', webhook('/change'));
    await validating('v', webhook('/look'));
    const { name } = (await create()).metadata;
    expect(name).toMatch(/^made-up-.{5}$/);
    expect(asked.map(({ path, review: { request } }) => [path, request.name, request.object.metadata.name])).toEqual([
      ['/change', undefined, undefined],
      ['/look', undefined, name],
    ]);
  });

  test('may be chosen by those who change', async () => {
    await mutating('m', webhook('/change'));
    reply = () => patch({ op: 'add', path: '/metadata/name', value: 'chosen' });
    expect((await create()).metadata).toMatchObject({ name: 'chosen', generateName: 'made-up-' });
    await expect(create()).rejects.toMatchObject({ reason: 'AlreadyExists' });
  });
});

describe('mutating webhooks', () => {
  test('change what is written, in the order of names; each sees what the one before made', async () => {
    await mutating('b', webhook('/second'));
    await mutating('a', webhook('/first'));
    reply = (path, { request }) =>
      patch({ op: 'add', path: '/data', value: { ...request.object.data, [path.slice(1)]: String(asked.length) } });
    const made = await make();
    expect(made.data).toEqual({ first: '1', second: '2' });
    expect(asked[0]?.review.request).toMatchObject({
      operation: 'CREATE',
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestResource: { group: '', version: 'v1', resource: 'configmaps' },
      namespace: 'default',
      name: made.metadata.name,
      userInfo: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      object: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: made.metadata.name } },
      oldObject: null,
      dryRun: false,
      options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1' },
    });
  });

  test('may not change what only the server sets, and what they make must be valid', async () => {
    await mutating('a', webhook('/m'));
    reply = () =>
      patch(
        { op: 'replace', path: '/metadata/uid', value: 'mine' },
        { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      );
    const made = await make();
    expect(made.metadata.uid).not.toBe('mine');
    expect(made.metadata.labels).toEqual({ a: 'b' });
    reply = () => patch({ op: 'add', path: '/metadata/labels', value: { a: 'not valid!' } });
    await expect(make()).rejects.toMatchObject({ status: { code: 422, reason: 'Invalid' } });
    reply = () => patch({ op: 'add', path: '/nowhere/at/all', value: 1 });
    await expect(make()).rejects.toMatchObject({ status: { code: 500, reason: 'InternalError' } });
    reply = () => patch({ op: 'add', path: '/data', value: 7 });
    await expect(make()).rejects.toMatchObject({ status: { code: 500, reason: 'InternalError' } });
  });

  test('moves nothing to where its writer may not write', async () => {
    await mutating('m', webhook('/m'));
    const existing = await make();
    reply = () => patch({ op: 'replace', path: '/metadata/namespace', value: 'kube-system' });
    const moved = 'the namespace of the provided object does not match the namespace sent on the request';
    await expect(make()).rejects.toThrow(moved);
    await expect(server.client.update(configMaps, { ...existing, data: { a: 'b' } })).rejects.toThrow();
    reply = () => patch({ op: 'replace', path: '/metadata/name', value: 'another' });
    await expect(server.client.update(configMaps, { ...existing, data: { a: 'b' } })).rejects.toThrow();
    const { items } = await server.client.list(configMaps, {});
    expect(
      items.filter(
        ({ metadata }) =>
          metadata.name === 'another' || (metadata.namespace === 'kube-system' && metadata.name.startsWith('map-')),
      ),
    ).toEqual([]);
  });

  test('are asked again where others changed the object after them, if they want to be', async () => {
    await mutating('a', webhook('/again', { reinvocationPolicy: 'IfNeeded' }), webhook('/changes'));
    reply = (path) =>
      path === '/changes' ? patch({ op: 'add', path: '/data', value: { x: 'y' } }) : { allowed: true };
    await make();
    expect(asked.map(({ path }) => path)).toEqual(['/again', '/changes', '/again']);
    expect(asked[2]?.review.request.object.data).toEqual({ x: 'y' });
  });

  test('a container that a webhook adds gets the token of the account', async () => {
    const rules = [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
    await mutating('a', webhook('/sidecar', { rules }));
    reply = () => patch({ op: 'add', path: '/spec/containers/-', value: { name: 'sidecar', image: 'x' } });
    const pod = await server.client.create(pods, {
      metadata: { namespace: 'default', name: 'with-sidecar' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    });
    expect(pod.spec?.containers.map((c) => c.volumeMounts?.length)).toEqual([1, 1]);
    expect(pod.spec?.containers[1]).toMatchObject({ imagePullPolicy: 'Always', terminationMessagePolicy: 'File' });
    expect(pod.spec?.volumes).toHaveLength(1);
  });

  test('an update that a webhook changes raises the generation', async () => {
    const policy = { operations: ['*'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] };
    await mutating('a', webhook('/scale', { rules: [policy] }));
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x' }] } };
    const path = '/apis/apps/v1/namespaces/default/deployments';
    const body = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd' },
      spec: { selector: { matchLabels: labels }, template },
    };
    const send = (method: string, at: string, type: string, value: unknown) =>
      http(server, port, at, { method, headers: { 'content-type': type }, body: JSON.stringify(value) });
    expect((await send('POST', path, 'application/json', body)).status).toBe(201);
    reply = () => patch({ op: 'replace', path: '/spec/replicas', value: 3 });
    const changed = await send('PATCH', `${path}/d`, 'application/merge-patch+json', {
      metadata: { labels: { a: 'b' } },
    });
    expect(changed.json).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 3 } });
    expect(asked.at(-1)?.review.request).toMatchObject({ operation: 'UPDATE', options: { kind: 'PatchOptions' } });
  });
});

describe('validating webhooks', () => {
  test('refuse, in their own words', async () => {
    await validating('a', webhook('/v'));
    reply = () => ({ allowed: false });
    const name = 'hook-v.example.com';
    await expect(make()).rejects.toMatchObject({
      status: { code: 400, message: `admission webhook "${name}" denied the request without explanation` },
    });
    reply = () => ({ allowed: false, status: { code: 403, reason: 'Forbidden', message: 'no such colour' } });
    await expect(make()).rejects.toMatchObject({
      status: {
        code: 403,
        reason: 'Forbidden',
        message: `admission webhook "${name}" denied the request: no such colour`,
      },
    });
    reply = () => ({ allowed: false, status: { code: 200, message: 'fine?' } });
    await expect(make()).rejects.toMatchObject({ status: { code: 400 } });
  });

  test('hear of deletes with the old object, and can stop them', async () => {
    const made = await make({ a: 'b' });
    await validating('a', webhook('/v'));
    reply = (_path, { request }) => ({ allowed: request.operation !== 'DELETE' });
    const at = { namespace: 'default', name: made.metadata.name };
    await expect(server.client.delete(configMaps, at)).rejects.toThrow('denied the request');
    expect(asked[0]?.review.request).toMatchObject({
      operation: 'DELETE',
      object: null,
      oldObject: { data: { a: 'b' } },
    });
    expect((await server.client.get(configMaps, at)).data).toEqual({ a: 'b' });
  });

  test('may not patch', async () => {
    await validating('a', webhook('/v'));
    reply = () => patch({ op: 'add', path: '/data', value: {} });
    await expect(make()).rejects.toThrow('validating webhook may not return response.patch');
  });

  test('warn the client', async () => {
    await validating('a', webhook('/v'));
    reply = () => ({ allowed: true, warnings: ['old-fashioned'] });
    const answer = await http(server, port, '/api/v1/namespaces/default/configmaps', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'warned' } }),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.warning).toBe('299 - "old-fashioned"');
  });

  test('hear of exec as CONNECT', async () => {
    const rules = [{ operations: ['CONNECT'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods/exec'] }];
    await validating('a', webhook('/v', { rules }));
    reply = () => ({ allowed: false, status: { message: 'no shells' } });
    const answer = await http(
      server,
      port,
      '/api/v1/namespaces/default/pods/p/exec?command=sh&command=-c&stdout=true',
      {
        method: 'POST',
      },
    );
    expect(answer.json.message).toContain('denied the request: no shells');
    expect(asked[0]?.review.request).toMatchObject({
      operation: 'CONNECT',
      kind: { group: '', version: 'v1', kind: 'PodExecOptions' },
      subResource: 'exec',
      name: 'p',
      object: { kind: 'PodExecOptions', apiVersion: 'v1', command: ['sh', '-c'], stdout: true },
      options: null,
    });
  });
});

describe('which requests are for a webhook', () => {
  test('by namespace, by labels, by operation, by scope', async () => {
    await server.client.create(namespaces, { metadata: { name: 'watched', labels: { watched: 'yes' } } });
    await validating(
      'a',
      webhook('/namespace', { namespaceSelector: { matchLabels: { watched: 'yes' } } }),
      webhook('/object', { objectSelector: { matchLabels: { colour: 'red' } } }),
      webhook('/update', { rules: [{ ...CONFIG_MAPS[0], operations: ['UPDATE'] }] }),
      webhook('/cluster', { rules: [{ ...CONFIG_MAPS[0], resources: ['*'], scope: 'Cluster' }] }),
      webhook('/status', { rules: [{ ...CONFIG_MAPS[0], resources: ['configmaps/status'] }] }),
      webhook('/other', { rules: [{ ...CONFIG_MAPS[0], apiGroups: ['apps'] }] }),
    );
    const paths = () => asked.map(({ path }) => path).sort();
    await make();
    expect(paths()).toEqual([]);
    const red = await make({}, { colour: 'red' });
    expect(paths()).toEqual(['/object']);
    asked = [];
    await server.client.update(configMaps, { ...red, metadata: { ...red.metadata, labels: {} } });
    expect(paths()).toEqual(['/object', '/update']);
    asked = [];
    await server.client.create(configMaps, { metadata: { namespace: 'watched', name: 'm' } });
    expect(paths()).toEqual(['/namespace']);
    asked = [];
    await server.client.create(namespaces, { metadata: { name: 'another' } });
    expect(paths()).toEqual(['/cluster']);
  });

  test('by conditions in CEL', async () => {
    const not = { name: 'not-mine', expression: "!object.metadata.name.startsWith('mine')" };
    await validating('a', webhook('/v', { matchConditions: [not] }));
    await server.client.create(configMaps, { metadata: { namespace: 'default', name: 'mine' } });
    expect(asked).toEqual([]);
    await make();
    expect(asked).toHaveLength(1);
    const broken = { name: 'broken', expression: "object.data.nothing == 'x'" };
    await validating('b', webhook('/w', { matchConditions: [broken] }));
    await expect(make()).rejects.toMatchObject({
      status: { code: 403, message: expect.stringContaining('no such key') },
    });
    await expect(
      validating('c', webhook('/x', { matchConditions: [{ name: 'x', expression: '1 +' }] })),
    ).rejects.toThrow('webhooks[0].matchConditions[0].expression: Invalid value');
  });

  test('never the configuration of webhooks', async () => {
    await validating(
      'a',
      webhook('/v', { rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'] }] }),
    );
    reply = () => ({ allowed: false });
    await mutating('b', webhook('/m'));
    expect(asked).toEqual([]);
    await expect(make()).rejects.toThrow('denied');
  });

  test('a dry run only where that has no effect', async () => {
    await validating('a', webhook('/v'));
    const send = () =>
      http(server, port, '/api/v1/namespaces/default/configmaps?dryRun=All', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ metadata: { name: 'dry' } }),
      });
    expect((await send()).status).toBe(201);
    expect(asked[0]?.review.request).toMatchObject({ dryRun: true, options: { dryRun: ['All'] } });
  });
});

describe('a webhook that fails', () => {
  const BROKEN = { url: 'https://127.0.0.1:1/v', caBundle: '' };

  test('stops the request, or does not matter, as its policy says', async () => {
    await validating('a', webhook('/v', { clientConfig: BROKEN }));
    await expect(make()).rejects.toMatchObject({
      status: {
        code: 500,
        reason: 'InternalError',
        message:
          'Internal error occurred: failed calling webhook "hook-v.example.com": failed to call webhook: Post "https://127.0.0.1:1/v?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
      },
    });
    await server.client.delete(validatingWebhookConfigurations, { name: 'a' });
    await validating('a', webhook('/v', { clientConfig: BROKEN, failurePolicy: 'Ignore' }));
    await make();
  });

  test.each<[string, () => Reply, string]>([
    ['no JSON', () => ({ raw: 'hello', status: 200 }), 'the response is no JSON'],
    ['an error', () => ({ raw: 'oops', status: 500 }), 'an error on the server ("oops")'],
    ['another uid', () => ({ allowed: true, uid: 'other' }), 'expected response.uid='],
    ['no review', () => ({ raw: '{}', status: 200 }), 'expected webhook response of admission.k8s.io/v1'],
    ['a patch without its type', () => ({ allowed: true, patch: 'W10=' }), 'not response.patchType'],
    ['nonsense', () => ({ raw: '[[[', status: 200 }), 'the response is no JSON'],
  ])('answers with %s', async (_what, answer, message) => {
    await mutating('a', webhook('/m'));
    reply = answer;
    await expect(make()).rejects.toThrow(message);
  });

  test('takes too long', async () => {
    await validating('a', webhook('/slow', { timeoutSeconds: 1 }));
    reply = () => 'hang';
    await expect(make()).rejects.toThrow('?timeout=1s": context deadline exceeded');
  });

  test('takes too long over a connection that was kept: it is asked once', async () => {
    await validating('a', webhook('/slow', { timeoutSeconds: 1 }));
    await make();
    reply = () => 'hang';
    await expect(make()).rejects.toThrow('context deadline exceeded');
    reply = () => ({ allowed: true });
    await make();
    expect(asked).toHaveLength(3);
  });

  test('has a certificate of another CA', async () => {
    await validating('a', webhook('/v', { clientConfig: { url: `https://127.0.0.1:${hookPort}/v` } }));
    await expect(make()).rejects.toThrow('tls: failed to verify certificate');
  });
});

test('a service of the cluster without endpoints cannot be called', async () => {
  await server.client.create(services, {
    metadata: { namespace: 'default', name: 'hooks' },
    spec: { ports: [{ port: 443 }] },
  });
  const clientConfig = { service: { namespace: 'default', name: 'hooks', path: '/in/cluster' }, caBundle };
  await validating('a', webhook('/v', { clientConfig }));
  await expect(make()).rejects.toThrow(
    'Post "https://hooks.default.svc:443/in/cluster?timeout=10s": no endpoints available for service "hooks"',
  );
});

test('a service that stands for a name outside is called there, as itself', async () => {
  const spec = { type: 'ExternalName', externalName: 'localhost' };
  const service = (name: string) => ({
    service: { namespace: 'default', name, port: hookPort, path: '/in/cluster' },
    caBundle,
  });
  await server.client.create(services, { metadata: { namespace: 'default', name: 'outside' }, spec });
  await validating('a', webhook('/v', { clientConfig: service('outside') }));
  await make();
  expect(asked[0]?.path).toBe('/in/cluster');
  await server.client.create(services, { metadata: { namespace: 'default', name: 'unknown' }, spec });
  await validating('b', webhook('/v', { clientConfig: service('unknown') }));
  await expect(make()).rejects.toThrow('x509: certificate is not valid for unknown.default.svc');
});
