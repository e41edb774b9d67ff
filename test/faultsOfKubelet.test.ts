/** kill -9 of the kubelet at every fault point of a pod's life: the next one brings it to its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMaps } from '../src/apis/core/configMap.ts';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import { FAULT_POINTS, type FaultPoint } from '../src/kubelet/faultPoints.ts';
import { isApiError } from '../src/machinery/status.ts';
import type { KubeletProcessOptions } from './support/kubeletProcess.ts';
import { leftoversOf } from './support/leftovers.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const KUBELET = fileURLToPath(new URL('./support/kubeletProcess.ts', import.meta.url));
const namespace = 'default';
const network = '10.199.3';
const bridge = 'kubets-t3';
const DEADLINE_MS = 60_000;
const FIRST_OF_END = FAULT_POINTS.indexOf('terminating');
const [STARTS, ENDS] = [FAULT_POINTS.slice(0, FIRST_OF_END), FAULT_POINTS.slice(FIRST_OF_END)];

describe.skipIf(!isRoot)('the kubelet dies', () => {
  let node: TestNode;
  let kubelet: ChildProcess | undefined;

  beforeAll(async () => {
    node = await startTestNode({ network, bridge });
    await node.stopKubelet();
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
    await node.client.create(configMaps, { metadata: { name: 'words', namespace }, data: { word: 'yes' } });
  });
  afterAll(async () => {
    kubelet?.kill('SIGKILL');
    await node?.stop();
  });

  function start(dieAt?: FaultPoint): ChildProcess {
    const { dir, name: nodeName, socket, port } = node;
    const options: KubeletProcessOptions = {
      dir,
      nodeName,
      nodeIP: `${network}.1`,
      socket,
      port,
      podCIDR: `${network}.0/24`,
      ...(dieAt === undefined ? {} : { dieAt }),
    };
    kubelet = spawn(process.execPath, [KUBELET, JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit'] });
    return kubelet;
  }

  async function died(child: ChildProcess): Promise<void> {
    await until('the kubelet is dead', async () => child.signalCode ?? child.exitCode, DEADLINE_MS);
    expect(child.signalCode).toBe('SIGKILL');
  }

  function create(name: string) {
    const shell = (script: string) => ({
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
    });
    const mounts = ['words', 'scratch', 'memory'].map((v) => ({ name: v, mountPath: `/${v}` }));
    return node.client.create(pods, {
      metadata: { name, namespace },
      spec: {
        nodeName: node.name,
        terminationGracePeriodSeconds: 5,
        initContainers: [{ name: 'first', ...shell('echo once >> /scratch/first'), volumeMounts: mounts }],
        containers: [
          {
            name: 'main',
            ...shell('trap "exit 0" TERM; cat /words/word; while true; do sleep 0.1; done'),
            volumeMounts: mounts,
            lifecycle: {
              postStart: { exec: { command: ['sh', '-c', 'echo begun >> /scratch/hooks'] } },
              preStop: { exec: { command: ['sh', '-c', 'echo ending >> /scratch/hooks'] } },
            },
          },
        ],
        volumes: [
          { name: 'words', configMap: { name: 'words' } },
          { name: 'scratch', emptyDir: {} },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
        ],
      },
    });
  }

  const get = (name: string) =>
    node.client.get(pods, { namespace, name }).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });
  async function ready(name: string): Promise<Pod> {
    let last: Pod | undefined;
    try {
      return await until(
        `${name} is Ready`,
        async () => {
          last = await get(name);
          return last?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ? last : undefined;
        },
        DEADLINE_MS,
      );
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last?.status)}`);
    }
  }
  async function nothingLeft(): Promise<void> {
    let left = {};
    await until(
      'nothing is left',
      async () => {
        left = await leftoversOf(node, bridge);
        return Object.values(left).every((found) => (found as readonly string[]).length === 0);
      },
      DEADLINE_MS,
    ).catch((error: Error) => {
      throw new Error(`${error.message}: ${JSON.stringify(left, null, 1)}`);
    });
  }

  /** Each dies at its point, and the next one takes up what it left. */
  async function dieAtEach(points: readonly FaultPoint[]): Promise<void> {
    for (const point of points) await died(start(point));
  }

  it('at every point of a start, one after the other', async () => {
    await create('victim');
    await dieAtEach(STARTS);
    start();
    const { status } = await ready('victim');
    // What ran goes on; what was only made, or whose hook was not heard of, may be made again.
    expect(status?.containerStatuses?.[0]?.restartCount).toBeLessThanOrEqual(1);
    expect(status?.initContainerStatuses?.[0]?.state?.terminated?.exitCode).toBe(0);
  });

  it('at every point of an end, one after the other', async () => {
    const living = kubelet;
    living?.kill('SIGKILL');
    await until('the kubelet is dead', async () => living?.signalCode);
    await node.client.delete(pods, { namespace, name: 'victim' });
    await dieAtEach(ENDS);
    start();
    await until('the pod is gone', async () => (await get('victim')) === undefined, DEADLINE_MS);
    await nothingLeft();
  });
});
