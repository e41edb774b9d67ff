/** The volumes of pods on the node: made before containers start, kept up to date, taken away at the end. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import { type Device, type Mount, PROPAGATION } from '../cri/messages.ts';
import { sourceOfInline, sourceOfPersistent } from '../csi/source.ts';
import type { CsiVolumes } from '../csi/volumes.ts';
import { type DiskUsage, diskUsageOf } from '../machine/diskUsage.ts';
import { ContainerConfigError } from '../pods/environment.ts';
import { writeAtomically } from './atomicWriter.ts';
import { type ClaimedVolume, claimedVolume, claimNameOf } from './claims.ts';
import { memoryFor, setUpEmptyDir } from './emptyDir.ts';
import { checkHostPath } from './hostPath.ts';
import type { ImageMounts } from './imageMounts.ts';
import { isMounted, mountTmpfs, unmountBelow } from './mounts.ts';
import { setUpNfs, setUpPersistent, type VolumeOnNode } from './persistentVolume.ts';
import { filesOf, VolumeError, type VolumeSources } from './sources.ts';
import { bindSubPath, readWithin, subPathOf } from './subPath.ts';
import { type VolumeUse, VolumeUses } from './volumeUse.ts';

/** Folders within a pod's. */
const VOLUMES = 'volumes';
const SUB_PATHS = 'volume-subpaths';
const IMAGES = 'image-volumes';

export class PodVolumes {
  readonly #root: string;
  readonly #memory: string;
  readonly #sources: VolumeSources;
  readonly #csi: CsiVolumes;
  readonly #images: ImageMounts;
  /** what the volumes of pods are that are no folders of the pod's own, by pod and volume */
  readonly #onNode = new Map<string, Map<string, VolumeOnNode>>();
  readonly #uses = new VolumeUses();
  #mounting: Promise<void> | undefined;

  /**
   * @param root the folder that holds a folder for each pod, by uid
   * @param memory the folder on which a file system in memory is mounted, for what must not reach a disk
   */
  constructor(root: string, memory: string, sources: VolumeSources, csi: CsiVolumes, images: ImageMounts) {
    this.#root = root;
    this.#memory = memory;
    this.#sources = sources;
    this.#csi = csi;
    this.#images = images;
  }

  podDir(uid: string): string {
    return join(this.#root, uid);
  }

  /** Makes what is missing and brings the rest up to date. @throws VolumeError and what the API server throws */
  async setUp(pod: Pod): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      const claimed = await claimedVolume(pod, volume, this.#sources);
      const name = claimed?.volume.metadata.name ?? volume.name;
      try {
        if (claimed === undefined) await this.#setUpOne(pod, volume);
        else this.#found(pod, volume, await this.#setUpClaimed(pod, volume, claimed));
      } catch (error) {
        const operation = error instanceof VolumeError ? error.operation : 'MountVolume.SetUp';
        throw new VolumeError(`${operation} failed for volume ${JSON.stringify(name)} : ${(error as Error).message}`);
      }
    }
  }

  #setUpClaimed(pod: Pod, volume: Volume, claimed: ClaimedVolume): Promise<VolumeOnNode> {
    const source = sourceOfPersistent(claimed.volume, claimed.readOnly);
    if (source !== undefined) return this.#csi.setUp(pod, source);
    const securityContext = pod.spec?.securityContext ?? {};
    return setUpPersistent({ ...claimed, dir: this.#volumeDir(pod, volume), securityContext });
  }

  async #setUpOne(pod: Pod, volume: Volume): Promise<void> {
    const { emptyDir, hostPath, nfs } = volume;
    if (hostPath !== undefined) return checkHostPath(hostPath);
    // It is mounted when a container needs it: it may have to be pulled first.
    if (volume.image !== undefined) return;
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    const dir = this.#volumeDir(pod, volume);
    if (emptyDir !== undefined)
      return setUpEmptyDir(dir, emptyDir, fsGroup, memoryFor(pod, this.#sources.nodeAllocatable));
    const inline = sourceOfInline(pod, volume);
    if (inline !== undefined) return this.#found(pod, volume, await this.#csi.setUp(pod, inline));
    if (nfs !== undefined) return this.#found(pod, volume, await setUpNfs(nfs, dir, [], false));
    await this.#write(pod, volume, fsGroup);
  }

  #found(pod: Pod, { name }: Volume, onNode: VolumeOnNode): void {
    const uid = pod.metadata?.uid ?? '';
    const known = this.#onNode.get(uid) ?? new Map<string, VolumeOnNode>();
    this.#onNode.set(uid, known.set(name, onNode));
  }

  async #write(pod: Pod, volume: Volume, fsGroup: number | undefined): Promise<void> {
    const files = await filesOf(pod, volume, this.#sources);
    if (files === undefined) {
      const { name: _name, ...source } = volume;
      throw new VolumeError(`the volume type ${Object.keys(source)[0] ?? ''} is not supported`);
    }
    if (isInMemory(volume)) await this.#ensureMemory();
    await writeAtomically(this.#volumeDir(pod, volume), files, this.#sources.clock.now(), fsGroup);
  }

  /** Brings the volumes whose content comes from the API up to date. @throws as `setUp` */
  async update(pod: Pod): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      if (isProjected(volume)) await this.#write(pod, volume, pod.spec?.securityContext?.fsGroup);
    }
  }

