/** Protobuf as clients ask for it and get it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deployments } from '../../apis/apps/deployment.ts';
import { pods } from '../../apis/core/pod.ts';
import { decodeApiProtobuf, openEnvelope } from '../../machinery/schema/apiProtobuf.ts';
import { encodeApiProtobuf } from '../../machinery/schema/encodeApiProtobuf.ts';
import { Reader } from '../../machinery/schema/protobuf.ts';
import { sealEnvelope } from '../../machinery/schema/protobufFrames.ts';
import { StatusType } from '../../machinery/statusTypes.ts';
import { type OverHttp, overHttp } from '../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
/** As controllers in Go send it. */
const ACCEPT = `${PROTOBUF},application/json`;
const PATH = '/apis/apps/v1/namespaces/default/deployments';
const LABELS = { app: 'web' };

let server: TestServer;
let api: OverHttp;
beforeAll(async () => {
  server = await startTestServer();
  api = await overHttp(server);
});
afterAll(async () => {
  api.close();
  await server.stop();
});

const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    replicas: 0,
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'web:1',
            livenessProbe: { httpGet: { path: '/', port: 'http' } },
            resources: { limits: { cpu: '500m' } },
          },
        ],
        volumes: [{ name: 'v', emptyDir: {} }],
      },
    },
  },
});

test('an object is sent and answered in it', async () => {
  const body = sealEnvelope('apps/v1', 'Deployment', encodeApiProtobuf(deployments.schema, deployment('sent')));
  const headers = { 'content-type': PROTOBUF, accept: ACCEPT };
  const created = await api.send('POST', PATH, undefined, {}).then(() =>
    // A text body would be changed on its way.
    postBytes(body, headers),
  );
  expect(created.status).toBe(201);
  expect(created.headers['content-type']).toBe(PROTOBUF);
  const { apiVersion, kind, raw } = openEnvelope(created.bytes);
  expect({ apiVersion, kind }).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment' });
  const inJson = (await api.get(`${PATH}/sent`)).json;
  expect({ apiVersion, kind, ...decodeApiProtobuf(deployments.schema, raw) }).toEqual(inJson);
});

async function postBytes(body: Buffer, headers: Record<string, string>) {
  const { http } = await import('../testing/testServer.ts');
  return http(server, api.port, PATH, { method: 'POST', headers, body });
}

test('a list is the list of its objects', async () => {
  for (const name of ['a', 'b']) await api.send('POST', PATH, deployment(name));
  const listed = await api.get(`${PATH}?limit=2`, { accept: ACCEPT });
  const { kind, raw } = openEnvelope(listed.bytes);
  expect(kind).toBe('DeploymentList');
  const reader = new Reader(raw);
  const names: unknown[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    const block = reader.block();
    if (tag >>> 3 === 2) {
      const { metadata } = decodeApiProtobuf(deployments.schema, block) as { metadata: { name: string } };
      names.push(metadata.name);
    }
  }
  expect(names).toEqual(
    (await api.get(`${PATH}?limit=2`)).json.items.map((i: { metadata: { name: string } }) => i.metadata.name),
  );
});

test('a watch is frames of events, each with its object', async () => {
  await api.send('POST', PATH, deployment('watched'));
  const query = 'watch=1&timeoutSeconds=1&fieldSelector=metadata.name%3Dwatched';
  const { headers, bytes } = await api.get(`${PATH}?${query}`, { accept: `${PROTOBUF};stream=watch,application/json` });
  expect(headers['content-type']).toBe(`${PROTOBUF};stream=watch`);
  const length = bytes.readUInt32BE(0);
  expect(bytes.length).toBeGreaterThanOrEqual(4 + length);
  const event = new Reader(bytes.subarray(4, 4 + length));
  expect(event.varint() >>> 3).toBe(1);
  expect(event.block().toString()).toBe('ADDED');
  event.varint();
  const extension = new Reader(event.block());
  extension.varint();
  const { kind, raw } = openEnvelope(extension.block());
  expect(kind).toBe('Deployment');
  expect(decodeApiProtobuf(deployments.schema, raw)).toMatchObject({ metadata: { name: 'watched' } });
});

test('a refusal is a Status in it', async () => {
  const missing = await api.get(`${PATH}/missing`, { accept: ACCEPT });
  expect(missing.headers['content-type']).toBe(PROTOBUF);
  const { kind, raw } = openEnvelope(missing.bytes);
  expect([kind, decodeApiProtobuf(StatusType, raw)]).toMatchObject(['Status', { status: 'Failure', code: 404 }]);
});

test('of metadata alone there is such a form, of tables there is none', async () => {
  const as = (form: string, type = PROTOBUF) => `${type};as=${form};g=meta.k8s.io;v=v1`;
  const metadata = await api.get(PATH, { accept: as('PartialObjectMetadataList') });
  expect(openEnvelope(metadata.bytes)).toMatchObject({
    apiVersion: 'meta.k8s.io/v1',
    kind: 'PartialObjectMetadataList',
  });
  expect((await api.get(PATH, { accept: as('Table') })).status).toBe(406);
  const either = `${as('Table')},${as('Table', 'application/json')}`;
  expect((await api.get(PATH, { accept: either })).json.kind).toBe('Table');
});

test('a pod with everything, exactly', () => {
  const spec = deployment('x').spec.template.spec;
  const pod = { metadata: { name: 'p', labels: LABELS, annotations: { z: '1', a: '2' } }, spec, status: {} };
  expect(decodeApiProtobuf(pods.schema, encodeApiProtobuf(pods.schema, pod))).toEqual(pod);
});
