import { describe, expect, test } from 'vitest';
import type { Kind } from '../../machinery/kind.ts';
import { tableRow } from '../../machinery/table.ts';
import { createFaults, received, updated } from '../testing/create.ts';
import { mutatingAdmissionPolicies } from './mutatingAdmissionPolicy.ts';
import { mutatingAdmissionPolicyBindings } from './mutatingAdmissionPolicyBinding.ts';
import { mutatingWebhookConfigurations } from './mutatingWebhookConfiguration.ts';
import { validatingAdmissionPolicies } from './validatingAdmissionPolicy.ts';
import { validatingAdmissionPolicyBindings } from './validatingAdmissionPolicyBinding.ts';
import { validatingWebhookConfigurations } from './validatingWebhookConfiguration.ts';

const rule = { operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const webhook = {
  name: 'a.example.com',
  clientConfig: { url: 'https://example.com/x' },
  rules: [rule],
  sideEffects: 'None',
  admissionReviewVersions: ['v1'],
};
const metadata = { name: 'x' };
const cells = <T extends object>(kind: Kind<T>, json: unknown) =>
  (tableRow(kind, received(kind, json), 0, 'None') as { cells: unknown[] }).cells;

describe('webhooks', () => {
  test('have defaults', () => {
    const service = { namespace: 'n', name: 's' };
    const { webhooks } = received(mutatingWebhookConfigurations, {
      webhooks: [{ ...webhook, clientConfig: { service } }],
    });
    expect(webhooks?.[0]).toMatchObject({
      failurePolicy: 'Fail',
      matchPolicy: 'Equivalent',
      namespaceSelector: {},
      objectSelector: {},
      timeoutSeconds: 10,
      reinvocationPolicy: 'Never',
      rules: [{ scope: '*' }],
      clientConfig: { service: { port: 443 } },
    });
  });

  const service = (more: object) => ({ clientConfig: { service: { namespace: 'n', name: 's', ...more } } });
  const rules = (more: object) => ({ rules: [{ ...rule, ...more }] });
  test.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['a short name', { name: 'a.b' }, ['name: Invalid']],
    ['no name', { name: '' }, ['name: Required']],
    ['neither url nor service', { clientConfig: {} }, ['clientConfig: Required']],
    ['http', { clientConfig: { url: 'http://x' } }, ['clientConfig.url: Invalid']],
    ['a user in the url', { clientConfig: { url: 'https://u:p@x' } }, ['clientConfig.url: Invalid']],
    ['a query', { clientConfig: { url: 'https://x?a=b' } }, ['clientConfig.url: Invalid']],
    ['no url at all', { clientConfig: { url: ':' } }, ['clientConfig.url: Required']],
    ['a port out of range', service({ port: 70000 }), ['clientConfig.service.port: Invalid']],
    ['a relative path', service({ path: 'xy' }), ['clientConfig.service.path: Invalid']],
    ['an empty segment', service({ path: '/a//b' }), ['clientConfig.service.path: Invalid']],
    ['side effects', { sideEffects: 'Some' }, ['sideEffects: NotSupported']],
    ['unknown side effects', { sideEffects: '' }, ['sideEffects: Required']],
    ['too long a time', { timeoutSeconds: 31 }, ['timeoutSeconds: Invalid']],
    ['no known version', { admissionReviewVersions: ['v7'] }, ['admissionReviewVersions: Invalid']],
    ['no version', { admissionReviewVersions: [] }, ['admissionReviewVersions: Required']],
    ['a version twice', { admissionReviewVersions: ['v1', 'v1'] }, ['admissionReviewVersions[1]: Invalid']],
    ['a policy', { failurePolicy: 'Maybe' }, ['failurePolicy: NotSupported']],
    ['all and one operation', rules({ operations: ['*', 'CREATE'] }), ['rules[0].operations: Invalid']],
    ['an operation', rules({ operations: ['GET'] }), ['rules[0].operations[0]: NotSupported']],
    ['all and one group', rules({ apiGroups: ['*', 'apps'] }), ['rules[0].apiGroups: Invalid']],
    ['no versions', rules({ apiVersions: [] }), ['rules[0].apiVersions: Required']],
    ['covered resources', rules({ resources: ['pods/*', 'pods/status'] }), ['rules[0].resources[1]: Invalid']],
    ['more than everything', rules({ resources: ['*/*', 'a'] }), ['rules[0].resources: Invalid']],
    ['all and one resource', rules({ resources: ['*', 'pods'] }), ['rules[0].resources: Invalid']],
    ['a scope', rules({ scope: 'Galaxy' }), ['rules[0].scope: NotSupported']],
    ['a selector', { objectSelector: { matchLabels: { 'a b': '' } } }, ['objectSelector.matchLabels: Invalid']],
    [
      'a condition without a name',
      { matchConditions: [{ expression: 'true' }] },
      ['matchConditions[0].name: Required'],
    ],
  ])('%s', (_what, more, faults) => {
    const expected = faults.map((fault) => `webhooks[0].${fault}`);
    const json = { metadata, webhooks: [{ ...webhook, ...more }] };
    expect(createFaults(validatingWebhookConfigurations, json)).toEqual(expected);
    expect(createFaults(mutatingWebhookConfigurations, json)).toEqual(expected);
  });

  test('have names of their own', () => {
    const json = { metadata, webhooks: [webhook, webhook] };
    expect(createFaults(validatingWebhookConfigurations, json)).toEqual(['webhooks[1].name: Duplicate']);
    expect(cells(validatingWebhookConfigurations, json)[1]).toBe(2);
  });
});

