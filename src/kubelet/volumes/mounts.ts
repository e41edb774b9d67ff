/** Mounts of this machine. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { VolumeError } from './sources.ts';

const run = promisify(execFile);
/** One mount may lie on another. */
const MAX_LAYERS = 10;

/** Where anything is mounted, in the order in which it was. */
function mountPoints(): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .map((path) => path.replaceAll(/\\([0-7]{3})/g, (_all, code: string) => String.fromCharCode(parseInt(code, 8))));
}

export function isMounted(path: string): boolean {
  return mountPoints().includes(path);
}

/** @throws VolumeError */
export async function mountTmpfs(path: string, options: Readonly<Record<string, string>>): Promise<void> {
  const text = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  await mount(['-t', 'tmpfs', '-o', text.join(','), 'tmpfs', path]);
}

/** Mounts what an open file descriptor of this process points to, wherever its path leads by now. @throws VolumeError */
export async function bindMount(fd: number, target: string): Promise<void> {
  await mount(['--no-canonicalize', '--bind', `/proc/${process.pid}/fd/${fd}`, target]);
}

/** Mounts a folder a second time, with options. @throws VolumeError */
export async function bindFolder(source: string, target: string, options: readonly string[]): Promise<void> {
  await mount(['--bind', source, target]);
  await mount(['-o', ['remount', 'bind', ...options].join(','), source, target]);
}

/** @throws VolumeError */
export async function mountShare(
  type: string,
  source: string,
  target: string,
  options: readonly string[],
): Promise<void> {
  await mount(['-t', type, ...(options.length === 0 ? [] : ['-o', options.join(',')]), source, target]);
}

/** Mounts a block device; an empty one gets a file system first. @throws VolumeError */
export async function mountDevice(
  device: string,
  target: string,
  type: string,
  options: readonly string[],
): Promise<void> {
  if ((await fileSystemOf(device)) === undefined) {
    await run(`mkfs.${type}`, type === 'ext3' || type === 'ext4' ? ['-F', '-m0', device] : [device]).catch(
      (error: Error & { stderr?: string }) => {
        throw new VolumeError(`mkfs.${type} failed: ${error.stderr?.trim() || error.message}`);
      },
    );
  }
  await mountShare(type, device, target, options);
}

/** What blkid exits with where it finds nothing. */
const BLANK = 2;

async function fileSystemOf(device: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('blkid', ['-p', '-s', 'TYPE', '-s', 'PTTYPE', '-o', 'export', device]);
    return stdout.trim() || undefined;
  } catch (error) {
    if ((error as { code?: unknown }).code === BLANK) return undefined;
    // What is on it is not known: it must not be lost.
    throw new VolumeError(`blkid ${device} failed: ${(error as Error).message}`);
  }
}

async function mount(args: string[]): Promise<void> {
  try {
    await run('mount', args);
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim();
    throw new VolumeError(`mount failed: ${said || (error as Error).message}`);
  }
}

/** Unmounts a path however often it is mounted. */
export async function unmount(path: string): Promise<void> {
  for (let layer = 0; layer < MAX_LAYERS && isMounted(path); layer++) await run('umount', ['-l', path]).catch(() => {});
}

/** Unmounts everything below a folder. @throws VolumeError where that cannot be done */
export async function unmountBelow(dir: string): Promise<void> {
  const below = () => mountPoints().filter((path) => path.startsWith(`${dir}/`));
  for (const path of below().sort((a, b) => b.length - a.length)) await unmount(path);
  if (below().length > 0) throw new VolumeError(`what is mounted below ${dir} cannot be unmounted`);
}
