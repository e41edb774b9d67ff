import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TokenRequest } from '../../apis/authentication/tokenRequest.ts';
import { tokenReviews } from '../../apis/authentication/tokenReview.ts';
import { pods } from '../../apis/core/pod.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { createClient } from '../../client/createClient.ts';
import { VirtualClock } from '../../lib/clock.ts';
import type { Kind } from '../../machinery/kind.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const namespace = 'default';
const name = 'default';
const SELF = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const SELF_BODY = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' });
let server: TestServer;
let port = 0;
// Real certificates are checked by the system's own clock.
const clock = new VirtualClock(Date.now());

beforeAll(async () => {
  server = await startTestServer({ clock });
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
  await server.client.create(serviceAccounts, { metadata: { namespace, name } });
});
afterAll(() => server.stop());

const tokenFor = async (spec: object = {}): Promise<string> => {
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
  const ref = { namespace, name };
  const kind = serviceAccounts as unknown as Kind;
  const answer = await server.client.createSubresource<object, TokenRequest>(kind, ref, 'token', body);
  return answer.status?.token ?? '';
};

const whoAmI = async (headers: Record<string, string>, as: 'admin' | null = null) => {
  const request = { method: 'POST', body: SELF_BODY, headers: { 'content-type': 'application/json', ...headers } };
  const answer = await http(server, port, SELF, as === 'admin' ? request : { ...request, as: null });
  return { status: answer.status, user: answer.json?.status?.userInfo };
};

describe('who asks', () => {
  test('a client certificate', async () => {
    expect((await whoAmI({}, 'admin')).user).toEqual({
      username: 'admin',
      groups: ['system:masters', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': [expect.stringMatching(/^X509SHA256=[0-9a-f]{64}$/)] },
    });
  });

  test('a token of a service account', async () => {
    const token = await tokenFor();
    const { user } = await whoAmI({ authorization: `Bearer ${token}` });
    expect(user).toMatchObject({
      username: 'system:serviceaccount:default:default',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'],
    });
  });

  test('nobody, and somebody with a token that is none', async () => {
    expect((await whoAmI({})).status).toBe(403);
    expect((await http(server, port, '/version', { as: null })).status).toBe(200);
    for (const bad of ['x', 'a.b.c', `${await tokenFor()}x`]) {
      expect((await whoAmI({ authorization: `Bearer ${bad}` })).status).toBe(401);
    }
    expect((await whoAmI({ authorization: 'Basic eDp5' })).status).toBe(401);
  });
});

describe('tokens', () => {
  const review = async (token: string, audiences?: string[]) =>
    (await server.client.create(tokenReviews, { spec: { token, ...(audiences ? { audiences } : {}) } })).status;

  test('are good for their audience', async () => {
    const token = await tokenFor({ audiences: ['vault'] });
    expect((await review(token))?.authenticated).toBeUndefined();
    expect(await review(token, ['vault', 'other'])).toMatchObject({ authenticated: true, audiences: ['vault'] });
    expect((await whoAmI({ authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('expire', async () => {
    const token = await tokenFor({ expirationSeconds: 600 });
    await clock.advance(599_000);
    expect((await review(token))?.authenticated).toBe(true);
    await clock.advance(2_000);
    expect(await review(token)).toMatchObject({ error: 'the token has expired' });
    await expect(tokenFor({ expirationSeconds: 599 })).rejects.toThrow('10 minutes');
  });

  test('live as long as the pod they are bound to', async () => {
    const pod = await server.client.create(pods, {
      metadata: { namespace, name: 'p' },
      spec: { containers: [{ name: 'c', image: 'x' }] },
    });
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: pod.metadata.uid };
    const token = await tokenFor({ boundObjectRef });
    const { user } = await whoAmI({ authorization: `Bearer ${token}` });
    expect(user.extra['authentication.kubernetes.io/pod-name']).toEqual(['p']);
    await expect(tokenFor({ boundObjectRef: { ...boundObjectRef, uid: 'other' } })).rejects.toThrow('UID');
    await server.client.delete(pods, { namespace, name: 'p' }, { gracePeriodSeconds: 0 });
    expect((await whoAmI({ authorization: `Bearer ${token}` })).status).toBe(401);
  });

  test('are given to nodes for their own pods only', async () => {
    const { metadata } = await server.client.create(pods, {
      metadata: { namespace, name: 'q' },
      spec: { containers: [{ name: 'c', image: 'x' }], nodeName: 'n1' },
    });
    const ask = (node: string, spec: object) => {
      const client = createClient(server.api.transport({ name: `system:node:${node}`, groups: ['system:nodes'] }));
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec };
      return client.createSubresource<object, TokenRequest>(
        serviceAccounts as unknown as Kind,
        { namespace, name },
        'token',
        body,
      );
    };
    const boundObjectRef = { kind: 'Pod', apiVersion: 'v1', name: 'q', uid: metadata.uid };
    expect((await ask('n1', { boundObjectRef })).status?.token).toBeDefined();
    await expect(ask('n1', {})).rejects.toThrow('not bound to a pod');
    await expect(ask('n2', { boundObjectRef })).rejects.toThrow('is forbidden');
    await server.client.delete(pods, { namespace, name: 'q' }, { gracePeriodSeconds: 0 });
  });

  test('can be verified by others', async () => {
    const { json: config } = await http(server, port, '/.well-known/openid-configuration');
    expect(config.issuer).toBe('https://kubernetes.default.svc.cluster.local');
    const { json: jwks } = await http(server, port, '/openid/v1/jwks');
    const { createLocalJWKSet, jwtVerify } = await import('jose');
    const verified = await jwtVerify(await tokenFor(), createLocalJWKSet(jwks), {
      issuer: config.issuer,
      currentDate: new Date(clock.now()),
    });
    expect(verified.payload.sub).toBe('system:serviceaccount:default:default');
  });
});
