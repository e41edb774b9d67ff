/**
 * /metrics/cadvisor: what containers, pods and the node use, under the names that dashboards know.
 * Source: https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Family, Labels, Sample } from '../../lib/exposition.ts';
import { milliValue, wholeValue } from '../../machinery/quantity.ts';
import { containerNamed } from '../pods/plan.ts';
import type { CgroupReading } from '../resources/cgroupReading.ts';
import { podCgroup } from '../resources/cgroups.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares } from '../resources/limits.ts';
import type { ContainerReading, NodeReading } from './reading.ts';
import { podsOf, sumOf } from './summary.ts';

const NS_PER_SECOND = 1e9;

export interface CadvisorInput {
  readonly reading: NodeReading;
  readonly capacity: Readonly<Record<string, string>>;
  pod(uid: string): Pod | undefined;
  /** What the kernel says of a cgroup; empty where there is none. */
  cgroup(path: string): CgroupReading;
}

interface Seen {
  readonly labels: Labels;
  readonly reading: ContainerReading;
  readonly cgroup: CgroupReading;
  readonly pod: Pod | undefined;
}

const ROOT: Labels = { container: '', id: '/', image: '', name: '', namespace: '', pod: '' };

export function cadvisorFamilies({ reading, capacity, pod, cgroup }: CadvisorInput): Family[] {
  const pods = podsOf(reading);
  const seen: Seen[] = reading.containers.map((container) => {
    const of = pod(container.podUid);
    const id = `${of === undefined ? '' : podCgroup(of)}/${container.id}`;
    const { namespace, pod: podName, container: name, image } = container;
    return {
      labels: { container: name, id, image, name: container.id, namespace, pod: podName },
      reading: container,
      cgroup: of === undefined ? {} : cgroup(id),
      pod: of,
    };
  });
  const each = (value: (seen: Seen) => number | undefined, more: Labels = {}): Sample[] =>
    seen.flatMap((one) => {
      const found = value(one);
      return found === undefined ? [] : [{ labels: { ...one.labels, ...more }, value: found }];
    });
  const wholePods = (field: 'cpuNanoseconds' | 'workingSetBytes', divisor: number, more: Labels = {}): Sample[] =>
    pods.map((own) => {
      const [{ namespace, pod: name, podUid }] = own;
      const of = pod(podUid);
      const labels = {
        container: '',
        id: of === undefined ? '' : podCgroup(of),
        image: '',
        name: '',
        namespace,
        pod: name,
      };
      return { labels: { ...labels, ...more }, value: sumOf(own, field) / divisor };
    });
  const root = (value: number, more: Labels = {}): Sample => ({ labels: { ...ROOT, ...more }, value });
  const total = { cpu: 'total' };
  return [
    family('cadvisor_version_info', 'gauge', 'What tells of containers here.', [
      { labels: { cadvisorVersion: '', dockerVersion: '', kernelVersion: '', osVersion: '' }, value: 1 },
    ]),
    family('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in seconds.', [
      root(reading.cpuNanoseconds / NS_PER_SECOND, total),
      ...wholePods('cpuNanoseconds', NS_PER_SECOND, total),
      ...each(({ reading: r }) => r.cpuNanoseconds / NS_PER_SECOND, total),
    ]),
    family('container_cpu_cfs_periods_total', 'counter', 'Number of elapsed enforcement period intervals.', [
      ...each(({ cgroup: c }) => c.cpuPeriods),
    ]),
    family('container_cpu_cfs_throttled_periods_total', 'counter', 'Number of throttled period intervals.', [
      ...each(({ cgroup: c }) => c.cpuThrottledPeriods),
    ]),
    family('container_cpu_cfs_throttled_seconds_total', 'counter', 'Total time duration it has been throttled.', [
      ...each(({ cgroup: c }) => c.cpuThrottledSeconds),
    ]),
    family('container_memory_working_set_bytes', 'gauge', 'Current working set in bytes.', [
      root(reading.workingSetBytes),
      ...wholePods('workingSetBytes', 1),
      ...each(({ reading: r }) => r.workingSetBytes),
    ]),
    family('container_memory_usage_bytes', 'gauge', 'Current memory usage in bytes, including all memory.', [
      root(reading.usageBytes),
      ...each(({ reading: r }) => r.usageBytes),
    ]),
    family(
      'container_memory_rss',
      'gauge',
      'Size of RSS in bytes.',
      each(({ reading: r }) => r.rssBytes),
    ),
    family(
      'container_memory_cache',
      'gauge',
      'Number of bytes of page cache memory.',
      each(({ cgroup: c }) => c.cacheBytes),
    ),
    family(
      'container_memory_failcnt',
      'counter',
      'Number of memory usage hits limits.',
      each(({ cgroup: c }) => c.memoryFailures),
    ),
    family('container_memory_failures_total', 'counter', 'Cumulative count of memory allocation failures.', [
      ...each(({ reading: r }) => r.pageFaults, { failure_type: 'pgfault', scope: 'container' }),
      ...each(({ reading: r }) => r.majorPageFaults, { failure_type: 'pgmajfault', scope: 'container' }),
    ]),
    family(
      'container_oom_events_total',
      'counter',
      'Count of out of memory events.',
      each(({ cgroup: c }) => c.oomKills),
    ),
    family('container_processes', 'gauge', 'Number of processes running inside the container.', [
      ...each(({ cgroup: c }) => c.processes),
    ]),
    family('container_fs_usage_bytes', 'gauge', 'Number of bytes that are consumed on its filesystem.', [
      ...each(({ reading: r }) => r.writtenBytes, { device: '' }),
    ]),
    family('container_start_time_seconds', 'gauge', 'Start time of the container since unix epoch in seconds.', [
      root(reading.startedAt / 1000),
      ...each(({ reading: r }) => r.startedAt / 1000),
    ]),
    family('container_last_seen', 'gauge', 'Last time a container was seen by the exporter.', [
      ...each(({ reading: r }) => Math.floor(r.at / 1000)),
    ]),
    ...specFamilies(each),
    ...networkFamilies(reading, pod),
    family('machine_cpu_cores', 'gauge', 'Number of logical CPU cores.', [
      { labels: {}, value: milliValue(capacity.cpu ?? 0) / 1000 },
    ]),
    family('machine_memory_bytes', 'gauge', 'Amount of memory installed on the machine.', [
      { labels: {}, value: wholeValue(capacity.memory ?? 0) },
    ]),
    family('container_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise', [
      { labels: {}, value: 0 },
    ]),
  ];
}

