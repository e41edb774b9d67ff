/** What makes a machine a node: runtime, network and kubelet, wherever the API server is. */
import { existsSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import type { ContainerRuntime } from '../kubelet/cri/runtime.ts';
import type { KubeletOptions } from '../kubelet/kubelet.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { ProxyMode } from '../proxy/modes.ts';
import {
  addressV6Beside,
  type ClusterNetwork,
  type ClusterPaths,
  type Devices,
  masqueradeTableOf,
  policyTableOf,
} from './config.ts';
import { DNS_SERVICE } from './ownServices.ts';

export interface MachineNodeOptions {
  readonly paths: ClusterPaths;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly devices: Devices;
  readonly network: Omit<ClusterNetwork, 'vni'>;
  readonly proxyMode: ProxyMode;
  /** of this node's pods, one of each family; absent: the cluster gives them to it */
  readonly podCIDRs?: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The parts of a node and whom they speak to the API as. */
export interface NodeClients {
  readonly kubelet: Client;
  readonly proxy: Client;
  readonly podNetwork: Client;
  readonly policies: Client;
}

/** As whom the parts of a node speak that are not its kubelet. */
export const NODE_USERS = {
  proxy: 'system:kube-proxy',
  podNetwork: 'system:pod-network',
  policies: 'system:network-policy-enforcer',
  volumes: 'system:local-volume-provisioner',
} as const;

/** Where every container runtime looks. */
const MACHINES_NETWORK = '/etc/cni/net.d';
const KUBELET_PORT = 10250;
/** where the link is not known yet */
const USUAL_MTU = 1500;

/** Starts containerd, where it does not run, with all it needs. @throws ClusterError */
export async function startRuntime(options: MachineNodeOptions): Promise<ContainerRuntime> {
  const { paths, clock, log, podCIDRs, network } = options;
  const [
    { prepareKernel, writeCniConfig },
    { preparePlugins },
    { ensureContainerd },
    { connectCri },
    { loadImage },
    { PAUSE_IMAGE, pauseImage },
  ] = await Promise.all([
    import('../network/cni.ts'),
    import('../network/plugins.ts'),
    import('./containerd.ts'),
    import('../kubelet/cri/connect.ts'),
    import('../images/load.ts'),
    import('../images/builtin.ts'),
  ]);
  await preparePlugins(paths.cniPlugins);
  if (network.network === 'none') await useMachinesNetwork(paths.cniConfig);
  else if (podCIDRs !== undefined) {
    await writeCniConfig(paths.cniConfig, { ...(await cniOf(options)), podCIDRs });
  }
  await prepareKernel(network.clusterCIDRv6 !== undefined);
  await ensureContainerd(paths, clock);
  const cri = connectCri(paths.containerdSocket, clock);
  const { image } = await cri.call('imageStatus', { image: { image: PAUSE_IMAGE } });
  if (image?.id === undefined) await loadImage(paths.containerdSocket, await pauseImage());
  log.debug('the container runtime answers');
  return cri;
}

/** Pods get their network as whoever runs this machine configured it. */
async function useMachinesNetwork(dir: string): Promise<void> {
  if (!existsSync(dir)) await symlink(MACHINES_NETWORK, dir);
}

/** The plugins' configuration, but for the node's range. */
async function cniOf({ devices, paths, nodeIP, network }: MachineNodeOptions) {
  const [{ linkMtu, tunnelMtu }, { BANDWIDTH_PLUGIN }, { hasOwnPlugins }] = await Promise.all([
    import('../network/routes/kernel.ts'),
    import('../network/plugins.ts'),
    import('./containerd.ts'),
  ]);
  const link = (await linkMtu(nodeIP)) ?? USUAL_MTU;
  return {
    bridge: devices.bridge,
    stateDir: paths.cniState,
    mtu: network.network === 'vxlan' ? tunnelMtu(link, nodeIP) : link,
    ...(hasOwnPlugins(paths) && existsSync(join(paths.cniPlugins, BANDWIDTH_PLUGIN))
      ? { bandwidthPlugin: BANDWIDTH_PLUGIN }
      : {}),
  };
}

/**
 * The way to other nodes' pods, services and policies. Resolves when services and policies are in the kernel.
 * @param vni of the tunnel between nodes
 */
export async function startNodeNetwork(options: MachineNodeOptions, clients: NodeClients, vni: number): Promise<void> {
  const { paths, nodeName, nodeIP, devices, network, podCIDRs, clock, random, log, signal } = options;
  const [{ startProxy }, { startPolicyEnforcer }, { startPodNetwork }, { masqueradeV6 }] = await Promise.all([
    import('../proxy/proxy.ts'),
    import('../network/policy/enforcer.ts'),
    import('../network/podNetwork.ts'),
    import('../network/masquerade.ts'),
  ]);
  const shared = { nodeName, clock, random, log, signal };
  const { clusterCIDR, clusterCIDRv6, serviceCIDR, serviceCIDRv6, network: mode } = network;
  const { table, bridge, tunnel } = devices;
  startPodNetwork({
    ...shared,
    client: clients.podNetwork,
    nodeClient: clients.kubelet,
    nodeIP,
    clusterCIDRs: [clusterCIDR, clusterCIDRv6].filter((range) => range !== undefined),
    mode,
    device: tunnel,
    vni,
    ...(podCIDRs === undefined && mode !== 'none'
      ? { cni: { dir: paths.cniConfig, network: await cniOf(options) } }
      : {}),
  });
  await Promise.all([
    ...(clusterCIDRv6 === undefined || mode === 'none'
      ? []
      : [masqueradeV6({ table: masqueradeTableOf(table), bridge, clusterCIDR: clusterCIDRv6 })]),
    startProxy({
      ...shared,
      client: clients.proxy,
      mode: options.proxyMode,
      rules: {
        table,
        podCIDR: clusterCIDR,
        serviceCIDR,
        ...(clusterCIDRv6 === undefined || serviceCIDRv6 === undefined
          ? {}
          : { v6: { podCIDR: clusterCIDRv6, serviceCIDR: serviceCIDRv6 } }),
        ...(mode === 'none' ? {} : { bridge }),
        ...(mode === 'vxlan' ? { tunnel } : {}),
      },
    }),
    startPolicyEnforcer({
      ...shared,
      client: clients.policies,
      table: policyTableOf(table),
      own: [DNS_SERVICE],
      families: clusterCIDRv6 === undefined && mode !== 'none' ? [4] : [4, 6],
    }),
  ]);
}

/** Makes volumes on the node's disk, for claims of classes that ask for such. */
export async function startNodeVolumes(options: MachineNodeOptions, client: Client): Promise<void> {
  const { paths, nodeName, clock, random, log, signal } = options;
  const [{ startLocalVolumes }, { localFolders }, { projectQuotas }] = await Promise.all([
    import('./localVolumes.ts'),
    import('../controllers/localProvisioner/folders.ts'),
    import('../controllers/localProvisioner/quotas.ts'),
  ]);
  const storage = localFolders(paths.volumes, await projectQuotas(paths.volumes));
  startLocalVolumes({ client, nodeNames: [nodeName], storage, clock, random, log, signal });
}

/** Resolves when the kubelet's server listens. */
export async function startNodeKubelet(
  options: MachineNodeOptions,
  client: Client,
  runtime: ContainerRuntime,
  serving: KubeletOptions['serving'],
): Promise<{ readonly ended: Promise<unknown> }> {
  const { paths, nodeName, nodeIP, network, podCIDRs, clock, random, log, signal } = options;
  const nodeIPv6 = network.clusterCIDRv6 === undefined ? undefined : addressV6Beside(nodeIP);
  const [{ kubeletConfiguration }, { startKubelet }, { createLinuxMachine }] = await Promise.all([
    import('./kubeletConfiguration.ts'),
    import('../kubelet/kubelet.ts'),
    import('../kubelet/machine/linux.ts'),
  ]);
  return startKubelet({
    client,
    nodeName,
    nodeIP,
    ...(nodeIPv6 === undefined ? {} : { nodeIPv6 }),
    runtime,
    machine: (sources) =>
      createLinuxMachine({
        rootDir: paths.kubelet,
        podLogsDir: paths.podLogs,
        containerdSocket: paths.containerdSocket,
        sources,
      }),
    podLogsDir: paths.podLogs,
    configuration: await kubeletConfiguration(paths),
    serving,
    port: KUBELET_PORT,
    clusterDomain: network.clusterDomain,
    clusterDNS: network.dnsIP,
    ...(podCIDRs === undefined ? {} : { podCIDRs }),
    clock,
    random,
    log,
    signal,
  });
}
