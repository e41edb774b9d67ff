/** Reads what the node and its containers use. Nothing is read until somebody asks. */
import type { Clock } from '../../lib/clock.ts';
import type { ContainerStats, NetworkInterfaceUsage } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { Machine } from '../machine/machine.ts';
import type { ObservedContainer, ObservedPod, RuntimeObserver } from '../pods/observed.ts';
import type { ContainerReading, NetworkReading, NodeReading, VolumeReading } from './reading.ts';

export interface StatisticsOptions {
  readonly nodeName: string;
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly observer: RuntimeObserver;
  readonly clock: Clock;
  /** how full the volumes are */
  volumes(): Promise<readonly VolumeReading[]>;
}

const NS_PER_MS = 1e6;

/** What is to be read. */
export interface StatisticsWanted {
  /** what came in and went out, too */
  readonly networks?: boolean;
  /** how full volumes are, too */
  readonly volumes?: boolean;
}

/** A reading of now. @throws RuntimeError */
export async function readStatistics(options: StatisticsOptions, wanted: StatisticsWanted = {}): Promise<NodeReading> {
  const { nodeName, runtime, machine, observer, clock } = options;
  const [{ stats = [] }, usage, networks, volumes] = await Promise.all([
    runtime.call('listContainerStats', {}),
    machine.usage(),
    wanted.networks === true ? readNetworks(runtime) : undefined,
    wanted.volumes === true ? options.volumes() : undefined,
  ]);
  const at = clock.now();
  const running = runningContainers(observer);
  const containers = stats.flatMap((one) => {
    const found = running.get(one.attributes?.id ?? '');
    return found === undefined ? [] : [readingOf(one, found.pod, found.container, at)];
  });
  const more = { ...(networks === undefined ? {} : { networks }), ...(volumes === undefined ? {} : { volumes }) };
  return { ...usage, nodeName, at, containers, ...more };
}

/** Undefined where the runtime does not know of this call. */
async function readNetworks(runtime: ContainerRuntime): Promise<NetworkReading[] | undefined> {
  const { stats } = await runtime.call('listPodSandboxStats', {}).catch(() => ({ stats: undefined }));
  return stats?.flatMap(({ attributes, linux }) => {
    const { id = '', metadata: { uid = '', name = '', namespace = '' } = {} } = attributes ?? {};
    const { default_interface: first, interfaces: others = [] } = linux?.network ?? {};
    const interfaces = [...(first === undefined ? [] : [first]), ...others].map(interfaceOf);
    return interfaces.length === 0 ? [] : [{ namespace, pod: name, podUid: uid, sandboxId: id, interfaces }];
  });
}

const interfaceOf = ({ name = '', rx_bytes, rx_errors, tx_bytes, tx_errors }: NetworkInterfaceUsage) => ({
  name,
  receivedBytes: rx_bytes?.value ?? 0,
  receiveErrors: rx_errors?.value ?? 0,
  sentBytes: tx_bytes?.value ?? 0,
  sendErrors: tx_errors?.value ?? 0,
});

interface Running {
  readonly pod: ObservedPod;
  readonly container: ObservedContainer;
}

function runningContainers(observer: RuntimeObserver): ReadonlyMap<string, Running> {
  const running = new Map<string, Running>();
  for (const pod of observer.all()) {
    for (const container of pod.containers) {
      if (container.state === 'running') running.set(container.id, { pod, container });
    }
  }
  return running;
}

function readingOf(
  { cpu, memory, writable_layer: written }: ContainerStats,
  pod: ObservedPod,
  container: ObservedContainer,
  now: number,
): ContainerReading {
  return {
    namespace: pod.namespace,
    pod: pod.name,
    podUid: pod.uid,
    container: container.name,
    id: container.id,
    image: container.status.image?.image ?? '',
    startedAt: (container.status.started_at ?? 0) / NS_PER_MS,
    at: cpu?.timestamp ? cpu.timestamp / NS_PER_MS : now,
    cpuNanoseconds: cpu?.usage_core_nano_seconds?.value ?? 0,
    workingSetBytes: memory?.working_set_bytes?.value ?? 0,
    ...known('usageBytes', memory?.usage_bytes),
    ...known('rssBytes', memory?.rss_bytes),
    ...known('pageFaults', memory?.page_faults),
    ...known('majorPageFaults', memory?.major_page_faults),
    ...known('writtenBytes', written?.used_bytes),
    ...known('writtenInodes', written?.inodes_used),
  };
}

/** A number that is there, be it 0, which the wire leaves out. */
function known<K extends string>(name: K, of: { value?: number } | undefined): { [P in K]?: number } {
  return (of === undefined ? {} : { [name]: of.value ?? 0 }) as { [P in K]?: number };
}
