/**
 * Volumes of CSI drivers on the node: waited for until they are attached, staged once for the node, published for each
 * pod; and back, also after a crash.
 *
 * Source: https://github.com/container-storage-interface/spec/blob/master/spec.md#node-service-rpc
 */
import { mkdir, rmdir, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pod } from '../../apis/core/pod.ts';
import type { CSIDriver } from '../../apis/storage/csiDriver.ts';
import type { VolumeAttachment } from '../../apis/storage/volumeAttachment.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatTime } from '../../machinery/time.ts';
import { isMounted } from '../volumes/mounts.ts';
import { giveToGroup } from '../volumes/ownership.ts';
import type { VolumeOnNode } from '../volumes/persistentVolume.ts';
import { VolumeError, type VolumeSources } from '../volumes/sources.ts';
import { type CsiDriverPlugin, type CsiDrivers, canStage } from './drivers.ts';
import { NODE_CAPABILITY } from './messages.ts';
import { names, readStaged, removeStaged, VolumeRecords, writeStaged } from './records.ts';
import {
  attachmentName,
  type CsiSource,
  capabilityOf,
  folderOf,
  isGivenToGroup,
  podInfoOf,
  type SecretName,
  uniqueName,
} from './source.ts';

/** What volumes of drivers are made of, beside the driver. */
export interface CsiSources extends Pick<VolumeSources, 'secret' | 'token'> {
  csiDriver(name: string): Promise<CSIDriver | undefined>;
  attachment(name: string): Promise<VolumeAttachment | undefined>;
  readonly nodeName: string;
  readonly clock: Clock;
}

const ATTACH_WITHIN_MS = 120_000;
const ATTACH_LOOK_MS = 250;
const TOKEN_SECONDS = 3600;
const TOKENS = 'csi.storage.k8s.io/serviceAccount.tokens';
const MAX_TOKEN_SECONDS = 2 ** 32;

export class CsiVolumes {
  readonly #plugins: string;
  readonly #drivers: CsiDrivers;
  readonly #sources: CsiSources;
  readonly #records: VolumeRecords;
  /** what is being done with each volume, one thing after the other */
  readonly #busy = new Map<string, Promise<unknown>>();
  readonly #inUse = new Set<string>();
  #known: Promise<void> | undefined;
  /** the volumes in use, as the node's status names them, are others than before */
  onChange: () => void = () => {};

  /** @param root the kubelet's folder */
  constructor(root: string, drivers: CsiDrivers, sources: CsiSources) {
    this.#plugins = join(root, 'plugins/kubernetes.io/csi');
    this.#drivers = drivers;
    this.#sources = sources;
    this.#records = new VolumeRecords(join(root, 'pods'));
  }