  /** Makes the content of an image, which is there, the content of a volume. @throws VolumeError */
  async mountImage(pod: Pod, name: string, imageId: string): Promise<void> {
    const dir = join(this.podDir(pod.metadata?.uid ?? ''), IMAGES, name);
    await this.#images.mount(imageId, dir);
    this.#found(pod, volumeOf(pod, name), { path: dir, readOnly: true });
  }

  /**
   * The mounts of one container.
   * @param recursive whether the runtime can make what is mounted below a volume read only, too
   * @throws ContainerConfigError
   */
  async mountsOf(
    pod: Pod,
    container: Container,
    env: ReadonlyMap<string, string>,
    recursive: boolean,
  ): Promise<Mount[]> {
    const out: Mount[] = [];
    for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = volumeOf(pod, mount.name);
      if (mount.recursiveReadOnly === 'Enabled' && !recursive)
        throw new ContainerConfigError('recursiveReadOnly is not supported by the container runtime');
      const { path: base, readOnly } = this.#onNodeOf(pod, volume);
      if (base === undefined)
        throw new ContainerConfigError(`volume ${JSON.stringify(mount.name)} is a block device: it cannot be mounted`);
      const sub = subPathOf(mount, env);
      const at = join(this.podDir(pod.metadata?.uid ?? ''), SUB_PATHS, volume.name, container.name, String(i));
      out.push({
        container_path: mount.mountPath,
        host_path: sub === '' ? base : await bindSubPath(base, sub, at, !readOnly).catch(volume.image && asOfRuntime),
        readonly: mount.readOnly === true || readOnly,
        recursive_read_only: recursive && (mount.recursiveReadOnly ?? 'Disabled') !== 'Disabled',
        propagation: PROPAGATIONS[mount.mountPropagation ?? 'None'] ?? PROPAGATION.private,
      });
    }
    return out;
  }

  /** The text of a file in a volume; undefined where there is none. @throws ContainerConfigError */
  async fileOf(pod: Pod, name: string, path: string): Promise<string | undefined> {
    const volume = volumeOf(pod, name);
    const { path: base } = this.#onNodeOf(pod, volume);
    return base === undefined ? undefined : readWithin(base, path);
  }

  /** The block devices of one container. @throws ContainerConfigError */
  devicesOf(pod: Pod, container: Container): Device[] {
    return (container.volumeDevices ?? []).map(({ name, devicePath }) => {
      const { device, readOnly } = this.#onNodeOf(pod, volumeOf(pod, name));
      if (device === undefined) {
        throw new ContainerConfigError(`volume ${JSON.stringify(name)} is a file system: it is no device`);
      }
      return { container_path: devicePath, host_path: device, permissions: readOnly ? 'r' : 'mrw' };
    });
  }

  #onNodeOf(pod: Pod, volume: Volume): VolumeOnNode {
    if (volume.hostPath !== undefined) return { path: volume.hostPath.path, readOnly: false };
    const found = this.#onNode.get(pod.metadata?.uid ?? '')?.get(volume.name);
    return found ?? { path: this.#volumeDir(pod, volume), readOnly: isProjected(volume) };
  }

  /** What the volumes hold that go with the pod, by name. Never throws. */
  async usage(pod: Pod): Promise<Map<string, DiskUsage>> {
    const used = new Map<string, DiskUsage>();
    for (const volume of pod.spec?.volumes ?? []) {
      // What is in the memory that all pods share is not on the disk.
      const onDisk = volume.emptyDir !== undefined || (isProjected(volume) && !isInMemory(volume));
      if (onDisk) used.set(volume.name, await diskUsageOf(this.#volumeDir(pod, volume)));
    }
    return used;
  }

  /** How full the volumes are that are folders; those of which nothing can be told are left out. */
  async uses(pod: Pod): Promise<VolumeUse[]> {
    const found = await Promise.all(
      (pod.spec?.volumes ?? []).map(async (volume) => {
        const claim = claimNameOf(pod, volume);
        const part = volume.emptyDir !== undefined || (isProjected(volume) && !isInMemory(volume));
        const { path } = this.#onNodeOf(pod, volume);
        if (path === undefined || (claim === undefined && !part)) return undefined;
        // What is in memory has a file system of its own.
        const use = await this.#uses.of(path, part && volume.emptyDir?.medium !== 'Memory');
        return use === undefined ? undefined : { name: volume.name, ...(claim === undefined ? {} : { claim }), ...use };
      }),
    );
    return found.filter((use) => use !== undefined);
  }

  /** Unmounts and removes the volumes of a pod, and nothing else that it has. @throws VolumeError */
  async tearDownVolumes(uid: string): Promise<void> {
    const dir = this.podDir(uid);
    await this.#csi.tearDown(uid);
    await this.#images.unmountAll(join(dir, IMAGES));
    await unmountBelow(dir);
    this.#onNode.delete(uid);
    for (const what of [join(dir, VOLUMES), join(dir, SUB_PATHS), join(this.#memory, uid)])
      await rm(what, { recursive: true, force: true });
  }

  /** Unmounts and removes all that belongs to a pod. @throws VolumeError */
  async tearDown(uid: string): Promise<void> {
    await this.tearDownVolumes(uid);
    await rm(this.podDir(uid), { recursive: true, force: true });
  }

  /** The uids of pods that have a folder here. */
  async uids(): Promise<string[]> {
    const found = await Promise.all([this.#root, this.#memory].map((dir) => readdir(dir).catch(() => [])));
    return [...new Set(found.flat())];
  }

  #volumeDir(pod: Pod, volume: Volume): string {
    const uid = pod.metadata?.uid ?? '';
    return isInMemory(volume) ? join(this.#memory, uid, volume.name) : join(this.podDir(uid), VOLUMES, volume.name);
  }

  /** One file system in memory serves all pods: a mount for each would cost a process each time. */
  async #ensureMemory(): Promise<void> {
    if (isMounted(this.#memory)) return;
    // Pods that start at once must not mount one over another's files.
    this.#mounting ??= this.#mountMemory().finally(() => {
      this.#mounting = undefined;
    });
    await this.#mounting;
  }

  async #mountMemory(): Promise<void> {
    await mkdir(this.#memory, { recursive: true, mode: 0o700 });
    await mountTmpfs(this.#memory, { mode: '0700' });
  }
}

/** @throws ContainerConfigError */
function volumeOf(pod: Pod, name: string): Volume {
  const volume = (pod.spec?.volumes ?? []).find((v) => v.name === name);
  if (volume === undefined) throw new ContainerConfigError(`volume ${JSON.stringify(name)} is not there`);
  return volume;
}

/** Whether a volume is made of files that the kubelet writes. */
function isProjected({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return (configMap ?? secret ?? downwardAPI ?? projected) !== undefined;
}

/** Secrets and tokens are never written to a disk; what else is in memory is so in Kubernetes, too. */
function isInMemory({ secret, downwardAPI, projected }: Volume): boolean {
  return (secret ?? downwardAPI ?? projected) !== undefined;
}

const PROPAGATIONS: Readonly<Record<string, number>> = {
  None: PROPAGATION.private,
  HostToContainer: PROPAGATION.hostToContainer,
  Bidirectional: PROPAGATION.bidirectional,
};

/** In Kubernetes it is the runtime that looks into images, so that what it finds is no fault of the configuration. */
function asOfRuntime(error: Error): never {
  throw new Error(error.message);
}
