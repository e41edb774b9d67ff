/**
 * The cgroups of pods, in the tree /kubepods by class of service. The runtime makes the containers'
 * own below a pod's; this makes the pod's and takes it away.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { type CgroupReading, readCgroup } from './cgroupReading.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares, cpuWeight, type PodTotals, podTotals } from './limits.ts';

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

/** Controllers that pods' cgroups need, where there is only cgroup version 2. */
const CONTROLLERS = ['cpu', 'cpuset', 'memory', 'pids', 'io'];

/** What the pods of a node may have together. */
export interface WholeNode {
  readonly cpuMilli: number;
  readonly memoryBytes: number;
}

export class Cgroups {
  readonly #hierarchies: readonly Hierarchy[];
  /** cgroup2 beside version 1 hierarchies holds no controllers; runtimes make cgroups in it all the same. */
  readonly #unified: boolean;
  readonly #maxProcesses: number;
  /** what was shared out last */
  #shared = '';

  /** @param mounts as in /proc/self/mounts; @param maxProcesses of each pod; -1: any number */
  constructor(mounts = readFileSync('/proc/self/mounts', 'utf8'), maxProcesses = -1) {
    this.#maxProcesses = maxProcesses;
    const all: Hierarchy[] = [];
    for (const line of mounts.split('\n')) {
      const [, path = '', type, options = ''] = line.split(' ');
      if (type === 'cgroup') all.push({ path, version: 1, controllers: options.split(',') });
      else if (type === 'cgroup2') all.push({ path, version: 2, controllers: [] });
    }
    this.#hierarchies = all;
    this.#unified = all.every((h) => h.version === 2);
  }

