/** The nodes of a cluster on a data directory: this machine with its containerd, or simulated ones. */
import { readFile } from 'node:fs/promises';
import type { Client } from '../client/client.ts';
import type { SimulatedNodes } from '../kubelet/simulated/nodes.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { parseResolvConf } from '../lib/resolvConf.ts';
import type { ClusterCertificates } from './certificates.ts';
import { type ClusterConfig, type ClusterPaths, nodeAddress, policyTableOf, rangesOf } from './config.ts';
import { CLUSTER_DOMAIN, type ControlPlane, type ControlPlaneOptions } from './controlPlane.ts';

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

const KUBELET_PORT = 10250;

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
          const [{ startSimulatedNodes }, { startLocalVolumes }, { SIMULATED_STORAGE: storage }] = await Promise.all([
            import('../kubelet/simulated/nodes.ts'),
            import('./localVolumes.ts'),
            import('../controllers/localProvisioner/storage.ts'),
          ]);
          await startLocalVolumes({ clientAs, admin, nodeNames: names, storage, clock, random, log, signal });
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
  const ranges = rangesOf(config);
  const runtime = startRuntime(options);
  // Whoever waits for it hears of a failure.
  runtime.catch(() => {});
  return {
    names: [nodeName],
    usage: () => undefined,
    steps: ({ clientAs, admin }, certificates) => [
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
          await startNetwork(options, clientAs, admin);
          return undefined;
        },
      },
      {
        name: 'kubelet',
        async run() {
          const [{ startKubelet }, { createLinuxMachine }, { startLocalVolumes }, { localFolders }] = await Promise.all(
            [
              import('../kubelet/kubelet.ts'),
              import('../kubelet/machine/linux.ts'),
              import('./localVolumes.ts'),
              import('../controllers/localProvisioner/folders.ts'),
            ],
          );
          const storage = localFolders(paths.volumes, undefined);
          await startLocalVolumes({ clientAs, admin, nodeNames: [nodeName], storage, clock, random, log, signal });
          return startKubelet({
            client: nodeClient(clientAs, nodeName),
            nodeName,
            nodeIP: nodeAddress(ranges.podGateway),
            runtime: await runtime,
            machine: (sources) => createLinuxMachine({ rootDir: paths.kubelet, podLogsDir: paths.podLogs, sources }),
            podLogsDir: paths.podLogs,
            serving: { ...certificates.kubelet.serving, clientCA: certificates.ca.cert },
            port: KUBELET_PORT,
            clusterDomain: CLUSTER_DOMAIN,
            clusterDNS: ranges.dnsIP,
            podCIDR: ranges.podCIDR,
            clock,
            random,
            log,
            signal,
          });
        },
      },
    ],
  };
}

/** Services, names, policies and the way in from outside. */
async function startNetwork(options: NodesOptions, clientAs: ControlPlane['clientAs'], admin: Client): Promise<void> {
  const { config, nodeName, clock, random, log, signal } = options;
  const ranges = rangesOf(config);
  const [{ startProxy }, { startDns }, own, { startPolicyEnforcer }, { startIngressController }] = await Promise.all([
    import('../proxy/proxy.ts'),
    import('../dns/start.ts'),
    import('./ownServices.ts'),
    import('../network/policy/enforcer.ts'),
    import('../ingress/start.ts'),
  ]);
  const { DNS_PORT, DNS_SERVICE, INGRESS_SERVICE, ensureIngressClass, ensureOwnService } = own;
  const shared = { clock, random, log, signal };
  const address = nodeAddress(ranges.podGateway);
  const dns = await startDns({
    ...shared,
    client: clientAs('system:serviceaccount:kube-system:kube-dns', ['system:serviceaccounts']),
    clusterDomain: CLUSTER_DOMAIN,
    address,
    upstreams: parseResolvConf(await readFile('/etc/resolv.conf', 'utf8').catch(() => '')).servers,
  });
  const { table, podCIDR, serviceCIDR, bridge } = ranges;
  await Promise.all([
    ensureOwnService(
      admin,
      { ...DNS_SERVICE, spec: { clusterIP: ranges.dnsIP } },
      { address, ports: { dns: dns.port, 'dns-tcp': dns.port } },
    ),
    ensureIngressClass(admin),
    startProxy({
      ...shared,
      client: clientAs('system:kube-proxy'),
      nodeName,
      rules: { table, podCIDR, serviceCIDR, bridge },
    }),
    startPolicyEnforcer({
      ...shared,
      client: clientAs('system:network-policy-enforcer'),
      nodeName,
      table: policyTableOf(table),
      servers: [{ ...DNS_SERVICE, ip: address, ports: new Map([[DNS_PORT, dns.port]]) }],
    }),
  ]);
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

async function startRuntime(options: NodesOptions) {
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
