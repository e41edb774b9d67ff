/** containerd and shims are killed with kill -9 at every fault point of a pod's life: it comes to its end all the same. */
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import { FAULT_POINTS, type FaultPoint } from '../src/kubelet/faultPoints.ts';
import { isApiError } from '../src/machinery/status.ts';
import { leftoversOf } from './support/leftovers.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';
const bridge = 'kubets-t4';
const DEADLINE_MS = 90_000;

describe.skipIf(!isRoot)('at every fault point', () => {
  let node: TestNode;
  /** what is done at the points that were not reached yet */
  let fault: (() => Promise<void>) | undefined;
  let reached: Set<FaultPoint>;

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.4', bridge });
    await node.stopKubelet();
    await node.startKubelet({}, async (point) => {
      if (fault === undefined || reached.has(point)) return;
      reached.add(point);
      await fault();
    });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
  });
  afterAll(() => node?.stop());

  async function containerdDies(): Promise<void> {
    await node.killContainerd();
    await node.startContainerd();
  }

  /** All of this node: there is one for each pod. */
  async function shimsDie(): Promise<void> {
    const processes = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
    for (const line of processes) {
      if (line.includes('containerd-shim') && line.includes(node.dir))
        process.kill(Number.parseInt(line, 10), 'SIGKILL');
    }
  }

  const get = (name: string) =>
    node.client.get(pods, { namespace, name }).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });

  it.each([
    ['containerd', containerdDies],
    ['the shim', shimsDie],
  ] as const)(
    '%s dies',
    async (what, die) => {
      const name = what.replace(' ', '-');
      const shell = (script: string) => ({
        image: 'busybox',
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', script],
      });
      reached = new Set();
      fault = die;
      const begun = { exec: { command: ['true'] } };
      await node.client.create(pods, {
        metadata: { name, namespace },
        spec: {
          nodeName: node.name,
          terminationGracePeriodSeconds: 2,
          initContainers: [{ name: 'first', ...shell('true') }],
          containers: [{ name: 'main', ...shell('sleep 1000'), lifecycle: { postStart: begun, preStop: begun } }],
          volumes: [{ name: 'scratch', emptyDir: {} }],
        },
      });
      let last: Pod | undefined;
      await until(
        'the pod is Ready after all of it',
        async () => {
          last = await get(name);
          const isReady = last?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
          return isReady && reached.has('postStartDone');
        },
        DEADLINE_MS,
      ).catch((error: Error) => {
        throw new Error(`${error.message}, reached ${[...reached].join()}: ${JSON.stringify(last?.status, null, 1)}`);
      });
      await node.client.delete(pods, { namespace, name });
      await until('the pod is gone', async () => (await get(name)) === undefined, DEADLINE_MS);
      fault = undefined;
      let left = {};
      await until(
        'nothing is left',
        async () => {
          left = await leftoversOf(node, bridge).catch(() => ({ all: ['?'] }));
          return Object.values(left).every((found) => (found as readonly string[]).length === 0);
        },
        DEADLINE_MS,
      ).catch((error: Error) => {
        throw new Error(`${error.message}: ${JSON.stringify(left, null, 1)}`);
      });
      // What died before something was made may have kept it from being made that way.
      expect([...reached]).toEqual(expect.arrayContaining(['sandboxCreated', 'containerStarted', 'filesRemoved']));
      expect(reached.size).toBeGreaterThanOrEqual(FAULT_POINTS.length - 3);
    },
    120_000,
  );
});
