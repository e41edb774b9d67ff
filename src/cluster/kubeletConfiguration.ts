/** What the kubelet of a real node is told: fit for a machine that is not only a node, and what a file says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KubeletConfiguration } from '../kubelet/config/configuration.ts';
import type { ClusterPaths } from './config.ts';
import { ClusterError } from './errors.ts';

const FILE = 'config.yaml';
const MANIFESTS = 'manifests';

/**
 * Kubernetes' own thresholds are a tenth of a disk and more; on a machine that is not only a node, disks are often as
 * full as that while there is room for much, and images that were loaded by hand are not to go because of it.
 */
const SHARED_MACHINE = {
  evictionHard: {
    'memory.available': '100Mi',
    'nodefs.available': '1%',
    'nodefs.inodesFree': '1%',
    'imagefs.available': '1%',
    'imagefs.inodesFree': '1%',
  },
  imageGCHighThresholdPercent: 100,
  // One registry that does not answer is not to hold up all others.
  serializeImagePulls: false,
} as const;

/** `config.yaml` in the kubelet's folder, where there is one, says what is other. @throws ClusterError */
export async function kubeletConfiguration({ kubelet }: ClusterPaths): Promise<Partial<KubeletConfiguration>> {
  const path = join(kubelet, FILE);
  const base = { ...SHARED_MACHINE, staticPodPath: join(kubelet, MANIFESTS) };
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new ClusterError(`${path} cannot be read: ${error.message}`);
  });
  if (text === undefined) return base;
  const { readConfiguration } = await import('../kubelet/config/read.ts');
  try {
    return { ...base, ...readConfiguration(text) };
  } catch (error) {
    throw new ClusterError(`${path}: ${(error as Error).message}`);
  }
}
