import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const GROUP = 'stable.example.com';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

type Json = Record<string, unknown>;

const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['cron'],
      properties: {
        cron: { type: 'string', pattern: '^(\\S+\\s){4}\\S+$' },
        replicas: { type: 'integer', minimum: 0, maximum: 10, default: 1 },
        image: { type: 'string' },
        port: { 'x-kubernetes-int-or-string': true },
        free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        maybe: { type: 'string', nullable: true },
        mode: { type: 'string', enum: ['a', 'b'] },
        items: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            required: ['name'],
            properties: { name: { type: 'string' }, on: { type: 'boolean', default: true } },
          },
        },
      },
      'x-kubernetes-validations': [
        {
          rule: 'self.replicas < 9 || self.image == "big"',
          message: 'many replicas want a big image',
          fieldPath: '.replicas',
        },
        {
          rule: '!has(oldSelf.mode) || self.mode == oldSelf.mode',
          messageExpression: '"mode stays " + oldSelf.mode',
          reason: 'FieldValueForbidden',
        },
      ],
    },
    status: {
      type: 'object',
      properties: { replicas: { type: 'integer' }, selector: { type: 'string' }, at: { type: 'string' } },
    },
  },
};

const crd = (over: Json = {}, version: Json = {}): Json => ({
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `crontabs.${GROUP}` },
  spec: {
    group: GROUP,
    scope: 'Namespaced',
    names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: schema },
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
        additionalPrinterColumns: [
          { name: 'Cron', type: 'string', jsonPath: '.spec.cron' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        selectableFields: [{ jsonPath: '.spec.image' }],
        ...version,
      },
    ],
    ...over,
  },
});

const object = (name: string, spec: Json = {}, more: Json = {}): Json => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'CronTab',
  metadata: { name },
  spec: { cron: '* * * * *', ...spec },
  ...more,
});

let server: TestServer;
let port: number;
beforeAll(async () => {
  server = await startTestServer();
  ({ port } = await server.api.listen({ host: '127.0.0.1', port: 0 }));
});
afterAll(() => server.stop());

const get = (path: string, headers: Record<string, string> = {}) => http(server, port, path, { headers });
const send = (method: string, path: string, body: unknown, type = 'application/json') =>
  http(server, port, path, { method, body: JSON.stringify(body), headers: { 'content-type': type } });
const base = `/apis/${GROUP}/v1/namespaces/default/crontabs`;

