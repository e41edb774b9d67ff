import { describe, expect, it } from 'vitest';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { type ServiceAccount, serviceAccounts } from '../../apis/core/serviceAccount.ts';
import { TinyWorld } from '../testing/objects.ts';
import { planUnused } from './legacyCleaner.ts';
import { withoutSecret } from './plan.ts';

const NOW = Date.UTC(2030, 5, 15, 12);
const account = (listed: readonly string[], uid = 'a') =>
  new TinyWorld().put<ServiceAccount>(serviceAccounts, {
    metadata: { name: 'build', uid },
    secrets: listed.map((name) => ({ name })),
  });
const secret = (labels: Record<string, string>, made = '2028-01-01T00:00:00Z') =>
  new TinyWorld().put<Secret>(secrets, {
    metadata: {
      name: 'build-token',
      creationTimestamp: made,
      labels: Object.fromEntries(Object.entries(labels).map(([k, v]) => [`kubernetes.io/legacy-token-${k}`, v])),
      annotations: { 'kubernetes.io/service-account.name': 'build', 'kubernetes.io/service-account.uid': 'a' },
    },
    type: 'kubernetes.io/service-account-token',
  });

describe('a token that was made for every account', () => {
  const own = account(['build-token']);
  it.each<[string, ReturnType<typeof secret>, ReturnType<typeof account> | undefined, string[]]>([
    ['never used', secret({}), own, ['patch']],
    ['used long ago', secret({ 'last-used': '2029-06-14' }), own, ['patch']],
    ['used a year ago to the day', secret({ 'last-used': '2029-06-15' }), own, []],
    ['used one knows not when', secret({ 'last-used': 'yesterday' }), own, []],
    ['young', secret({}, '2030-01-01T00:00:00Z'), own, []],
    ['marked a short time ago', secret({ 'invalid-since': '2030-01-01' }), own, []],
    ['marked long ago', secret({ 'invalid-since': '2029-06-01' }), own, ['delete']],
    ['asked for by hand', secret({}), account([]), []],
    ['of an account that is gone', secret({}), undefined, []],
    ['of an earlier account of that name', secret({}), account(['build-token'], 'b'), []],
  ])('%s', (_what, token, of, verbs) => {
    expect(planUnused(token, of, NOW).map((action) => action.verb)).toEqual(verbs);
  });
});

it('an account lists no secret that is gone', () => {
  expect(withoutSecret(account(['a', 'b']), 'a')).toMatchObject([
    { verb: 'update', object: { secrets: [{ name: 'b' }] } },
  ]);
  expect(withoutSecret(account(['a', 'b']), 'c')).toEqual([]);
});
