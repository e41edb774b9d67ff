/**
 * /stats/summary: a reading as the kubelet's statistics API tells it.
 * Source: https://kubernetes.io/docs/reference/instrumentation/node-metrics/
 */
import { formatTime } from '../../machinery/time.ts';
import type { ContainerReading, InterfaceReading, NodeReading } from './reading.ts';

/** Rates are told between two readings that are at least so far apart, and at most so far. */
const SHORTEST_RATE_MS = 1_000;
const LONGEST_RATE_MS = 5 * 60_000;

/** @param before an earlier reading, for rates; absent: only counters are told */
export function summaryOf(reading: NodeReading, before?: NodeReading): object {
  const earlier = new Map((before?.containers ?? []).map((c) => [keyOf(c), c]));
  const { nodeName, at, startedAt, usageBytes, workingSetBytes, availableBytes, disk } = reading;
  const time = formatTime(at);
  return {
    node: {
      nodeName,
      startTime: formatTime(startedAt),
      cpu: cpuOf(reading, before),
      memory: { time, availableBytes, usageBytes, workingSetBytes },
      ...(disk === undefined
        ? {}
        : {
            fs: {
              time,
              availableBytes: disk.availableBytes,
              capacityBytes: disk.capacityBytes,
              usedBytes: disk.capacityBytes - disk.availableBytes,
              inodesFree: disk.inodesFree,
              inodes: disk.inodes,
              inodesUsed: disk.inodes - disk.inodesFree,
            },
          }),
    },
    pods: podsOf(reading).map((containers) => ({
      ...podSummary(containers, earlier),
      ...networkOf(reading, containers[0]),
      ...volumesOf(reading, containers[0]),
    })),
  };
}

/** The containers of each pod. */
export function podsOf({ containers }: NodeReading): [ContainerReading, ...ContainerReading[]][] {
  const pods = new Map<string, [ContainerReading, ...ContainerReading[]]>();
  for (const container of containers) {
    const pod = pods.get(container.podUid);
    if (pod === undefined) pods.set(container.podUid, [container]);
    else pod.push(container);
  }
  return [...pods.values()];
}

/** The sum over the containers of a pod. */
export function sumOf(containers: readonly ContainerReading[], field: 'cpuNanoseconds' | 'workingSetBytes'): number {
  return containers.reduce((sum, container) => sum + container[field], 0);
}

function podSummary(
  containers: readonly [ContainerReading, ...ContainerReading[]],
  earlier: ReadonlyMap<string, ContainerReading>,
): object {
  const [{ namespace, pod: name, podUid: uid, at }] = containers;
  const time = formatTime(at);
  const told = containers.map((container) => containerSummary(container, earlier.get(keyOf(container))));
  const rates = told.map(({ cpu }) => cpu.usageNanoCores);
  return {
    podRef: { name, namespace, uid },
    startTime: formatTime(Math.min(...containers.map((c) => c.startedAt))),
    containers: told,
    cpu: {
      time,
      ...(rates.includes(undefined) ? {} : { usageNanoCores: rates.reduce((a = 0, b = 0) => a + b, 0) }),
      usageCoreNanoSeconds: Math.round(sumOf(containers, 'cpuNanoseconds')),
    },
    memory: { time, workingSetBytes: sumOf(containers, 'workingSetBytes') },
  };
}

function networkOf({ networks, at }: NodeReading, { podUid }: ContainerReading): { network?: object } {
  const found = networks?.find((n) => n.podUid === podUid);
  const [first] = found?.interfaces ?? [];
  if (found === undefined || first === undefined) return {};
  const told = ({ name, receivedBytes, receiveErrors, sentBytes, sendErrors }: InterfaceReading) => ({
    name,
    rxBytes: receivedBytes,
    rxErrors: receiveErrors,
    txBytes: sentBytes,
    txErrors: sendErrors,
  });
  return { network: { time: formatTime(at), ...told(first), interfaces: found.interfaces.map(told) } };
}

function volumesOf({ volumes, at }: NodeReading, { podUid }: ContainerReading): { volume?: object[] } {
  const own = volumes?.filter((v) => v.podUid === podUid) ?? [];
  if (own.length === 0) return {};
  const time = formatTime(at);
  return {
    volume: own.map(({ podUid: _uid, pod: _pod, namespace, name, claim, ...use }) => ({
      time,
      ...use,
      name,
      ...(claim === undefined ? {} : { pvcRef: { name: claim, namespace } }),
    })),
  };
}

function containerSummary(container: ContainerReading, before: ContainerReading | undefined) {
  const { at, workingSetBytes, usageBytes, rssBytes, pageFaults, majorPageFaults } = container;
  const time = formatTime(at);
  const memory = { workingSetBytes, usageBytes, rssBytes, pageFaults, majorPageFaults };
  const { writtenBytes: usedBytes, writtenInodes: inodesUsed } = container;
  return {
    name: container.container,
    startTime: formatTime(container.startedAt),
    cpu: cpuOf(container, before),
    // What is not known is left out when this is encoded.
    memory: { time, ...memory },
    ...(usedBytes === undefined ? {} : { rootfs: { time, usedBytes, inodesUsed } }),
  };
}

interface Counter {
  readonly at: number;
  readonly startedAt: number;
  readonly cpuNanoseconds: number;
}

function cpuOf(now: Counter, before: Counter | undefined) {
  const elapsed = now.at - (before?.at ?? 0);
  const comparable = before?.startedAt === now.startedAt && elapsed >= SHORTEST_RATE_MS && elapsed <= LONGEST_RATE_MS;
  const used = now.cpuNanoseconds - (before?.cpuNanoseconds ?? 0);
  return {
    time: formatTime(now.at),
    ...(comparable && used >= 0 ? { usageNanoCores: Math.round((used * 1000) / elapsed) } : {}),
    usageCoreNanoSeconds: Math.round(now.cpuNanoseconds),
  };
}

const keyOf = ({ podUid, container }: ContainerReading) => `${podUid}/${container}`;
