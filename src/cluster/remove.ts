/** Takes a cluster away: its pods, its containerd, its network, its files. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { connectCri } from '../kubelet/cri/connect.ts';
import { Cgroups } from '../kubelet/resources/cgroups.ts';
import type { Clock } from '../lib/clock.ts';
import { removeMasqueradeV6 } from '../network/masquerade.ts';
import { removePolicies } from '../network/policy/enforcer.ts';
import { removeRules } from '../proxy/proxy.ts';
import {
  type ClusterConfig,
  type ClusterPaths,
  devicesOf,
  masqueradeTableOf,
  policyTableOf,
  releaseIndex,
} from './config.ts';
import { ensureContainerd, stopContainerd } from './containerd.ts';

const run = promisify(execFile);

/** The cluster's process must have ended. Goes on where something is gone already. */
export async function removeCluster(config: ClusterConfig, paths: ClusterPaths, clock: Clock): Promise<void> {
  if (config.runtime !== 'simulated') await removeNode(config, paths, clock);
  releaseIndex(config);
  rmSync(paths.runDir, { recursive: true, force: true });
  rmSync(paths.dataDir, { recursive: true, force: true });
}

async function removeNode(config: ClusterConfig, paths: ClusterPaths, clock: Clock): Promise<void> {
  const { bridge, table, tunnel } = devicesOf(config);
  if (existsSync(paths.containerdRoot)) {
    await ensureContainerd(paths, clock);
    await removePods(paths, clock);
    await stopContainerd(paths, clock);
  }
  await removeRules(table).catch(() => {});
  await removePolicies(policyTableOf(table)).catch(() => {});
  await removeMasqueradeV6(masqueradeTableOf(table)).catch(() => {});
  for (const device of [bridge, tunnel]) await run('ip', ['link', 'delete', device]).catch(() => {});
  for (const mount of mountsBelow([paths.dataDir, paths.runDir])) await run('umount', ['-l', mount]).catch(() => {});
}

async function removePods(paths: ClusterPaths, clock: Clock): Promise<void> {
  const cri = connectCri(paths.containerdSocket, clock);
  try {
    const { containers = [] } = await cri.call('listContainers', {});
    await Promise.all(
      containers.map((c) => cri.call('stopContainer', { container_id: c.id ?? '', timeout: 0 }).catch(() => {})),
    );
    await Promise.all(containers.map((c) => cri.call('removeContainer', { container_id: c.id ?? '' }).catch(() => {})));
    const { items = [] } = await cri.call('listPodSandbox', {});
    const cgroups = new Cgroups();
    await Promise.all(
      items.map(async (sandbox) => {
        const id = { pod_sandbox_id: sandbox.id ?? '' };
        await cri.call('stopPodSandbox', id).catch(() => {});
        await cri.call('removePodSandbox', id).catch(() => {});
        await cgroups.removePod(sandbox.metadata?.uid ?? '').catch(() => {});
      }),
    );
  } finally {
    cri.close();
  }
}

function mountsBelow(dirs: readonly string[]): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => dirs.some((dir) => path.startsWith(`${dir}/`)))
    .sort((a, b) => b.length - a.length);
}
