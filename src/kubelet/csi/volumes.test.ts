import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import type { CSIDriver } from '../../apis/storage/csiDriver.ts';
import type { VolumeAttachment } from '../../apis/storage/volumeAttachment.ts';
import { SystemClock } from '../../lib/clock.ts';
import { CsiDrivers } from './drivers.ts';
import { NODE_CAPABILITY, type PluginCall } from './messages.ts';
import { type Plugin, PluginError } from './plugin.ts';
import { attachmentName, type CsiSource, sourceOfPersistent } from './source.ts';
import { CsiVolumes } from './volumes.ts';

const DRIVER = 'd.example.com';
let root: string;
const clock = new SystemClock();
let drivers: CsiDrivers;
let calls: { call: PluginCall; request: Record<string, unknown> }[];
let failing: Set<PluginCall>;
let object: CSIDriver | undefined;
let attachments: Map<string, VolumeAttachment>;

/** A driver that makes folders where it is told to mount. */
const plugin: Plugin = {
  async call(call, request) {
    calls.push({ call, request: request as Record<string, unknown> });
    if (failing.has(call)) throw new PluginError(13, 'rpc error: code = Internal desc = out of order');
    const { target_path } = request as { target_path?: string };
    if (call === 'nodePublishVolume' && target_path !== undefined) await mkdir(target_path, { recursive: true });
    return {} as never;
  },
  close: () => {},
};
const register = () =>
  drivers.add({
    name: DRIVER,
    plugin,
    node: { nodeID: 'n', topology: {} },
    capabilities: new Set([NODE_CAPABILITY.stage]),
  });
const newVolumes = () =>
  new CsiVolumes(root, drivers, {
    nodeName: 'n1',
    clock,
    csiDriver: async () => object,
    attachment: async (name) => attachments.get(name),
    secret: async (namespace, name) =>
      namespace === 'shop' && name === 'key' ? { data: { word: Buffer.from('open').toString('base64') } } : undefined,
    token: async (_pod, audience) => `token for ${audience}`,
  });
const pod = (uid: string): Pod => ({ metadata: { name: uid, namespace: 'shop', uid }, spec: { containers: [] } });
const source = (handle: string, csi: object = {}) =>
  sourceOfPersistent(
    {
      metadata: { name: `pv-${handle}` },
      spec: { accessModes: ['ReadWriteOnce'], csi: { driver: DRIVER, volumeHandle: handle, ...csi } },
    },
    false,
  ) as CsiSource;
/** @throws Error after a deadline */
async function until(holds: () => boolean): Promise<void> {
  const end = clock.monotonic() + 10_000;
  while (!holds()) {
    if (clock.monotonic() > end) throw new Error('waited in vain');
    await clock.sleep(5);
  }
}
const done = () => calls.map(({ call }) => call);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kubets-csi-'));
  drivers = new CsiDrivers();
  calls = [];
  failing = new Set();
  object = { spec: { attachRequired: false } };
  attachments = new Map();
  register();
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('a volume that several pods of a node use', () => {
  it('is taken from the node when the last of them is gone', async () => {
    const volumes = newVolumes();
    await Promise.all([volumes.setUp(pod('a'), source('h')), volumes.setUp(pod('b'), source('h'))]);
    calls = [];
    await volumes.tearDown('a');
    expect(done()).toEqual(['nodeUnpublishVolume']);
    await volumes.tearDown('b');
    expect(done()).toEqual(['nodeUnpublishVolume', 'nodeUnpublishVolume', 'nodeUnstageVolume']);
    await volumes.tearDown('b');
    expect(calls).toHaveLength(3);
    expect(await readdir(join(root, 'plugins/kubernetes.io/csi', DRIVER))).toEqual([]);
  });

  it('is still known of after a restart, and cleaned up where a driver did not do its part', async () => {
    await newVolumes().setUp(pod('a'), source('h'));
    failing.add('nodeUnstageVolume');
    await expect(newVolumes().tearDown('a')).rejects.toThrow('out of order');
    failing.clear();
    calls = [];
    await newVolumes().cleanUp(DRIVER);
    expect(done()).toEqual(['nodeUnstageVolume']);
    await newVolumes().cleanUp(DRIVER);
    expect(done()).toEqual(['nodeUnstageVolume']);
  });

  it('is not lost while its driver is away', async () => {
    const volumes = newVolumes();
    await volumes.setUp(pod('a'), source('h'));
    drivers.closeAll();
    await expect(volumes.tearDown('a')).rejects.toThrow(`driver name ${DRIVER} not found`);
    register();
    calls = [];
    await volumes.tearDown('a');
    expect(done()).toEqual(['nodeUnpublishVolume', 'nodeUnstageVolume']);
  });
});

