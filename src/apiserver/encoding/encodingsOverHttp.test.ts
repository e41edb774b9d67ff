/** CBOR and YAML as clients send them and get them, and what is negotiated. */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { configMaps } from '../../apis/core/configMap.ts';
import { secrets } from '../../apis/core/secret.ts';
import { decodeCbor } from '../../machinery/schema/decodeCbor.ts';
import { encodeCbor, SELF_DESCRIBED } from '../../machinery/schema/encodeCbor.ts';
import type { Type } from '../../machinery/schema/types.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const CBOR = 'application/cbor';
const YAML = 'application/yaml';
const PATH = '/api/v1/namespaces/default/configmaps';

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(async () => {
  api.close();
  await server.stop();
});

const map = (name: string, data = { k: 'v' }) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data });
const sent = (value: unknown, type?: Type) => Buffer.concat([SELF_DESCRIBED, encodeCbor(value, type)]);
const send = (method: string, path: string, body: Buffer, headers: Record<string, string>) =>
  http(server, api.port, path, { method, headers, body });

describe('CBOR', () => {
  it('is taken and given, with bytes as bytes', async () => {
    const path = '/api/v1/namespaces/default/secrets';
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'c' }, data: { a: 'AAH/' } };
    const body = sent(secret, secrets.schema);
    const made = await send('POST', path, body, { 'content-type': CBOR, accept: CBOR });
    expect([made.status, made.headers['content-type']]).toEqual([201, CBOR]);
    expect(made.bytes.subarray(0, 3)).toEqual(SELF_DESCRIBED);
    expect(decodeCbor(made.bytes)).toEqual((await api.get(`${path}/c`)).json);
    expect(made.bytes.includes(Buffer.from([0xd6, 0x43, 0x00, 0x01, 0xff]))).toBe(true);
  });

  it('of a list is the list, of a watch a sequence of events', async () => {
    for (const name of ['l1', 'l2']) await api.send('POST', PATH, map(name));
    const listed = await api.get(`${PATH}?limit=2`, { accept: `${CBOR},application/json` });
    expect(decodeCbor(listed.bytes)).toEqual((await api.get(`${PATH}?limit=2`)).json);
    const query = 'watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dl1';
    const watched = await api.get(`${PATH}?${query}`, { accept: 'application/cbor-seq' });
    expect(watched.headers['content-type']).toBe('application/cbor-seq');
    const object = (await api.get(`${PATH}/l1`)).json;
    expect(decodeCbor(watched.bytes)).toEqual({ type: 'ADDED', object });
  });

  it('is applied', async () => {
    const headers = { 'content-type': 'application/apply-patch+cbor' };
    const applied = await send('PATCH', `${PATH}/applied?fieldManager=t`, sent(map('applied')), headers);
    expect(applied.json).toMatchObject({ data: { k: 'v' } });
    const refused = await send('PATCH', `${PATH}/applied?fieldManager=t`, Buffer.from([0xff]), headers);
    expect(refused.json).toMatchObject({ code: 400 });
  });

  it('has metadata and tables', async () => {
    await api.send('POST', PATH, map('t'));
    for (const form of ['PartialObjectMetadata', 'Table']) {
      const parameters = `;as=${form};g=meta.k8s.io;v=v1`;
      const { bytes } = await api.get(`${PATH}/t`, { accept: CBOR + parameters });
      const { json } = await api.get(`${PATH}/t`, { accept: `application/json${parameters}` });
      expect(decodeCbor(bytes)).toEqual(json);
      expect(json.kind).toBe(form);
    }
  });

  it('that is none is refused', async () => {
    const twice = Buffer.from('a241610141610 2'.replace(' ', ''), 'hex');
    for (const body of [twice, Buffer.from([0xfb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0]), Buffer.alloc(3000, 0x81)]) {
      expect((await send('POST', PATH, body, { 'content-type': CBOR })).json).toMatchObject({ code: 400 });
    }
  });
});

