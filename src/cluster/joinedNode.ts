/** Starts this machine as a node of a cluster whose API server runs elsewhere. */
import { createClient } from '../client/createClient.ts';
import { createHttpTransport } from '../client/http.ts';
import type { Transport } from '../client/transport.ts';
import { DEFAULT_PROXY_MODE } from '../proxy/modes.ts';
import { lockDirectory } from '../storage/embedded/directoryLock.ts';
import { StorageUnavailableError } from '../storage/storage.ts';
import { componentOf } from './componentNames.ts';
import { devicesOf, type JoinedCluster } from './config.ts';
import { ClusterError } from './errors.ts';
import {
  type MachineNodeOptions,
  NODE_USERS,
  type NodeClients,
  startNodeKubelet,
  startNodeNetwork,
  startNodeVolumes,
  startRuntime,
} from './machineNode.ts';
import { NodeCertificate, readCA } from './nodeCertificates.ts';
import { waitForNodes } from './nodesReady.ts';
import type { Cluster, ClusterOptions } from './startCluster.ts';

/** @throws ClusterError with one line for a person */
export async function startJoinedNode(options: ClusterOptions, joined: JoinedCluster): Promise<Cluster> {
  const { config, paths, nodeName, clock, random, log } = options;
  const abort = new AbortController();
  const { signal } = abort;
  const stops: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    abort.abort(new Error('the node is stopped'));
    for (const work of stops.splice(0).reverse()) await work();
  };
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    options.onStep?.(name, 'begun');
    const result = await work();
    options.onStep?.(name, 'done');
    return result;
  };
  try {
    const lock = await takeLock(paths.dataDir);
    stops.push(() => lock.release());
    await options.onLocked?.();
    const machine: MachineNodeOptions = {
      paths,
      nodeName,
      nodeIP: joined.nodeIP,
      devices: devicesOf(config),
      proxyMode: config.proxyMode ?? DEFAULT_PROXY_MODE,
      network: joined,
      clock,
      random,
      log,
      signal,
    };
    const names = { nodeName, nodeIP: joined.nodeIP };
    const runtime = startRuntime(machine);
    // Whoever waits for it hears of a failure.
    runtime.catch(() => {});
    const [ca, identity] = await Promise.all([readCA(paths.pki), NodeCertificate.client(paths.pki, names, clock)]);
    const transports: Transport[] = [];
    const clientAs = (impersonate?: string) => {
      const transport = createHttpTransport({
        server: joined.server,
        ca,
        credentials: () => identity.pair,
        clock,
        agent: componentOf(impersonate ?? 'system:node:'),
        ...(impersonate === undefined ? {} : { impersonate }),
      });
      transports.push(transport);
      return createClient(transport);
    };
    stops.push(() => Promise.all(transports.map((transport) => transport.close())));
    const clients: NodeClients = {
      kubelet: clientAs(),
      proxy: clientAs(NODE_USERS.proxy),
      podNetwork: clientAs(NODE_USERS.podNetwork),
      policies: clientAs(NODE_USERS.policies),
    };
    const renewal = { clock, random, log, signal };
    identity.keepFresh(clients.kubelet, renewal);
    await step('container runtime', () => runtime);
    const serving = await step('certificates', () => NodeCertificate.serving(paths.pki, names, clients.kubelet, clock));
    serving.keepFresh(clients.kubelet, renewal);
    // Without an API server that answers, what ran goes on as it was; services and policies follow when it is back.
    await step('network', () => startNodeNetwork(machine, clients, joined.vni));
    const kubelet = await step('kubelet', async () => {
      await startNodeVolumes(machine, clientAs(NODE_USERS.volumes));
      return startNodeKubelet(machine, clients.kubelet, await runtime, {
        ...serving.pair,
        clientCA: ca,
        onRenewed: (use) => serving.onRenewed(use),
      });
    });
    stops.push(() => kubelet.ended);
    return {
      port: config.port,
      nodesReady: (timeoutMs) =>
        step(`node ${nodeName}`, () => waitForNodes(clients.kubelet, [nodeName], clock, timeoutMs)),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function takeLock(dir: string) {
  try {
    return await lockDirectory(dir);
  } catch (error) {
    if (error instanceof StorageUnavailableError) throw new ClusterError(error.message);
    throw error;
  }
}
