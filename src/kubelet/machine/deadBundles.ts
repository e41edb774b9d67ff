/**
 * What containerd leaves of containers whose shim was killed: their root file systems stay mounted, though it knows
 * nothing of them any more.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerRuntime } from '../cri/runtime.ts';

const run = promisify(execFile);
const BUNDLE = /^(\/.*)\/io\.containerd\.runtime\.v2\.task\/k8s\.io\/([0-9a-f]{64})\/rootfs$/;

interface Bundle {
  readonly id: string;
  readonly state: string;
  readonly rootfs: string;
}

/** Bundles that are mounted. @param mounts as in /proc/self/mounts */
export function bundlesOf(mounts: string): Bundle[] {
  return mounts.split('\n').flatMap((line) => {
    const [, rootfs = ''] = line.split(' ');
    const [, state, id] = BUNDLE.exec(rootfs) ?? [];
    return state === undefined || id === undefined ? [] : [{ id, state, rootfs }];
  });
}

/** Unmounts those of which neither the runtime nor any process knows. @throws RuntimeError */
export async function removeDeadBundles(runtime: ContainerRuntime): Promise<string[]> {
  const mounted = bundlesOf(readFileSync('/proc/self/mounts', 'utf8'));
  if (mounted.length === 0) return [];
  // What was mounted before is in these lists, if it is anything.
  const [{ info = {} }, { containers = [] }, { items = [] }] = await Promise.all([
    runtime.call('status', { verbose: true }),
    runtime.call('listContainers', {}),
    runtime.call('listPodSandbox', {}),
  ]);
  const { stateDir = '' } = JSON.parse(info.config ?? '{}') as { stateDir?: string };
  const known = new Set([...containers, ...items].map(({ id }) => id));
  const unknown = mounted.filter(({ id, state }) => state === dirname(stateDir) && !known.has(id));
  if (unknown.length === 0) return [];
  const commands = runningCommands();
  const dead = unknown.filter(({ id }) => !commands.some((command) => command.includes(id)));
  for (const { rootfs } of dead) {
    await run('umount', ['-l', rootfs]);
    await rmdir(rootfs).catch(() => {});
    await rmdir(dirname(rootfs)).catch(() => {});
  }
  return dead.map(({ id }) => id);
}

/** Shims have the id of what they serve among their arguments. */
function runningCommands(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        return '';
      }
    });
}
