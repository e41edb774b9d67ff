/** The nodes of a cluster on a data directory: this machine with its containerd, or simulated ones. */
import { readFile } from 'node:fs/promises';
import type { Client } from '../client/client.ts';
import type { SimulatedNodes } from '../kubelet/simulated/nodes.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { parseResolvConf } from '../lib/resolvConf.ts';
import { DEFAULT_PROXY_MODE } from '../proxy/modes.ts';
import type { ClusterCertificates } from './certificates.ts';
import { type ClusterConfig, type ClusterPaths, devicesOf, nodeAddress, nodeIPOf, rangesOf } from './config.ts';
import { CLUSTER_DOMAIN, type ControlPlane, type ControlPlaneOptions } from './controlPlane.ts';
import {
  type MachineNodeOptions,
  NODE_USERS,
  type NodeClients,
  startNodeKubelet,
  startNodeNetwork,
  startNodeVolumes,
  startRuntime,
} from './machineNode.ts';
import { networkOf, tunnelNumberOf } from './membership.ts';

export interface NodesOptions {
  readonly config: ClusterConfig;
  readonly paths: ClusterPaths;
  /** of this machine */
  readonly nodeName: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** What runs the nodes' pods; made first, because it may take longest to start. */
export interface Nodes {
  readonly names: readonly string[];
  /** What nodes use that have no server of their own; undefined for the others. */
  readonly usage: ControlPlaneOptions['nodeUsage'];
  /** The steps of the start, each with its name for people. */
  steps(controlPlane: ControlPlane, certificates: ClusterCertificates): readonly NodeStep[];
}

export interface NodeStep {
  readonly name: string;
  /** The last step gives the end of the nodes: it resolves when they have ended. */
  run(): Promise<{ readonly ended: Promise<unknown> } | undefined>;
}

export function nodesOf(options: NodesOptions): Nodes {
  return options.config.runtime === 'simulated' ? simulatedNodes(options) : machineNode(options);
}

function simulatedNodes(options: NodesOptions): Nodes {
  const { config, paths, clock, random, log, signal } = options;
  const names = Array.from({ length: config.nodes ?? 1 }, (_, i) => `node-${i}`);
  let started: SimulatedNodes | undefined;
  return {
    names,
    usage: (nodeName) => started?.statistics(nodeName),
    steps: ({ clientAs, admin }, certificates) => [
      {
        name: names.length === 1 ? 'simulated node' : `${names.length} simulated nodes`,
        async run() {
          const [{ startSimulatedNodes }, volumes, { SIMULATED_STORAGE: storage }] = await Promise.all([
            import('../kubelet/simulated/nodes.ts'),
            import('./localVolumes.ts'),
            import('../controllers/localProvisioner/storage.ts'),
          ]);
          await volumes.ensureStorageClass(admin);
          const client = clientAs(NODE_USERS.volumes);
          volumes.startLocalVolumes({ client, nodeNames: names, storage, clock, random, log, signal });
          started = await startSimulatedNodes({
            names,
            clientFor: (name) => nodeClient(clientAs, name),
            nodeIP: nodeAddress('127.0.0.1'),
            podLogsDir: paths.podLogs,
            clusterDomain: CLUSTER_DOMAIN,
            serving: { ...certificates.kubelet.serving, clientCA: certificates.ca.cert },
            clock,
            random,
            log,
            signal,
          });
          return started;
        },
      },
    ],
  };
}

function machineNode(options: NodesOptions): Nodes {
  const { config, paths, nodeName, clock, random, log, signal } = options;
  const machine: MachineNodeOptions = {
    paths,
    nodeName,
    nodeIP: nodeIPOf(config),
    devices: devicesOf(config),
    proxyMode: config.proxyMode ?? DEFAULT_PROXY_MODE,
    network: networkOf(config),
    podCIDRs: rangesOf(config).podCIDRs,
    clock,
    random,
    log,
    signal,
  };
  const runtime = startRuntime(machine);
  // Whoever waits for it hears of a failure.
  runtime.catch(() => {});
  return {
    names: [nodeName],
    usage: () => undefined,
    steps: (controlPlane, certificates) => [
      {
        name: 'container runtime',
        async run() {
          await runtime;
          return undefined;
        },
      },
      {
        name: 'network',
        async run() {
          const { clientAs } = controlPlane;
          const clients: NodeClients = {
            kubelet: nodeClient(clientAs, nodeName),
            proxy: clientAs(NODE_USERS.proxy),
            podNetwork: clientAs(NODE_USERS.podNetwork),
            policies: clientAs(NODE_USERS.policies),
          };
          await Promise.all([
            startOwnServices(options, machine.nodeIP, controlPlane),
            startNodeNetwork(machine, clients, tunnelNumberOf(certificates.ca.cert)),
          ]);
          return undefined;
        },
      },
      {
        name: 'kubelet',
        async run() {
          const { ensureStorageClass } = await import('./localVolumes.ts');
          await ensureStorageClass(controlPlane.admin);
          await startNodeVolumes(machine, controlPlane.clientAs(NODE_USERS.volumes));
          const serving = { ...certificates.kubelet.serving, clientCA: certificates.ca.cert };
          return startNodeKubelet(machine, nodeClient(controlPlane.clientAs, nodeName), await runtime, serving);
        },
      },
    ],
  };
}

/** Names, and the way in from outside. */
async function startOwnServices(
  options: NodesOptions,
  address: string,
  { clientAs, admin }: ControlPlane,
): Promise<void> {
  const { config, clock, random, log, signal } = options;
  const [{ startDns }, own, { startIngressController }, { startGatewayController }] = await Promise.all([
    import('../dns/start.ts'),
    import('./ownServices.ts'),
    import('../ingress/start.ts'),
    import('../ingress/gateway/start.ts'),
  ]);
  const { DNS_SERVICE, INGRESS_SERVICE, ensureIngressClass, ensureOwnService, publishGateway } = own;
  const shared = { clock, random, log, signal };
  const upstreams = parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => '')).servers;
  const startDnsAt = (port: number, own: AbortSignal) =>
    startDns({
      ...shared,
      signal: AbortSignal.any([signal, own]),
      client: clientAs('system:serviceaccount:kube-system:kube-dns', ['system:serviceaccounts']),
      clusterDomain: CLUSTER_DOMAIN,
      address,
      port,
      upstreams,
    });
  // Where it was before a restart, nodes find it before they hear of anything.
  const before = await own.portOf(admin, DNS_SERVICE);
  const attempt = new AbortController();
  const dns = await startDnsAt(before, attempt.signal).catch((error: NodeJS.ErrnoException) => {
    attempt.abort();
    if (before === 0 || error.code !== 'EADDRINUSE') throw error;
    return startDnsAt(0, signal);
  });
  await Promise.all([
    ensureOwnService(
      admin,
      { ...DNS_SERVICE, spec: { clusterIP: rangesOf(config).dnsIP } },
      { address, ports: { dns: dns.port, 'dns-tcp': dns.port } },
    ),
    ensureIngressClass(admin),
  ]);
  startGatewayController({
    ...shared,
    client: clientAs('system:gateway-controller'),
    address,
    publish: (gateway, name, ports) => publishGateway(admin, gateway, name, { address, ports }),
  });
  startIngressController({
    ...shared,
    client: clientAs('system:ingress-controller'),
    address,
    service: INGRESS_SERVICE,
    opened: (ports) => ensureOwnService(admin, INGRESS_SERVICE, { address, ports }),
  });
}

function nodeClient(clientAs: ControlPlane['clientAs'], name: string): Client {
  return clientAs(`system:node:${name}`, ['system:nodes']);
}