describe('YAML', () => {
  it('is given for one object and for lists, sorted, and read back', async () => {
    await api.send('POST', PATH, map('y', { k: 'yes' }));
    const { text, headers } = await api.get(`${PATH}/y`, { accept: YAML });
    expect(headers['content-type']).toBe(YAML);
    expect(text).toMatch(/^apiVersion: v1\ndata:\n {2}k: "yes"\nkind: ConfigMap\nmetadata:\n/);
    expect((await api.get(PATH, { accept: YAML })).text).toMatch(/^apiVersion: v1\nitems:\n- /);
    expect((await api.get(`${PATH}/missing`, { accept: YAML })).text).toMatch(/^apiVersion: v1\ncode: 404\n/);
  });

  it('is read as version 1.1', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y11}\ndata: {time: 12:30:45, day: 2026-01-01}\n';
    const made = await send('POST', PATH, Buffer.from(text), { 'content-type': YAML });
    expect(made.json.data).toEqual({ time: '12:30:45', day: '2026-01-01' });
  });

  it('names what stands twice', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y2}\ndata:\n  a: one\n  a: two\n';
    const made = await send('POST', PATH, Buffer.from(text), { 'content-type': YAML });
    expect([made.status, String(made.headers.warning)]).toEqual([
      201,
      expect.stringContaining('line 6: key \\"a\\" already set in map'),
    ]);
    const strict = await send('POST', `${PATH}?fieldValidation=Strict`, Buffer.from(text), { 'content-type': YAML });
    expect(strict.json).toMatchObject({
      code: 400,
      message: 'strict decoding error: yaml: unmarshal errors:\n  line 6: key "a" already set in map',
    });
  });

  it('names what stands twice in what is applied, and every field that is not known', async () => {
    const apply = (name: string, rest: string) =>
      send(
        'PATCH',
        `${PATH}/${name}?fieldManager=m&fieldValidation=Strict`,
        Buffer.from(`\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\n${rest}`),
        { 'content-type': 'application/apply-patch+yaml' },
      );
    expect((await apply('y3', 'data:\n  a: one\n  a: two\n')).json.message).toBe(
      'error strict decoding patch: error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "a" already set in map',
    );
    expect((await apply('y3', 'a: 1\nb: 2\n')).json.message).toMatch(
      /: errors:\n {2}\.a: field not declared in schema\n {2}\.b: field not declared in schema$/,
    );
    expect((await api.get(`${PATH}/y3`)).status).toBe(404);
  });

  it('has no watches', async () => {
    const { status, text } = await api.get(`${PATH}?watch=1&timeoutSeconds=1`, { accept: YAML });
    expect(status).toBe(406);
    expect(text).toContain(
      'only the following media types are accepted: application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch, application/cbor-seq',
    );
  });
});

describe('what is negotiated', () => {
  test.each([
    ['application/yaml;q=0.5, application/json', 'application/json'],
    ['*/*, application/cbor', CBOR],
    ['application/json;q=0.1, application/vnd.kubernetes.protobuf;q=0.9', 'application/vnd.kubernetes.protobuf'],
    ['text/html, application/*;q=0.2', 'application/json'],
    ['application/yaml;stream=watch, application/json', 'application/json'],
    ['application/vnd.kubernetes.protobuf;as=Table;g=meta.k8s.io;v=v1, application/json', 'application/json'],
  ])('%s gets %s', async (accept, type) => {
    expect((await api.get(PATH, { accept })).headers['content-type']).toBe(type);
  });

  test('nothing is done that could not be answered', async () => {
    const body = Buffer.from(JSON.stringify(map('never')));
    const made = await send('POST', PATH, body, { 'content-type': 'application/json', accept: 'text/html' });
    expect(made.json).toMatchObject({ code: 406 });
    expect((await api.get(`${PATH}/never`)).status).toBe(404);
  });

  test('a body of another type is refused with those that are taken', async () => {
    const { json } = await send('POST', PATH, Buffer.from('x'), { 'content-type': 'text/plain' });
    expect(json).toMatchObject({
      code: 415,
      message:
        'the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf, application/cbor',
    });
  });
});

test.each([
  ['application/json', Buffer.from('{"metadata":{"name":"big","generation":9007199254740993}}')],
  [YAML, Buffer.from('metadata: {name: big, generation: 9007199254740993}')],
  [CBOR, Buffer.from('a1486d65746164617461a1 4a67656e65726174696f6e 1b0020000000000001'.replaceAll(' ', ''), 'hex')],
])('a number that %s would change is refused', async (type, body) => {
  const { json } = await send('POST', PATH, body, { 'content-type': type });
  expect(json).toMatchObject({ code: 400 });
  expect(json.message).toContain('9007199254740993 cannot be kept exactly');
});

test('the types of a config map are those of its encoding', () => {
  expect(decodeCbor(encodeCbor(map('x'), configMaps.schema))).toEqual(map('x'));
});
