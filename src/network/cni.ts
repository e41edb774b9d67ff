/**
 * The configuration of the pod network on one node: a bridge that pods hang on, with addresses from
 * the node's range.
 *
 * Source: https://www.cni.dev/plugins/current/main/bridge/ and .../ipam/host-local/
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface PodNetwork {
  /** at most 15 characters */
  readonly bridge: string;
  /** `10.244.0.0/24`, and perhaps one of IPv6: pods get an address of each */
  readonly podCIDRs: readonly string[];
  /** where the plugins keep which address is taken */
  readonly stateDir: string;
  /** the largest packet of a pod: what the way to other nodes leaves of the link's */
  readonly mtu: number;
  /** the plugin that limits what pods send and receive, where there is one */
  readonly bandwidthPlugin?: string;
}

/**
 * Writes the configuration where it is missing. What is there stays as it is while pods live: they are
 * removed by the configuration that they were made with.
 */
export async function writeCniConfig(dir: string, network: PodNetwork): Promise<void> {
  const path = join(dir, '10-kubets.conflist');
  const text = `${JSON.stringify(conflist(network), null, 2)}\n`;
  if (existsSync(path) && (await readFile(path, 'utf8')) === text) return;
  await mkdir(dir, { recursive: true });
  await writeFile(path, text);
}

function conflist(network: PodNetwork): unknown {
  return {
    cniVersion: '1.0.0',
    name: network.bridge,
    plugins: [
      {
        type: 'bridge',
        bridge: network.bridge,
        isGateway: true,
        // A node that was registered anew may have another range; what had the old one is gone.
        forceAddress: true,
        // Translation of addresses is the proxy's: it knows what leaves the cluster.
        ipMasq: false,
        hairpinMode: true,
        mtu: network.mtu,
        ipam: {
          type: 'host-local',
          ranges: network.podCIDRs.map((subnet) => [{ subnet }]),
          routes: network.podCIDRs.map((subnet) => ({ dst: subnet.includes(':') ? '::/0' : '0.0.0.0/0' })),
          dataDir: network.stateDir,
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
      ...(network.bandwidthPlugin === undefined
        ? []
        : [{ type: network.bandwidthPlugin, capabilities: { bandwidth: true } }]),
    ],
  };
}

const SETTINGS: readonly Setting[] = [
  ['/proc/sys/net/ipv4/ip_forward', '1'],
  ['/proc/sys/net/bridge/bridge-nf-call-iptables', '1'],
];
const SETTINGS_V6: readonly Setting[] = [
  ['/proc/sys/net/bridge/bridge-nf-call-ip6tables', '1'],
  ['/proc/sys/net/ipv6/conf/all/forwarding', '1'],
];

type Setting = readonly [path: string, value: string];

/**
 * Lets the kernel forward between pods and the world. A setting that this kernel does not have is left out.
 * @param withV6 pods have IPv6 addresses, too
 */
export async function prepareKernel(withV6: boolean): Promise<void> {
  for (const setting of SETTINGS) await set(setting);
  if (!withV6) return;
  // Who forwards no longer listens to routers, unless told to: the machine would lose its own addresses.
  const devices = '/proc/sys/net/ipv6/conf';
  for (const device of await readdir(devices).catch(() => [])) {
    const path = join(devices, device, 'accept_ra');
    if (existsSync(path) && (await readFile(path, 'utf8')).trim() === '1') await writeFile(path, '2');
  }
  for (const setting of SETTINGS_V6) await set(setting);
}

async function set([path, value]: Setting): Promise<void> {
  if (existsSync(path) && (await readFile(path, 'utf8')).trim() !== value) await writeFile(path, value);
}
