import { compactVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { START, TinyWorld } from '../testing/objects.ts';
import { planExpiration } from './cleaner.ts';
import { planSignatures } from './signer.ts';

const SECRET = '0123456789abcdef';
const token = (id: string, more: Record<string, string> = {}) => {
  const text = { 'token-id': id, 'token-secret': SECRET, 'usage-bootstrap-signing': 'true', ...more };
  const data = Object.entries(text).map(([k, v]) => [k, Buffer.from(v).toString('base64')]);
  const metadata = { name: `bootstrap-token-${id}` };
  return new TinyWorld().put<Secret>(secrets, { metadata, data: Object.fromEntries(data) });
};
const map = (data: Record<string, string>) =>
  new TinyWorld().put<ConfigMap>(configMaps, { metadata: { name: 'cluster-info' }, data });
const hour = (hours: number) => new Date(START + hours * 3_600_000).toISOString();

describe('the description of the cluster', () => {
  it('is signed with each token that is for it, as who has the token can tell', async () => {
    const tokens = [
      token('aaaaaa'),
      token('bbbbbb', { 'usage-bootstrap-signing': 'false' }),
      token('cccccc', { expiration: hour(-1) }),
      token('dddddd', { expiration: hour(2) }),
      token('no', {}),
    ];
    const before = map({ kubeconfig: 'clusters: []', note: 'mine', 'jws-kubeconfig-zzzzzz': 'old' });
    const { actions, againMs } = planSignatures(before, tokens, START);
    expect(againMs).toBe(2 * 3_600_000);
    const [action] = actions;
    if (action?.verb !== 'update') throw new Error('nothing was signed');
    const data = (action.object as ConfigMap).data ?? {};
    expect(Object.keys(data).sort()).toEqual(['jws-kubeconfig-aaaaaa', 'jws-kubeconfig-dddddd', 'kubeconfig', 'note']);
    const [header, , signature] = (data['jws-kubeconfig-aaaaaa'] ?? '').split('.');
    const whole = `${header}.${Buffer.from('clusters: []').toString('base64url')}.${signature}`;
    const { protectedHeader } = await compactVerify(whole, Buffer.from(SECRET));
    expect(protectedHeader).toEqual({ alg: 'HS256', kid: 'aaaaaa' });
    expect(planSignatures(map(data), tokens, START).actions).toEqual([]);
  });

  it('is left alone where there is none', () => {
    expect(planSignatures(map({}), [token('aaaaaa')], START).actions).toEqual([]);
  });
});

it.each([
  ['never', {}, undefined],
  ['later', { expiration: hour(1) }, { actions: [], againMs: 3_600_000 }],
  ['now', { expiration: hour(0) }, { actions: [expect.objectContaining({ verb: 'delete' })] }],
  ['one knows not when', { expiration: 'soon' }, { actions: [expect.objectContaining({ verb: 'delete' })] }],
])('a token expires %s', (_what, more, plan) => {
  expect(planExpiration(token('aaaaaa', more), START)).toEqual(plan);
});
