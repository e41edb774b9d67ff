/** Custom resources in several versions that a webhook converts. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SeededRandom } from '../../lib/random.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

/** Slow machines are given time. */
const eventually = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 20_000, interval: 20 });

const GROUP = 'shapes.example.com';
const DEFINITION = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/boxes.${GROUP}`;
const boxes = (version: string, name = '') => `/apis/${GROUP}/${version}/namespaces/default/boxes${name && `/${name}`}`;

interface Box {
  apiVersion: string;
  metadata: { name: string; labels?: Record<string, string>; uid?: string };
  // v1: width and height; v2: "3x4"
  spec: { width?: number; height?: number; size?: string };
}

/** `desired` of the other version. */
function convert(box: Box, desired: string): Box {
  const { width, height, size = '' } = box.spec;
  const [w, h] = size.split('x').map(Number);
  const spec = desired.endsWith('/v2') ? { size: `${width}x${height}` } : { width: w ?? 0, height: h ?? 0 };
  return { ...box, apiVersion: desired, spec };
}

let server: TestServer;
let api: OverHttp;
let webhook: Server;
const sockets = new Set<Socket>();
let calls: { desiredAPIVersion: string; objects: Box[] }[] = [];
/** turns of the event loop that the webhook takes to answer */
let slowness = () => 0;
let respond: (request: { uid: string; desiredAPIVersion: string; objects: Box[] }) => object = () => ({});
const well: typeof respond = ({ uid, desiredAPIVersion, objects }) => ({
  uid,
  result: { status: 'Success' },
  convertedObjects: objects.map((o) => convert(o, desiredAPIVersion)),
});

beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
  webhook = createServer(await server.ca.issue('webhook'), (req, res) => {
    let body = '';
    req.on('data', (chunk: Buffer) => {
      body += chunk.toString('utf8');
    });
    req.on('end', () => {
      const { apiVersion, kind, request } = JSON.parse(body);
      calls.push(request);
      const answer = (turns: number): void => {
        if (turns > 0) setImmediate(answer, turns - 1);
        else res.end(JSON.stringify({ apiVersion, kind, response: respond(request) }));
      };
      answer(slowness());
    });
  });
  webhook.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => webhook.listen(0, '127.0.0.1', resolve));
});

afterAll(async () => {
  api?.close();
  await server?.stop();
  const closed = new Promise<void>((resolve) => webhook.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await closed;
});

const integer = { type: 'integer' };
const schemas: Record<string, object> = {
  v1: { width: integer, height: { ...integer, minimum: 1 } },
  v2: { size: { type: 'string', pattern: '^[0-9]+x[0-9]+$' } },
};

function definition(storage: string) {
  const { port } = webhook.address() as AddressInfo;
  const caBundle = Buffer.from(server.ca.pem).toString('base64');
  const clientConfig = { url: `https://127.0.0.1:${port}/convert`, caBundle };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `boxes.${GROUP}` },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: { plural: 'boxes', singular: 'box', kind: 'Box' },
      conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig } },
      versions: ['v1', 'v2'].map((name) => ({
        name,
        served: true,
        storage: name === storage,
        subresources: name === 'v1' ? {} : { status: {} },
        additionalPrinterColumns:
          name === 'v2' ? [{ name: 'Size', type: 'string', jsonPath: '.spec.size' }] : undefined,
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: schemas[name] },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      })),
    },
  };
}

const v1 = (name: string, width = 3, height = 4, labels?: Record<string, string>) => ({
  apiVersion: `${GROUP}/v1`,
  kind: 'Box',
  metadata: { name, ...(labels === undefined ? {} : { labels }) },
  spec: { width, height },
});

beforeEach(async () => {
  respond = well;
  const created = await api.send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', definition('v1'));
  expect(created.status, created.text).toBe(201);
  await eventually(async () => expect((await api.get(boxes('v2'))).status).toBe(200));
  calls = [];
});

afterEach(async () => {
  respond = well;
  await api.send('DELETE', DEFINITION);
  await eventually(async () => expect((await api.get(DEFINITION)).status).toBe(404));
});