describe('policies', () => {
  const spec = { matchConstraints: { resourceRules: [rule] }, validations: [{ expression: 'true' }] };
  test.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['for nothing', { matchConstraints: undefined }, ['spec.matchConstraints: Required']],
    ['without rules', { matchConstraints: {} }, ['spec.matchConstraints.resourceRules: Required']],
    ['nothing to do', { validations: [] }, ['spec.validations: Required', 'spec.auditAnnotations: Required']],
    ['no expression', { validations: [{ expression: ' ' }] }, ['spec.validations[0].expression: Required']],
    [
      'a broken message',
      { validations: [{ expression: 'x', message: 'a\nb' }] },
      ['spec.validations[0].message: Invalid'],
    ],
    ['a reason', { validations: [{ expression: 'x', reason: 'Gone' }] }, ['spec.validations[0].reason: NotSupported']],
    ['a variable', { variables: [{ name: 'in', expression: 'x' }] }, ['spec.variables[0].name: Invalid']],
    ['params', { paramKind: { apiVersion: 'a/b/c', kind: 'K' } }, ['spec.paramKind.apiVersion: Invalid']],
    ['params of no kind', { paramKind: { apiVersion: 'v1' } }, ['spec.paramKind.kind: Required']],
  ])('%s', (_what, more, faults) => {
    expect(createFaults(validatingAdmissionPolicies, { metadata, spec: { ...spec, ...more } })).toEqual(faults);
  });

  test('keep their status apart', () => {
    const old = { metadata, spec };
    const { object } = updated(validatingAdmissionPolicies, validatingAdmissionPolicies.update, old, {
      ...old,
      status: { observedGeneration: 7 },
    });
    expect(object.status).toEqual({});
    expect(cells(validatingAdmissionPolicies, old).slice(1, 3)).toEqual([1, '<unset>']);
  });

  const mutation = { patchType: 'JSONPatch', jsonPatch: { expression: '[]' } };
  const changing = { matchConstraints: { resourceRules: [rule] }, mutations: [mutation], reinvocationPolicy: 'Never' };
  test.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['nothing to do', { mutations: [] }, ['spec.mutations: Required']],
    ['no type', { mutations: [{}] }, ['spec.mutations[0].patchType: Required']],
    ['another type', { mutations: [{ patchType: 'Merge' }] }, ['spec.mutations[0].patchType: NotSupported']],
    [
      'the wrong one',
      { mutations: [{ patchType: 'JSONPatch', applyConfiguration: { expression: 'x' } }] },
      ['spec.mutations[0].applyConfiguration: Invalid', 'spec.mutations[0].jsonPatch: Required'],
    ],
    ['no word on reinvocation', { reinvocationPolicy: undefined }, ['spec.reinvocationPolicy: Required']],
    [
      'deletes',
      { matchConstraints: { resourceRules: [{ ...rule, operations: ['DELETE'] }] } },
      ['spec.matchConstraints.resourceRules[0].operations[0]: Invalid'],
    ],
  ])('that change: %s', (_what, more, faults) => {
    expect(createFaults(mutatingAdmissionPolicies, { metadata, spec: { ...changing, ...more } })).toEqual(faults);
  });
});

describe('bindings', () => {
  const spec = { policyName: 'p', validationActions: ['Deny'] };
  const ref = { name: 'x', parameterNotFoundAction: 'Deny' };
  test.each<[string, object, string[]]>([
    ['nothing wrong', { paramRef: ref }, []],
    ['no policy', { policyName: '' }, ['spec.policyName: Required']],
    ['no actions', { validationActions: [] }, ['spec.validationActions: Required']],
    ['two that are one', { validationActions: ['Deny', 'Warn'] }, ['spec.validationActions: Invalid']],
    ['an action twice', { validationActions: ['Audit', 'Audit'] }, ['spec.validationActions[1]: Duplicate']],
    ['another action', { validationActions: ['Cry'] }, ['spec.validationActions[0]: NotSupported']],
    [
      'two ways to parameters',
      { paramRef: { ...ref, selector: {} } },
      ['spec.paramRef.name: Forbidden', 'spec.paramRef.selector: Forbidden'],
    ],
    ['no way to parameters', { paramRef: { parameterNotFoundAction: 'Deny' } }, ['spec.paramRef: Required']],
    [
      'nothing for when there are none',
      { paramRef: { name: 'x' } },
      ['spec.paramRef.parameterNotFoundAction: Required'],
    ],
  ])('%s', (_what, more, faults) => {
    expect(createFaults(validatingAdmissionPolicyBindings, { metadata, spec: { ...spec, ...more } })).toEqual(faults);
  });

  test('columns', () => {
    expect(cells(validatingAdmissionPolicyBindings, { metadata, spec }).slice(1, 3)).toEqual(['p', '<unset>']);
    const named = { metadata, spec: { policyName: 'p', paramRef: { ...ref, namespace: 'n' } } };
    expect(cells(mutatingAdmissionPolicyBindings, named).slice(1, 3)).toEqual(['p', 'n/x']);
  });
});
