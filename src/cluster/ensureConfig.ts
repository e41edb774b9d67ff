/** From what a person wishes of a cluster to its configuration, made once and changed where that is possible. */
import { isIPv4 } from 'node:net';
import { parseCidr } from '../apis/networking/cidr.ts';
import type { NetworkMode } from '../network/routes/plan.ts';
import { type ProxyMode, whyNot } from '../proxy/modes.ts';
import type { ApiServerFlags } from './apiServerFlags.ts';
import {
  type ClusterConfig,
  type ClusterPaths,
  freePort,
  type JoinedCluster,
  type NodeRuntime,
  nodeNameOf,
  pathsOf,
  rangesOf,
  readConfig,
  takeIndex,
  writeConfig,
} from './config.ts';
import { makeDataDir } from './dataDir.ts';
import { ClusterError } from './errors.ts';

const DEFAULT_PORT = 6443;
/** As many as there are addresses for (RFC 6598). */
const MAX_NODES = 10_000;

export interface Wishes extends ApiServerFlags {
  readonly name: string;
  readonly port?: number;
  readonly bindAddress?: string;
  readonly runtime?: NodeRuntime;
  readonly nodes?: number;
  readonly loadBalancerRange?: string;
  readonly clusterCidr?: string;
  readonly network?: NetworkMode;
  readonly proxyMode?: ProxyMode;
  readonly advertiseAddress?: string;
  readonly certificateName?: readonly string[];
  readonly nodeName?: string;
}

/** Where pods have their addresses, for all nodes of a new cluster: the usual range for the first on a machine. */
const defaultClusterCIDR = (index: number) => (index === 0 ? '10.244.0.0/16' : `10.${146 + index}.0.0/16`);

/** Reads the configuration, or makes it for a new cluster. @throws ClusterError */
export async function ensureConfig(
  dataDir: string,
  wishes: Wishes,
): Promise<{ config: ClusterConfig; paths: ClusterPaths }> {
  const paths = pathsOf(dataDir);
  const known = readConfig(paths);
  assertPossible(wishes, known);
  const { mergedFlags } = await import('./apiServerFlags.ts');
  const apiServer = mergedFlags(known?.apiServer, wishes);
  if (known !== undefined) {
    const { apiServer: _before, ...rest } = known;
    const config = {
      ...rest,
      ...(apiServer === undefined ? {} : { apiServer }),
      ...(wishes.nodes === undefined ? {} : { nodes: wishes.nodes }),
      ...(wishes.loadBalancerRange === undefined ? {} : { loadBalancerRange: wishes.loadBalancerRange }),
      ...(wishes.port === undefined ? {} : { port: wishes.port }),
      ...(wishes.proxyMode === undefined ? {} : { proxyMode: wishes.proxyMode }),
      ...(wishes.bindAddress === undefined ? {} : { bindAddress: wishes.bindAddress }),
      ...reachedAs(wishes),
    };
    if (JSON.stringify(config) !== JSON.stringify(known)) writeConfig(paths, config);
    return { config, paths };
  }
  makeDataDir(dataDir);
  const made = pathsOf(dataDir);
  const index = takeIndex(made.dataDir);
  const config: ClusterConfig = {
    version: 1,
    name: wishes.name,
    index,
    port: wishes.port ?? (await freePort(DEFAULT_PORT + index)),
    bindAddress: wishes.bindAddress ?? '0.0.0.0',
    clusterCIDR: wishes.clusterCidr ?? defaultClusterCIDR(index),
    network: wishes.network ?? 'vxlan',
    ...reachedAs(wishes),
    ...(wishes.nodeName === undefined ? {} : { nodeName: wishes.nodeName }),
    ...(wishes.proxyMode === undefined ? {} : { proxyMode: wishes.proxyMode }),
    ...(wishes.runtime === undefined ? {} : { runtime: wishes.runtime }),
    ...(wishes.nodes === undefined ? {} : { nodes: wishes.nodes }),
    ...(wishes.loadBalancerRange === undefined ? {} : { loadBalancerRange: wishes.loadBalancerRange }),
    ...(apiServer === undefined ? {} : { apiServer }),
  };
  writeConfig(made, config);
  return { config, paths: made };
}

/** How the API server is reached; may be changed with every start. */
function reachedAs({ advertiseAddress, certificateName }: Wishes): Partial<ClusterConfig> {
  return {
    ...(advertiseAddress === undefined ? {} : { advertiseAddress }),
    ...(certificateName === undefined ? {} : { certificateNames: certificateName }),
  };
}