describe('two versions', () => {
  test('what is written in one is read in the other', async () => {
    expect((await api.send('POST', boxes('v1'), v1('a'))).status).toBe(201);
    const seen = await api.get(boxes('v2', 'a'));
    expect(seen.json).toMatchObject({ apiVersion: `${GROUP}/v2`, kind: 'Box', spec: { size: '3x4' } });
    const other = { apiVersion: `${GROUP}/v2`, kind: 'Box', metadata: { name: 'b' }, spec: { size: '5x6' } };
    const made = await api.send('POST', boxes('v2'), other);
    expect(made).toMatchObject({ status: 201, json: { apiVersion: `${GROUP}/v2`, spec: { size: '5x6' } } });
    expect((await api.get(boxes('v1', 'b'))).json).toMatchObject({
      apiVersion: `${GROUP}/v1`,
      spec: { width: 5, height: 6 },
      metadata: { uid: made.json.metadata.uid, resourceVersion: made.json.metadata.resourceVersion },
    });
    const list = await api.get(boxes('v2'));
    expect(list.json.items.map((b: Box) => b.spec.size)).toEqual(['3x4', '5x6']);
    expect((await api.get(boxes('v1'))).json.items.map((b: Box) => b.spec.width)).toEqual([3, 5]);
    const table = await api.get(boxes('v2'), { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
    expect(table.json.rows[0].cells).toEqual(['a', '3x4']);
    expect(calls.every(({ objects }) => objects.length > 0)).toBe(true);
    const counted = (await api.get('/metrics')).text.match(/^apiserver_resource_objects\{.*boxes.*$/gm);
    expect(counted).toEqual([`apiserver_resource_objects{group="${GROUP}",resource="boxes"} 2`]);
  });

  test('each is validated by its own schema, and changed by its own fields', async () => {
    await api.send('POST', boxes('v1'), v1('a'));
    expect((await api.patch('merge', boxes('v2', 'a'), { spec: { size: 'big' } })).status).toBe(422);
    expect((await api.patch('merge', boxes('v1', 'a'), { spec: { height: 0 } })).status).toBe(422);
    const patched = await api.patch('merge', boxes('v2', 'a'), { spec: { size: '7x8' } });
    expect(patched).toMatchObject({ status: 200, json: { metadata: { generation: 2 }, spec: { size: '7x8' } } });
    expect((await api.get(boxes('v1', 'a'))).json.spec).toEqual({ width: 7, height: 8 });
    // A change that changes nothing is none.
    const same = await api.patch('merge', boxes('v2', 'a'), { spec: { size: '7x8' } });
    expect(same.json.metadata.resourceVersion).toBe(patched.json.metadata.resourceVersion);
    const stale = { ...(await api.get(boxes('v1', 'a'))).json };
    await api.patch('merge', boxes('v2', 'a'), { spec: { size: '1x1' } });
    expect((await api.send('PUT', boxes('v1', 'a'), stale)).status).toBe(409);
    expect((await api.patch('merge', `${boxes('v2', 'a')}/status`, { status: { ok: true } })).json.status).toEqual({
      ok: true,
    });
    expect((await api.send('DELETE', boxes('v2', 'a'))).status).toBe(200);
    expect((await api.get(boxes('v1', 'a'))).status).toBe(404);
  });

  test('pages, and lists of the past, are converted, too', async () => {
    for (let i = 1; i <= 5; i++) await api.send('POST', boxes('v1'), v1(`a${i}`, i, i));
    const sizes = (list: { items: Box[] }) => list.items.map((b) => b.spec.size);
    const first = (await api.get(`${boxes('v2')}?limit=2`)).json;
    expect(sizes(first)).toEqual(['1x1', '2x2']);
    await api.send('DELETE', boxes('v1', 'a3'));
    const second = (await api.get(`${boxes('v2')}?limit=2&continue=${first.metadata.continue}`)).json;
    expect(sizes(second)).toEqual(['3x3', '4x4']);
    const { resourceVersion } = first.metadata;
    const exact = `resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`;
    expect(sizes((await api.get(`${boxes('v2')}?${exact}`)).json)).toEqual(['1x1', '2x2', '3x3', '4x4', '5x5']);
    // Of the past, as well.
    const watch = await api.watch(`${boxes('v2')}?watch=1&resourceVersion=${resourceVersion}`);
    await eventually(() => expect(watch.seen).toEqual(['DELETED a3']));
    expect(watch.events[0]?.object.spec).toEqual({ size: '3x3' });
    watch.close();
  });

  test('watches of both tell of what is written in either, in order', async () => {
    const [one, two] = [await api.watch(`${boxes('v1')}?watch=1`), await api.watch(`${boxes('v2')}?watch=1`)];
    for (let i = 1; i <= 5; i++) {
      await api.send('POST', boxes('v1'), v1(`a${i}`, i, i));
      const b = { apiVersion: `${GROUP}/v2`, kind: 'Box', metadata: { name: `b${i}` }, spec: { size: `${i}x1` } };
      await api.send('POST', boxes('v2'), b);
    }
    await api.send('DELETE', boxes('v1', 'a1'));
    const names = [1, 2, 3, 4, 5].flatMap((i) => [`ADDED a${i}`, `ADDED b${i}`]).concat('DELETED a1');
    await eventually(() => {
      expect(one.seen).toEqual(names);
      expect(two.seen).toEqual(names);
    });
    expect(two.events[0]?.object).toMatchObject({ apiVersion: `${GROUP}/v2`, spec: { size: '1x1' } });
    expect(one.events[1]?.object).toMatchObject({ apiVersion: `${GROUP}/v1`, spec: { width: 1, height: 1 } });
    expect(two.events.at(-1)?.object).toMatchObject({ apiVersion: `${GROUP}/v2`, spec: { size: '1x1' } });
    one.close();
    two.close();
  });

  test('agree at any time, whoever writes, and however long the webhook takes', async () => {
    const random = new SeededRandom(7);
    slowness = () => random.integer(40);
    const [one, two] = [await api.watch(`${boxes('v1')}?watch=1`), await api.watch(`${boxes('v2')}?watch=1`)];
    const names = ['a', 'b', 'c', 'd'];
    const act = async (): Promise<void> => {
      const name = names[random.integer(names.length)] as string;
      const [w, h] = [random.integer(9), 1 + random.integer(9)];
      const version = random.integer(2) === 0 ? 'v1' : 'v2';
      const spec = version === 'v1' ? { width: w, height: h } : { size: `${w}x${h}` };
      switch (random.integer(4)) {
        case 0:
          await api.send('DELETE', boxes(version, name));
          return;
        case 1: {
          const answer = await api.patch('merge', boxes(version, name), { spec });
          expect([200, 404, 409]).toContain(answer.status);
          return;
        }
        default: {
          const object = { apiVersion: `${GROUP}/${version}`, kind: 'Box', metadata: { name }, spec };
          const answer = await api.send('POST', boxes(version), object);
          expect([201, 409], answer.text).toContain(answer.status);
          // Who wrote reads what was written, unless somebody was faster.
          if (answer.status !== 201) return;
          const read = await api.get(boxes(version === 'v1' ? 'v2' : 'v1', name));
          expect([200, 404], read.text).toContain(read.status);
        }
      }
    };
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let i = 0; i < 12; i++) await act();
      }),
    );
    slowness = () => 0;
    await api.send('POST', boxes('v1'), v1('last'));
    await eventually(() => {
      expect(one.seen.at(-1)).toBe('ADDED last');
      expect(two.seen.at(-1)).toBe('ADDED last');
    });
    // The same in the same order, in two forms.
    const told = (events: typeof one.events, form: (box: Box) => unknown) =>
      events.map(({ type, object }) => [type, object.metadata.name, object.metadata.resourceVersion, form(object)]);
    const size = ({ spec }: Box) => `${spec.width}x${spec.height}`;
    expect(told(one.events, size)).toEqual(told(two.events, ({ spec }) => spec.size));
    const [first, second] = [(await api.get(boxes('v1'))).json, (await api.get(boxes('v2'))).json];
    expect(first.items.map(size)).toEqual(second.items.map((b: Box) => b.spec.size));
    one.close();
    two.close();
  });

  test('server-side apply in both', async () => {
    const apply = (version: string, manager: string, spec: object) =>
      api.send(
        'PATCH',
        `${boxes(version, 'a')}?fieldManager=${manager}`,
        { apiVersion: `${GROUP}/${version}`, kind: 'Box', metadata: { name: 'a' }, spec },
        { 'content-type': 'application/apply-patch+yaml' },
      );
    expect((await apply('v1', 'one', { width: 1, height: 2 })).status).toBe(201);
    const second = await apply('v2', 'two', { size: '1x2' });
    expect(second.status, second.text).toBe(200);
    expect(
      second.json.metadata.managedFields.map((m: { manager: string; apiVersion: string }) => [m.manager, m.apiVersion]),
    ).toEqual([
      ['one', `${GROUP}/v1`],
      ['two', `${GROUP}/v2`],
    ]);
  });
});

