/**
 * The cgroups of pods, in the tree /kubepods by class of service. The runtime makes the containers'
 * own below a pod's; this makes the pod's and takes it away.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares, podTotals } from './limits.ts';

const ROOT = 'kubepods';

/** The cgroup of a pod, from the root of each hierarchy. */
export function podCgroup(pod: Pod): string {
  const name = `pod${pod.metadata?.uid ?? ''}`;
  const qos = qosClassOf(pod.spec ?? { containers: [] });
  return qos === 'Guaranteed' ? `/${ROOT}/${name}` : `/${ROOT}/${qos.toLowerCase()}/${name}`;
}

interface Hierarchy {
  readonly path: string;
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
}

export class Cgroups {
  readonly #hierarchies: readonly Hierarchy[];

  /** @param mounts as in /proc/self/mounts */
  constructor(mounts = readFileSync('/proc/self/mounts', 'utf8')) {
    const all: Hierarchy[] = [];
    for (const line of mounts.split('\n')) {
      const [, path = '', type, options = ''] = line.split(' ');
      if (type === 'cgroup') all.push({ path, version: 1, controllers: options.split(',') });
      else if (type === 'cgroup2') all.push({ path, version: 2, controllers: [] });
    }
    // cgroup2 beside version 1 hierarchies holds no controllers, but runtimes make cgroups in it.
    this.#hierarchies = all;
  }

  /** Makes a pod's cgroup with its limits. Limits that this machine cannot set are left to the containers'. */
  async ensurePod(pod: Pod): Promise<void> {
    const cgroup = podCgroup(pod);
    const { cpuRequest, cpuLimit, memoryLimit } = podTotals(pod);
    for (const { path, version, controllers } of this.#hierarchies) {
      const dir = join(path, cgroup);
      if (version === 1 && controllers.includes('cpu')) {
        await mkdir(dir, { recursive: true });
        await set(dir, 'cpu.shares', String(cpuShares(cpuRequest)));
        if (cpuLimit !== undefined) {
          await set(dir, 'cpu.cfs_period_us', String(CPU_PERIOD_US));
          await set(dir, 'cpu.cfs_quota_us', String(cpuQuota(cpuLimit)));
        }
      }
      if (version === 1 && controllers.includes('memory') && memoryLimit !== undefined) {
        await mkdir(dir, { recursive: true });
        await set(dir, 'memory.limit_in_bytes', String(memoryLimit));
      }
    }
  }

  /** Takes a pod's cgroup away in every hierarchy, wherever its class of service put it. */
  async removePod(uid: string): Promise<void> {
    for (const { path } of this.#hierarchies) {
      for (const parent of [ROOT, `${ROOT}/burstable`, `${ROOT}/besteffort`]) {
        const dir = join(path, parent, `pod${uid}`);
        if (existsSync(dir)) await removeTree(dir);
      }
    }
  }
}

async function set(dir: string, file: string, value: string): Promise<void> {
  try {
    await writeFile(join(dir, file), value);
  } catch {
    // The containers' own limits still hold.
  }
}

/** cgroups are removed from the leaves up; their files go with them. */
async function removeTree(dir: string): Promise<void> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  }
  await rmdir(dir).catch(() => {});
}