async function until<T>(read: () => Promise<T>, ok: (value: T) => boolean): Promise<T> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const value = await read();
    if (ok(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('a custom resource', () => {
  it('is served as soon as it is defined', async () => {
    const created = await send('POST', CRDS, crd());
    expect(created.status).toBe(201);
    expect(created.json.spec).toMatchObject({
      names: { singular: 'crontab', listKind: 'CronTabList' },
      conversion: { strategy: 'None' },
    });
    const answer = await send(
      'POST',
      base,
      object('first', { extra: 1, items: [{ name: 'x', off: 1 }], maybe: null, free: { any: [1] } }),
    );
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ metadata: { generation: 1, namespace: 'default' } });
    expect(answer.json.spec).toEqual({
      cron: '* * * * *',
      replicas: 1,
      items: [{ name: 'x', on: true }],
      maybe: null,
      free: { any: [1] },
    });
    expect(String(answer.headers.warning)).toMatch(/spec\.extra.*spec\.items\[0\]\.off/);
    const now = await until(
      () => get(`${CRDS}/crontabs.${GROUP}`),
      (a) => a.json.status.conditions?.length === 2,
    );
    expect(now.json.status).toMatchObject({
      acceptedNames: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
      storedVersions: ['v1'],
      conditions: [
        { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts' },
        { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
      ],
    });
    expect(now.json.metadata.finalizers).toEqual(['customresourcecleanup.apiextensions.k8s.io']);
  });

  it.each([
    [{ cron: 5 }, 'spec.cron: Invalid value: "integer": spec.cron in body must be of type string: "integer"'],
    [{ cron: 'x' }, 'spec.cron: Invalid value: "x": spec.cron in body should match \'^(\\S+\\s){4}\\S+$\''],
    [{ replicas: 11 }, 'spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10'],
    [{ replicas: null, mode: 'c' }, 'spec.mode: Unsupported value: "c": supported values: "a", "b"'],
    [{ image: null }, 'spec.image: Invalid value: "null": spec.image in body must be of type string: "null"'],
    [{ cron: undefined }, 'spec.cron: Required value'],
    [{ items: [{ name: 'x' }, { name: 'x' }] }, 'spec.items[1]: Duplicate value: {"name":"x"}'],
    [{ items: 'x' }, 'spec.items: Invalid value: "string": spec.items in body must be of type array: "string"'],
    [{ port: 1.5 }, 'spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'],
    [{ replicas: 9, image: 'small' }, 'spec.replicas: Invalid value: "object": many replicas want a big image'],
    [{ replicas: 9 }, 'spec: Invalid value: "object": rule evaluation error: no such key: image'],
    [
      { mode: 'c' },
      '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid',
    ],
    [{ cron: 'x', replicas: 9, image: 'small' }, 'many replicas want a big image'],
  ])('is validated: %j', async (spec, message) => {
    const answer = await send('POST', base, object('bad', spec));
    expect(answer.json.message).toContain(message);
    expect(answer.status).toBe(422);
  });

  it('refuses unknown fields where that is asked for, and metadata that is none', async () => {
    const strict = await send('POST', `${base}?fieldValidation=Strict`, object('strict', { nope: 1 }));
    expect(strict).toMatchObject({
      status: 400,
      json: { message: expect.stringContaining('unknown field "spec.nope"') },
    });
    const meta = await send('POST', base, { ...object('x'), metadata: { name: 'x', labels: 5 } });
    expect(meta.status).toBe(400);
  });

  it('has status and scale of their own, and a generation', async () => {
    const path = `${base}/first`;
    const status = await send(
      'PATCH',
      `${path}/status`,
      { status: { replicas: 3, selector: 'a=b' }, spec: { cron: '1 1 1 1 1' } },
      'application/merge-patch+json',
    );
    expect(status.json).toMatchObject({
      status: { replicas: 3 },
      spec: { cron: '* * * * *' },
      metadata: { generation: 1 },
    });
    const main = await send(
      'PATCH',
      path,
      { status: { replicas: 9 }, spec: { image: 'i' } },
      'application/merge-patch+json',
    );
    expect(main.json).toMatchObject({ status: { replicas: 3 }, spec: { image: 'i' }, metadata: { generation: 2 } });
    expect((await get(`${path}/scale`)).json).toMatchObject({
      spec: { replicas: 1 },
      status: { replicas: 3, selector: 'a=b' },
    });
    const scaled = await send('PATCH', `${path}/scale`, { spec: { replicas: 4 } }, 'application/merge-patch+json');
    expect(scaled.json.spec).toEqual({ replicas: 4 });
    expect((await get(path)).json).toMatchObject({ spec: { replicas: 4 }, metadata: { generation: 3 } });
    expect((await send('PATCH', path, {}, 'application/strategic-merge-patch+json')).status).toBe(415);
    expect((await get(`${base}?fieldSelector=spec.image%3Di`)).json.items).toHaveLength(1);
    expect((await get(`${base}?fieldSelector=spec.image%3Dother`)).json.items).toHaveLength(0);
    expect((await get(`${base}?fieldSelector=spec.cron%3Dx`)).status).toBe(400);
  });

  it('judges transitions', async () => {
    const path = `${base}/first`;
    expect((await send('PATCH', path, { spec: { mode: 'a' } }, 'application/merge-patch+json')).status).toBe(200);
    const refused = await send('PATCH', path, { spec: { mode: 'b' } }, 'application/merge-patch+json');
    expect(refused.json).toMatchObject({
      code: 422,
      details: { causes: [{ reason: 'FieldValueForbidden', message: expect.stringContaining('mode stays a') }] },
    });
  });

  it('is in discovery and in OpenAPI, whose hashes change with it', async () => {
    expect((await get(`/apis/${GROUP}/v1`)).json.resources.map((r: Json) => r.name)).toEqual([
      'crontabs',
      'crontabs/scale',
      'crontabs/status',
    ]);
    const all = await get('/apis', { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' });
    expect(JSON.stringify(all.json)).toContain('"shortNames":["ct"]');
    const before = (await get('/openapi/v3')).json.paths[`apis/${GROUP}/v1`].serverRelativeURL;
    const document = await get(before);
    const name = 'com.example.stable.v1.CronTab';
    expect(document.json.components.schemas[name]['x-kubernetes-group-version-kind']).toEqual([
      { group: GROUP, kind: 'CronTab', version: 'v1' },
    ]);
    expect(document.json.components.schemas[name].properties.spec.properties.cron.pattern).toBeDefined();
    expect((await get('/openapi/v2')).json.definitions[name].properties.metadata.$ref).toContain('ObjectMeta');
  });

  it('has columns', async () => {
    const table = await get(base, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect(table.json.columnDefinitions.map((c: Json) => [c.name, c.priority])).toEqual([
      ['Name', 0],
      ['Cron', 0],
      ['Replicas', 1],
      ['Age', 0],
    ]);
    expect(table.json.rows[0].cells).toEqual(['first', '* * * * *', 4, expect.stringMatching(/^\d+s$/)]);
  });

  it('ratchets: what is there already may stay as it is when the schema grows stricter', async () => {
    const stricter = structuredClone(schema) as typeof schema & Json;
    stricter.properties.spec.properties.cron.pattern = '^nothing$';
    (stricter.properties.spec.properties as Json).added = { type: 'string', default: 'new' };
    const changed = await http(server, port, `${CRDS}/crontabs.${GROUP}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json-patch+json' },
      body: JSON.stringify([{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: stricter }]),
    });
    expect(changed.status).toBe(200);
    // New defaults show when old objects are read.
    expect((await get(`${base}/first`)).json.spec.added).toBe('new');
    expect(
      (await send('PATCH', `${base}/first`, { spec: { image: 'j' } }, 'application/merge-patch+json')).status,
    ).toBe(200);
    const refused = await send(
      'PATCH',
      `${base}/first`,
      { spec: { cron: '2 * * * *' } },
      'application/merge-patch+json',
    );
    expect(refused.status).toBe(422);
  });

  it('goes with its definition, and with it everything of it', async () => {
    const gone = await http(server, port, `${CRDS}/crontabs.${GROUP}`, { method: 'DELETE' });
    expect(gone.status).toBe(200);
    const end = await until(
      () => get(`${CRDS}/crontabs.${GROUP}`),
      (a) => a.status === 404,
    );
    expect(end.status).toBe(404);
    expect((await get(base)).status).toBe(404);
    expect((await get('/openapi/v3')).json.paths[`apis/${GROUP}/v1`]).toBeUndefined();
    await send('POST', CRDS, crd());
    expect((await get(base)).json.items).toEqual([]);
  });
});

describe('definitions', () => {
  const props = (properties: Json, more: Json = {}) =>
    crd(
      {},
      {
        schema: { openAPIV3Schema: { type: 'object', properties, ...more } },
        subresources: {},
        additionalPrinterColumns: [],
        selectableFields: [],
      },
    );
  it.each<[string, Json, string]>([
    [
      'name',
      { ...crd(), metadata: { name: 'x' } },
      'metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group',
    ],
    ['scope', crd({ scope: 'None' }), 'spec.scope: Unsupported value: "None"'],
    [
      'preserve',
      crd({ preserveUnknownFields: true }),
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true',
    ],
    ['webhook', crd({ conversion: { strategy: 'Webhook' } }), 'spec.conversion.webhook.clientConfig: Required value'],
    ['storage', crd({}, { storage: false }), 'must have exactly one version marked as storage version'],
    [
      'schema',
      crd({}, { schema: undefined }),
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    [
      'type',
      props({ a: {} }),
      'spec.versions[0].schema.openAPIV3Schema.properties[a].type: Required value: must not be empty for specified object fields',
    ],
    [
      'root',
      props({}, { type: 'string' }),
      'openAPIV3Schema.type: Invalid value: "string": must be object at the root',
    ],
    [
      'pattern',
      props({ a: { type: 'string', pattern: '(' } }),
      'properties[a].pattern: Invalid value: "(": must be a valid regular expression',
    ],
    ['default', props({ a: { type: 'string', default: 5 } }), 'must be of type string: "integer"'],
    [
      'items',
      props({ a: { type: 'array', items: [{ type: 'string' }] } }),
      'items must be a schema object and not an array',
    ],
    [
      'nested',
      props({ a: { type: 'array', items: { type: 'object', properties: { b: { type: 'what' } } } } }),
      'properties[a].items.properties[b].type: Unsupported value: "what"',
    ],
    [
      'unstructured',
      props({ a: { type: 'object', anyOf: [{ properties: { b: { type: 'string' } } }] } }),
      'properties[a].anyOf[0].properties[b].type: Forbidden: must be empty to be structural',
    ],
    [
      'rule',
      props({ a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self.b > 1' }] } }),
      "type 'string' does not support field selection",
    ],
    [
      'bool rule',
      props({ a: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self' }] } }),
      'must evaluate to bool',
    ],
    [
      'keys',
      props({ a: { type: 'array', 'x-kubernetes-list-type': 'map', items: { type: 'object', properties: {} } } }),
      'x-kubernetes-list-map-keys: Required value',
    ],
    [
      'column',
      crd({}, { additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: 'x' }] }),
      'must be a simple json path starting with .',
    ],
    [
      'selectable',
      crd({}, { selectableFields: [{ jsonPath: '.spec.nope' }] }),
      'selectableFields[0].jsonPath: Invalid value: ".spec.nope"',
    ],
    [
      'scale',
      crd({}, { subresources: { scale: { specReplicasPath: '.status.r', statusReplicasPath: '.status.r' } } }),
      'should be a json path under .spec',
    ],
    [
      'approval',
      { ...crd({ group: 'x.k8s.io' }), metadata: { name: 'crontabs.x.k8s.io' } },
      'protected groups must have approval annotation',
    ],
    [
      'group',
      { ...crd({ group: 'plain' }), metadata: { name: 'crontabs.plain' } },
      'should be a domain with at least one dot',
    ],
  ])('are validated: %s', async (_name, definition, message) => {
    const answer = await send('POST', CRDS, definition);
    expect(answer.json.message).toContain(message);
    expect(answer.status).toBe(422);
  });

  it('with names that others have wait until those are free', async () => {
    const other = crd({ names: { plural: 'others', kind: 'Other', shortNames: ['ct'] } });
    (other.metadata as Json).name = `others.${GROUP}`;
    expect((await send('POST', CRDS, other)).status).toBe(201);
    const path = `${CRDS}/others.${GROUP}`;
    const waiting = await until(
      () => get(path),
      (a) => a.json.status.conditions?.length === 2,
    );
    expect(waiting.json.status.conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'False', reason: 'ShortNamesConflict' },
      { type: 'Established', status: 'False' },
    ]);
    expect((await get(`/apis/${GROUP}/v1/others`)).status).toBe(404);
    await http(server, port, `${CRDS}/crontabs.${GROUP}`, { method: 'DELETE' });
    const free = await until(
      () => get(`/apis/${GROUP}/v1/others`),
      (a) => a.status === 200,
    );
    expect(free.status).toBe(200);
  });

  it('have several versions, stored as one', async () => {
    const open = (properties: Json) => ({
      openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties } } },
    });
    const definition = crd({
      names: { plural: 'multis', kind: 'Multi' },
      scope: 'Cluster',
      versions: [
        {
          name: 'v1beta1',
          served: true,
          storage: false,
          deprecated: true,
          schema: open({ a: { type: 'string' }, old: { type: 'integer', default: 7 } }),
        },
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: open({ a: { type: 'string' }, b: { type: 'string', default: 'B' } }),
        },
        { name: 'v2', served: false, storage: false, schema: open({ a: { type: 'string' } }) },
      ],
    });
    (definition.metadata as Json).name = `multis.${GROUP}`;
    expect((await send('POST', CRDS, definition)).status).toBe(201);
    const made = await send('POST', `/apis/${GROUP}/v1beta1/multis`, {
      apiVersion: `${GROUP}/v1beta1`,
      kind: 'Multi',
      metadata: { name: 'm' },
      spec: { a: 'x' },
    });
    expect(made.json).toMatchObject({ apiVersion: `${GROUP}/v1beta1`, spec: { a: 'x', old: 7 } });
    expect(String(made.headers.warning)).toContain(`${GROUP}/v1beta1 Multi is deprecated`);
    expect((await get(`/apis/${GROUP}/v1/multis/m`)).json).toMatchObject({
      apiVersion: `${GROUP}/v1`,
      spec: { a: 'x', b: 'B' },
    });
    expect((await get(`/apis/${GROUP}/v2/multis/m`)).status).toBe(404);
    // Another version is stored from now on; what is stored is read all the same.
    const change = await http(server, port, `${CRDS}/multis.${GROUP}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json-patch+json' },
      body: JSON.stringify([
        { op: 'replace', path: '/spec/versions/0/storage', value: true },
        { op: 'replace', path: '/spec/versions/1/storage', value: false },
      ]),
    });
    expect(change.json.status.storedVersions).toEqual(['v1', 'v1beta1']);
    expect((await get(`/apis/${GROUP}/v1beta1/multis/m`)).json).toMatchObject({
      apiVersion: `${GROUP}/v1beta1`,
      spec: { a: 'x', old: 7 },
    });
    const update = await send(
      'PATCH',
      `/apis/${GROUP}/v1/multis/m`,
      { spec: { a: 'y', b: 'C' } },
      'application/merge-patch+json',
    );
    expect(update.json).toMatchObject({ apiVersion: `${GROUP}/v1`, spec: { a: 'y' } });
  });
});