describe('policies for one version', () => {
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const resourceRules = [
    { apiGroups: [GROUP], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['boxes'] },
  ];
  const box = (size: string) => ({
    apiVersion: `${GROUP}/v2`,
    kind: 'Box',
    metadata: { name: 'p' },
    spec: { size },
  });

  const inEffect = async (kind: 'Validating' | 'Mutating', spec: object) => {
    const plural = `${kind.toLowerCase()}admissionpolicies`;
    const metadata = { name: 'boxes' };
    const policy = { apiVersion: 'admissionregistration.k8s.io/v1', kind: `${kind}AdmissionPolicy`, metadata, spec };
    const made = await api.send('POST', `${admission}/${plural}`, policy);
    expect(made.status, made.text).toBe(201);
    const bound = await api.send('POST', `${admission}/${plural.replace('policies', 'policybindings')}`, {
      ...policy,
      kind: `${kind}AdmissionPolicyBinding`,
      spec: { policyName: 'boxes', ...(kind === 'Validating' ? { validationActions: ['Deny'] } : {}) },
    });
    expect(bound.status, bound.text).toBe(201);
    return async () => {
      await api.send('DELETE', `${admission}/${plural}/boxes`);
      await api.send('DELETE', `${admission}/${plural.replace('policies', 'policybindings')}/boxes`);
    };
  };

  test('see requests in others, converted', async () => {
    const end = await inEffect('Validating', {
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules },
      validations: [{ expression: 'object.spec.width < 10', message: 'too wide' }],
    });
    try {
      const refused = await api.send('POST', boxes('v2'), box('20x1'));
      expect(refused).toMatchObject({ status: 422, json: { message: expect.stringContaining('too wide') } });
      expect((await api.send('POST', boxes('v2'), box('2x1'))).status).toBe(201);
    } finally {
      await end();
    }
  });

  test('change what is sent in others', async () => {
    const end = await inEffect('Mutating', {
      matchConstraints: { matchPolicy: 'Equivalent', resourceRules },
      reinvocationPolicy: 'Never',
      mutations: [
        {
          patchType: 'ApplyConfiguration',
          applyConfiguration: { expression: 'Object{spec: Object.spec{height: object.spec.width + 1}}' },
        },
      ],
    });
    try {
      const made = await api.send('POST', boxes('v2'), box('4x1'));
      expect(made, made.text).toMatchObject({ status: 201, json: { spec: { size: '4x5' } } });
    } finally {
      await end();
    }
  });
});

