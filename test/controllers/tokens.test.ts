import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { type SelfSubjectReview, selfSubjectReviews } from '../../src/apis/authentication/selfSubjectReview.ts';
import { type TokenReview, tokenReviews } from '../../src/apis/authentication/tokenReview.ts';
import { configMaps } from '../../src/apis/core/configMap.ts';
import { type Secret, secrets } from '../../src/apis/core/secret.ts';
import { serviceAccounts } from '../../src/apis/core/serviceAccount.ts';
import { createClient } from '../../src/client/createClient.ts';
import { createHttpTransport } from '../../src/client/http.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import type { Kind } from '../../src/machinery/kind.ts';
import { formatTime } from '../../src/machinery/time.ts';
import { NAMESPACE, Simulation } from './simulation.ts';

let world: Simulation;
const closing: (() => unknown)[] = [];
beforeEach(async () => {
  world = await Simulation.start({ nodes: 0 });
});
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  await world.stop();
});

/** Asks over HTTP who it is that has this token. */
async function whoHas(token: string): Promise<{ username?: string; groups?: readonly string[] } | number> {
  const { clusters } = parse(world.cluster.kubeconfig) as {
    clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  };
  const { server = '', 'certificate-authority-data': ca = '' } = clusters[0]?.cluster ?? {};
  const transport = createHttpTransport({
    server,
    ca: Buffer.from(ca, 'base64').toString(),
    token,
    clock: new SystemClock(),
  });
  closing.push(() => transport.close());
  try {
    const review = await createClient(transport).create(selfSubjectReviews as unknown as Kind<SelfSubjectReview>, {});
    return review.status?.userInfo ?? {};
  } catch (error) {
    return (error as { status?: { code?: number } }).status?.code ?? 0;
  }
}
const text = (secret: Secret, key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
const isGone = (name: string, namespace = NAMESPACE) =>
  expect(world.cluster.client.get(secrets, { namespace, name })).rejects.toMatchObject({
    status: { reason: 'NotFound' },
  });

describe('a secret for a token of a service account', () => {
  const make = (account: string) =>
    world.cluster.client.create(secrets, {
      metadata: { name: 'mine', namespace: NAMESPACE, annotations: { 'kubernetes.io/service-account.name': account } },
      type: 'kubernetes.io/service-account-token',
    });
  const filled = () =>
    vi.waitFor(async () => {
      await world.advance('1ms');
      const secret = await world.get(secrets, 'mine');
      expect(text(secret, 'token')).not.toBe('');
      return secret;
    }, 5_000);

  it('is filled with one that is good, and goes with the account', async () => {
    await world.create(serviceAccounts, 'build', {});
    await make('build');
    const secret = await filled();
    expect(text(secret, 'namespace')).toBe(NAMESPACE);
    expect(text(secret, 'ca.crt')).toContain('BEGIN CERTIFICATE');
    const token = text(secret, 'token');
    expect(await whoHas(token)).toMatchObject({ username: `system:serviceaccount:${NAMESPACE}:build` });
    await vi.waitFor(async () => {
      const { labels } = (await world.get(secrets, 'mine')).metadata;
      expect(labels?.['kubernetes.io/legacy-token-last-used']).toBe(formatTime(world.cluster.clock.now()).slice(0, 10));
    });
    // Its years are not counted.
    await world.advance('24h');
    expect(await whoHas(token)).toMatchObject({ username: `system:serviceaccount:${NAMESPACE}:build` });
    await world.patch(secrets, 'mine', {
      metadata: { labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' } },
    });
    expect(await whoHas(token)).toBe(401);
    await world.delete(serviceAccounts, 'build');
    await world.advance('1s');
    await vi.waitFor(async () => {
      await world.advance('1s');
      await isGone('mine');
    });
    expect(await whoHas(token)).toBe(401);
  });

  it('goes where there is no such account', async () => {
    await make('nobody');
    await vi.waitFor(async () => {
      await world.advance('1ms');
      await isGone('mine');
    });
  });
});

describe('a bootstrap token', () => {
  const make = (more: Record<string, string> = {}) =>
    world.cluster.client.create(secrets, {
      metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-authentication': 'true',
        'usage-bootstrap-signing': 'true',
        'auth-extra-groups': 'system:bootstrappers:kubeadm:default-node-token',
        expiration: formatTime(world.cluster.clock.now() + 3_600_000),
        ...more,
      },
    });

  it('is a way in until it expires, and then it is removed', async () => {
    await make();
    const user = await whoHas('abcdef.0123456789abcdef');
    expect(user).toMatchObject({ username: 'system:bootstrap:abcdef' });
    expect((user as { groups: string[] }).groups).toEqual([
      'system:bootstrappers',
      'system:bootstrappers:kubeadm:default-node-token',
      'system:authenticated',
    ]);
    const review = (spec: TokenReview['spec']) =>
      world.cluster.client.create(tokenReviews as unknown as Kind<TokenReview>, { spec });
    const token = 'abcdef.0123456789abcdef';
    expect((await review({ token })).status).toMatchObject({
      authenticated: true,
      user: { username: 'system:bootstrap:abcdef' },
    });
    expect((await review({ token, audiences: ['other'] })).status?.authenticated).toBeUndefined();
    expect(await whoHas('abcdef.0123456789abcdee')).toBe(401);
    expect(await whoHas('ffffff.0123456789abcdef')).toBe(401);
    await world.advance('61m');
    expect(await whoHas('abcdef.0123456789abcdef')).toBe(401);
    await isGone('bootstrap-token-abcdef', 'kube-system');
  });

  it.each([
    ['usage-bootstrap-authentication', 'false'],
    ['auth-extra-groups', 'system:masters'],
    ['expiration', 'soon'],
  ])('is none with %s: %s', async (key, value) => {
    await make({ [key]: value });
    expect(await whoHas('abcdef.0123456789abcdef')).toBe(401);
  });

  it('signs the public description of the cluster', async () => {
    await make();
    const metadata = { namespace: 'kube-public', name: 'cluster-info' };
    await world.cluster.client.create(configMaps, { metadata, data: { kubeconfig: 'x' } });
    await world.advance('1s');
    const keys = async () => Object.keys((await world.cluster.client.get(configMaps, metadata)).data ?? {}).sort();
    expect(await keys()).toEqual(['jws-kubeconfig-abcdef', 'kubeconfig']);
    await world.advance('2h');
    expect(await keys()).toEqual(['kubeconfig']);
  });
});
