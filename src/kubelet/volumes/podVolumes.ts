/** The volumes of pods on the node: made before containers start, kept up to date, taken away at the end. */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import { type Mount, PROPAGATION } from '../cri/messages.ts';
import { ContainerConfigError, expand } from '../pods/environment.ts';
import { writeAtomically } from './atomicWriter.ts';
import { setUpEmptyDir } from './emptyDir.ts';
import { checkHostPath } from './hostPath.ts';
import { isMounted, mountTmpfs, unmountBelow } from './mounts.ts';
import { filesOf, VolumeError, type VolumeSources } from './sources.ts';
import { bindSubPath } from './subPath.ts';

/** Folders within a pod's. */
const VOLUMES = 'volumes';
const SUB_PATHS = 'volume-subpaths';

export class PodVolumes {
  readonly #root: string;
  readonly #memory: string;
  readonly #sources: VolumeSources;
  #mounting: Promise<void> | undefined;

  /**
   * @param root the folder that holds a folder for each pod, by uid
   * @param memory the folder on which a file system in memory is mounted, for what must not reach a disk
   */
  constructor(root: string, memory: string, sources: VolumeSources) {
    this.#root = root;
    this.#memory = memory;
    this.#sources = sources;
  }

  podDir(uid: string): string {
    return join(this.#root, uid);
  }

  /** Makes what is missing and brings the rest up to date. @throws VolumeError and what the API server throws */
  async setUp(pod: Pod): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      try {
        await this.#setUpOne(pod, volume);
      } catch (error) {
        const why = (error as Error).message;
        throw new VolumeError(`MountVolume.SetUp failed for volume ${JSON.stringify(volume.name)} : ${why}`);
      }
    }
  }

  async #setUpOne(pod: Pod, volume: Volume): Promise<void> {
    const { emptyDir, hostPath } = volume;
    if (hostPath !== undefined) return checkHostPath(hostPath);
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    if (emptyDir !== undefined) return setUpEmptyDir(this.#volumeDir(pod, volume), emptyDir, fsGroup);
    await this.#write(pod, volume, fsGroup);
  }

  async #write(pod: Pod, volume: Volume, fsGroup: number | undefined): Promise<void> {
    const files = await filesOf(pod, volume, this.#sources);
    if (files === undefined) {
      const { name: _name, ...source } = volume;
      throw new VolumeError(`the volume type ${Object.keys(source)[0] ?? ''} is not supported`);
    }
    if (isInMemory(volume)) await this.#ensureMemory();
    await writeAtomically(this.#volumeDir(pod, volume), files, fsGroup);
  }

  /** Brings the volumes whose content comes from the API up to date. @throws as `setUp` */
  async update(pod: Pod): Promise<void> {
    for (const volume of pod.spec?.volumes ?? []) {
      if (isProjected(volume)) await this.#write(pod, volume, pod.spec?.securityContext?.fsGroup);
    }
  }

  /** The mounts of one container. @throws ContainerConfigError */
  async mountsOf(pod: Pod, container: Container, env: ReadonlyMap<string, string>): Promise<Mount[]> {
    if ((container.volumeDevices ?? []).length > 0)
      throw new ContainerConfigError('block devices (volumeDevices) are not supported');
    const volumes = new Map((pod.spec?.volumes ?? []).map((v) => [v.name, v]));
    const out: Mount[] = [];
    for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
      const volume = volumes.get(mount.name);
      if (volume === undefined) throw new ContainerConfigError(`volume ${JSON.stringify(mount.name)} is not there`);
      if (mount.recursiveReadOnly === 'Enabled')
        throw new ContainerConfigError('recursiveReadOnly is not supported by the container runtime');
      const base = volume.hostPath?.path ?? this.#volumeDir(pod, volume);
      const sub = mount.subPathExpr ? expand(mount.subPathExpr, env) : (mount.subPath ?? '');
      const at = join(this.podDir(pod.metadata?.uid ?? ''), SUB_PATHS, volume.name, container.name, String(i));
      out.push({
        container_path: mount.mountPath,
        host_path: sub === '' ? base : await bindSubPath(base, sub, at, !isProjected(volume)),
        readonly: mount.readOnly === true || isProjected(volume),
        propagation: PROPAGATIONS[mount.mountPropagation ?? 'None'] ?? PROPAGATION.private,
      });
    }
    return out;
  }

  /** Unmounts and removes the volumes of a pod, and nothing else that it has. @throws VolumeError */
  async tearDownVolumes(uid: string): Promise<void> {
    const dir = this.podDir(uid);
    await unmountBelow(dir);
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

/** Whether a volume is made of files that the kubelet writes. */
function isProjected({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return (configMap ?? secret ?? downwardAPI ?? projected) !== undefined;
}

/** Secrets and tokens are never written to a disk. */
function isInMemory({ secret, projected }: Volume): boolean {
  return (
    secret !== undefined || (projected?.sources ?? []).some((s) => (s.secret ?? s.serviceAccountToken) !== undefined)
  );
}

const PROPAGATIONS: Readonly<Record<string, number>> = {
  None: PROPAGATION.private,
  HostToContainer: PROPAGATION.hostToContainer,
  Bidirectional: PROPAGATION.bidirectional,
};
