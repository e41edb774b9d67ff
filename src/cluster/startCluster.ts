/**
 * Puts a cluster of a data directory together and starts it: certificates, store, control plane, nodes.
 * The order in which things stand here is the order in which they start.
 */
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { startCompactor } from '../storage/compactor.ts';
import { openEmbedded } from '../storage/embedded/open.ts';
import { StorageUnavailableError } from '../storage/storage.ts';
import { apiServerOptions } from './apiServerFlags.ts';
import { ensureCertificates } from './certificates.ts';
import { type ClusterConfig, type ClusterPaths, nodeIPOf, rangesOf } from './config.ts';
import { CLUSTER_DOMAIN, createControlPlane, SIMULATED_POD_CIDR } from './controlPlane.ts';
import { ClusterError } from './errors.ts';
import { nodesOf } from './nodes.ts';
import { waitForNodes } from './nodesReady.ts';

export interface ClusterOptions {
  readonly config: ClusterConfig;
  readonly paths: ClusterPaths;
  /** of this machine */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** The data directory is ours: nobody else runs a cluster on it. */
  onLocked?(): Promise<void>;
  /** Hears of each step as it begins and ends. */
  onStep?(step: string, state: 'begun' | 'done'): void;
}

export interface Cluster {
  readonly port: number;
  /** Resolves when all nodes are Ready. @throws ClusterError after `timeoutMs` */
  nodesReady(timeoutMs: number): Promise<void>;
  /** Stops everything but real containers. */
  stop(): Promise<void>;
}

/** @throws ClusterError with one line for a person */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { config, paths, nodeName, clock, random, log } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const ranges = rangesOf(config);
  const nodeIP = nodeIPOf(config);
  const advertiseAddress = config.advertiseAddress ?? nodeIP;
  const extraNames = [advertiseAddress, ...(config.certificateNames ?? [])];
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    options.onStep?.(name, 'begun');
    const result = await work();
    options.onStep?.(name, 'done');
    return result;
  };
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    abort.abort(new Error('the cluster is stopped'));
    for (const work of stops.splice(0).reverse()) await work();
  };
  const nodes = nodesOf({ config, paths, nodeName, clock, random, log, signal });
  try {
    const storage = await openStorage(options);
    stops.push(() => storage.close());
    await options.onLocked?.();
    startCompactor({ storage, clock, log: log.child({ component: 'storage' }), signal });
    const certificates = await ensureCertificates({
      dir: paths.pki,
      clock,
      log,
      nodeName,
      nodeIP,
      serviceIP: ranges.serviceIP,
      clusterDomain: CLUSTER_DOMAIN,
      extraNames,
    });
    const controlPlane = await createControlPlane({
      storage,
      certificates,
      serviceCIDR: ranges.serviceCIDR,
      ...(ranges.serviceCIDRv6 === undefined ? {} : { serviceCIDRv6: ranges.serviceCIDRv6 }),
      podCIDRs:
        config.runtime === 'simulated'
          ? [SIMULATED_POD_CIDR]
          : [ranges.clusterCIDR, ranges.clusterCIDRv6].filter((range) => range !== undefined),
      loadBalancerRange: ranges.loadBalancerRange,
      advertiseAddress,
      nodeUsage: nodes.usage,
      apiServer: apiServerOptions(config.apiServer, paths),
      clock,
      random,
      log,
      signal,
    });
    const { apiServer, admin } = controlPlane;
    stops.push(() => apiServer.close());
    const { port } = await step('API server', () => listen(apiServer, config));
    await step('controllers and scheduler', () => controlPlane.startControllers());
    if (config.runtime !== 'simulated') {
      const { startServingApproval } = await import('./servingApproval.ts');
      const reserved = ['kubernetes', 'localhost', nodeIP, ranges.serviceIP, ...extraNames];
      startServingApproval({ client: admin, reserved, clock, random, log, signal });
    }
    for (const { name, run } of nodes.steps(controlPlane, certificates)) {
      const started = await step(name, run);
      if (started !== undefined) stops.push(() => started.ended);
    }
    const shown = nodes.names.length === 1 ? `node ${nodes.names[0]}` : 'nodes Ready';
    return {
      port,
      nodesReady: (timeoutMs) => step(shown, () => waitForNodes(admin, nodes.names, clock, timeoutMs)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openStorage({ paths, clock, log }: ClusterOptions) {
  try {
    return await openEmbedded({ dir: paths.storage, clock, log: log.child({ component: 'storage' }) });
  } catch (error) {
    if (error instanceof StorageUnavailableError) throw new ClusterError(error.message);
    throw error;
  }
}

async function listen(
  apiServer: { listen(address: { host: string; port: number }): Promise<{ port: number }> },
  config: ClusterConfig,
) {
  try {
    return await apiServer.listen({ host: config.bindAddress, port: config.port });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new ClusterError(`port ${config.port} is taken by another program; choose another with --port`);
    if (code === 'EACCES')
      throw new ClusterError(`port ${config.port} may not be opened by this user; choose one above 1023 with --port`);
    if (code === 'EADDRNOTAVAIL')
      throw new ClusterError(`${config.bindAddress} is no address of this machine; choose another with --bind-address`);
    throw error;
  }
}
