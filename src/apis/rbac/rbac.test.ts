import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { clusterRoles } from './clusterRole.ts';
import { clusterRoleBindings } from './clusterRoleBinding.ts';
import { roles } from './role.ts';
import { roleBindings } from './roleBinding.ts';

const named = (more: object) => ({ metadata: { name: 'a', namespace: 'default' }, ...more });
const rule = (more: object = {}) => ({ verbs: ['get'], apiGroups: [''], resources: ['pods'], ...more });
const roleRef = { kind: 'Role', name: 'r' };

describe('a role', () => {
  it.each<[string, object, string[]]>([
    ['a whole rule', rule(), []],
    ['no verbs', rule({ verbs: [] }), ['rules[0].verbs: Required']],
    ['no group', rule({ apiGroups: [] }), ['rules[0].apiGroups: Required']],
    ['no resource', rule({ resources: [] }), ['rules[0].resources: Required']],
    ['a URL', { verbs: ['get'], nonResourceURLs: ['/healthz'] }, ['rules[0].nonResourceURLs: Invalid']],
  ])('with %s', (_what, only, expected) => {
    expect(createFaults(roles, named({ rules: [only] }))).toEqual(expected);
  });

  it('of the cluster may speak of URLs, but not of both in one rule', () => {
    const url = { verbs: ['get'], nonResourceURLs: ['/healthz'] };
    expect(createFaults(clusterRoles, named({ rules: [url] }))).toEqual([]);
    expect(createFaults(clusterRoles, named({ rules: [rule(url)] }))).toEqual(['rules[0].nonResourceURLs: Invalid']);
  });

  it('that gathers others says which', () => {
    const at = 'aggregationRule.clusterRoleSelectors';
    expect(createFaults(clusterRoles, named({ aggregationRule: {} }))).toEqual([`${at}: Required`]);
  });
});

describe('a binding', () => {
  const subjects = [
    { kind: 'User', name: 'u' },
    { kind: 'Group', name: 'g' },
    { kind: 'ServiceAccount', name: 's', namespace: 'n' },
  ];

  it('knows the groups that go without saying', () => {
    const object = created(roleBindings, named({ roleRef, subjects }));
    expect(object.roleRef.apiGroup).toBe('rbac.authorization.k8s.io');
    expect(object.subjects?.map((s) => s.apiGroup)).toEqual([
      'rbac.authorization.k8s.io',
      'rbac.authorization.k8s.io',
      undefined,
    ]);
    expect(createFaults(roleBindings, named({ roleRef, subjects }))).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    [
      'no role',
      { roleRef: undefined },
      ['roleRef.apiGroup: NotSupported', 'roleRef.kind: NotSupported', 'roleRef.name: Required'],
    ],
    ['a role of other groups', { roleRef: { ...roleRef, apiGroup: 'x' } }, ['roleRef.apiGroup: NotSupported']],
    ['a role of no name', { roleRef: { ...roleRef, name: 'a/b' } }, ['roleRef.name: Invalid']],
    ['a subject of no sort', { subjects: [{ kind: 'Cat', name: 'c' }] }, ['subjects[0].kind: NotSupported']],
    ['an account of its own namespace', { subjects: [{ kind: 'ServiceAccount', name: 's' }] }, []],
  ])('with %s', (_what, more, expected) => {
    expect(createFaults(roleBindings, named({ roleRef, ...more }))).toEqual(expected);
  });

  it('for the cluster names the namespaces of accounts', () => {
    const binding = { roleRef: { ...roleRef, kind: 'ClusterRole' }, subjects: [{ kind: 'ServiceAccount', name: 's' }] };
    expect(createFaults(clusterRoleBindings, { metadata: { name: 'a' }, ...binding })).toEqual([
      'subjects[0].namespace: Required',
    ]);
  });

  it('for the cluster gives roles of the cluster', () => {
    expect(createFaults(clusterRoleBindings, named({ roleRef }))).toEqual(['roleRef.kind: NotSupported']);
  });

  it('gives the same for ever', () => {
    const change = named({ roleRef: { ...roleRef, name: 'other' } });
    expect(updated(roleBindings, roleBindings.update, named({ roleRef }), change).faults).toEqual(['roleRef: Invalid']);
  });

  it('is shown', () => {
    const object = created(roleBindings, named({ roleRef, subjects }));
    expect(tableRow(roleBindings, object, 0, 'None')).toEqual({ cells: ['a', 'Role/r', '<unknown>', 'u', 'g', 'n/s'] });
  });
});
