import { expect, test } from 'vitest';
import { apiServerOptions, mergedFlags } from './apiServerFlags.ts';

const paths = { dataDir: '/data' };

test('flags are kept, changed, and taken back', () => {
  const first = mergedFlags(undefined, { auditPolicyFile: '/p.yaml', authorizationMode: 'RBAC' });
  expect(first).toEqual({ auditPolicyFile: '/p.yaml', authorizationMode: 'RBAC' });
  expect(mergedFlags(first, {})).toEqual(first);
  expect(mergedFlags(first, { anonymousAuth: false })).toEqual({ ...first, anonymousAuth: false });
  expect(mergedFlags(first, { auditPolicyFile: '', authorizationMode: '' })).toBeUndefined();
  expect(mergedFlags(undefined, {})).toBeUndefined();
});

test('they become options of the API server', () => {
  expect(apiServerOptions(undefined, paths)).toEqual({});
  expect(apiServerOptions({ auditPolicyFile: '/p' }, paths)).toEqual({
    audit: { policyFile: '/p', logPath: '/data/logs/audit.log' },
  });
  expect(apiServerOptions({ auditPolicyFile: '/p', auditLogPath: '-', anonymousAuth: false }, paths)).toEqual({
    audit: { policyFile: '/p', logPath: '-' },
    anonymous: false,
  });
  expect(apiServerOptions({ authorizationMode: 'RBAC,ABAC,Node', authorizationPolicyFile: '/abac' }, paths)).toEqual({
    authorization: { modes: ['RBAC', 'ABAC', 'Node'], policyFile: '/abac' },
  });
});

test.each([
  [{ auditLogPath: '/log' }, /needs --audit-policy-file/],
  [{ authorizationMode: 'ABAC' }, /needs --authorization-policy-file/],
  [{ authorizationMode: 'Webhook' }, /webhook/],
  [{ authorizationMode: 'RBAC,Any' }, /no such mode/],
])('%j is refused', (flags, message) => {
  expect(() => mergedFlags(undefined, flags)).toThrow(message);
});
