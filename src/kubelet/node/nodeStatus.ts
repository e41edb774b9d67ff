/** What the kubelet says of its node: how big it is, what it runs, whether it can run pods. */
import { arch, hostname } from 'node:os';
import type { Node, NodeCondition, NodeStatus } from '../../apis/core/node.ts';
import { formatTime } from '../../machinery/time.ts';
import type { RuntimeFeatures } from '../cri/features.ts';
import type { Image } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { PressureCondition } from '../eviction/thresholds.ts';
import type { Machine } from '../machine/machine.ts';
import { KUBELET_VERSION } from './version.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64' };
/** Images that the node's status names: the largest, as in Kubernetes. */
const MAX_IMAGES = 50;

export interface NodeFacts {
  readonly nodeName: string;
  readonly nodeIP: string;
  /** its IPv6 address, where pods have such */
  readonly nodeIPv6?: string;
  readonly kubeletPort: number;
  readonly machine: Machine;
  /** of the runtime; brought up to date whenever it is asked how it is */
  readonly features: RuntimeFeatures;
  /** what it has besides, by resource: all, and what is for pods */
  more(): {
    readonly capacity: Readonly<Record<string, string>>;
    readonly allocatable: Readonly<Record<string, string>>;
  };
  /** why it takes no pods, whatever its runtime says; undefined: it does */
  problem(): string | undefined;
  /** what it is short of */
  pressure(): ReadonlySet<PressureCondition>;
}

export const architecture = () => ARCHITECTURES[arch()] ?? arch();

/** The status as it is now; times of conditions move only with their status. */
export async function nodeStatusOf(
  facts: NodeFacts,
  runtime: ContainerRuntime,
  old: Node | undefined,
  now: number,
): Promise<NodeStatus> {
  const { capacity, allocatable, info } = facts.machine;
  const version = await runtime.call('version', {}).catch(() => undefined);
  const problem = facts.problem() ?? (await problemOf(runtime, facts.features));
  const pressure = facts.pressure();
  const more = facts.more();
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
      ...(facts.nodeIPv6 === undefined ? [] : [{ type: 'InternalIP', address: facts.nodeIPv6 }]),
      { type: 'Hostname', address: facts.nodeName },
    ],
    capacity: { ...capacity, ...more.capacity },
    allocatable: { ...allocatable, ...more.allocatable },
    conditions: [
      pressure.has('MemoryPressure')
        ? condition(
            'MemoryPressure',
            'True',
            'KubeletHasInsufficientMemory',
            'kubelet has insufficient memory available',
          )
        : condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'),
      pressure.has('DiskPressure')
        ? condition('DiskPressure', 'True', 'KubeletHasDiskPressure', 'kubelet has disk pressure')
        : condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'),
      pressure.has('PIDPressure')
        ? condition('PIDPressure', 'True', 'KubeletHasInsufficientPID', 'kubelet has insufficient PID available')
        : condition('PIDPressure', 'False', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'),
      problem === undefined
        ? condition('Ready', 'True', 'KubeletReady', 'kubelet is posting ready status')
        : condition('Ready', 'False', 'KubeletNotReady', problem),
    ],
    ...facts.features.ofNode(),
    daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } },
    ...volumesInUse(facts.machine, old),
    nodeInfo: {
      ...info,
      containerRuntimeVersion: version === undefined ? '' : `${version.runtime_name}://${version.runtime_version}`,
      kubeletVersion: KUBELET_VERSION,
      kubeProxyVersion: '',
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
async function problemOf(runtime: ContainerRuntime, features: RuntimeFeatures): Promise<string | undefined> {
  try {
    const answer = await runtime.call('status', {}, { timeoutMs: 5000 });
    features.update(answer);
    const { status } = answer;
    const wrong = (status?.conditions ?? []).filter((c) => c.status !== true);
    if (wrong.length === 0) return undefined;
    return wrong.map((c) => `container runtime: ${c.type} is false: ${c.message || c.reason}`).join(', ');
  } catch (error) {
    return `container runtime is down: ${(error as Error).message}`;
  }
}

/** The name of this machine as a node's name must be. */
export function defaultNodeName(): string {
  return hostname().toLowerCase();
}

/** What must not be detached; told again when nothing is left, so that it is known. */
function volumesInUse({ csi }: Machine, old: Node | undefined): Pick<NodeStatus, 'volumesInUse'> {
  const inUse = [...(csi?.volumes.inUse() ?? [])];
  return inUse.length > 0 || old?.status?.volumesInUse !== undefined ? { volumesInUse: inUse } : {};
}
