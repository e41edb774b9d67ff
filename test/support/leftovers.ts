/** What pods of a test node hold on this machine: nothing of it may stay when they are gone. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestNode } from './node.ts';

const list = (dir: string) => (existsSync(dir) ? readdirSync(dir) : []);

export async function leftoversOf(node: TestNode, bridge: string): Promise<Record<string, readonly string[]>> {
  const [{ containers = [] }, { items = [] }] = await Promise.all([
    node.runtime.call('listContainers', {}),
    node.runtime.call('listPodSandbox', {}),
  ]);
  const uids = await uidsOf(node);
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${node.dir}/`) && path !== join(node.dir, 'kubelet/memory'));
  const found = spawnSync('find', ['/sys/fs/cgroup', '-maxdepth', '5', '-name', 'pod*'], { encoding: 'utf8' });
  const cgroups = found.stdout.split('\n').filter((path) => uids.some((uid) => path.endsWith(uid)));
  const ps = spawnSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).stdout;
  return {
    containers: containers.map(({ id = '' }) => id),
    sandboxes: items.map(({ id = '' }) => id),
    mounts,
    cgroups,
    shims: ps.split('\n').filter((line) => line.includes('containerd-shim') && line.includes(node.dir)),
    ports: list(`/sys/class/net/${bridge}/brif`),
    addresses: readdirSync(join(node.dir, 'ipam'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\d+(\.\d+){3}$/.test(name),
    ),
    podFolders: list(join(node.dir, 'kubelet/pods')),
    logFolders: list(join(node.dir, 'logs')),
  };
}

/** Pods of this node that were there, as its containerd's log tells. */
async function uidsOf({ dir }: TestNode): Promise<string[]> {
  const log = readFileSync(join(dir, 'containerd.log'), 'utf8');
  return [...new Set([...log.matchAll(/Uid:([0-9a-f-]{36})/g)].map(([, uid = '']) => uid))];
}
