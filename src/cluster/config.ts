/** What a cluster is told once, at its first start, and keeps: names, ports, ranges. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir, networkInterfaces, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defaultNodeName } from '../kubelet/node/nodeStatus.ts';
import type { NetworkMode } from '../network/routes/plan.ts';
import type { ProxyMode } from '../proxy/modes.ts';
import type { ApiServerFlags } from './apiServerFlags.ts';
import { ClusterError } from './errors.ts';

export interface ClusterConfig {
  readonly version: 1;
  readonly name: string;
  /** of several clusters on one machine: 0, 1, … Ranges and names of devices follow from it. */
  readonly index: number;
  readonly port: number;
  readonly bindAddress: string;
  /** `containerd`: real containers on this machine; `simulated`: containers that are only told of. Absent: containerd. */
  readonly runtime?: NodeRuntime;
  /** how many nodes there are; absent: 1 */
  readonly nodes?: number;
  /** of the addresses of load balancers, IPv4, in CIDR notation; absent: a range of its own */
  readonly loadBalancerRange?: string;
  /** of all pods, in CIDR notation: IPv4, or IPv4,IPv6; absent: the range of clusters that were made without one */
  readonly clusterCIDR?: string;
  /** how pods of different nodes reach each other; absent: vxlan */
  readonly network?: NetworkMode;
  /** how the node's proxy writes the rules of services; absent: nftables */
  readonly proxyMode?: ProxyMode;
  /** under which other nodes and pods reach the API server; absent: this machine's address */
  readonly advertiseAddress?: string;
  /** further names and addresses that the API server's certificate is good for */
  readonly certificateNames?: readonly string[];
  /** of this machine's node; absent: the machine's name */
  readonly nodeName?: string;
  /** what the API server is told besides */
  readonly apiServer?: ApiServerFlags;
  /** This is a node of a cluster whose API server runs elsewhere. */
  readonly joined?: JoinedCluster;
}

/** What a node knows of the cluster that it joined. */
export interface JoinedCluster extends ClusterNetwork {
  /** `https://192.0.2.2:6443` */
  readonly server: string;
  /** under which the other nodes reach this one */
  readonly nodeIP: string;
}

/** What all nodes of a cluster must agree on. */
export interface ClusterNetwork {
  /** of all pods */
  readonly clusterCIDR: string;
  /** of the IPv6 addresses of all pods, where they have such */
  readonly clusterCIDRv6?: string;
  readonly serviceCIDR: string;
  /** of the IPv6 addresses of services, where pods have such */
  readonly serviceCIDRv6?: string;
  /** of the service `kube-dns` */
  readonly dnsIP: string;
  readonly clusterDomain: string;
  readonly network: NetworkMode;
  /** the number of the tunnel between nodes */
  readonly vni: number;
}

export type NodeRuntime = 'containerd' | 'simulated';

/** Everything that follows from the configuration and the folder that it lies in. */
export interface ClusterPaths {
  readonly dataDir: string;
  readonly config: string;
  readonly pki: string;
  readonly storage: string;
  readonly kubelet: string;
  readonly podLogs: string;
  /** what the volumes of the cluster's own storage class hold: a folder each */
  readonly volumes: string;
  readonly cniConfig: string;
  readonly cniPlugins: string;
  readonly cniState: string;
  readonly containerdRoot: string;
  readonly containerdConfig: string;
  readonly log: string;
  readonly containerdLog: string;
  /** short, as sockets' paths must be */
  readonly runDir: string;
  readonly containerdState: string;
  readonly containerdSocket: string;
  readonly controlSocket: string;
}

/** Without root, or elsewhere than on Linux, clusters are a user's own. */
const SYSTEM_WIDE = process.platform === 'linux' && process.getuid?.() === 0;
const CLUSTERS_DIR = SYSTEM_WIDE
  ? '/var/lib/kubets'
  : join(process.env.XDG_DATA_HOME ?? join(homedir(), '.local/share'), 'kubets');
const RUN_DIR = SYSTEM_WIDE ? '/run/kubets' : join(process.env.XDG_RUNTIME_DIR ?? tmpdir(), 'kubets');
/** Which cluster has which index: a file each, that holds the data directory. */
const INDEX_DIR = join(CLUSTERS_DIR, '.indexes');
const MAX_CLUSTERS = 50;
const NAME = /^[a-z0-9]([-a-z0-9]{0,30}[a-z0-9])?$/;