/** Makes the configuration of a node of a cluster elsewhere. @throws ClusterError where there is one already */
export function makeJoinedConfig(
  dataDir: string,
  node: {
    readonly name: string;
    readonly nodeName: string;
    readonly joined: JoinedCluster;
    readonly proxyMode: ProxyMode | undefined;
  },
): { config: ClusterConfig; paths: ClusterPaths } {
  if (readConfig(pathsOf(dataDir)) !== undefined) throw new ClusterError(`there is a cluster in ${dataDir} already`);
  makeDataDir(dataDir);
  const paths = pathsOf(dataDir);
  const { name, nodeName, joined, proxyMode } = node;
  const index = takeIndex(paths.dataDir);
  const port = Number(new URL(joined.server).port || 443);
  const config: ClusterConfig = {
    version: 1,
    name,
    index,
    port,
    bindAddress: '',
    nodeName,
    joined,
    ...(proxyMode === undefined ? {} : { proxyMode }),
  };
  writeConfig(paths, config);
  return { config, paths };
}

/** @throws ClusterError */
function assertPossible(wishes: Wishes, known: ClusterConfig | undefined): void {
  const runtime = wishes.runtime ?? known?.runtime ?? 'containerd';
  if (known !== undefined && runtime !== (known.runtime ?? 'containerd')) {
    throw new ClusterError(
      `the cluster ${known.name} runs on ${known.runtime ?? 'containerd'}; for ${runtime} start another one with --name`,
    );
  }
  const range = wishes.loadBalancerRange;
  if (range !== undefined && !isIPv4Range(range)) {
    throw new ClusterError(`${JSON.stringify(range)} is no range of IPv4 addresses: write it as 192.168.1.240/28`);
  }
  if (known !== undefined) assertUnchanged(wishes, known);
  if (wishes.clusterCidr !== undefined && !isNetwork(wishes.clusterCidr)) {
    throw new ClusterError(
      `${JSON.stringify(wishes.clusterCidr)} is no range of addresses for pods: write it as 10.244.0.0/16 (from /8 to /24), or with IPv6 as 10.244.0.0/16,fd00:10:244::/56 (from /48 to /64)`,
    );
  }
  if (wishes.advertiseAddress !== undefined && !isIPv4(wishes.advertiseAddress)) {
    throw new ClusterError(`${JSON.stringify(wishes.advertiseAddress)} is no IPv4 address`);
  }
  assertCanProxy(wishes.proxyMode);
  const nodes = wishes.nodes ?? 1;
  if (runtime === 'containerd' && nodes > 1) {
    throw new ClusterError(
      'kubets up starts one node with real containers; further ones join from their machines with kubets join',
    );
  }
  if (nodes > MAX_NODES) throw new ClusterError(`there can be ${MAX_NODES} nodes at most`);
}

/** @throws ClusterError where this machine has not what the mode needs */
export function assertCanProxy(mode: ProxyMode | undefined): void {
  const reason = mode === undefined ? undefined : whyNot(mode);
  if (reason !== undefined) throw new ClusterError(`--proxy-mode ${mode} is not possible here: ${reason}`);
}

/** What nodes and pods live by stays as it was at the first start. @throws ClusterError */
function assertUnchanged(wishes: Wishes, known: ClusterConfig): void {
  const fixed: readonly [string, string | undefined, string | undefined][] = [
    ['--cluster-cidr', wishes.clusterCidr, known.clusterCIDR ?? rangesOf(known).clusterCIDR],
    ['--network', wishes.network, known.network ?? 'vxlan'],
    ['--node-name', wishes.nodeName, nodeNameOf(known)],
  ];
  for (const [flag, wished, is] of fixed) {
    if (wished !== undefined && wished !== is) {
      throw new ClusterError(`${flag} of the cluster ${known.name} is ${is} and cannot be changed; start another one`);
    }
  }
}

/** One of IPv4, and perhaps one of IPv6: whole, large enough for a node, and small enough to be cut into nodes'. */
function isNetwork(text: string): boolean {
  const [ipv4 = '', ipv6, ...more] = text.split(',');
  const isOf = (range: string, family: 4 | 6, shortest: number, longest: number) => {
    const cidr = parseCidr(range);
    return cidr?.family === family && !cidr.loose && cidr.length >= shortest && cidr.length <= longest;
  };
  return more.length === 0 && isOf(ipv4, 4, 8, 24) && (ipv6 === undefined || isOf(ipv6, 6, 48, 64));
}

function isIPv4Range(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  return more.length === 0 && isIPv4(address) && /^\d{1,2}$/.test(bits) && Number(bits) >= 8 && Number(bits) <= 30;
}
