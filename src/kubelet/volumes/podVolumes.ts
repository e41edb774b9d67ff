/** The volumes of pods on the node: made before containers start, kept up to date, taken away at the end. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { chmod, chown, mkdir, open, readdir, realpath, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { VolumeMount } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { EmptyDirVolumeSource, HostPathVolumeSource, Volume } from '../../apis/core/volumes.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import { type Mount, PROPAGATION } from '../cri/messages.ts';
import { ContainerConfigError, expand } from '../pods/environment.ts';
import { writeAtomically } from './atomicWriter.ts';
import { filesOf, VolumeError, type VolumeSources } from './sources.ts';

const run = promisify(execFile);

export class PodVolumes {
  readonly #root: string;
  readonly #sources: VolumeSources;

  /** @param root the folder that holds a folder for each pod, by uid */
  constructor(root: string, sources: VolumeSources) {
    this.#root = root;
    this.#sources = sources;
  }

  podDir(uid: string): string {
    return join(this.#root, uid);
  }

  /** Makes what is missing and brings the rest up to date. @throws VolumeError and what the API server throws */
  async setUp(pod: Pod): Promise<void> {
    const fsGroup = pod.spec?.securityContext?.fsGroup;
    for (const volume of pod.spec?.volumes ?? []) await this.#setUpOne(pod, volume, fsGroup);
  }

  async #setUpOne(pod: Pod, volume: Volume, fsGroup: number | undefined): Promise<void> {
    if (volume.hostPath !== undefined) return checkHostPath(volume.hostPath);
    const dir = this.#volumeDir(pod, volume.name);
    if (volume.emptyDir !== undefined) return setUpEmptyDir(dir, volume.emptyDir, fsGroup);
    const files = await filesOf(pod, volume, this.#sources);
    if (files === undefined) {
      const { name: _name, ...source } = volume;
      throw new VolumeError(
        `volume ${JSON.stringify(volume.name)}: the volume type ${Object.keys(source)[0] ?? ''} is not supported`,
      );
    }
    await writeAtomically(dir, files, fsGroup);
  }

  /** Whether a pod has volumes whose content may change while it runs. */
  static changes(pod: Pod): boolean {
    return (pod.spec?.volumes ?? []).some((v) => v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected);
  }

  /** The mounts of one container. @throws ContainerConfigError */
  async mountsOf(pod: Pod, mounts: readonly VolumeMount[], env: ReadonlyMap<string, string>): Promise<Mount[]> {
    const volumes = new Map((pod.spec?.volumes ?? []).map((v) => [v.name, v]));
    const out: Mount[] = [];
    for (const mount of mounts) {
      const volume = volumes.get(mount.name);
      if (volume === undefined) throw new ContainerConfigError(`volume ${JSON.stringify(mount.name)} is not there`);
      const base = volume.hostPath?.path ?? this.#volumeDir(pod, volume.name);
      const sub = mount.subPathExpr ? expand(mount.subPathExpr, env) : (mount.subPath ?? '');
      const atomic = volume.hostPath === undefined && volume.emptyDir === undefined;
      out.push({
        container_path: mount.mountPath,
        host_path: sub === '' ? base : await subPath(base, sub, atomic),
        readonly: mount.readOnly === true || atomic,
        propagation: PROPAGATIONS[mount.mountPropagation ?? 'None'] ?? PROPAGATION.private,
      });
    }
    return out;
  }

  /** Unmounts and removes all that belongs to a pod. */
  async tearDown(uid: string): Promise<void> {
    const dir = this.podDir(uid);
    for (const path of mountsBelow(dir)) await run('umount', ['-l', path]).catch(() => {});
    if (mountsBelow(dir).length > 0) throw new VolumeError(`what is mounted below ${dir} cannot be unmounted`);
    await rm(dir, { recursive: true, force: true });
  }

  /** The uids of pods that have a folder here. */
  async uids(): Promise<string[]> {
    return readdir(this.#root).catch(() => []);
  }

  #volumeDir(pod: Pod, name: string): string {
    return join(this.podDir(pod.metadata?.uid ?? ''), 'volumes', name);
  }
}

const PROPAGATIONS: Readonly<Record<string, number>> = {
  None: PROPAGATION.private,
  HostToContainer: PROPAGATION.hostToContainer,
  Bidirectional: PROPAGATION.bidirectional,
};

/** What is mounted below a folder, deepest first. */
function mountsBelow(dir: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(
      (line) =>
        line
          .split(' ')[1]
          ?.replaceAll(/\\([0-7]{3})/g, (_all, code: string) => String.fromCharCode(Number.parseInt(code, 8))) ?? '',
    )
    .filter((path) => path.startsWith(`${dir}/`))
    .sort((a, b) => b.length - a.length);
}

async function setUpEmptyDir(dir: string, source: EmptyDirVolumeSource, fsGroup: number | undefined): Promise<void> {
  const there = await stat(dir).catch(() => undefined);
  if (there !== undefined) return;
  await mkdir(dir, { recursive: true });
  if (source.medium === 'Memory') {
    const size = source.sizeLimit === undefined ? [] : [`size=${wholeValue(source.sizeLimit)}`];
    await run('mount', ['-t', 'tmpfs', '-o', ['mode=0777', ...size].join(','), 'tmpfs', dir]);
  } else if (source.medium !== undefined && source.medium !== '') {
    throw new VolumeError(`the medium ${source.medium} of an emptyDir is not supported`);
  }
  await chmod(dir, 0o777);
  if (fsGroup !== undefined) {
    await chown(dir, 0, fsGroup);
    await chmod(dir, 0o2777);
  }
}

/** @throws VolumeError where the path is not of the type that the pod wants */
async function checkHostPath(source: HostPathVolumeSource): Promise<void> {
  const { path, type = '' } = source;
  if (type === '') return;
  const found = await stat(path).catch(() => undefined);
  if (type === 'DirectoryOrCreate' && found === undefined) {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (type === 'FileOrCreate' && found === undefined) {
    await (await open(path, 'a', 0o644)).close();
    return;
  }
  const is =
    found !== undefined &&
    ((type.startsWith('Directory') && found.isDirectory()) ||
      (type.startsWith('File') && found.isFile()) ||
      (type === 'Socket' && found.isSocket()) ||
      (type === 'CharDevice' && found.isCharacterDevice()) ||
      (type === 'BlockDevice' && found.isBlockDevice()));
  if (!is) throw new VolumeError(`hostPath type check failed: ${path} is not a ${type}`);
}

/** A path within a volume, made where it is missing. @throws ContainerConfigError where a link leads out of the volume */
async function subPath(base: string, sub: string, atomic: boolean): Promise<string> {
  const path = join(base, sub);
  if (path !== base && !path.startsWith(`${base}/`))
    throw new ContainerConfigError(`subPath ${JSON.stringify(sub)} leads out of the volume`);

  const real = await realpath(path).catch(() => undefined);
  const realBase = await realpath(base);
  if (real === undefined) {
    if (atomic) throw new ContainerConfigError(`subPath ${JSON.stringify(sub)} is not in the volume`);
    const parent = await realpath(dirname(path)).catch(() => realBase);
    if (parent !== realBase && !parent.startsWith(`${realBase}/`))
      throw new ContainerConfigError(`subPath ${JSON.stringify(sub)} leads out of the volume`);
    await mkdir(path, { recursive: true, mode: 0o755 });
    return path;
  }
  if (real !== realBase && !real.startsWith(`${realBase}/`))
    throw new ContainerConfigError(`subPath ${JSON.stringify(sub)} leads out of the volume`);
  return real;
}
