import { expect, test } from 'vitest';
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import type { Attributes } from './authorizer.ts';
import { missingRules, ruleAllows, showRule } from './rules.ts';

const ask = (verb: string, path: string): Attributes => {
  const base = { user: { name: 'u', groups: [] }, verb, version: 'v1', namespace: 'default' };
  if (path.startsWith('/')) {
    return { ...base, isResource: false, group: '', resource: '', subresource: '', name: '', path };
  }
  const [rest = '', name = ''] = path.split(':');
  const [kind = '', subresource = ''] = rest.split('/');
  const [resource = '', group = ''] = kind.split('@');
  return { ...base, isResource: true, group, resource, subresource, name, path: '' };
};

const rule = (verbs: string, groups: string[], resources: string, names?: string[]): PolicyRule => ({
  verbs: verbs.split(' '),
  apiGroups: groups,
  resources: resources.split(' '),
  ...(names ? { resourceNames: names } : {}),
});

test.each([
  ['get', 'pods:x', rule('get', [''], 'pods'), true],
  ['get', 'pods/log:x', rule('get', [''], 'pods'), false],
  ['get', 'pods/log:x', rule('get', [''], 'pods/log'), true],
  ['get', 'pods/log:x', rule('get', [''], '*/log'), true],
  ['get', 'pods/log:x', rule('get', [''], '*'), true],
  ['get', 'pods/exec:x', rule('get', [''], '*/log'), false],
  ['get', 'mypods/log:x', rule('get', [''], 'pods/log'), false],
  ['get', 'deployments@apps:x', rule('get', [''], 'deployments'), false],
  ['get', 'deployments@apps:x', rule('*', ['*'], '*'), true],
  ['get', 'pods:x', rule('get', [''], 'pods', ['x']), true],
  ['get', 'pods:y', rule('get', [''], 'pods', ['x']), false],
  ['list', 'pods', rule('list', [''], 'pods', ['x']), false],
  ['get', '/healthz', { verbs: ['get'], nonResourceURLs: ['/healthz'] }, true],
  ['get', '/healthz/etcd', { verbs: ['get'], nonResourceURLs: ['/healthz'] }, false],
  ['get', '/healthz/etcd', { verbs: ['get'], nonResourceURLs: ['/healthz/*'] }, true],
  ['get', '/healthz', rule('*', ['*'], '*'), false],
] as const)('%s %s', (verb, path, given, expected) => {
  expect(ruleAllows(given as PolicyRule, ask(verb, path))).toBe(expected);
});

test('what is held and what is wanted', () => {
  const held = [rule('get list', ['', 'apps'], 'pods deployments'), rule('delete', [''], 'pods', ['a'])];
  expect(missingRules(held, [rule('get', [''], 'pods'), rule('list', ['apps'], 'deployments', ['x'])])).toEqual([]);
  expect(missingRules(held, [rule('delete', [''], 'pods', ['a', 'b'])])).toEqual([rule('delete', [''], 'pods', ['b'])]);
  expect(missingRules(held, [rule('delete', [''], 'pods')])).toEqual([rule('delete', [''], 'pods')]);
  expect(missingRules(held, [rule('*', [''], 'pods')])).toHaveLength(1);
  expect(missingRules([rule('*', ['*'], '*')], [rule('*', ['*'], '*'), rule('get', ['x'], 'y/z')])).toEqual([]);
  expect(missingRules([], [{ verbs: ['get'], nonResourceURLs: ['/x'] }])).toHaveLength(1);
});

test('what names too much to be taken apart is missing, unless one rule grants it all', () => {
  const many = (what: string) => Array.from({ length: 1000 }, (_, i) => `${what}${i}`);
  const huge: PolicyRule = { verbs: many('v'), apiGroups: many('g'), resources: many('r'), resourceNames: many('n') };
  const paths: PolicyRule = { verbs: many('v'), nonResourceURLs: many('/p') };
  const all = [rule('*', ['*'], '*'), { verbs: ['*'], nonResourceURLs: ['*'] }];
  expect(missingRules(all, [huge, paths])).toEqual([]);
  expect(missingRules([rule('get', [''], 'pods')], [huge])).toEqual([huge]);
  expect(missingRules([huge], [huge])).toEqual([]);
  const { resourceNames: _names, ...unnamed } = huge;
  expect(missingRules([huge], [unnamed])).toEqual([unnamed]);
  const wide = Array.from({ length: 2000 }, () =>
    rule(many('v').slice(0, 20).join(' '), many('g').slice(0, 20), 'a b'),
  );
  expect(missingRules([rule('get', [''], 'pods')], wide).length).toBeLessThan(13_000);
});

test('a rule on one line', () => {
  expect(showRule(rule('get list', [''], 'pods', ['x']))).toBe(
    '{APIGroups:[""], Resources:["pods"], ResourceNames:["x"], Verbs:["get" "list"]}',
  );
});