function specFamilies(each: (value: (seen: Seen) => number | undefined) => Sample[]): Family[] {
  const resources = ({ pod, reading }: Seen) =>
    containerNamed(pod?.spec ?? { containers: [] }, reading.container)?.resources;
  const limit = (seen: Seen, name: string) => resources(seen)?.limits?.[name];
  return [
    family(
      'container_spec_cpu_period',
      'gauge',
      'CPU period of the container.',
      each(() => CPU_PERIOD_US),
    ),
    family('container_spec_cpu_quota', 'gauge', 'CPU quota of the container.', [
      ...each((seen) => {
        const cpu = limit(seen, 'cpu');
        return cpu === undefined ? undefined : cpuQuota(milliValue(cpu));
      }),
    ]),
    family('container_spec_cpu_shares', 'gauge', 'CPU share of the container.', [
      ...each((seen) => cpuShares(milliValue(resources(seen)?.requests?.cpu ?? 0))),
    ]),
    family('container_spec_memory_limit_bytes', 'gauge', 'Memory limit for the container.', [
      ...each((seen) => wholeValue(limit(seen, 'memory') ?? 0)),
    ]),
  ];
}

function networkFamilies({ networks = [] }: NodeReading, pod: (uid: string) => Pod | undefined): Family[] {
  const samples = (value: (one: NonNullable<NodeReading['networks']>[number]['interfaces'][number]) => number) =>
    networks.flatMap(({ podUid, namespace, pod: name, sandboxId, interfaces }) => {
      const of = pod(podUid);
      const id = of === undefined ? '' : `${podCgroup(of)}/${sandboxId}`;
      return interfaces.map((one) => ({
        labels: { container: '', id, image: '', interface: one.name, name: sandboxId, namespace, pod: name },
        value: value(one),
      }));
    });
  const one = (name: string, help: string, value: Parameters<typeof samples>[0]) =>
    family(`container_network_${name}_total`, 'counter', help, samples(value));
  return [
    one('receive_bytes', 'Cumulative count of bytes received', (i) => i.receivedBytes),
    one('receive_errors', 'Cumulative count of errors encountered while receiving', (i) => i.receiveErrors),
    one('transmit_bytes', 'Cumulative count of bytes transmitted', (i) => i.sentBytes),
    one('transmit_errors', 'Cumulative count of errors encountered while transmitting', (i) => i.sendErrors),
  ];
}

function family(name: string, type: Family['type'], help: string, samples: readonly Sample[]): Family {
  return { name, type, help, samples };
}
