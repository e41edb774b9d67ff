/** What the kubelet says of its node: how big it is, what it runs, whether it can run pods. */
import { readFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { arch, cpus, hostname, release, totalmem } from 'node:os';
import type { Node, NodeCondition, NodeStatus } from '../../apis/core/node.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Image } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { amountsOf, pressureOf } from './pressure.ts';

const KUBELET_VERSION = 'v1.36.0+kubets';
const MAX_PODS = 110;
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64' };
/** Images that the node's status names: the largest, as in Kubernetes. */
const MAX_IMAGES = 50;
const BYTES_PER_KI = 1024;

export interface NodeFacts {
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly kubeletPort: number;
  /** where the kubelet keeps its files: its file system is the node's ephemeral storage */
  readonly rootDir: string;
}

export const architecture = () => ARCHITECTURES[arch()] ?? arch();

/** What the machine has. Constant while it runs. */
export async function capacityOf(rootDir: string): Promise<Record<string, string>> {
  const disk = await statfs(rootDir);
  return {
    cpu: String(cpus().length),
    memory: `${Math.floor(memoryBytes() / BYTES_PER_KI)}Ki`,
    pods: String(MAX_PODS),
    'ephemeral-storage': `${Math.floor((disk.blocks * disk.bsize) / BYTES_PER_KI)}Ki`,
    'hugepages-2Mi': '0',
  };
}

export function memoryBytes(): number {
  return totalmem();
}

/** The status as it is now; times of conditions move only with their status. */
export async function nodeStatusOf(
  facts: NodeFacts,
  runtime: ContainerRuntime,
  old: Node | undefined,
  now: number,
): Promise<NodeStatus> {
  const capacity = await capacityOf(facts.rootDir);
  const version = await runtime.call('version', {}).catch(() => undefined);
  const problem = await problemOf(runtime);
  const pressure = pressureOf(await amountsOf(facts.rootDir));
  const { images = [] } = await runtime.call('listImages', {}).catch(() => ({ images: [] as Image[] }));
  const before = old?.status?.conditions ?? [];
  const at = formatTime(now);
  const condition = (type: string, status: string, reason: string, message: string): NodeCondition => {
    const was = before.find((c) => c.type === type);
    return {
      type,
      status,
      reason,
      message,
      lastHeartbeatTime: at,
      lastTransitionTime: was?.status === status ? (was.lastTransitionTime ?? at) : at,
    };
  };
  return {
    addresses: [
      { type: 'InternalIP', address: facts.nodeIP },
      { type: 'Hostname', address: facts.nodeName },
    ],
    capacity,
    allocatable: capacity,
    conditions: [
      pressure.memory
        ? condition(
            'MemoryPressure',
            'True',
            'KubeletHasInsufficientMemory',
            'kubelet has insufficient memory available',
          )
        : condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      pressure.disk
        ? condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
        : condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      pressure.processes
        ? condition('PIDPressure', 'True', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
        : condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      problem === undefined
        ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', 'False', 'KubeletNotReady', problem),
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    nodeInfo: {
      machineID: read('/etc/machine-id'),
      systemUUID: read('/sys/class/dmi/id/product_uuid') || read('/etc/machine-id'),
      bootID: read('/proc/sys/kernel/random/boot_id'),
      kernelVersion: release(),
      osImage: osImage(),
      containerRuntimeVersion: version === undefined ? '' : `${version.runtime_name}://${version.runtime_version}`,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: architecture(),
    },
    images: images
      .map((image) => ({
        names: [...(image.repo_digests ?? []), ...(image.repo_tags ?? [])],
        sizeBytes: image.size ?? 0,
      }))
      .sort((a, b) => b.sizeBytes - a.sizeBytes)
      .slice(0, MAX_IMAGES),
  };
}

/** Why the node cannot run pods; undefined where it can. */
async function problemOf(runtime: ContainerRuntime): Promise<string | undefined> {
  try {
    const { status } = await runtime.call('status', {}, { timeoutMs: 5000 });
    const wrong = (status?.conditions ?? []).filter((c) => c.status !== true);
    if (wrong.length === 0) return undefined;
    return wrong.map((c) => `container runtime: ${c.type} is false: ${c.message || c.reason}`).join(', ');
  } catch (error) {
    return `container runtime is down: ${(error as Error).message}`;
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function osImage(): string {
  return /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(read('/etc/os-release'))?.[1] ?? 'Linux';
}

/** The name of this machine as a node's name must be. */
export function defaultNodeName(): string {
  return hostname().toLowerCase();
}
