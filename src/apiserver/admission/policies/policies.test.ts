import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  type MutatingAdmissionPolicySpec,
  mutatingAdmissionPolicies,
} from '../../../apis/admissionregistration/mutatingAdmissionPolicy.ts';
import { mutatingAdmissionPolicyBindings } from '../../../apis/admissionregistration/mutatingAdmissionPolicyBinding.ts';
import {
  type ValidatingAdmissionPolicySpec,
  validatingAdmissionPolicies,
} from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import {
  type ValidatingAdmissionPolicyBindingSpec,
  validatingAdmissionPolicyBindings,
} from '../../../apis/admissionregistration/validatingAdmissionPolicyBinding.ts';
import { deployments } from '../../../apis/apps/deployment.ts';
import { configMaps } from '../../../apis/core/configMap.ts';
import { clusterRoles } from '../../../apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../../../apis/rbac/clusterRoleBinding.ts';
import type { PolicyRule } from '../../../apis/rbac/rules.ts';
import { deviceClasses } from '../../../apis/resource/deviceClass.ts';
import { createClient } from '../../../client/createClient.ts';
import { http, startTestServer, type TestServer } from '../../testing/testServer.ts';

let server: TestServer;
let port = 0;
beforeAll(async () => {
  server = await startTestServer();
  port = (await server.api.listen({ host: '127.0.0.1', port: 0 })).port;
});
afterAll(() => server.stop());
afterEach(async () => {
  for (const kind of [
    validatingAdmissionPolicyBindings,
    validatingAdmissionPolicies,
    mutatingAdmissionPolicyBindings,
    mutatingAdmissionPolicies,
  ]) {
    await http(server, port, `/apis/${kind.group}/v1/${kind.plural}`, { method: 'DELETE' });
  }
});

const CONFIG_MAPS = [
  { operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] },
];
const match = { resourceRules: CONFIG_MAPS };

async function validating(
  spec: Partial<ValidatingAdmissionPolicySpec>,
  binding: Partial<ValidatingAdmissionPolicyBindingSpec> = {},
): Promise<void> {
  await server.client.create(validatingAdmissionPolicies, {
    metadata: { name: 'p' },
    spec: { matchConstraints: match, ...spec },
  });
  await server.client.create(validatingAdmissionPolicyBindings, {
    metadata: { name: 'b' },
    spec: { policyName: 'p', validationActions: ['Deny'], ...binding },
  });
}

let count = 0;
const make = (data: Record<string, string> = {}, namespace = 'default') =>
  server.client.create(configMaps, { metadata: { namespace, name: `map-${++count}` }, data });

describe('parameters', () => {
  test('are taken only by whoever may read them', async () => {
    const rbac = { apiGroup: 'rbac.authorization.k8s.io' };
    const allow = async (user: string, rules: PolicyRule[]) => {
      await server.client.create(clusterRoles, { metadata: { name: user }, rules });
      await server.client.create(clusterRoleBindings, {
        metadata: { name: user },
        roleRef: { ...rbac, kind: 'ClusterRole', name: user },
        subjects: [{ ...rbac, kind: 'User', name: user }],
      });
      return createClient(server.api.transport({ name: user, groups: [] }));
    };
    const policies = { verbs: ['*'], apiGroups: ['admissionregistration.k8s.io'], resources: ['*'] };
    const reads = (resource: string, more = {}) => ({
      verbs: ['get'],
      apiGroups: [''],
      resources: [resource],
      ...more,
    });
    const blind = await allow('blind', [policies, reads('configmaps'), reads('secrets', { resourceNames: ['one'] })]);
    const seeing = await allow('seeing', [policies, reads('secrets')]);
    const spec = {
      paramKind: { apiVersion: 'v1', kind: 'Secret' },
      matchConstraints: match,
      validations: [{ expression: 'false', messageExpression: 'string(params.data)' }],
    };
    const policy = { metadata: { name: 'p' }, spec };
    await expect(blind.create(validatingAdmissionPolicies, policy)).rejects.toThrow(
      'spec.paramKind: Forbidden: user "blind" must have "get" permission on all objects of the referenced paramKind (kind=Secret, apiVersion=v1)',
    );
    const mutating = {
      paramKind: spec.paramKind,
      matchConstraints: match,
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: 'Object{}' } }],
    };
    const changing = { metadata: { name: 'p' }, spec: mutating };
    await expect(blind.create(mutatingAdmissionPolicies, changing)).rejects.toThrow('spec.paramKind: Forbidden');
    await seeing.create(validatingAdmissionPolicies, policy);
    const binding = (name: string, paramName: string) => ({
      metadata: { name },
      spec: {
        policyName: 'p',
        validationActions: ['Deny'],
        paramRef: { name: paramName, namespace: 'default', parameterNotFoundAction: 'Deny' },
      },
    });
    await expect(blind.create(validatingAdmissionPolicyBindings, binding('b', 'two'))).rejects.toThrow(
      'spec.paramRef: Forbidden: user "blind" does not have "get" permission on the object referenced by paramRef',
    );
    const made = await blind.create(validatingAdmissionPolicyBindings, binding('b', 'one'));
    await expect(
      blind.update(validatingAdmissionPolicyBindings, { ...made, spec: binding('b', 'two').spec }),
    ).rejects.toThrow('spec.paramRef: Forbidden');
    await blind.update(validatingAdmissionPolicyBindings, {
      ...made,
      metadata: { ...made.metadata, labels: { a: 'b' } },
    });
  });
});

