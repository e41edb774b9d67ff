import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { decodeProtobuf, encodeProtobuf } from '../../machinery/schema/protobuf.ts';
import type { HoldingsSource } from './listing.ts';
import { POD_RESOURCES_CALLS } from './messages.ts';
import { servePodResources } from './server.ts';

const pod: Pod = {
  metadata: { name: 'p', namespace: 'n', uid: 'u' },
  spec: {
    initContainers: [
      { name: 'once', image: 'i' },
      { name: 'side', image: 'i', restartPolicy: 'Always' },
    ],
    containers: [{ name: 'main', image: 'i' }],
  },
};
const light = (id: string) => ({ resource: 'example.com/light', id, nodes: [1] });
const sources: HoldingsSource[] = [
  {
    holdings: (uid, container) => (uid === 'u' && container === 'main' ? { devices: [light('a')] } : {}),
    holdable: () => ({ devices: [light('a'), light('b')] }),
  },
  {
    holdings: (_uid, container) =>
      container === 'side' ? { cpus: [2, 3], memory: [{ bytes: 4096, nodes: [1] }] } : {},
    holdable: () => ({ cpus: [1, 2, 3] }),
  },
];

let dir: string;
let client: Client;
let stop: () => void;
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-pr-'));
  stop = await servePodResources({ dir, sources, pods: () => [pod] });
  client = new Client(`unix://${join(dir, 'kubelet.sock')}`, credentials.createInsecure());
});
afterEach(() => {
  client.close();
  stop();
  rmSync(dir, { recursive: true, force: true });
});

function ask(name: keyof typeof POD_RESOURCES_CALLS, request: object = {}): Promise<object> {
  const { path, request: asked, response } = POD_RESOURCES_CALLS[name];
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      path,
      (value: object) => encodeProtobuf(asked, value),
      (bytes: Buffer) => decodeProtobuf<object>(response, bytes),
      request,
      (error, answer) => (error === null ? resolve(answer ?? {}) : reject(error)),
    );
  });
}

it('tells who has which devices, CPUs and memory', async () => {
  expect(statSync(join(dir, 'kubelet.sock')).mode & 0o777).toBe(0o600);
  const on = (ID: number) => ({ nodes: [{ ID }] });
  const device = (id: string) => ({ resource_name: 'example.com/light', device_ids: [id], topology: on(1) });
  const mine = {
    name: 'p',
    namespace: 'n',
    containers: [
      { name: 'side', cpu_ids: [2, 3], memory: [{ memory_type: 'memory', size: 4096, topology: on(1) }] },
      { name: 'main', devices: [device('a')] },
    ],
  };
  expect(await ask('list')).toMatchObject({ pod_resources: [mine] });
  expect(await ask('get', { pod_name: 'p', pod_namespace: 'n' })).toMatchObject({ pod_resources: mine });
  expect(await ask('getAllocatableResources')).toMatchObject({
    devices: [device('a'), device('b')],
    cpu_ids: [1, 2, 3],
  });
  await expect(ask('get', { pod_name: 'q', pod_namespace: 'n' })).rejects.toThrow('pod q in namespace n not found');
});
