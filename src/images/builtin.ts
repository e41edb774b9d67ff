/** The images that come with kubets: descriptions in the folder `images/`, built once and kept. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildImage } from './build.ts';
import { describe, readDescription } from './description.ts';
import { PAUSE_SCRIPT, pauseProgram } from './pause.ts';

/** What sandboxes are made from. */
export const PAUSE_IMAGE = 'registry.k8s.io/pause:3.10';

const FOLDER = fileURLToPath(new URL('../../images/', import.meta.url));
/** Raised when the way of building changes, so that what was kept is built anew. */
const BUILD_VERSION = 2;

/** Where built images are kept for all clusters. */
function imageCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kubets', 'images');
}

/** The names of the images that can be built: busybox, nginx, … */
export async function builtinImages(): Promise<string[]> {
  return (await readdir(FOLDER))
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -'.yaml'.length))
    .sort();
}

/** Under which names a built-in image is found. */
export async function builtinNames(name: string): Promise<readonly string[]> {
  return (await readDescription(join(FOLDER, `${name}.yaml`))).names;
}

/** Whether a built-in image has been built already. */
export async function isBuilt(name: string): Promise<boolean> {
  return existsSync(cached(name, await readFile(join(FOLDER, `${name}.yaml`), 'utf8')));
}

/** The tar of a built-in image; built when it is first asked for. @throws PackageError */
export async function builtinImage(name: string): Promise<string> {
  const path = join(FOLDER, `${name}.yaml`);
  const text = await readFile(path, 'utf8');
  const target = cached(name, text);
  if (!existsSync(target)) await buildImage(await readDescription(path), target);
  return target;
}

/** The tar of the pause image. */
export async function pauseImage(): Promise<string> {
  const program = pauseProgram();
  const target = cached('pause', program?.toString('hex') ?? PAUSE_SCRIPT);
  if (existsSync(target)) return target;
  const base = await mkdtemp(join(tmpdir(), 'kubets-pause-'));
  try {
    if (program !== undefined) {
      await mkdir(join(base, 'bin'));
      await writeFile(join(base, 'bin/pause'), program);
      await chmod(join(base, 'bin/pause'), 0o755);
    }
    const description =
      program === undefined
        ? { names: [PAUSE_IMAGE], packages: ['busybox-static'], entrypoint: ['/bin/busybox', 'sh', '-c', PAUSE_SCRIPT] }
        : { names: [PAUSE_IMAGE], base, entrypoint: ['/bin/pause'] };
    await buildImage(describe(description, 'pause'), target);
  } finally {
    await rm(base, { recursive: true, force: true });
  }
  return target;
}

function cached(name: string, content: string): string {
  const key = createHash('sha256').update(`${BUILD_VERSION}\n${process.arch}\n${content}`).digest('hex').slice(0, 16);
  return join(imageCacheDir(), `${name}-${key}.tar`);
}