describe('a validating policy', () => {
  test('refuses what breaks its rules', async () => {
    await validating({ validations: [{ expression: "!has(object.data.colour) || object.data.colour != 'red'" }] });
    await make({ colour: 'blue' });
    await expect(make({ colour: 'red' })).rejects.toMatchObject({
      status: {
        code: 422,
        reason: 'Invalid',
        message: `configmaps "map-${count}" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: failed expression: !has(object.data.colour) || object.data.colour != 'red'`,
        details: { name: `map-${count}`, kind: 'configmaps' },
      },
    });
  });

  test('says why, with its reason, in words made from variables', async () => {
    await validating({
      variables: [
        { name: 'colour', expression: "object.data.?colour.orValue('none')" },
        { name: 'shout', expression: 'variables.colour.upperAscii()' },
      ],
      validations: [
        {
          expression: "variables.colour == 'blue'",
          messageExpression: "'not ' + variables.shout",
          message: 'not used',
          reason: 'Forbidden',
        },
      ],
    });
    await expect(make({ colour: 'red' })).rejects.toMatchObject({ status: { code: 403, reason: 'Forbidden' } });
    await expect(make({ colour: 'red' })).rejects.toThrow('denied request: not RED');
  });

  test('fails as its policy says where it cannot be decided', async () => {
    await validating({ validations: [{ expression: "object.data.absent == 'x'" }] });
    await expect(make({ colour: 'red' })).rejects.toThrow(
      "expression 'object.data.absent == 'x'' resulted in error: no such key: absent",
    );
    await server.client.patch(validatingAdmissionPolicies, { name: 'p' }, 'merge', {
      spec: { failurePolicy: 'Ignore' },
    });
    await make({ colour: 'red' });
  });

  test('looks only at what its conditions, its binding and its selectors let through', async () => {
    await validating(
      {
        matchConditions: [{ name: 'not-mine', expression: "!object.metadata.name.endsWith('-exempt')" }],
        validations: [{ expression: 'false' }],
      },
      { matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'default' } } } },
    );
    await expect(make()).rejects.toThrow('failed expression: false');
    await make({}, 'kube-public');
    await server.client.create(configMaps, { metadata: { namespace: 'default', name: 'one-exempt' } });
  });

  test('takes parameters from objects', async () => {
    await server.client.create(configMaps, {
      metadata: { namespace: 'kube-public', name: 'limits' },
      data: { max: '2' },
    });
    await validating(
      {
        paramKind: { apiVersion: 'v1', kind: 'ConfigMap' },
        validations: [{ expression: 'object.data.size() <= int(params.data.max)' }],
      },
      { paramRef: { name: 'limits', namespace: 'kube-public', parameterNotFoundAction: 'Deny' } },
    );
    await make({ a: '1', b: '2' });
    await expect(make({ a: '1', b: '2', c: '3' })).rejects.toThrow('failed expression');
    await server.client.delete(configMaps, { namespace: 'kube-public', name: 'limits' });
    await expect(make()).rejects.toThrow('no params found for policy binding');
  });

  test('warns', async () => {
    await validating({ validations: [{ expression: 'false', message: 'hm' }] }, { validationActions: ['Warn'] });
    const answer = await http(server, port, '/api/v1/namespaces/default/configmaps', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ metadata: { name: 'warned' } }),
    });
    expect(answer.status).toBe(201);
    expect(answer.headers.warning).toBe(
      `299 - "Validation failed for ValidatingAdmissionPolicy 'p' with binding 'b': hm"`,
    );
  });

  test('knows the request, its namespace, and who may do what', async () => {
    await validating({
      validations: [
        { expression: "request.operation == 'CREATE' && request.userInfo.username == 'admin' && !request.dryRun" },
        { expression: "namespaceObject.metadata.name == 'default' && oldObject == null" },
        {
          expression: "authorizer.group('apps').resource('deployments').namespace('default').check('delete').allowed()",
        },
        {
          expression: "!authorizer.serviceAccount('default', 'x').group('').resource('secrets').check('get').allowed()",
        },
        {
          expression:
            "authorizer.requestResource.check('create').allowed() && authorizer.path('/healthz').check('get').allowed()",
        },
      ],
    });
    await make();
  });

  test('is refused where it does not compile: all expressions at once', async () => {
    const validations = [
      { expression: 'object.' },
      { expression: 'nobody' },
      { expression: '1 + 1', messageExpression: '7' },
    ];
    await expect(validating({ validations })).rejects.toMatchObject({
      status: {
        code: 422,
        details: {
          causes: [
            { field: 'spec.validations[0].expression' },
            { field: 'spec.validations[1].expression' },
            { field: 'spec.validations[2].expression', message: expect.stringContaining('must evaluate to bool') },
            { field: 'spec.validations[2].messageExpression' },
          ],
        },
      },
    });
  });

  test('too much work ends in an error', async () => {
    await validating({
      validations: [
        {
          expression:
            '[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, [1,2,3,4,5,6,7,8,9].all(f, a + b + c + d + e + f > 0))))))',
        },
      ],
    });
    await expect(make()).rejects.toThrow('cost');
  });
});

