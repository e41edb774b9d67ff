/** Devices of plugins and CPUs of their own, with real containers. Needs root and containerd. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials, Server, ServerCredentials, type ServerWritableStream } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container } from '../src/apis/core/container.ts';
import { nodes } from '../src/apis/core/node.ts';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import { runtimeClasses } from '../src/apis/node/runtimeClass.ts';
import { formatCpus, parseCpus } from '../src/kubelet/cpu/cpuSet.ts';
import {
  DEVICE_CALLS,
  LIST_AND_WATCH,
  ListAndWatchRequest,
  ListAndWatchResponse,
  type PluginDevice,
  REGISTER,
  RegisterRequest,
  RegisterResponse,
} from '../src/kubelet/devices/messages.ts';
import { decodeProtobuf, encodeProtobuf } from '../src/machinery/schema/protobuf.ts';
import type { ObjectType } from '../src/machinery/schema/types.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';
const RESOURCE = 'example.com/light';

describe.skipIf(!isRoot)('what the node has only so much of', () => {
  let node: TestNode;
  const every = readFileSync('/sys/devices/system/cpu/online', 'utf8').trim();
  const configuration = {
    cpuManagerPolicy: 'static',
    reservedSystemCPUs: '0',
    memoryManagerPolicy: 'Static',
    // As much as the default threshold of evictions keeps free.
    reservedMemory: [{ numaNode: 0, limits: { memory: '100Mi' } }],
  };

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.5', bridge: 'kubets-t5', configuration });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
  });
  afterAll(() => node?.stop());

  function create(name: string, resources: Container['resources'] = {}, more: object = {}) {
    const main = {
      name: 'main',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sleep', '1000'],
      resources,
    };
    const spec = { nodeName: node.name, terminationGracePeriodSeconds: 0, containers: [main], ...more };
    return node.client.create(pods, { metadata: { name, namespace }, spec });
  }
  const phase = (name: string, wanted: string) =>
    until(`${name} is ${wanted}`, async () => {
      const pod = await node.client.get(pods, { namespace, name });
      return pod.status?.phase === wanted ? pod : undefined;
    });
  const remove = (name: string) => node.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 0 });

  async function exec(pod: Pod, script: string): Promise<string> {
    const id = pod.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? '';
    const { stdout = '' } = await node.runtime.call('execSync', { container_id: id, cmd: ['sh', '-c', script] });
    return Buffer.from(stdout, 'base64').toString().trim();
  }
  const cpusOf = (pod: Pod) => exec(pod, "sed -n 's/^Cpus_allowed_list:\\t//p' /proc/self/status");

  it('gives whole CPUs to those that ask for them, and the others to all', async () => {
    const all = await create('sharing').then(() => phase('sharing', 'Running'));
    await until('it may use them all', async () => (await cpusOf(all)) === every);
    const limits = { cpu: '1', memory: '50Mi' };
    await create('own', { limits, requests: limits });
    const own = await phase('own', 'Running');
    const mine = await cpusOf(own);
    expect(await exec(own, "sed -n 's/^Mems_allowed_list:\\t//p' /proc/self/status")).toMatch(/^\d+$/);
    expect(mine).toMatch(/^[1-9]\d*$/);
    const others = formatCpus(parseCpus(every).filter((cpu) => cpu !== Number(mine)));
    await until('the others keep off', async () => (await cpusOf(all)) === others);
    const many = { cpu: String(parseCpus(every).length - 1), memory: '50Mi' };
    await create('late', { limits: many, requests: many });
    expect((await phase('late', 'Failed')).status).toMatchObject({
      reason: expect.stringMatching(/UnexpectedAdmissionError|OutOfcpu/),
    });
    // Another kubelet keeps to it.
    await node.stopKubelet();
    await node.startKubelet();
    expect(await cpusOf(own)).toBe(mine);
    await remove('own');
    await until('they are free again', async () => (await cpusOf(all)) === every);
    await remove('sharing');
  });

  it('runs pods of a runtime class, and waits for one that is not there', async () => {
    await node.client.create(runtimeClasses, { metadata: { name: 'usual' }, handler: 'runc' });
    await node.client.create(runtimeClasses, { metadata: { name: 'odd' }, handler: 'nowhere' });
    await create('classy', {}, { runtimeClassName: 'usual' });
    await phase('classy', 'Running');
    await create('odd', {}, { runtimeClassName: 'odd' });
    const { events } = await import('../src/apis/core/event.ts');
    const found = await until('its event', async () => {
      const { items } = await node.client.list(events, { namespace });
      return items.find((e) => e.involvedObject?.name === 'odd' && e.reason === 'FailedCreatePodSandBox');
    });
    expect(found.message).toMatch(/Failed to create pod sandbox: .*no runtime for "nowhere" is configured/);
    await Promise.all([remove('classy'), remove('odd')]);
  });

  describe('devices', () => {
    let devices: PluginDevice[] = ['a', 'b', 'c'].map((ID) => ({ ID, health: 'Healthy' }));
    let watchers: ServerWritableStream<object, object>[] = [];
    const asked: string[][] = [];
    let plugin: Server;

    const codecOf = (request: ObjectType, response: ObjectType) => ({
      requestSerialize: (value: object) => encodeProtobuf(request, value),
      requestDeserialize: (bytes: Buffer) => decodeProtobuf<object>(request, bytes),
      responseSerialize: (value: object) => encodeProtobuf(response, value),
      responseDeserialize: (bytes: Buffer) => decodeProtobuf<object>(response, bytes),
    });

    async function startPlugin(): Promise<void> {
      const folder = join(node.dir, 'kubelet/device-plugins');
      const gift = join(node.dir, 'gift');
      writeFileSync(gift, 'from the plugin');
      plugin = new Server();
      const { allocate } = DEVICE_CALLS;
      plugin.addService(
        {
          listAndWatch: {
            path: LIST_AND_WATCH,
            requestStream: false,
            responseStream: true,
            ...codecOf(ListAndWatchRequest, ListAndWatchResponse),
          },
          allocate: {
            path: allocate.path,
            requestStream: false,
            responseStream: false,
            ...codecOf(allocate.request, allocate.response),
          },
        },
        {
          listAndWatch(stream: ServerWritableStream<object, object>) {
            watchers.push(stream);
            stream.write({ devices });
          },
          allocate(
            call: { request: { container_requests: { devicesIDs: string[] }[] } },
            answer: (e: null, v: object) => void,
          ) {
            const ids = call.request.container_requests[0]?.devicesIDs ?? [];
            asked.push(ids);
            const mounts = [{ container_path: '/gift', host_path: gift, read_only: true }];
            const nodes = [{ container_path: '/dev/light', host_path: '/dev/null', permissions: 'rw' }];
            answer(null, { container_responses: [{ envs: { LIGHTS: ids.join() }, mounts, devices: nodes }] });
          },
        },
      );
      const socket = `light-${asked.length}.sock`;
      await new Promise<void>((resolve, reject) => {
        plugin.bindAsync(`unix://${join(folder, socket)}`, ServerCredentials.createInsecure(), (e) =>
          e ? reject(e) : resolve(),
        );
      });
      await register({ version: 'v1beta1', endpoint: socket, resource_name: RESOURCE });
    }

    function register(request: RegisterRequest): Promise<unknown> {
      const client = new Client(
        `unix://${join(node.dir, 'kubelet/device-plugins/kubelet.sock')}`,
        credentials.createInsecure(),
      );
      const { requestSerialize, responseDeserialize } = codecOf(RegisterRequest, RegisterResponse);
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(REGISTER, requestSerialize, responseDeserialize, request, (error, answer) => {
          client.close();
          if (error === null) resolve(answer);
          else reject(error);
        });
      });
    }

    const nodeHas = (capacity: string, allocatable: string) =>
      until(`the node has ${allocatable} of ${capacity}`, async () => {
        const { status } = await node.client.get(nodes, { name: node.name });
        return status?.capacity?.[RESOURCE] === capacity && status.allocatable?.[RESOURCE] === allocatable;
      });

    afterAll(() => plugin?.forceShutdown());

    it('are counted and given out', async () => {
      await startPlugin();
      await nodeHas('3', '3');
      await create('lit', { limits: { [RESOURCE]: '2' }, requests: { [RESOURCE]: '2' } });
      const pod = await phase('lit', 'Running');
      expect(asked).toEqual([['a', 'b']]);
      expect(await exec(pod, 'echo $LIGHTS; cat /gift; echo; test -c /dev/light && echo there')).toBe(
        'a,b\nfrom the plugin\nthere',
      );
      await create('dark', { limits: { [RESOURCE]: '2' }, requests: { [RESOURCE]: '2' } });
      expect((await phase('dark', 'Failed')).status?.reason).toMatch(/OutOf|UnexpectedAdmissionError/);
    });

    it('are no more when they are not healthy', async () => {
      devices = devices.map((device) => (device.ID === 'c' ? { ...device, health: 'Unhealthy' } : device));
      for (const stream of watchers) stream.write({ devices });
      await nodeHas('3', '2');
    });

    it('are remembered by another kubelet, and given back', async () => {
      await node.stopKubelet();
      plugin.forceShutdown();
      watchers = [];
      await node.startKubelet();
      await nodeHas('0', '0');
      await startPlugin();
      await nodeHas('3', '2');
      await create('waits', { limits: { [RESOURCE]: '1' }, requests: { [RESOURCE]: '1' } });
      expect((await phase('waits', 'Failed')).status?.reason).toMatch(/OutOf|UnexpectedAdmissionError/);
      await remove('lit');
      await until(
        'it is gone',
        async () => (await node.client.get(pods, { namespace, name: 'lit' }).catch(() => undefined)) === undefined,
      );
      await create('next', { limits: { [RESOURCE]: '2' }, requests: { [RESOURCE]: '2' } });
      await phase('next', 'Running');
      expect(asked.at(-1)).toEqual(['a', 'b']);
    });

    it('are refused from plugins that speak otherwise', async () => {
      await expect(register({ version: 'v9', endpoint: 'x.sock', resource_name: RESOURCE })).rejects.toThrow(
        'not supported',
      );
      await expect(register({ version: 'v1beta1', endpoint: 'x.sock', resource_name: 'light' })).rejects.toThrow(
        'is invalid',
      );
      await expect(register({ version: 'v1beta1', endpoint: '../x.sock', resource_name: RESOURCE })).rejects.toThrow(
        'no socket',
      );
    });
  });
});
