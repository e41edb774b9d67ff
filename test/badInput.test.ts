/** What must not be: over HTTPS and with kubectl, against a running cluster that is unharmed in the end. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { ApiClient, type Ask } from './support/https.ts';

const cluster = new TestCluster('bad-input');
let api: ApiClient;
let pid: number;

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments';
const YAML = { 'Content-Type': 'application/yaml' };
const patchOf = (type: string) => ({ 'Content-Type': `application/${type}-patch+json` });
const post = (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Ask => ({
  method: 'POST',
  path,
  headers,
  body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
});
const configMap = (metadata: object, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  ...more,
});
const deployment = (spec: unknown) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'bad' }, spec });

beforeAll(async () => {
  await cluster.up();
  pid = await cluster.pid();
  api = new ApiClient(cluster);
  await api.ask(post(CONFIG_MAPS, configMap({ name: 'there' }, { data: { a: '1' } })));
});
afterAll(async () => {
  api?.close();
  await cluster.remove();
});

const residentMiB = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

type Case = [what: string, ask: Ask, code: number, reason: string, message?: RegExp];

const cases: readonly Case[] = [
  // Bodies
  ['malformed JSON', post(CONFIG_MAPS, '{"metadata":'), 400, 'BadRequest'],
  ['no body', post(CONFIG_MAPS, ''), 400, 'BadRequest'],
  ['a JSON text', post(CONFIG_MAPS, '"x"'), 400, 'BadRequest'],
  ['a JSON list', post(CONFIG_MAPS, '[]'), 400, 'BadRequest'],
  ['JSON in a hundred thousand brackets', post(CONFIG_MAPS, '['.repeat(100_000)), 400, 'BadRequest'],
  ['bytes that are no text', post(CONFIG_MAPS, Buffer.from([0xff, 0xfe, 0x00])), 400, 'BadRequest'],
  ['malformed YAML', post(CONFIG_MAPS, 'a: [b', YAML), 400, 'BadRequest'],
  ['YAML that multiplies itself', post(CONFIG_MAPS, multiplying(), YAML), 400, 'BadRequest'],
  [
    'protobuf that is none',
    post(CONFIG_MAPS, 'k8s', { 'Content-Type': 'application/vnd.kubernetes.protobuf' }),
    400,
    'BadRequest',
  ],
  [
    'a body of another media type',
    post(CONFIG_MAPS, 'a=b', { 'Content-Type': 'text/plain' }),
    415,
    'UnsupportedMediaType',
  ],
  [
    'a body over 3 MiB',
    post(CONFIG_MAPS, configMap({ name: 'big' }, { data: { a: 'x'.repeat(4 << 20) } })),
    413,
    'RequestEntityTooLarge',
  ],
  // Objects
  ['another kind', post(CONFIG_MAPS, { ...configMap({ name: 'x' }), kind: 'Secret' }), 400, 'BadRequest'],
  ['another version', post(CONFIG_MAPS, { ...configMap({ name: 'x' }), apiVersion: 'v2' }), 400, 'BadRequest', /v2/],
  [
    'a text where a number belongs',
    post(DEPLOYMENTS, deployment({ replicas: 'three' })),
    400,
    'BadRequest',
    /replicas/,
  ],
  ['a number where a map belongs', post(DEPLOYMENTS, deployment(3)), 400, 'BadRequest', /spec/],
  ['a fraction of a replica', post(DEPLOYMENTS, deployment({ replicas: 1.5 })), 400, 'BadRequest', /replicas/],
  ['a spec without what it needs', post(DEPLOYMENTS, deployment({})), 422, 'Invalid', /spec\.selector: Required value/],
  [
    'a quantity that is none',
    post('/api/v1/namespaces/default/pods', podWithMemory('a lot')),
    400,
    'BadRequest',
    /quantit/,
  ],
  [
    'an unknown field, strictly',
    post(`${CONFIG_MAPS}?fieldValidation=Strict`, configMap({ name: 'x' }, { dat: {} })),
    400,
    'BadRequest',
    /unknown field "dat"/,
  ],
  [
    'a field given twice, strictly',
    post(`${CONFIG_MAPS}?fieldValidation=Strict`, '{"metadata":{"name":"x","name":"y"}}'),
    400,
    'BadRequest',
    /duplicate field "metadata\.name"/,
  ],
  // Names
  [
    'a name that breaks the rules',
    post(CONFIG_MAPS, configMap({ name: 'Not_Good' })),
    422,
    'Invalid',
    /metadata\.name/,
  ],
  ['a name with a path in it', post(CONFIG_MAPS, configMap({ name: '../../etc' })), 422, 'Invalid', /metadata\.name/],
  ['a name that is too long', post(CONFIG_MAPS, configMap({ name: 'a'.repeat(254) })), 422, 'Invalid', /253/],
  ['no name', post(CONFIG_MAPS, configMap({})), 422, 'Invalid', /name or generateName is required/],
  ['a name that is taken', post(CONFIG_MAPS, configMap({ name: 'there' })), 409, 'AlreadyExists'],
  [
    'a label that breaks the rules',
    post(CONFIG_MAPS, configMap({ name: 'x', labels: { 'a b': 'c' } })),
    422,
    'Invalid',
    /metadata\.labels/,
  ],
  [
    'a namespace that is not the path’s',
    post(CONFIG_MAPS, configMap({ name: 'x', namespace: 'other' })),
    400,
    'BadRequest',
  ],
  [
    'a namespace that is not there',
    post('/api/v1/namespaces/none/configmaps', configMap({ name: 'x' })),
    404,
    'NotFound',
  ],
  // Paths
  ['a resource that is not there', { path: '/apis/apps/v1/widgets' }, 404, 'NotFound'],
  ['a group that is not there', { path: '/apis/no.such.group/v1/things' }, 404, 'NotFound'],
  ['an object that is not there', { path: `${CONFIG_MAPS}/none` }, 404, 'NotFound'],
  ['a slash that is escaped', { path: `${CONFIG_MAPS}/a%2Fb` }, 404, 'NotFound'],
  ['a way upwards that is escaped', { path: `${CONFIG_MAPS}/%2e%2e%2f%2e%2e%2fsecrets` }, 404, 'NotFound'],
  ['a zero byte that is escaped', { path: `${CONFIG_MAPS}/a%00b` }, 404, 'NotFound'],
  ['an escape that is none', { path: `${CONFIG_MAPS}/%zz` }, 400, 'BadRequest'],
  ['an escape that is no text', { path: `${CONFIG_MAPS}/%ff%fe` }, 400, 'BadRequest'],
  ['a method that does not fit', { method: 'POST', path: `${CONFIG_MAPS}/there`, body: '{}' }, 405, 'MethodNotAllowed'],
  // Questions
  ['a label selector that is none', { path: `${CONFIG_MAPS}?labelSelector=a%20in%20(` }, 400, 'BadRequest'],
  [
    'a field selector that is none',
    { path: `${CONFIG_MAPS}?fieldSelector=data.a%3D1` },
    400,
    'BadRequest',
    /field label not supported/,
  ],
  ['a page from nowhere', { path: `${CONFIG_MAPS}?limit=1&continue=garbage` }, 400, 'BadRequest'],
  ['a revision that is none', { path: `${CONFIG_MAPS}?resourceVersion=soon` }, 400, 'BadRequest'],
  ['a form that nobody writes', { path: CONFIG_MAPS, headers: { Accept: 'text/html' } }, 406, 'NotAcceptable'],
  ['a revision to come', { path: `${CONFIG_MAPS}?resourceVersion=999999999` }, 504, 'Timeout'],
  // Patches
  [
    'a patch of a form that is none',
    { method: 'PATCH', path: `${CONFIG_MAPS}/there`, headers: YAML, body: '{}' },
    415,
    'UnsupportedMediaType',
  ],
  [
    'a JSON patch that is none',
    { method: 'PATCH', path: `${CONFIG_MAPS}/there`, headers: patchOf('json'), body: '{}' },
    400,
    'BadRequest',
  ],
  [
    'a JSON patch that does not hold',
    {
      method: 'PATCH',
      path: `${CONFIG_MAPS}/there`,
      headers: patchOf('json'),
      body: '[{"op":"test","path":"/data/a","value":"2"}]',
    },
    422,
    'Invalid',
  ],
  [
    'a merge patch of a prototype',
    {
      method: 'PATCH',
      path: `${CONFIG_MAPS}/there?fieldValidation=Strict`,
      headers: patchOf('merge'),
      body: '{"__proto__":{"x":1}}',
    },
    400,
    'BadRequest',
  ],
  [
    'a patch of the name',
    { method: 'PATCH', path: `${CONFIG_MAPS}/there`, headers: patchOf('merge'), body: '{"metadata":{"name":"other"}}' },
    400,
    'BadRequest',
  ],
  // Who asks
  ['nobody', { path: CONFIG_MAPS, asAdmin: false }, 403, 'Forbidden', /system:anonymous/],
  [
    'a token that is none',
    { path: CONFIG_MAPS, asAdmin: false, headers: { Authorization: 'Bearer nonsense' } },
    401,
    'Unauthorized',
  ],
  [
    'a node that claims to be a master',
    { path: CONFIG_MAPS, asAdmin: false, headers: { 'Impersonate-User': 'admin' } },
    403,
    'Forbidden',
  ],
];

function podWithMemory(memory: string): object {
  const containers = [{ name: 'c', image: 'busybox', resources: { limits: { memory } } }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bad' }, spec: { containers } };
}

function multiplying(): string {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `l${i}: &l${i} [${Array(10).fill(i === 0 ? 'x' : `*l${i - 1}`)}]`,
  );
  return `metadata: {name: x}\n${levels.join('\n')}\n`;
}

describe('a Status is the answer to', () => {
  it.each<Case>(cases)('%s', async (_what, ask, code, reason, message) => {
    const { status, json, headers } = await api.ask(ask);
    expect({ status, json }).toMatchObject({
      status: code,
      json: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason },
    });
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(json.message).toMatch(message ?? /./);
  });
});

describe('kubectl says what is wrong with', () => {
  it.each<[string, string, RegExp]>([
    ['malformed YAML', 'a: [b', /error converting YAML to JSON/],
    ['an unknown kind', 'apiVersion: v1\nkind: Widget\nmetadata: {name: a}', /Widget|CRD/],
    ['a wrong type', JSON.stringify(deployment({ replicas: 'three' })), /replicas/],
    ['an unknown field', JSON.stringify(deployment({ replics: 3 })), /unknown field "spec\.replics"/],
    [
      'a body over 3 MiB',
      JSON.stringify(configMap({ name: 'big' }, { data: { a: 'x'.repeat(4 << 20) } })),
      /too large/i,
    ],
    ['a bad name', JSON.stringify(configMap({ name: 'Not_Good' })), /metadata\.name: Invalid value: "Not_Good"/],
  ])('%s', async (_what, input, message) => {
    const { code, stderr } = await cluster.tryKubectl(['apply', '-f', '-'], { input });
    expect(stderr).toMatch(message);
    expect(code).toBe(1);
  });
});

describe('nothing comes of', () => {
  it.each<[string, string]>([
    ['garbage', '\u0000\u0001\u0002 garbage \r\n\r\n'],
    ['a header without an end', `GET /api HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(2 << 20)}`],
    ['two lengths', 'POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 5\r\n\r\nabcde'],
    [
      'a length and chunks',
      `POST ${CONFIG_MAPS} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
  ])('%s on a connection', async (_what, text) => {
    const socket = await api.connect();
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    socket.end(text);
    await closed;
    expect(answer).toMatch(/^(HTTP\/1\.1 4|$)/);
  });

  it('a body that never ends', async () => {
    const socket = await api.connect();
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    const head = ['Host: x', 'Content-Type: application/json', 'Transfer-Encoding: chunked'].join('\r\n');
    socket.write(`POST ${CONFIG_MAPS} HTTP/1.1\r\n${head}\r\n\r\n`);
    const piece = ' '.repeat(256 << 10);
    let sent = 0;
    while (!socket.destroyed && sent < 256 << 20) {
      sent += piece.length;
      const taken = new Promise<void>((resolve) =>
        socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`, () => resolve()),
      );
      await Promise.race([taken, closed]);
    }
    await closed;
    // Who still sends when the connection is closed may miss what was said before.
    expect(answer).toMatch(/^(HTTP\/1\.1 413|$)/);
    expect(sent).toBeLessThan(64 << 20);
  });
});

it('watches that nobody reads hold no memory, and end', async () => {
  const sockets = await Promise.all(Array.from({ length: 30 }, () => api.connect()));
  try {
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.pause();
      socket.write(`GET ${CONFIG_MAPS}?watch=true HTTP/1.1\r\nHost: x\r\n\r\n`);
    }
    const before = residentMiB();
    const text = 'x'.repeat(200_000);
    const path = `${CONFIG_MAPS}/there`;
    for (let i = 0; i < 300; i++) {
      const body = JSON.stringify({ data: { text, i: String(i) } });
      expect((await api.ask({ method: 'PATCH', path, headers: patchOf('merge'), body })).status).toBe(200);
    }
    // 60 MB of events for each of 30 watches would be 1,800 MB.
    expect(residentMiB() - before).toBeLessThan(400);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
});

it('the process is the same, answers, and is small', async () => {
  expect(await cluster.pid()).toBe(pid);
  expect((await api.ask({ path: '/readyz' })).text).toBe('ok');
  expect((await api.ask({ path: `${CONFIG_MAPS}/there` })).json).toMatchObject({ data: { a: '1' } });
  expect(await cluster.kubectl('get', 'configmaps', '-o', 'name')).toBe(
    'configmap/kube-root-ca.crt\nconfigmap/there\n',
  );
  expect(residentMiB()).toBeLessThan(600);
  expect(readFileSync(cluster.paths.log, 'utf8')).not.toContain('that nobody caught');
});