  /** The volumes in use here that must be attached, as the node's status names them. */
  inUse(): readonly string[] {
    return [...this.#inUse].sort();
  }

  /** Makes a volume ready for a pod. @throws VolumeError */
  async setUp(pod: Pod, source: CsiSource): Promise<VolumeOnNode> {
    const driver = this.#driver(source.driver);
    const object = await this.#sources.csiDriver(source.driver);
    checkMode(source, object);
    const uid = pod.metadata?.uid ?? '';
    const attachRequired = source.mode === 'Persistent' && object?.spec?.attachRequired !== false;
    const target = this.#target(uid, source);
    // From now on it is in use: whatever happens, it will be taken away.
    await this.#records.write(uid, source.name, { ...idOf(source), target, attachRequired });
    if (attachRequired) this.#use(source);
    const context = attachRequired ? await this.#attached(uid, source) : {};
    return this.#alone(source, async () => {
      await this.#checkWanted(uid, source);
      await this.#stage(pod, driver, source, context);
      await this.#publish(pod, driver, source, context, object);
      if (source.isBlock) return { device: target, readOnly: source.readOnly };
      if (groupOf(pod, driver) === undefined && !source.readOnly && isGivenToGroup(source, object)) {
        await giveToGroup(target, pod.spec?.securityContext ?? {}, false);
      }
      return { path: target, readOnly: source.readOnly };
    });
  }

  /** Publishes a volume again, where its driver wants to be asked from time to time. @throws PluginError */
  async refresh(pod: Pod, source: CsiSource): Promise<void> {
    const object = await this.#sources.csiDriver(source.driver);
    if (object?.spec?.requiresRepublish !== true) return;
    const uid = pod.metadata?.uid ?? '';
    const attached = (await this.#records.of(uid)).get(source.name)?.attachRequired === true;
    const context = attached ? await this.#attached(uid, source) : {};
    await this.#alone(source, async () => {
      await this.#checkWanted(uid, source);
      await this.#publish(pod, this.#driver(source.driver), source, context, object);
    });
  }

  /**
   * Has the driver make what is on a volume as large as the volume.
   * @returns false where there is nothing to do on the node
   * @throws PluginError
   */
  async expand(pod: Pod, source: CsiSource, bytes: number): Promise<boolean> {
    const driver = this.#driver(source.driver);
    if (!driver.capabilities.has(NODE_CAPABILITY.expand)) return false;
    const uid = pod.metadata?.uid ?? '';
    await this.#alone(source, async () => {
      await this.#checkWanted(uid, source);
      await driver.plugin.call('nodeExpandVolume', {
        volume_id: source.handle,
        volume_path: this.#target(uid, source),
        capacity_range: { required_bytes: bytes },
        ...(canStage(driver) ? { staging_target_path: this.#staging(source) } : {}),
        volume_capability: capabilityOf(source, driver),
        secrets: await this.#secrets(source.expandSecret),
      });
    });
    return true;
  }

  /** Takes all volumes of a pod away. @throws Error where a driver does not do its part */
  async tearDown(uid: string): Promise<void> {
    for (const [name, record] of await this.#records.of(uid)) {
      await this.#alone(record, async () => {
        const driver = this.#driver(record.driver);
        const { handle, target } = record;
        await driver.plugin.call('nodeUnpublishVolume', { volume_id: handle, target_path: target });
        await removeTarget(target);
        await this.#records.remove(uid, name);
        await this.#unstage(driver, record);
      });
    }
  }

  /** What a crash left staged and no pod uses is taken away; asked for when a driver is there again. */
  async cleanUp(driverName: string): Promise<void> {
    const driver = this.#driver(driverName);
    const dir = join(this.#plugins, driverName);
    for (const folder of await names(dir)) {
      const record = await readStaged(join(dir, folder, 'globalmount'));
      if (record !== undefined) await this.#alone(record, () => this.#unstage(driver, record));
    }
  }

  /** What pods used before the kubelet started is in use. */
  load(): Promise<void> {
    this.#known ??= this.#records.all().then((records) => {
      for (const record of records) if (record.attachRequired) this.#inUse.add(uniqueName(record));
    });
    return this.#known;
  }

  #driver(name: string): CsiDriverPlugin {
    const driver = this.#drivers.get(name);
    if (driver !== undefined) return driver;
    throw new VolumeError(
      `kubernetes.io/csi: failed to get CSI client: driver name ${name} not found in the list of registered CSI drivers`,
    );
  }

  #staging(source: Pick<CsiSource, 'driver' | 'handle'>): string {
    return join(this.#plugins, source.driver, folderOf(source), 'globalmount');
  }

  #target(uid: string, { name, isBlock }: CsiSource): string {
    return isBlock
      ? join(this.#plugins, 'volumeDevices/publish', name, uid)
      : join(this.#records.dir(uid, name), 'mount');
  }

  /** What is done with one volume is done one after the other: drivers need not bear more. */
  async #alone<T>(source: Pick<CsiSource, 'driver' | 'handle'>, work: () => Promise<T>): Promise<T> {
    const key = uniqueName(source);
    const before = this.#busy.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    const settled = mine.catch(() => {});
    this.#busy.set(key, settled);
    try {
      return await mine;
    } finally {
      if (this.#busy.get(key) === settled) this.#busy.delete(key);
    }
  }

  /** @returns what whoever attached it says of it. @throws VolumeError */
  async #attached(uid: string, source: CsiSource): Promise<Record<string, string>> {
    const { clock, nodeName, attachment } = this.#sources;
    const name = attachmentName(source, nodeName);
    const end = clock.monotonic() + ATTACH_WITHIN_MS;
    for (;;) {
      const found = await attachment(name);
      if (found?.status?.attached === true && found.metadata?.deletionTimestamp === undefined) {
        return found.status.attachmentMetadata ?? {};
      }
      const why = found?.status?.attachError?.message;
      if (why) throw new VolumeError(`volume attachment ${name} failed: ${why}`, 'MountVolume.WaitForAttach');
      await this.#checkWanted(uid, source);
      if (clock.monotonic() >= end) {
        throw new VolumeError(
          `timed out waiting for external-attacher of ${source.driver} CSI driver to attach volume ${source.handle}`,
          'MountVolume.WaitForAttach',
        );
      }
      await clock.sleep(ATTACH_LOOK_MS);
    }
  }

  /** What is done for a pod that ends is cut short, but not in the middle. @throws VolumeError where it is gone */
  async #checkWanted(uid: string, { name }: CsiSource): Promise<void> {
    if (!(await this.#records.of(uid)).has(name)) throw new VolumeError('the pod is gone');
  }

  /** For the node, where the driver does that. */
  async #stage(pod: Pod, driver: CsiDriverPlugin, source: CsiSource, context: Record<string, string>): Promise<void> {
    if (!canStage(driver) || source.mode !== 'Persistent') return;
    const path = this.#staging(source);
    // Before the driver is asked: what it does is known of after a crash.
    await writeStaged(path, idOf(source));
    await mkdir(path, { recursive: true, mode: 0o750 });
    try {
      await driver.plugin.call('nodeStageVolume', {
        volume_id: source.handle,
        publish_context: context,
        volume_capability: capabilityOf(source, driver, groupOf(pod, driver)),
        staging_target_path: path,
        secrets: await this.#secrets(source.stageSecret),
        volume_context: { ...source.attributes },
      });
    } catch (error) {
      throw new VolumeError((error as Error).message, 'MountVolume.MountDevice');
    }
  }

  async #publish(
    pod: Pod,
    driver: CsiDriverPlugin,
    source: CsiSource,
    context: Record<string, string>,
    object: CSIDriver | undefined,
  ): Promise<void> {
    const target = this.#target(pod.metadata?.uid ?? '', source);
    const staged = canStage(driver) && source.mode === 'Persistent';
    await mkdir(dirname(target), { recursive: true, mode: 0o750 });
    await driver.plugin.call('nodePublishVolume', {
      volume_id: source.handle,
      publish_context: context,
      volume_capability: capabilityOf(source, driver, groupOf(pod, driver)),
      ...(staged ? { staging_target_path: this.#staging(source) } : {}),
      target_path: target,
      readonly: source.readOnly,
      ...(await this.#told(pod, source, object)),
    });
  }

  /** Where no pod uses the volume any more. */
  async #unstage(driver: CsiDriverPlugin, volume: Pick<CsiSource, 'driver' | 'handle'>): Promise<void> {
    const key = uniqueName(volume);
    if ((await this.#records.all()).some((other) => uniqueName(other) === key)) return;
    const path = this.#staging(volume);
    if ((await readStaged(path)) !== undefined) {
      await driver.plugin.call('nodeUnstageVolume', { volume_id: volume.handle, staging_target_path: path });
      await removeTarget(path);
      await removeStaged(path);
    }
    if (this.#inUse.delete(key)) this.onChange();
  }

  #use(source: CsiSource): void {
    const key = uniqueName(source);
    if (this.#inUse.has(key)) return;
    this.#inUse.add(key);
    this.onChange();
  }

  /** What the driver is told besides, when it publishes a volume. */
  async #told(pod: Pod, source: CsiSource, object: CSIDriver | undefined) {
    const { podInfoOnMount, tokenRequests = [], serviceAccountTokenInSecrets } = object?.spec ?? {};
    const volume_context = { ...source.attributes, ...(podInfoOnMount ? podInfoOf(pod, source) : {}) };
    const secrets = await this.#secrets(source.publishSecret);
    if (tokenRequests.length === 0) return { secrets, volume_context };
    const tokens = { [TOKENS]: await this.#tokens(pod, tokenRequests) };
    return serviceAccountTokenInSecrets
      ? { secrets: { ...secrets, ...tokens }, volume_context }
      : { secrets, volume_context: { ...volume_context, ...tokens } };
  }

  async #tokens(
    pod: Pod,
    requests: readonly { readonly audience: string; readonly expirationSeconds?: number }[],
  ): Promise<string> {
    const { token, clock } = this.#sources;
    const tokens: Record<string, { token: string; expirationTimestamp: string }> = {};
    for (const { audience, expirationSeconds = TOKEN_SECONDS } of requests) {
      const text = await token(pod, audience, Math.min(expirationSeconds, MAX_TOKEN_SECONDS));
      tokens[audience] = { token: text, expirationTimestamp: expirationOf(text, clock.now() + TOKEN_SECONDS * 1000) };
    }
    return JSON.stringify(tokens);
  }

  async #secrets(ref: SecretName | undefined): Promise<Record<string, string>> {
    if (ref === undefined) return {};
    const secret = await this.#sources.secret(ref.namespace, ref.name);
    if (secret === undefined)
      throw new VolumeError(`failed to find the secret ${ref.name} in the namespace ${ref.namespace}`);
    return Object.fromEntries(
      Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
    );
  }
}

/** The group of the pod, where the driver itself gives the volume to it. */
function groupOf(pod: Pod, { capabilities }: CsiDriverPlugin): string | undefined {
  const group = pod.spec?.securityContext?.fsGroup;
  return group !== undefined && capabilities.has(NODE_CAPABILITY.mountGroup) ? String(group) : undefined;
}

const idOf = ({ driver, handle }: CsiSource) => ({ driver, handle });

/** @throws VolumeError where the driver does not have such volumes */
function checkMode({ mode, driver }: CsiSource, object: CSIDriver | undefined): void {
  if (object === undefined) {
    if (mode === 'Persistent') return;
    throw new VolumeError(`volume mode "${mode}" not supported by driver ${driver} (no CSIDriver object)`);
  }
  const modes = object.spec?.volumeLifecycleModes ?? [];
  const supported = modes.length === 0 ? ['Persistent'] : modes;
  if (supported.includes(mode)) return;
  throw new VolumeError(
    `volume mode "${mode}" not supported by driver ${driver} (only supports ${JSON.stringify(supported)})`,
  );
}

/** As the token itself says. */
function expirationOf(token: string, otherwise: number): string {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as {
      exp?: unknown;
    };
    return formatTime(typeof exp === 'number' ? exp * 1000 : otherwise);
  } catch {
    return formatTime(otherwise);
  }
}

/** Drivers remove what they made, and some leave the folder; what is still in it is the volume's. @throws Error */
async function removeTarget(path: string): Promise<void> {
  if (isMounted(path)) throw new VolumeError(`the driver left a volume mounted at ${path}`);
  await rmdir(path)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTDIR') throw error;
      return unlink(path);
    })
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
}
