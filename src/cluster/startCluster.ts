/**
 * Puts a cluster of a data directory together and starts it: certificates, store, API server, controllers, scheduler,
 * network, kubelet. The order in which things stand here is the order in which they start.
 */

import { type Node, nodes } from '../apis/core/node.ts';
import type { Client } from '../client/client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { isApiError } from '../machinery/status.ts';
import { startCompactor } from '../storage/compactor.ts';
import { openEmbedded } from '../storage/embedded/open.ts';
import { StorageUnavailableError } from '../storage/storage.ts';
import { type ClusterCertificates, ensureCertificates } from './certificates.ts';
import { type ClusterConfig, type ClusterPaths, nodeAddress, rangesOf } from './config.ts';
import { CLUSTER_DOMAIN, createControlPlane } from './controlPlane.ts';
import { ClusterError } from './errors.ts';

export interface ClusterOptions {
  readonly config: ClusterConfig;
  readonly paths: ClusterPaths;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Absent: no node, only the control plane. */
  readonly node?: boolean;
  /** The data directory is ours: nobody else runs a cluster on it. */
  onLocked?(): Promise<void>;
  /** Hears of each step as it begins and ends. */
  onStep?(step: string, state: 'begun' | 'done'): void;
}

export interface Cluster {
  readonly port: number;
  readonly certificates: ClusterCertificates;
  /** as cluster administrator, within the process */
  readonly client: Client;
  /** Resolves when the node is Ready; at once where there is none. @throws ClusterError after `timeoutMs` */
  nodeReady(timeoutMs: number): Promise<void>;
  /** Stops everything but the containers. */
  stop(): Promise<void>;
}

const KUBELET_PORT = 10250;

/** @throws ClusterError with one line for a person */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { config, paths, nodeName, clock, random, log } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const ranges = rangesOf(config);
  const nodeIP = nodeAddress(ranges.podGateway);
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    options.onStep?.(name, 'begun');
    const result = await work();
    options.onStep?.(name, 'done');
    return result;
  };

  // The runtime takes longest to start and needs nothing of the rest.
  const runtime = options.node === true ? startRuntime(options) : undefined;
  runtime?.catch(() => {});
  const stops: (() => Promise<void>)[] = [];
  const stop = async () => {
    abort.abort(new Error('the cluster is stopped'));
    for (const work of stops.reverse()) await work();
  };
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
    });
    const controlPlane = await createControlPlane({
      storage,
      certificates,
      serviceCIDR: ranges.serviceCIDR,
      advertiseAddress: nodeIP,
      clock,
      random,
      log,
      signal,
    });
    const { apiServer, clientAs, admin } = controlPlane;
    stops.push(() => apiServer.close());
    const { port } = await step('API server', () => listen(apiServer, config));

    await step('controllers and scheduler', () => controlPlane.startControllers());

    if (runtime !== undefined) {
      await step('container runtime', () => runtime);
      await step('network', async () => {
        const { startProxy } = await import('../proxy/proxy.ts');
        const { table, podCIDR, serviceCIDR, bridge } = ranges;
        await startProxy({
          client: clientAs('system:kube-proxy'),
          rules: { table, podCIDR, serviceCIDR, bridge },
          clock,
          random,
          log,
          signal,
        });
      });
      const [{ startKubelet }, { createLinuxMachine }] = await Promise.all([
        import('../kubelet/kubelet.ts'),
        import('../kubelet/machine/linux.ts'),
      ]);
      const kubelet = await startKubelet({
        client: clientAs(`system:node:${nodeName}`, ['system:nodes']),
        nodeName,
        nodeIP,
        runtime: await runtime,
        machine: (sources) => createLinuxMachine({ rootDir: paths.kubelet, podLogsDir: paths.podLogs, sources }),
        podLogsDir: paths.podLogs,
        serving: { ...certificates.kubelet.serving, clientCA: certificates.ca.cert },
        port: KUBELET_PORT,
        clusterDomain: CLUSTER_DOMAIN,
        podCIDR: ranges.podCIDR,
        clock,
        random,
        log,
        signal,
      });
      stops.push(() => kubelet.ended);
    }
    return {
      port,
      certificates,
      client: admin,
      async nodeReady(timeoutMs) {
        if (runtime === undefined) return;
        await step(`node ${nodeName}`, () => waitForNode(admin, nodeName, clock, timeoutMs));
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startRuntime(options: ClusterOptions) {
  const { config, paths, clock, log } = options;
  const ranges = rangesOf(config);
  const [
    { prepareKernel, writeCniConfig },
    { ensureContainerd },
    { connectCri },
    { loadImage },
    { PAUSE_IMAGE, pauseImage },
  ] = await Promise.all([
    import('../network/cni.ts'),
    import('./containerd.ts'),
    import('../kubelet/cri/connect.ts'),
    import('../images/load.ts'),
    import('../images/builtin.ts'),
  ]);
  await writeCniConfig(paths.cniConfig, { bridge: ranges.bridge, podCIDR: ranges.podCIDR, stateDir: paths.cniState });
  await prepareKernel();
  await ensureContainerd(paths, clock);
  const cri = connectCri(paths.containerdSocket, clock);
  const { image } = await cri.call('imageStatus', { image: { image: PAUSE_IMAGE } });
  if (image?.id === undefined) await loadImage(paths.containerdSocket, await pauseImage());
  log.debug('the container runtime answers');
  return cri;
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

async function waitForNode(client: Client, name: string, clock: Clock, timeoutMs: number): Promise<void> {
  const abort = new AbortController();
  const timer = clock.after(timeoutMs, () => abort.abort(), { ref: true });
  const isReady = (node: Node) =>
    node.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true;
  // A Ready from before a restart says nothing: only a node that reported since counts.
  const since = clock.now() - 2_000;
  const isFresh = (node: Node) =>
    (node.status?.conditions ?? []).some(
      (c) => c.type === 'Ready' && Date.parse(c.lastHeartbeatTime ?? '') >= since - 1_000,
    );
  try {
    await new Promise<void>((resolve, reject) => {
      abort.signal.addEventListener('abort', () =>
        reject(
          new ClusterError(`node ${name} is not Ready after ${Math.round(timeoutMs / 1000)} s; kubets logs says why`),
        ),
      );
      client
        .watch(
          nodes,
          { fieldSelector: `metadata.name=${name}`, signal: abort.signal },
          ({ object }) => {
            if (isReady(object) && isFresh(object)) resolve();
          },
          () => reject(new ClusterError('the API server ended the watch for the node')),
        )
        .catch((error: unknown) => reject(isApiError(error) ? new ClusterError(error.message) : error));
    });
  } finally {
    timer.cancel();
    abort.abort();
  }
}