/** @throws ClusterError for a name that is none */
export function dataDirOf(name: string, dataDir: string | undefined): string {
  if (!NAME.test(name)) {
    throw new ClusterError(
      `the name ${JSON.stringify(name)} cannot be used: take up to 32 lower case letters, digits and dashes`,
    );
  }
  return resolve(dataDir ?? join(CLUSTERS_DIR, name));
}

export function pathsOf(dataDir: string): ClusterPaths {
  const real = existsSync(dataDir) ? realpathSync(dataDir) : dataDir;
  const runDir = join(RUN_DIR, createHash('sha256').update(real).digest('hex').slice(0, 12));
  return {
    dataDir: real,
    config: join(real, 'cluster.json'),
    pki: join(real, 'pki'),
    storage: join(real, 'storage'),
    kubelet: join(real, 'kubelet'),
    podLogs: join(real, 'logs/pods'),
    volumes: join(real, 'volumes'),
    cniConfig: join(real, 'cni'),
    cniPlugins: join(real, 'cni-plugins'),
    cniState: join(real, 'cni-state'),
    containerdRoot: join(real, 'containerd'),
    containerdConfig: join(real, 'containerd.toml'),
    log: join(real, 'logs/kubets.log'),
    containerdLog: join(real, 'logs/containerd.log'),
    runDir,
    containerdState: join(runDir, 'containerd'),
    containerdSocket: join(runDir, 'containerd.sock'),
    controlSocket: join(runDir, 'control.sock'),
  };
}

/** What a cluster's node has in the kernel of its machine. */
export interface Devices {
  readonly bridge: string;
  readonly tunnel: string;
  /** of the packet filter */
  readonly table: string;
}

export function devicesOf({ index }: Pick<ClusterConfig, 'index'>): Devices {
  return { bridge: `kubets${index}`, tunnel: `kubets${index}-vx`, table: `kubets${index}` };
}

export interface Ranges extends Devices {
  /** of all pods of the cluster */
  readonly clusterCIDR: string;
  /** of their IPv6 addresses, where they have such */
  readonly clusterCIDRv6?: string;
  /** of the first node's pods: one of each family */
  readonly podCIDRs: readonly string[];
  /** of the IPv6 addresses of services, where pods have such */
  readonly serviceCIDRv6?: string;
  readonly podGateway: string;
  readonly serviceCIDR: string;
  /** of the addresses of load balancers */
  readonly loadBalancerRange: string;
  /** of the service `kubernetes` */
  readonly serviceIP: string;
  /** of the service `kube-dns` */
  readonly dnsIP: string;
}

/** The first cluster has the usual ranges, the others those next to them. */
export function rangesOf(config: ClusterConfig): Ranges {
  const before = config.index === 0 ? '10.244.0.0/18' : `10.244.${100 + config.index}.0/24`;
  const [clusterCIDR = before, clusterCIDRv6] = (config.clusterCIDR ?? before).split(',');
  const pods = clusterCIDR.split('.').slice(0, 3).join('.');
  const services = config.index === 0 ? '10.96.0.0/16' : `10.${96 + config.index}.0.0/16`;
  const base = services.split('.').slice(0, 2).join('.');
  return {
    ...devicesOf(config),
    clusterCIDR,
    ...(clusterCIDRv6 === undefined ? {} : { clusterCIDRv6, serviceCIDRv6: `fd00:10:${96 + config.index}::/112` }),
    podCIDRs: [
      `${pods}.0/24`,
      ...(clusterCIDRv6 === undefined ? [] : [`${clusterCIDRv6.slice(0, clusterCIDRv6.indexOf('/'))}/64`]),
    ],
    podGateway: `${pods}.1`,
    serviceCIDR: services,
    loadBalancerRange: config.loadBalancerRange ?? `10.${196 + config.index}.0.0/24`,
    serviceIP: `${base}.0.1`,
    dnsIP: `${base}.0.10`,
  };
}

