/** Static pods with real containers, and the mirrors that show them. Needs root and containerd. */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import type { Stored } from '../src/machinery/kind.ts';
import { isApiError } from '../src/machinery/status.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';

describe.skipIf(!isRoot)('static pods', () => {
  let node: TestNode;
  let folder: string;
  const configuration = () => ({ staticPodPath: folder, fileCheckFrequency: '2s', httpCheckFrequency: '1s' });

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.10', bridge: 'kubets-t10' });
    folder = join(node.dir, 'manifests');
    mkdirSync(folder);
    await node.stopKubelet();
    await node.startKubelet(configuration());
  });
  afterAll(() => node?.stop());

  const manifest = (name: string, say: string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [
          {
            name: 'main',
            image: 'busybox',
            imagePullPolicy: 'IfNotPresent',
            command: ['sh', '-c', `echo ${say}; sleep 1000`],
          },
        ],
      },
    });

  /** As editors do it: all at once. */
  function put(name: string, text: string): void {
    writeFileSync(join(folder, `.${name}`), text);
    renameSync(join(folder, `.${name}`), join(folder, name));
  }

  const get = (name: string) =>
    node.client.get(pods, { namespace, name: `${name}-${node.name}` }).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });
  async function podWhere(name: string, what: string, holds: (pod: Stored<Pod>) => boolean): Promise<Stored<Pod>> {
    let last: Stored<Pod> | undefined;
    try {
      return await until(`${name} ${what}`, async () => {
        last = await get(name);
        return last !== undefined && holds(last) ? last : undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last, null, 1)}`);
    }
  }
  const ready = (name: string) =>
    podWhere(
      name,
      'is Ready',
      (p) => p.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true,
    );
  const gone = (name: string) => until(`${name} is gone`, async () => (await get(name)) === undefined);
  const containerOf = (pod: Pod) => pod.status?.containerStatuses?.[0]?.containerID;

  it('run from a folder, and show in the API', async () => {
    put('web.yaml', manifest('web', 'one'));
    const pod = await ready('web');
    expect(pod.metadata.annotations).toMatchObject({ 'kubernetes.io/config.source': 'file' });
    expect(pod.metadata.annotations?.['kubernetes.io/config.mirror']).toBe(
      pod.metadata.annotations?.['kubernetes.io/config.hash'],
    );
    expect(pod.metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: node.name, controller: true }]);
    expect(pod.status).toMatchObject({ phase: 'Running', podIP: expect.stringMatching(/^10\.199\.10\./) });
  });

  it('outlive their mirrors, which come again', async () => {
    const before = await ready('web');
    await node.client.delete(pods, { namespace, name: before.metadata.name });
    const after = await podWhere(
      'web',
      'is shown by another mirror',
      (p) => p.metadata.uid !== before.metadata.uid && p.status?.phase === 'Running',
    );
    expect(containerOf(after)).toBe(containerOf(before));
  });

  it('outlive the kubelet', async () => {
    const before = await ready('web');
    await node.stopKubelet();
    await node.startKubelet(configuration());
    await until('the kubelet is back', async () => (await ready('web')) !== undefined);
    expect(containerOf(await ready('web'))).toBe(containerOf(before));
    expect((await ready('web')).metadata.uid).toBe(before.metadata.uid);
  });

  it('change with their file, and keep what ran while it is no good', async () => {
    const before = await ready('web');
    // Only what was seen to be good can be kept.
    put('web2.yaml', manifest('other', 'two'));
    await ready('other');
    put('web.yaml', '{ this is no manifest');
    put('web3.yaml', manifest('third', 'three'));
    await ready('third');
    expect(containerOf(await ready('web'))).toBe(containerOf(before));
    put('web.yaml', manifest('web', 'changed'));
    const after = await podWhere(
      'web',
      'is another',
      (p) => containerOf(p) !== undefined && containerOf(p) !== containerOf(before) && p.status?.phase === 'Running',
    );
    expect(after.spec?.containers[0]?.command?.[2]).toContain('changed');
  });

  it('end with their file', async () => {
    rmSync(join(folder, 'web.yaml'));
    rmSync(join(folder, 'web2.yaml'));
    rmSync(join(folder, 'web3.yaml'));
    await Promise.all(['web', 'other', 'third'].map(gone));
    await until('nothing runs', async () => ((await node.runtime.call('listPodSandbox', {})).items ?? []).length === 0);
  });

  it('run from a URL', async () => {
    let body = manifest('far', 'away');
    const server = createServer((_req, res) => res.end(body));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await node.stopKubelet();
      const staticPodURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      await node.startKubelet({ ...configuration(), staticPodURL });
      expect((await ready('far')).metadata.annotations).toMatchObject({ 'kubernetes.io/config.source': 'http' });
      body = JSON.stringify({ apiVersion: 'v1', kind: 'PodList', items: [] });
      await gone('far');
    } finally {
      server.close();
    }
  });
});