async function mutating(spec: Partial<MutatingAdmissionPolicySpec>, name = 'p'): Promise<void> {
  await server.client.create(mutatingAdmissionPolicies, {
    metadata: { name },
    spec: { matchConstraints: match, reinvocationPolicy: 'Never', ...spec },
  });
  await server.client.create(mutatingAdmissionPolicyBindings, { metadata: { name }, spec: { policyName: name } });
}

describe('a mutating policy', () => {
  test('applies a configuration', async () => {
    const expression = "Object{metadata: Object.metadata{labels: {'team': object.data.team}}}";
    await mutating({ mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }] });
    expect((await make({ team: 'blue' })).metadata.labels).toEqual({ team: 'blue' });
  });

  test('merges lists by their keys', async () => {
    const rules = [{ operations: ['*'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['deployments'] }];
    const expression =
      "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: 'side', image: 'y'}, Object.spec.template.spec.containers{name: 'c', image: 'z'}]}}}}";
    await mutating({
      matchConstraints: { resourceRules: rules },
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    });
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'x', args: ['keep'] }] } };
    const made = await server.client.create(deployments, {
      metadata: { namespace: 'default', name: 'd' },
      spec: { selector: { matchLabels: labels }, template },
    });
    expect(made.spec?.template?.spec?.containers).toMatchObject([
      { name: 'c', image: 'z', args: ['keep'] },
      { name: 'side', image: 'y', imagePullPolicy: 'Always' },
    ]);
  });

  test('applies a JSON patch, in the order of names; those who want to are asked again', async () => {
    const patch = (name: string, value: string) => ({
      mutations: [
        {
          patchType: 'JSONPatch',
          jsonPatch: {
            expression: `[JSONPatch{op: 'add', path: '/data/' + jsonpatch.escapeKey('${name}'), value: ${value}}]`,
          },
        },
      ],
    });
    await mutating({ ...patch('first', 'string(object.data.size())'), reinvocationPolicy: 'IfNeeded' }, 'a');
    await mutating(patch('second', "'2'"), 'b');
    expect((await make({ x: 'y' })).data).toEqual({ x: 'y', first: '3', second: '2' });
  });

  test('refuses where it fails', async () => {
    const expression = "[JSONPatch{op: 'replace', path: '/data/nowhere', value: '1'}]";
    await mutating({ mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression } }] });
    await expect(make()).rejects.toThrow("MutatingAdmissionPolicy 'p' with binding 'p' denied request");
  });
});

test('selectors of devices must compile', async () => {
  const named = (name: string, expression: string) =>
    server.client.create(deviceClasses, { metadata: { name }, spec: { selectors: [{ cel: { expression } }] } });
  await named('good', "device.driver == 'x' && device.attributes['x'].model == 'a'");
  await expect(named('bad', 'device.colour')).rejects.toMatchObject({
    status: { details: { causes: [{ field: 'spec.selectors[0].cel.expression' }] } },
  });
});

test('policies are nothing that policies are for', async () => {
  await validating({
    matchConstraints: {
      resourceRules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'] }],
    },
    validations: [{ expression: 'false' }],
  });
  const other = createClient(server.api.transport({ name: 'admin', groups: ['system:masters'] }));
  await expect(make()).rejects.toThrow('failed expression');
  await other.delete(validatingAdmissionPolicyBindings, { name: 'b' });
  await make();
});
