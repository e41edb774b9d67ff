/** Whole numbers of 64 bits in custom resources: none of them is changed by anything that is done with it. */

import { Buffer } from 'node:buffer';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { customResourceDefinitions } from '../../apis/apiextensions/customResourceDefinition.ts';
import { http, startTestServer, type TestServer } from '../testing/testServer.ts';

const LARGEST = '9223372036854775807';
const ODD = '-9007199254740993';
const PATH = '/apis/example.com/v1/namespaces/default/gadgets';

let server: TestServer;
let port = 0;
beforeAll(async () => {
  server = await startTestServer();
  port = (await server.api.listen({ host: '127.0.0.1', port: 0 })).port;
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
          additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              'x-kubernetes-preserve-unknown-fields': true,
              properties: {
                spec: {
                  type: 'object',
                  properties: {
                    size: { type: 'integer', format: 'int64' },
                    small: { type: 'integer', format: 'int32' },
                    some: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'integer' } },
                  },
                  'x-kubernetes-validations': [{ rule: `!has(self.size) || self.size <= ${LARGEST}` }],
                },
              },
            },
          },
        },
      ],
    },
  } as never);
  await vi.waitFor(async () => expect((await get('')).status).toBe(200), { timeout: 10_000 });
});
afterAll(() => server.stop());

const get = (name: string, headers: Record<string, string> = {}) => http(server, port, `${PATH}${name}`, { headers });
const send = (method: string, name: string, body: string, type = 'application/json') =>
  http(server, port, `${PATH}${name}`, { method, body, headers: { 'content-type': type } });
const gadget = (name: string, spec: string, more = '') =>
  `{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"${name}"},"spec":${spec}${more}}`;

test('are given back as they came, in each encoding and as rows', async () => {
  const body = gadget('a', `{"size":${LARGEST}}`, `,"num":{"num1":${LARGEST},"num2":1000000,"list":[${ODD}]}`);
  const made = await send('POST', '', body);
  expect([made.status, made.text]).toEqual([201, expect.stringContaining(`"num1":${LARGEST},"num2":1000000`)]);
  expect(made.text).toContain(`"list":[${ODD}]`);
  expect((await get('/a')).text).toContain(`"size":${LARGEST}`);
  expect((await get('')).text).toContain(`"size":${LARGEST}`);
  expect((await get('/a', { accept: 'application/yaml' })).text).toContain(`size: ${LARGEST}\n`);
  const rows = await get('', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' });
  expect(rows.text).toContain(`"cells":["a",${LARGEST}]`);
  const cbor = await http(server, port, `${PATH}/a`, { headers: { accept: 'application/cbor' } });
  expect(cbor.bytes.includes(Buffer.from('1b7fffffffffffffff', 'hex'))).toBe(true);
  const again = await http(server, port, `${PATH}/a`, {
    method: 'PUT',
    body: cbor.bytes,
    headers: { 'content-type': 'application/cbor' },
  });
  expect([again.status, again.text]).toEqual([200, expect.stringContaining(`"num1":${LARGEST}`)]);
  const { text } = await get('?watch=1&timeoutSeconds=1&resourceVersion=0');
  expect(text).toContain(`"size":${LARGEST}`);
});

test.each([
  ['application/yaml', `apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: yy}\nspec: {size: ${LARGEST}}\n`],
  ['application/json', gadget('yy', `{"size":${LARGEST}}`)],
])('outlive what is done with the object, come in %s', async (type, body) => {
  expect((await send('POST', '', body, type)).status).toBe(201);
  const patches: [string, string][] = [
    [
      'application/json-patch+json',
      '[{"op":"add","path":"/dummy","value":"test"},{"op":"copy","from":"/spec","path":"/copy"}]',
    ],
    ['application/merge-patch+json', `{"more":${ODD}}`],
    ['application/apply-patch+yaml', `${gadget('yy', `{"some":[${ODD},${LARGEST},1]}`)}`],
  ];
  for (const [as, patch] of patches) {
    const { status, text } = await send('PATCH', '/yy?fieldManager=m', patch, as);
    expect([status, text]).toEqual([200, expect.stringContaining(`"size":${LARGEST}`)]);
  }
  const { text } = await get('/yy');
  for (const part of [`"copy":{"size":${LARGEST}}`, `"more":${ODD}`, `"some":[${ODD},${LARGEST},1]`])
    expect(text).toContain(part);
  expect((await send('DELETE', '/yy', '')).status).toBe(200);
});

test('are refused where they are too large', async () => {
  const { json } = await send('POST', '', gadget('z', `{"small":${LARGEST}}`));
  expect([json.code, json.message]).toEqual([422, expect.stringContaining(`spec.small: Invalid value: ${LARGEST}`)]);
});
