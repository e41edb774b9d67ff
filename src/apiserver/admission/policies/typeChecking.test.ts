import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type ValidatingAdmissionPolicySpec,
  validatingAdmissionPolicies,
} from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import { customResourceDefinitions } from '../../../apis/apiextensions/customResourceDefinition.ts';
import { startTestServer, type TestServer } from '../../testing/testServer.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.stop());

const rule = (group: string, ...resources: string[]) => ({
  operations: ['CREATE'],
  apiGroups: [group],
  apiVersions: ['v1'],
  resources,
});

let count = 0;
/** The status of a policy about deployments, once it is there. */
async function statusOf(spec: Partial<ValidatingAdmissionPolicySpec>) {
  const name = `p${++count}`;
  await server.client.create(validatingAdmissionPolicies, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules: [rule('apps', 'deployments')] }, ...spec },
  });
  return vi.waitFor(
    async () => {
      const { metadata, status } = await server.client.get(validatingAdmissionPolicies, { name });
      expect(status?.observedGeneration).toBe(metadata.generation);
      return status;
    },
    { timeout: 10_000, interval: 10 },
  );
}

async function warningsOf(spec: Partial<ValidatingAdmissionPolicySpec>) {
  const status = await statusOf(spec);
  expect(status?.typeChecking).toBeDefined();
  return status?.typeChecking?.expressionWarnings ?? [];
}

describe('what is doubtful in the expressions of a policy', () => {
  it.each<[string, Partial<ValidatingAdmissionPolicySpec>]>([
    ['fits', { validations: [{ expression: 'object.spec.replicas > 1' }] }],
    [
      'walks lists and maps',
      { validations: [{ expression: 'object.spec.template.spec.containers.all(c, c.image != "")' }] },
    ],
    [
      'uses variables',
      {
        variables: [
          { name: 'n', expression: 'object.spec.replicas' },
          { name: 'odd', expression: 'variables.n % 2 == 1' },
        ],
        validations: [{ expression: 'variables.odd' }],
      },
    ],
    [
      'is about everything',
      {
        matchConstraints: { resourceRules: [rule('*', '*')] },
        validations: [{ expression: "object.spec.replicas > '1'" }],
      },
    ],
    [
      'knows its parameters',
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: "params.data['max'] == string(object.spec.replicas)" }],
      },
    ],
  ])('is nothing where it %s', async (_, spec) => {
    expect(await warningsOf(spec)).toEqual([]);
  });

  it('is told by the field, with the kind', async () => {
    const warnings = await warningsOf({
      validations: [
        { expression: "object.spec.replicas > '1'", messageExpression: "'wants more, got ' + object.spec.replicas" },
        { expression: 'object.spec.maxRetries < 10' },
      ],
    });
    expect(warnings).toEqual([
      {
        fieldRef: 'spec.validations[0].expression',
        warning: expect.stringMatching(
          /^apps\/v1, Kind=Deployment: ERROR: <input>:1:\d+: found no matching overload for '_>_' applied to '\(int, string\)'/,
        ),
      },
      {
        fieldRef: 'spec.validations[0].messageExpression',
        warning: expect.stringContaining("found no matching overload for '_+_' applied to '(string, int)'"),
      },
      { fieldRef: 'spec.validations[1].expression', warning: expect.stringContaining("undefined field 'maxRetries'") },
    ]);
  });

  it('is told of each kind, of parameters and of variables', async () => {
    const both = await warningsOf({
      matchConstraints: { resourceRules: [rule('apps', 'deployments', 'daemonsets', 'deployments/scale')] },
      variables: [{ name: 'n', expression: 'object.spec.replicas' }],
      validations: [{ expression: "variables.n == 'x'" }, { expression: 'object.spec.replicas > 1' }],
    });
    expect(both.map((w) => [w.fieldRef, w.warning.match(/Kind=\w+/g)])).toEqual([
      ['spec.validations[0].expression', ['Kind=Deployment']],
      ['spec.validations[1].expression', ['Kind=DaemonSet']],
    ]);
    const [params] = await warningsOf({
      paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
      validations: [{ expression: 'params.data.max > 1' }],
    });
    expect(params?.warning).toContain("found no matching overload for '_>_' applied to '(string, int)'");
  });

  it('is told of custom resources', async () => {
    await server.client.create(customResourceDefinitions, {
      metadata: { name: 'gadgets.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'gadgets', kind: 'Gadget' },
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: { spec: { type: 'object', properties: { size: { type: 'integer' } } } },
              },
            },
          },
        ],
      },
    } as never);
    await vi.waitFor(async () => {
      const { status } = await server.client.get(customResourceDefinitions, { name: 'gadgets.example.com' });
      expect(status?.conditions).toContainEqual(expect.objectContaining({ type: 'Established', status: 'True' }));
    });
    const warnings = await warningsOf({
      matchConstraints: { resourceRules: [rule('example.com', 'gadgets')] },
      validations: [{ expression: 'object.spec.size < 10' }, { expression: "object.spec.size == 'big'" }],
    });
    expect(warnings.map((w) => w.fieldRef)).toEqual(['spec.validations[1].expression']);
  });

  it('is looked at anew with every change', async () => {
    await statusOf({ validations: [{ expression: 'object.spec.nothing' }] });
    const name = `p${count}`;
    await server.client.patch(validatingAdmissionPolicies, { name }, 'merge', {
      spec: { validations: [{ expression: 'object.spec.paused' }] },
    });
    await vi.waitFor(async () => {
      const { status } = await server.client.get(validatingAdmissionPolicies, { name });
      expect(status).toMatchObject({ observedGeneration: 2, typeChecking: {} });
    });
  });
});
