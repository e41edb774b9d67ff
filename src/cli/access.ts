/** The administrator's access to a cluster, from its files. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterConfig, ClusterPaths } from '../cluster/config.ts';
import { type Access, contextName } from '../cluster/kubeconfig.ts';

/** @throws the file system's error where the cluster never ran */
export async function accessOf(config: ClusterConfig, paths: ClusterPaths): Promise<Access> {
  const [ca, cert, key] = await Promise.all(
    ['ca.crt', 'admin.crt', 'admin.key'].map((file) => readFile(join(paths.pki, file), 'utf8')),
  );
  const host = ['0.0.0.0', '::'].includes(config.bindAddress) ? '127.0.0.1' : config.bindAddress;
  return {
    name: contextName(config.name),
    server: `https://${host}:${config.port}`,
    ca: ca ?? '',
    cert: cert ?? '',
    key: key ?? '',
  };
}