describe('the version that is stored', () => {
  test('may change; what is there is converted as it is read', async () => {
    await api.send('POST', boxes('v1'), v1('old', 2, 2));
    const { spec } = definition('v2');
    const changed = await api.patch('merge', DEFINITION, { spec: { versions: spec.versions } });
    expect(changed.json.status.storedVersions).toEqual(['v1', 'v2']);
    await eventually(async () => {
      expect((await api.get(boxes('v2', 'old'))).json).toMatchObject({ spec: { size: '2x2' } });
    });
    expect((await api.send('POST', boxes('v1'), v1('new', 9, 9))).status).toBe(201);
    calls = [];
    expect((await api.get(boxes('v2', 'new'))).json.spec).toEqual({ size: '9x9' });
    expect(calls).toEqual([]);
    const { kvs } = await server.storage.range({ key: `/registry/${GROUP}/boxes/`, end: `/registry/${GROUP}/boxes0` });
    expect(kvs.map((kv) => JSON.parse(kv.value.toString('utf8')).apiVersion)).toEqual([`${GROUP}/v2`, `${GROUP}/v1`]);
    // What storage migrations do: read and written as it is.
    const object = (await api.get(boxes('v2', 'old'))).json;
    expect((await api.send('PUT', boxes('v2', 'old'), object)).status).toBe(200);
  });
});