describe('a driver', () => {
  it('gets the secrets and tokens that it is to have', async () => {
    object = { spec: { attachRequired: false, tokenRequests: [{ audience: 'vault', expirationSeconds: 600 }] } };
    const ref = { name: 'key', namespace: 'shop' };
    await newVolumes().setUp(pod('a'), source('h', { nodePublishSecretRef: ref }));
    const request = calls.find(({ call }) => call === 'nodePublishVolume')?.request;
    expect(request?.secrets).toEqual({ word: 'open' });
    const context = request?.volume_context as Record<string, string>;
    expect(JSON.parse(context['csi.storage.k8s.io/serviceAccount.tokens'] ?? '')).toMatchObject({
      vault: { token: 'token for vault' },
    });
    object = { spec: { ...object.spec, serviceAccountTokenInSecrets: true } };
    calls = [];
    await newVolumes().setUp(pod('b'), source('i'));
    const hidden = calls.find(({ call }) => call === 'nodePublishVolume')?.request;
    expect(hidden?.volume_context).toEqual({});
    expect(Object.keys(hidden?.secrets as object)).toEqual(['csi.storage.k8s.io/serviceAccount.tokens']);
  });

  it('is not asked without the secret', async () => {
    const missing = source('h', { nodeStageSecretRef: { name: 'none', namespace: 'shop' } });
    await expect(newVolumes().setUp(pod('a'), missing)).rejects.toThrow('failed to find the secret none');
    expect(calls).toEqual([]);
  });

  it('has only the volumes that it says it has', async () => {
    object = { spec: { volumeLifecycleModes: ['Ephemeral'] } };
    await expect(newVolumes().setUp(pod('a'), source('h'))).rejects.toThrow(
      `volume mode "Persistent" not supported by driver ${DRIVER} (only supports ["Ephemeral"])`,
    );
  });
});

describe('a volume that must be attached', () => {
  const name = attachmentName(source('h'), 'n1');
  const attached = (status: VolumeAttachment['status']) =>
    attachments.set(name, {
      metadata: { name },
      spec: { attacher: DRIVER, nodeName: 'n1', source: {} },
      ...(status === undefined ? {} : { status }),
    });

  it('is waited for, in use from the start, and free in the end', async () => {
    object = undefined;
    const volumes = newVolumes();
    let changes = 0;
    volumes.onChange = () => {
      changes++;
    };
    const ready = volumes.setUp(pod('a'), source('h'));
    await until(() => volumes.inUse().length > 0);
    expect(calls).toEqual([]);
    expect(volumes.inUse()).toEqual([`kubernetes.io/csi/${DRIVER}^h`]);
    attached({ attached: true, attachmentMetadata: { device: 'x' } });
    await until(() => calls.length === 2);
    await ready;
    expect(calls[0]?.request.publish_context).toEqual({ device: 'x' });
    const restarted = newVolumes();
    await restarted.load();
    expect(restarted.inUse()).toEqual(volumes.inUse());
    await volumes.tearDown('a');
    expect(volumes.inUse()).toEqual([]);
    expect(changes).toBe(2);
  });

  it('says why it cannot be', async () => {
    object = undefined;
    attached({ attached: false, attachError: { message: 'no slot' } });
    await expect(newVolumes().setUp(pod('a'), source('h'))).rejects.toMatchObject({
      operation: 'MountVolume.WaitForAttach',
      message: `volume attachment ${name} failed: no slot`,
    });
  });
});
