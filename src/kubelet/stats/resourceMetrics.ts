/**
 * /metrics/resource: what autoscalers need to know, for Prometheus and for metrics-server.
 * Source: https://kubernetes.io/docs/reference/instrumentation/node-metrics/
 */
import type { ContainerReading, NodeReading } from './reading.ts';
import { podsOf, sumOf } from './summary.ts';

const NS_PER_SECOND = 1e9;

interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** ms since the epoch; absent: now */
  readonly at?: number;
}

export function resourceMetricsOf(reading: NodeReading): string {
  const pods = podsOf(reading);
  const { at, containers } = reading;
  const node = (value: number) => [{ labels: {}, value, at }];
  const each = (value: (container: ContainerReading) => number): Sample[] =>
    containers.map((c) => ({
      labels: { container: c.container, namespace: c.namespace, pod: c.pod },
      value: value(c),
      at: c.at,
    }));
  const eachPod = (field: 'cpuNanoseconds' | 'workingSetBytes', divisor: number): Sample[] =>
    pods.map((own) => ({
      labels: { namespace: own[0].namespace, pod: own[0].pod },
      value: sumOf(own, field) / divisor,
      at: own[0].at,
    }));
  return [
    family('container_cpu_usage_seconds_total', 'counter', 'CPU time used by the container since it started.', [
      ...each((c) => c.cpuNanoseconds / NS_PER_SECOND),
    ]),
    family('container_memory_working_set_bytes', 'gauge', 'The working set of the container.', [
      ...each((c) => c.workingSetBytes),
    ]),
    family('container_start_time_seconds', 'gauge', 'When the container started, in seconds since the epoch.', [
      ...each((c) => c.startedAt / 1000),
    ]),
    family('node_cpu_usage_seconds_total', 'counter', 'CPU time used by the node.', [
      ...node(reading.cpuNanoseconds / NS_PER_SECOND),
    ]),
    family('node_memory_working_set_bytes', 'gauge', 'The working set of the node.', [
      ...node(reading.workingSetBytes),
    ]),
    family('pod_cpu_usage_seconds_total', 'counter', 'CPU time used by the pod.', [
      ...eachPod('cpuNanoseconds', NS_PER_SECOND),
    ]),
    family('pod_memory_working_set_bytes', 'gauge', 'The working set of the pod.', [...eachPod('workingSetBytes', 1)]),
    family('resource_scrape_error', 'gauge', '1 if there was an error while reading, else 0.', [
      { labels: {}, value: 0 },
    ]),
  ].join('');
}

function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return '';
  const lines = samples.map(({ labels, value, at }) => {
    // Names of pods and containers need no escapes.
    const inner = Object.entries(labels).map(([key, text]) => `${key}="${text}"`);
    const set = inner.length === 0 ? '' : `{${inner.join(',')}}`;
    return `${name}${set} ${value}${at === undefined ? '' : ` ${Math.round(at)}`}\n`;
  });
  return `# HELP ${name} [STABLE] ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