describe('a webhook that', () => {
  const status = (result: object) => () => ({
    uid: calls.at(-1) && (calls.at(-1) as unknown as { uid: string }).uid,
    result,
  });
  test.each<[string, typeof respond, string]>([
    ['refuses', status({ status: 'Failed', message: 'no boxes today' }), 'failed: no boxes today'],
    ['says nothing', () => ({}), 'expected response.uid'],
    ['leaves out objects', (r) => ({ ...well(r), convertedObjects: [] }), 'returned 0 objects, expected 1'],
    [
      'answers in another version',
      (r) => ({ ...well(r), convertedObjects: r.objects }),
      `invalid groupVersion (expected ${GROUP}/v2, received ${GROUP}/v1)`,
    ],
    [
      'gives another name',
      (r) => ({
        ...well(r),
        convertedObjects: r.objects.map((o) => {
          const box = convert(o, r.desiredAPIVersion);
          return { ...box, metadata: { ...box.metadata, name: 'other' } };
        }),
      }),
      'must have the same name: a != other',
    ],
  ])('%s: reads in the other version fail, and say why', async (_what, answer, message) => {
    const before = await api.get(boxes('v2'));
    expect(before.status).toBe(200);
    respond = answer;
    const written = await api.send('POST', boxes('v1'), v1('a'));
    expect(written.status).toBe(201);
    await eventually(async () => {
      const read = await api.get(boxes('v2'));
      expect(read.status).toBe(500);
      expect(read.json.message).toContain(`conversion webhook for ${GROUP}/v1, Kind=Box`);
      expect(read.json.message).toContain(message);
    });
    // The version that is stored needs nobody.
    expect((await api.get(boxes('v1', 'a'))).status).toBe(200);
    respond = well;
    await eventually(async () => expect((await api.get(boxes('v2', 'a'))).json.spec).toEqual({ size: '3x4' }));
  });

  test('cannot be reached when something is written: it is not stored', async () => {
    respond = status({ status: 'Failed', message: 'out of order' });
    const box = { apiVersion: `${GROUP}/v2`, kind: 'Box', metadata: { name: 'b' }, spec: { size: '5x6' } };
    const refused = await api.send('POST', boxes('v2'), box);
    expect(refused).toMatchObject({ status: 500, json: { message: expect.stringContaining('out of order') } });
    expect((await api.get(boxes('v1', 'b'))).status).toBe(404);
  });

  test('changes metadata: only labels and annotations are taken', async () => {
    respond = (r) => ({
      ...well(r),
      convertedObjects: r.objects.map((o) => {
        const box = convert(o, r.desiredAPIVersion);
        const metadata = { ...box.metadata, labels: { seen: 'yes' }, finalizers: ['x'], generation: 99 };
        return { ...box, metadata };
      }),
    });
    await api.send('POST', boxes('v1'), v1('a', 1, 1, { own: 'label' }));
    const { metadata } = (await api.get(boxes('v2', 'a'))).json;
    expect(metadata).toMatchObject({ labels: { seen: 'yes' }, generation: 1 });
    expect(metadata.finalizers).toBeUndefined();
  });
});

test('what a definition may say of it', async () => {
  const webhookClient = { conversionReviewVersions: ['v9', 'v9'], clientConfig: { url: 'http://here' } };
  const answer = await api.patch('merge', DEFINITION, { spec: { conversion: { webhook: webhookClient } } });
  expect(answer.status).toBe(422);
  expect(answer.json.message).toContain("'https' is the only allowed URL scheme");
  expect(answer.json.message).toContain('must include at least one of v1, v1beta1');
  expect(answer.json.message).toContain('duplicate version');
});
