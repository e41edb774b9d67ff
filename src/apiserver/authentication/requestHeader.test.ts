/** Proxies that say who asks, and those who only claim to be such. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SystemClock } from '../../lib/clock.ts';
import { type KeyPair, TestCA } from '../testing/certificates.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
// Bytes: headers that go out with a text would be written as UTF-8, once more.
const BODY = Buffer.from(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }));

let server: TestServer;
let port = 0;
let proxyCA: TestCA;
let proxy: KeyPair;

beforeAll(async () => {
  proxyCA = await TestCA.create(new SystemClock(), 'proxies');
  proxy = await proxyCA.issue('front-proxy-client');
  server = await startTestServer({ frontProxy: { ...proxy, ca: proxyCA.pem } });
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const whoAmI = async (headers: Record<string, string>, as: KeyPair | null) => {
  const all = { 'content-type': 'application/json', ...headers };
  const { status, json } = await http(server, port, SELF, { method: 'POST', body: BODY, headers: all, as });
  return { status, user: json?.status?.userInfo };
};

const jane = { 'x-remote-user': 'jane', 'x-remote-group': 'system:masters' };

describe('a proxy', () => {
  test('says who asks', async () => {
    const headers = {
      'x-remote-user': Buffer.from('jürgen').toString('latin1'),
      'x-remote-uid': '17',
      'x-remote-group': 'staff',
      'x-remote-extra-example.com%2fscope': 'all',
    };
    expect(await whoAmI(headers, proxy)).toEqual({
      status: 201,
      user: {
        username: 'jürgen',
        uid: '17',
        groups: ['staff', 'system:authenticated'],
        extra: { 'example.com/scope': ['all'] },
      },
    });
  });

  test('is nobody by itself, and nobody else of its CA is believed', async () => {
    expect((await whoAmI({}, proxy)).status).toBe(401);
    // One with a name and groups that mean something elsewhere.
    const admin = await proxyCA.issue('admin', ['system:masters']);
    expect((await whoAmI({}, admin)).status).toBe(401);
    expect((await whoAmI(jane, admin)).status).toBe(401);
  });
});

test('headers of others mean nothing', async () => {
  expect((await whoAmI(jane, server.admin)).user.username).toBe('admin');
  expect((await whoAmI(jane, await server.ca.issue('front-proxy-client'))).user.username).toBe('front-proxy-client');
  expect((await whoAmI(jane, null)).status).toBe(403);
});
