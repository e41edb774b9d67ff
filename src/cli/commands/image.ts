/** `kubets image load|build|ls|rm` */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ClusterPaths } from '../../cluster/config.ts';
import { ensureContainerd } from '../../cluster/containerd.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { buildImage } from '../../images/build.ts';
import { builtinImage, builtinImages, builtinNames, isBuilt } from '../../images/builtin.ts';
import { readDescription } from '../../images/description.ts';
import { loadImage } from '../../images/load.ts';
import { connectCri } from '../../kubelet/cri/connect.ts';
import type { ContainerRuntime } from '../../kubelet/cri/runtime.ts';
import { SystemClock } from '../../lib/clock.ts';
import { fullImageName } from '../../machinery/imageName.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';
import type { Steps } from '../steps.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Runs `work` with the cluster's runtime, started where it does not run. */
async function withRuntime<T>(paths: ClusterPaths, work: (cri: ContainerRuntime) => Promise<T>): Promise<T> {
  const clock = new SystemClock();
  await ensureContainerd(paths, clock);
  const cri = connectCri(paths.containerdSocket, clock);
  try {
    return await work(cri);
  } finally {
    cri.close();
  }
}

/** @throws ImageLoadError, PackageError, ClusterError */
export async function load(what: readonly string[], flags: ClusterFlags): Promise<void> {
  const { paths } = existingCluster(flags);
  const known = await builtinImages();
  await withRuntime(paths, async () => {
    for (const item of what) {
      const file = existsSync(item) ? resolve(item) : known.includes(item) ? await builtinImage(item) : undefined;
      if (file === undefined) {
        throw new ClusterError(`${item} is neither a file nor an image that comes with kubets (${known.join(', ')})`);
      }
      for (const name of await loadImage(paths.containerdSocket, file)) say(`loaded ${name}`);
    }
  });
}

/** @throws DescriptionError, PackageError, ImageLoadError, ClusterError */
export async function build(file: string, flags: ClusterFlags & { output?: string }): Promise<void> {
  const description = await readDescription(resolve(file));
  if (flags.output !== undefined) {
    await buildImage(description, resolve(flags.output));
    say(`built ${flags.output}`);
    return;
  }
  const { paths } = existingCluster(flags);
  const dir = await mkdtemp(join(tmpdir(), 'kubets-build-'));
  try {
    const tar = join(dir, 'image.tar');
    await buildImage(description, tar);
    await withRuntime(paths, async () => {
      for (const name of await loadImage(paths.containerdSocket, tar)) say(`loaded ${name}`);
    });
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** @throws ClusterError, RuntimeError */
export async function list(flags: ClusterFlags): Promise<void> {
  const { paths } = existingCluster(flags);
  const { images = [] } = await withRuntime(paths, (cri) => cri.call('listImages', {}));
  const rows = images.flatMap((image) =>
    (image.repo_tags ?? image.repo_digests ?? ['<none>']).map((name) => [
      name,
      (image.id ?? '').replace('sha256:', '').slice(0, 12),
      size(image.size ?? 0),
    ]),
  );
  const table = [['IMAGE', 'ID', 'SIZE'], ...rows.sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1))];
  const widths = [0, 1].map((i) => Math.max(...table.map((row) => (row[i] ?? '').length)) + 3);
  for (const row of table)
    say(`${(row[0] ?? '').padEnd(widths[0] ?? 0)}${(row[1] ?? '').padEnd(widths[1] ?? 0)}${row[2]}`);
}

const size = (bytes: number) => (bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** @throws ClusterError, RuntimeError */
export async function remove(names: readonly string[], flags: ClusterFlags): Promise<void> {
  const { paths } = existingCluster(flags);
  await withRuntime(paths, async (cri) => {
    for (const name of names) {
      const { image } = await cri.call('imageStatus', { image: { image: fullImageName(name) } });
      if (image?.id === undefined)
        throw new ClusterError(`there is no image ${name} in this cluster; kubets image ls shows what there is`);
      await cri.call('removeImage', { image: { image: fullImageName(name) } });
      say(`removed ${name}`);
    }
  });
}

/** Loads the images that come with kubets and are built, where this cluster does not have them. */
export async function loadMissingBuiltins(paths: ClusterPaths, steps: Steps): Promise<void> {
  await withRuntime(paths, async (cri) => {
    for (const builtin of await builtinImages()) {
      const [main = ''] = await builtinNames(builtin);
      const { image } = await cri.call('imageStatus', { image: { image: fullImageName(main) } });
      if (image?.id !== undefined || !(await isBuilt(builtin))) continue;
      const step = `loading image ${builtin}`;
      steps.begin(step);
      await loadImage(paths.containerdSocket, await builtinImage(builtin));
      steps.done(step);
    }
  });
}