/** The tables of what leaves the cluster over IPv6, and of the network policies, beside that of the services. */
export const masqueradeTableOf = (table: string) => `${table}-outside`;
export const policyTableOf = (table: string) => `${table}-policies`;

/** Reads a cluster's configuration. Undefined where there is no cluster. @throws ClusterError where it cannot be read */
export function readConfig(paths: ClusterPaths): ClusterConfig | undefined {
  if (!existsSync(paths.config)) {
    if (existsSync(paths.dataDir) && readdirSync(paths.dataDir).length > 0) {
      throw new ClusterError(
        `${paths.dataDir} is not the data directory of a cluster (it has no cluster.json) and is not empty; choose another with --data-dir`,
      );
    }
    return undefined;
  }
  try {
    const config = JSON.parse(readFileSync(paths.config, 'utf8')) as ClusterConfig;
    if (
      config.version === 1 &&
      typeof config.name === 'string' &&
      Number.isInteger(config.index) &&
      Number.isInteger(config.port)
    )
      return config;
  } catch {
    // Told below.
  }
  throw new ClusterError(
    `${paths.config} is corrupt; restore it from a backup, or remove ${paths.dataDir} to start anew`,
  );
}

/** Keeps a configuration in its folder. */
export function writeConfig(paths: ClusterPaths, config: ClusterConfig): void {
  writeFileSync(paths.config, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
}

/** Takes an index for a new cluster. @throws ClusterError where all are taken */
export function takeIndex(dataDir: string): number {
  mkdirSync(INDEX_DIR, { recursive: true });
  for (let index = 0; index < MAX_CLUSTERS; index++) {
    const path = join(INDEX_DIR, String(index));
    if (existsSync(path)) {
      const holder = readFileSync(path, 'utf8').trim();
      // Whose folder was removed by hand has no cluster any more.
      if (holder !== dataDir && existsSync(join(holder, 'cluster.json'))) continue;
      rmSync(path, { force: true });
    }
    try {
      writeFileSync(path, `${dataDir}\n`, { flag: 'wx' });
      return index;
    } catch {
      // Another cluster was faster.
    }
  }
  throw new ClusterError(
    `there are ${MAX_CLUSTERS} clusters on this machine already; delete one with kubets delete --name NAME`,
  );
}

/** Gives the index of a deleted cluster free. */
export function releaseIndex(config: ClusterConfig): void {
  rmSync(join(INDEX_DIR, String(config.index)), { force: true });
}

/** The first port from `port` on that nobody listens on. */
export async function freePort(port: number): Promise<number> {
  for (let candidate = port; candidate < port + 200; candidate++) if (await isFree(candidate)) return candidate;
  throw new ClusterError(`no port is free from ${port} on; name one with --port`);
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(false));
    server.listen(port, '0.0.0.0', () => server.close(() => done(true)));
  });
}

/** of this machine's node */
export function nodeNameOf(config: ClusterConfig): string {
  return config.nodeName ?? defaultNodeName();
}

/** The address under which other nodes reach this machine's. */
export function nodeIPOf(config: ClusterConfig): string {
  const { joined, advertiseAddress } = config;
  if (joined !== undefined) return joined.nodeIP;
  // The address that others are told may be translated on its way here.
  const isOwn = Object.values(networkInterfaces()).some((all) => all?.some((a) => a.address === advertiseAddress));
  return advertiseAddress !== undefined && isOwn ? advertiseAddress : nodeAddress(rangesOf(config).podGateway);
}

/** The IPv6 address of the link that has an IPv4 address; undefined where it has none that others could reach. */
export function addressV6Beside(address: string): string | undefined {
  const link = Object.values(networkInterfaces()).find((all) => all?.some((a) => a.address === address));
  return link?.find((a) => a.family === 'IPv6' && !a.internal && a.scopeid === 0)?.address;
}

/** The machine's own address; pods reach the API server there. */
export function nodeAddress(fallback: string): string {
  for (const [device, addresses] of Object.entries(networkInterfaces())) {
    if (/^(lo|kubets|cni|docker|veth|br-|virbr)/.test(device)) continue;
    const found = (addresses ?? []).find((a) => a.family === 'IPv4' && !a.internal);
    if (found !== undefined) return found.address;
  }
  return fallback;
}
