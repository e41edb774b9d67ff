/** Volumes of a CSI driver on a real node, from the driver's registration to the end. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { events } from '../src/apis/core/event.ts';
import { nodes } from '../src/apis/core/node.ts';
import { type PersistentVolumeSpec, persistentVolumes } from '../src/apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../src/apis/core/persistentVolumeClaim.ts';
import { pods } from '../src/apis/core/pod.ts';
import type { PodSpec } from '../src/apis/core/podSpec.ts';
import { secrets } from '../src/apis/core/secret.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import type { Volume } from '../src/apis/core/volumes.ts';
import { csiDrivers } from '../src/apis/storage/csiDriver.ts';
import { csiNodes } from '../src/apis/storage/csiNode.ts';
import { volumeAttachments } from '../src/apis/storage/volumeAttachment.ts';
import { isApiError } from '../src/machinery/status.ts';
import { TestCsiDriver } from './support/csiDriver.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';
const NAME = 'folders.example.com';
const NO_GRACE = { gracePeriodSeconds: 0 };

describe.skipIf(!isRoot)('volumes of a CSI driver', () => {
  let node: TestNode;
  let driver: TestCsiDriver;

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.8', bridge: 'kubets-t8' });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
    driver = new TestCsiDriver({
      name: NAME,
      nodeID: 'the-node',
      dir: join(node.dir, 'driver'),
      registry: join(node.dir, 'kubelet/plugins_registry'),
      topology: { 'topology.example.com/rack': 'r1' },
    });
  });
  afterAll(async () => {
    await node?.stop();
    driver?.stop();
  });

  const mounts = () =>
    readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => path.startsWith(`${node.dir}/kubelet`) && path.includes('csi'));
  const get = (name: string) =>
    node.client.get(pods, { namespace, name }).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });
  const of = (claimName: string): Volume => ({ name: 'data', persistentVolumeClaim: { claimName } });
  function run(name: string, script: string, volume: Volume, more: Partial<PodSpec> = {}) {
    const container = {
      name: 'main',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    };
    const spec = { nodeName: node.name, restartPolicy: 'Never', containers: [container], volumes: [volume], ...more };
    return node.client.create(pods, { metadata: { name, namespace }, spec });
  }
  const inPhase = (name: string, ...phases: string[]) =>
    until(`${name} is ${phases}`, async () => {
      const found = await get(name);
      return phases.includes(found?.status?.phase ?? '') ? found : undefined;
    });
  /** Resolves when nothing of the pod is left. */
  async function remove(name: string): Promise<void> {
    const uid = (await get(name))?.metadata.uid ?? '';
    await node.client.delete(pods, { namespace, name }, { gracePeriodSeconds: 1 });
    await until(`${name} is gone`, async () => (await get(name)) === undefined);
    await until(`${name} has no folder`, async () => !existsSync(join(node.dir, 'kubelet/pods', uid)));
  }
  const mountFailure = (name: string, what: string) =>
    until(`${name} cannot be mounted: ${what}`, async () => {
      const { items } = await node.client.list(events, { namespace });
      return items.find(
        (e) => e.involvedObject.name === name && e.reason === 'FailedMount' && e.message?.includes(what),
      );
    });
  async function volume(
    name: string,
    csi: Partial<PersistentVolumeSpec['csi']> = {},
    volumeMode = 'Filesystem',
  ): Promise<void> {
    await node.client.create(persistentVolumes, {
      metadata: { name },
      spec: {
        accessModes: ['ReadWriteOnce'],
        capacity: { storage: '1Gi' },
        volumeMode,
        csi: { driver: NAME, volumeHandle: `handle-${name}`, volumeAttributes: { colour: 'blue' }, ...csi },
      },
    });
    await node.client.create(persistentVolumeClaims, {
      metadata: { name, namespace },
      spec: {
        accessModes: ['ReadWriteOnce'],
        storageClassName: '',
        volumeMode,
        volumeName: name,
        resources: { requests: { storage: '1Gi' } },
      },
    });
  }
  const driverObject = (spec: object) => node.client.patch(csiDrivers, { name: NAME }, 'merge', { spec });

  it('wait for the driver, which registers by its socket', async () => {
    await node.client.create(csiDrivers, {
      metadata: { name: NAME },
      spec: { attachRequired: false, podInfoOnMount: true, volumeLifecycleModes: ['Persistent', 'Ephemeral'] },
    });
    await volume('first');
    await run('first', 'cat /data/there; echo more > /data/new', of('first'));
    await mountFailure('first', `driver name ${NAME} not found in the list of registered CSI drivers`);
    writeFileSync(join(driver.volume('handle-first'), 'there'), 'here');
    await driver.start();
    const { spec } = await until('the driver is in the CSINode', async () => {
      const found = await node.client.get(csiNodes, { name: node.name });
      return found.spec?.drivers.length === 1 ? found : undefined;
    });
    expect(spec?.drivers).toEqual([
      { name: NAME, nodeID: 'the-node', topologyKeys: ['topology.example.com/rack'], allocatable: { count: 7 } },
    ]);
    const { metadata } = await node.client.get(nodes, { name: node.name });
    expect(metadata.labels?.['topology.example.com/rack']).toBe('r1');
    expect(metadata.annotations?.['csi.volume.kubernetes.io/nodeid']).toBe(JSON.stringify({ [NAME]: 'the-node' }));
    await inPhase('first', 'Succeeded');
    expect(driver.registrations).toEqual([{ plugin_registered: true }]);
    expect(readFileSync(join(driver.volume('handle-first'), 'new'), 'utf8')).toBe('more\n');
  });

  it('are staged for the node and published for the pod, and taken away in the other order', async () => {
    const [stage] = driver.requests('nodeStageVolume');
    const [publish] = driver.requests('nodePublishVolume');
    const { metadata } = (await get('first')) ?? {};
    expect(stage).toMatchObject({
      volume_id: 'handle-first',
      volume_capability: { mount: {}, access_mode: { mode: 1 } },
      volume_context: { colour: 'blue' },
    });
    expect(publish).toMatchObject({
      volume_id: 'handle-first',
      staging_target_path: stage?.staging_target_path,
      target_path: join(node.dir, `kubelet/pods/${metadata?.uid}/volumes/kubernetes.io~csi/first/mount`),
      volume_context: {
        colour: 'blue',
        'csi.storage.k8s.io/pod.name': 'first',
        'csi.storage.k8s.io/pod.namespace': namespace,
        'csi.storage.k8s.io/pod.uid': metadata?.uid,
        'csi.storage.k8s.io/ephemeral': 'false',
      },
    });
    await remove('first');
    expect(driver.calls.map(({ call }) => call)).toEqual([
      'nodeStageVolume',
      'nodePublishVolume',
      'nodeUnpublishVolume',
      'nodeUnstageVolume',
    ]);
    expect(mounts()).toEqual([]);
    expect(readFileSync(join(driver.volume('handle-first'), 'there'), 'utf8')).toBe('here');
  });

  it('are a pod’s own, inline', async () => {
    const inline = (readOnly: boolean): Volume => ({
      name: 'data',
      csi: { driver: NAME, readOnly, volumeAttributes: { size: 'small' }, nodePublishSecretRef: { name: 'key' } },
    });
    await node.client.create(secrets, { metadata: { name: 'key', namespace }, stringData: { word: 'open' } });
    driver.calls.length = 0;
    await run('inline', 'touch /data/x', inline(true));
    await inPhase('inline', 'Failed');
    const [publish] = driver.requests('nodePublishVolume');
    expect(publish).toMatchObject({
      readonly: true,
      secrets: { word: 'open' },
      volume_context: { size: 'small', 'csi.storage.k8s.io/ephemeral': 'true' },
    });
    expect(publish?.volume_id).toMatch(/^csi-[0-9a-f]{64}$/);
    await remove('inline');
    expect(driver.calls.map(({ call }) => call)).toEqual(['nodePublishVolume', 'nodeUnpublishVolume']);
  });

  it('belong to the group of the pod where they are to', async () => {
    await driverObject({ fsGroupPolicy: 'File' });
    await volume('grouped');
    mkdirSync(join(driver.volume('handle-grouped'), 'old'));
    await run('grouped', 'true', of('grouped'), { securityContext: { fsGroup: 4711 } });
    await inPhase('grouped', 'Succeeded');
    expect(statSync(join(driver.volume('handle-grouped'), 'old')).gid).toBe(4711);
    await remove('grouped');
  });

  it('are block devices', async ({ skip }) => {
    const file = join(node.dir, 'block.img');
    writeFileSync(file, Buffer.alloc(4 << 20));
    const { status, stdout } = spawnSync('losetup', ['--find', '--show', file], { encoding: 'utf8' });
    if (status !== 0) return skip('the machine has no loop devices');
    const device = stdout.trim();
    try {
      driver.devices.set('handle-block', device);
      await volume('block', {}, 'Block');
      const container = {
        name: 'main',
        image: 'busybox',
        imagePullPolicy: 'IfNotPresent',
        command: ['sh', '-c', 'echo marked | dd of=/dev/disk conv=notrunc'],
        volumeDevices: [{ name: 'data', devicePath: '/dev/disk' }],
      };
      await run('block', '', of('block'), { containers: [container] });
      await inPhase('block', 'Succeeded');
      expect(driver.requests('nodePublishVolume').at(-1)).toMatchObject({ volume_capability: { block: {} } });
      await remove('block');
      expect(mounts()).toEqual([]);
      expect(readFileSync(file).subarray(0, 6).toString()).toBe('marked');
    } finally {
      spawnSync('losetup', ['--detach', device]);
    }
  });

  it('say why a driver refuses, and are tried again', async () => {
    driver.failing.set('nodeStageVolume', 'no more room');
    await volume('refused');
    await run('refused', 'true', of('refused'));
    await mountFailure(
      'refused',
      'MountVolume.MountDevice failed for volume "refused" : rpc error: code = Internal desc = no more room',
    );
    driver.failing.delete('nodeStageVolume');
    await inPhase('refused', 'Succeeded');
    await remove('refused');
  });

  it('grow, and are published again, from time to time', async () => {
    await driverObject({ requiresRepublish: true });
    await volume('growing');
    await run('growing', 'sleep 1000', of('growing'));
    await inPhase('growing', 'Running');
    driver.calls.length = 0;
    // As an external resizer does.
    const spec = { capacity: { storage: '3Gi' } };
    await node.client.patch(persistentVolumes, { name: 'growing' }, 'merge', { spec });
    const pending = { type: 'FileSystemResizePending', status: 'True' };
    const ref = { namespace, name: 'growing' };
    const status = { conditions: [pending], allocatedResourceStatuses: { storage: 'NodeResizePending' } };
    await node.client.patch(persistentVolumeClaims, ref, 'merge', { status }, { subresource: 'status' });
    const grown = await until(
      'the claim is larger',
      async () => {
        const found = await node.client.get(persistentVolumeClaims, ref);
        return found.status?.capacity?.storage === '3Gi' ? found : undefined;
      },
      60_000,
    );
    expect(grown.status?.conditions).toBeUndefined();
    expect(grown.status?.allocatedResourceStatuses).toBeUndefined();
    expect(driver.requests('nodeExpandVolume')).toMatchObject([
      { volume_id: 'handle-growing', capacity_range: { required_bytes: 3 * 2 ** 30 } },
    ]);
    expect(driver.requests('nodePublishVolume').length).toBeGreaterThan(0);
    await driverObject({ requiresRepublish: false });
    await remove('growing');
  });

  it('are taken away after a crash, when the driver is there again', async () => {
    await volume('crash');
    const pod = await run('crash', 'sleep 1000', of('crash'));
    await inPhase('crash', 'Running');
    expect(mounts()).toHaveLength(2);
    await node.stopKubelet();
    driver.stop();
    await node.client.delete(pods, { namespace, name: 'crash' }, NO_GRACE);
    await node.startKubelet();
    driver.calls.length = 0;
    await driver.start();
    await until('nothing is mounted', async () => mounts().length === 0);
    await until('the pod has no folder', async () => !existsSync(join(node.dir, 'kubelet/pods', pod.metadata.uid)));
    expect(driver.calls.map(({ call }) => call)).toEqual(['nodeUnpublishVolume', 'nodeUnstageVolume']);
  });

  it('are attached before they are mounted, and not detached while they are in use', async () => {
    await node.client.delete(csiDrivers, { name: NAME });
    await volume('attached');
    driver.calls.length = 0;
    await run('attached', 'sleep 1000', of('attached'));
    const attachment = await until('an attachment is asked for', async () => {
      return (await node.client.list(volumeAttachments)).items[0];
    });
    expect(attachment.spec).toEqual({
      attacher: NAME,
      nodeName: node.name,
      source: { persistentVolumeName: 'attached' },
    });
    // As an external attacher does.
    const { name } = attachment.metadata;
    await node.client.patch(volumeAttachments, { name }, 'merge', {
      metadata: { finalizers: [`external-attacher/${NAME}`] },
    });
    const status = { attached: true, attachmentMetadata: { device: '/dev/somewhere' } };
    await node.client.patch(volumeAttachments, { name }, 'merge', { status }, { subresource: 'status' });
    await inPhase('attached', 'Running');
    expect(driver.requests('nodeStageVolume')).toMatchObject([{ publish_context: { device: '/dev/somewhere' } }]);
    const unique = `kubernetes.io/csi/${NAME}^handle-attached`;
    await until('the node tells of it', async () => {
      const { volumesInUse = [], volumesAttached = [] } =
        (await node.client.get(nodes, { name: node.name })).status ?? {};
      return volumesInUse.includes(unique) && volumesAttached.some((v) => v.name === unique);
    });
    await remove('attached');
    await until('it is to be detached', async () => {
      const found = await node.client.get(volumeAttachments, { name });
      return found.metadata.deletionTimestamp !== undefined;
    });
    await node.client.patch(volumeAttachments, { name }, 'merge', { metadata: { finalizers: null } });
    await until('the node does not tell of it any more', async () => {
      const { volumesInUse = [], volumesAttached = [] } =
        (await node.client.get(nodes, { name: node.name })).status ?? {};
      return volumesInUse.length === 0 && volumesAttached.length === 0;
    });
  });

  it.each([
    [{ type: 'OtherPlugin' }, 'no handler registered for plugin type: OtherPlugin'],
    [{ supported_versions: ['0.3.0'] }, 'none of the versions reported by this CSI driver are supported: 0.3.0'],
  ])('are not had of a plugin that is %j', async (info, why) => {
    const [dir, registry] = [join(node.dir, 'other'), join(node.dir, 'kubelet/plugins_registry')];
    const other = new TestCsiDriver({ name: 'other.example.com', nodeID: 'x', dir, registry, info });
    try {
      await other.start();
      await until('it is refused', async () => other.registrations.length > 0);
      expect(other.registrations[0]?.plugin_registered ?? false).toBe(false);
      expect(other.registrations[0]?.error).toContain(why);
      const { spec } = await node.client.get(csiNodes, { name: node.name });
      expect(spec?.drivers.map((d) => d.name)).toEqual([NAME]);
    } finally {
      other.stop();
    }
  });

  it('are gone from the CSINode with the driver', async () => {
    driver.stop();
    await until('the CSINode has no driver', async () => {
      return (await node.client.get(csiNodes, { name: node.name })).spec?.drivers.length === 0;
    });
    expect(readdirSync(join(node.dir, 'kubelet/plugins_registry'))).toEqual([]);
  });
});