  /** Makes a pod's cgroup with its limits. Limits that this machine cannot set are left to the containers'. */
  async ensurePod(pod: Pod): Promise<void> {
    const cgroup = podCgroup(pod);
    const totals = podTotals(pod);
    for (const { path, version, controllers } of this.#hierarchies) {
      if (version === 2) {
        if (!this.#unified) continue;
        await limitUnified(path, cgroup, totals);
        await this.#limitProcesses(join(path, cgroup));
      } else if (controllers.includes('cpu')) await limitCpu(join(path, cgroup), totals);
      else if (controllers.includes('memory')) await limitMemory(join(path, cgroup), totals);
      else if (controllers.includes('pids')) await this.#limitProcesses(join(path, cgroup));
    }
  }

  /**
   * Gives the classes of service what their pods asked for together, and all pods what the node has for them.
   * @param whole what is for pods, where something is reserved for others
   */
  async shareOut(pods: readonly Pod[], whole: WholeNode | undefined): Promise<void> {
    const burstable = pods.filter(({ spec }) => qosClassOf(spec ?? { containers: [] }) === 'Burstable');
    const milli = burstable.reduce((sum, pod) => sum + podTotals(pod).cpuRequest, 0);
    const told = `${milli} ${whole?.cpuMilli} ${whole?.memoryBytes}`;
    if (told === this.#shared) return;
    this.#shared = told;
    for (const { path, version, controllers } of this.#hierarchies) {
      const root = join(path, ROOT);
      const burst = join(root, 'burstable');
      if (version === 2) {
        if (!this.#unified) continue;
        await mkdir(burst, { recursive: true });
        await set(burst, 'cpu.weight', String(cpuWeight(milli)));
        if (whole === undefined) continue;
        await set(root, 'cpu.weight', String(cpuWeight(whole.cpuMilli)));
        await set(root, 'memory.max', String(whole.memoryBytes));
      } else if (controllers.includes('cpu')) {
        await mkdir(burst, { recursive: true });
        await set(burst, 'cpu.shares', String(cpuShares(milli)));
        if (whole !== undefined) await set(root, 'cpu.shares', String(cpuShares(whole.cpuMilli)));
      } else if (controllers.includes('memory') && whole !== undefined) {
        await mkdir(root, { recursive: true });
        await set(root, 'memory.limit_in_bytes', String(whole.memoryBytes));
      }
    }
  }

  async #limitProcesses(dir: string): Promise<void> {
    if (this.#maxProcesses <= 0) return;
    await mkdir(dir, { recursive: true });
    await set(dir, 'pids.max', String(this.#maxProcesses));
  }

  /** What the kernel says of a cgroup, by its path from the root of each hierarchy. */
  reading(cgroup: string): CgroupReading {
    const [unified] = this.#unified ? this.#hierarchies : [];
    if (unified !== undefined) return readCgroup(() => join(unified.path, cgroup), 2);
    return readCgroup((controller) => {
      const found = this.#hierarchies.find((h) => h.version === 1 && h.controllers.includes(controller));
      return found === undefined ? undefined : join(found.path, cgroup);
    }, 1);
  }

  /** How many processes a pod has; 0 where that is not known. */
  processesOf(pod: Pod): number {
    const cgroup = podCgroup(pod);
    for (const { path, version, controllers } of this.#hierarchies) {
      if (version === 1 ? !controllers.includes('pids') : !this.#unified) continue;
      try {
        return Number(readFileSync(join(path, cgroup, 'pids.current'), 'utf8'));
      } catch {
        return 0;
      }
    }
    return 0;
  }

  /**
   * Takes a pod's cgroup away in every hierarchy, wherever its class of service put it. What still runs in it, though
   * the runtime knows nothing of it any more, is killed.
   * @throws Error where processes take their time to end
   */
  async removePod(uid: string): Promise<void> {
    let left = 0;
    for (const { path } of this.#hierarchies) {
      for (const parent of [ROOT, `${ROOT}/burstable`, `${ROOT}/besteffort`]) {
        const dir = join(path, parent, `pod${uid}`);
        if (!existsSync(dir)) continue;
        kill(processesIn(dir));
        await removeTree(dir);
        if (existsSync(dir)) left += processesIn(dir).length;
      }
    }
    if (left > 0) throw new Error(`processes of the pod ${uid} are still about to end`);
  }
}

async function limitCpu(dir: string, { cpuRequest, cpuLimit }: PodTotals): Promise<void> {
  await mkdir(dir, { recursive: true });
  await set(dir, 'cpu.shares', String(cpuShares(cpuRequest)));
  // Best effort takes what the others leave.
  if (dir.includes(`/${ROOT}/besteffort/`)) await set(dirname(dir), 'cpu.shares', String(cpuShares(0)));
  if (cpuLimit === undefined) return;
  await set(dir, 'cpu.cfs_period_us', String(CPU_PERIOD_US));
  await set(dir, 'cpu.cfs_quota_us', String(cpuQuota(cpuLimit)));
}

async function limitMemory(dir: string, { memoryLimit }: PodTotals): Promise<void> {
  if (memoryLimit === undefined) return;
  await mkdir(dir, { recursive: true });
  await set(dir, 'memory.limit_in_bytes', String(memoryLimit));
}

/** In cgroup version 2 a controller must be handed down from cgroup to cgroup. */
async function limitUnified(root: string, cgroup: string, totals: PodTotals): Promise<void> {
  let dir = root;
  for (const part of cgroup.slice(1).split('/')) {
    for (const controller of CONTROLLERS) await set(dir, 'cgroup.subtree_control', `+${controller}`);
    dir = join(dir, part);
    await mkdir(dir, { recursive: true });
  }
  const { cpuRequest, cpuLimit, memoryLimit } = totals;
  await set(dir, 'cpu.weight', String(cpuWeight(cpuRequest)));
  if (cpuLimit !== undefined) await set(dir, 'cpu.max', `${cpuQuota(cpuLimit)} ${CPU_PERIOD_US}`);
  if (memoryLimit !== undefined) await set(dir, 'memory.max', String(memoryLimit));
}

async function set(dir: string, file: string, value: string): Promise<void> {
  try {
    await writeFile(join(dir, file), value);
  } catch {
    // The containers' own limits still hold.
  }
}

/** The processes of a cgroup and of those below it. */
function processesIn(dir: string): number[] {
  try {
    const own = readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
    const below = readdirSync(dir, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return [...own, ...below.flatMap(({ name }) => processesIn(join(dir, name)))];
  } catch {
    // It went meanwhile.
    return [];
  }
}

function kill(processes: readonly number[]): void {
  for (const pid of processes) {
    try {
      // 0 is one of another namespace, and means our own group here.
      if (pid > 1 && pid !== process.pid) process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** cgroups are removed from the leaves up; their files go with them. */
async function removeTree(dir: string): Promise<void> {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) await removeTree(join(dir, entry.name));
  }
  await rmdir(dir).catch(() => {});
}
