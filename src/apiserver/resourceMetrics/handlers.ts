/**
 * metrics.k8s.io: what nodes and pods use now. Nothing of it is stored.
 * Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/resource-metrics-pipeline/
 */
import { type Node, nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type NodeMetrics, nodeMetrics } from '../../apis/metrics/nodeMetrics.ts';
import { type PodMetrics, podMetrics } from '../../apis/metrics/podMetrics.ts';
import type { Clock } from '../../lib/clock.ts';
import { apiVersionOf, type Kind, type KubeObject, type Stored } from '../../machinery/kind.ts';
import { bytesQuantity, formatQuantity } from '../../machinery/quantity.ts';
import { notFound } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import { type Handler, handlerKey } from '../stage.ts';
import { selectionOf } from '../verbs/selection.ts';
import type { UsageCollector } from './collector.ts';
import { type NodeHistory, podKey, type Rate } from './history.ts';
import { Measurement } from './measurement.ts';

export interface ResourceMetricsParts {
  readonly registry: Registry;
  readonly collector: UsageCollector;
  readonly clock: Clock;
}

export function resourceMetricsHandlers(parts: ResourceMetricsParts): [string, Handler][] {
  const handler =
    <T extends KubeObject>(of: Resource<T>): Handler =>
    (ctx) =>
      answer(parts, ctx, of);
  return [
    [handlerKey(nodeMetrics.group, nodeMetrics.plural), handler(NODES)],
    [handlerKey(podMetrics.group, podMetrics.plural), handler(PODS)],
  ];
}

/** The objects that are measured, and how the measurement of one is told. */
interface Resource<T extends KubeObject> {
  readonly kind: Kind;
  readonly measured: Kind<T>;
  nodeOf(object: Stored<T>): string | undefined;
  /** Undefined where there is nothing to tell yet. */
  metricsOf(object: Stored<T>, history: NodeHistory, pods: () => PodRates, now: number): KubeObject | undefined;
}

type PodRates = ReadonlyMap<string, ReadonlyMap<string, Rate>>;

const NODES: Resource<Node> = {
  kind: nodeMetrics as Kind,
  measured: nodes,
  nodeOf: (node) => node.metadata.name,
  metricsOf(node, history, _pods, now): NodeMetrics | undefined {
    const rate = history.node();
    if (rate === undefined) return undefined;
    return { ...headOf(nodeMetrics as Kind, node, now), ...timeOf(rate), usage: usageOf(rate) };
  },
};

const PODS: Resource<Pod> = {
  kind: podMetrics as Kind,
  measured: pods,
  nodeOf: (pod) => pod.spec?.nodeName,
  metricsOf(pod, _history, rates, now): PodMetrics | undefined {
    const { namespace = '', name } = pod.metadata;
    const own = [...(rates().get(podKey(namespace, name)) ?? [])];
    const [earliest] = own.map(([, rate]) => rate).sort((a, b) => a.at - b.at);
    if (earliest === undefined) return undefined;
    const containers = own
      .map(([container, rate]) => ({ name: container, usage: usageOf(rate) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { ...headOf(podMetrics as Kind, pod, now), ...timeOf(earliest), containers };
  },
};

async function answer<T extends KubeObject>(
  parts: ResourceMetricsParts,
  ctx: RequestContext,
  of: Resource<T>,
): Promise<Answer> {
  const { kind } = of;
  const { info } = ctx;
  const cache = parts.registry.cache(of.measured);
  if (info.verb === 'get') {
    await cache.freshen();
    const object = cache.object(info.namespace, info.name);
    const [found] = object === undefined ? [] : await measure(parts, of, [object]);
    if (found === undefined) throw notFound(kind, info.name);
    return { type: 'object', status: 200, object: found, kind };
  }
  const { namespace, matches } = selectionOf(ctx, kind);
  await cache.freshen();
  const entries = cache.entries(namespace);
  const selected = matches === undefined ? entries : entries.filter(matches);
  const items = await measure(
    parts,
    of,
    selected.map((entry) => entry.object as Stored<T>),
  );
  return { type: 'list', kind, revision: 0, entries: items.map((item) => new Measurement(kind, item)) };
}

async function measure<T extends KubeObject>(
  { collector, clock }: ResourceMetricsParts,
  of: Resource<T>,
  objects: readonly Stored<T>[],
): Promise<KubeObject[]> {
  const histories = await collector.measure(objects.flatMap((object) => of.nodeOf(object) ?? []));
  const rates = new Map<NodeHistory, PodRates>();
  const now = clock.now();
  return objects.flatMap((object) => {
    const history = histories.get(of.nodeOf(object) ?? '');
    if (history === undefined) return [];
    const ratesOf = () => {
      const known = rates.get(history) ?? history.pods();
      rates.set(history, known);
      return known;
    };
    return of.metricsOf(object, history, ratesOf, now) ?? [];
  });
}

function headOf(kind: Kind, { metadata }: Stored<KubeObject>, now: number) {
  const { name, namespace, labels } = metadata;
  return {
    kind: kind.kind,
    apiVersion: apiVersionOf(kind),
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      creationTimestamp: formatTime(now),
      ...(labels === undefined ? {} : { labels }),
    },
  };
}

const timeOf = ({ at, windowMs }: Rate) => ({ timestamp: formatTime(at), window: durationOf(windowMs) });

const usageOf = ({ cpuNanocores, memoryBytes }: Rate) => ({
  cpu: formatQuantity({ nano: BigInt(cpuNanocores), format: 'DecimalSI' }),
  memory: bytesQuantity(memoryBytes),
});

/** As Go writes durations: `15.02s`, `1m0.5s`. */
function durationOf(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  const seconds = `${Math.round(ms - minutes * 60_000) / 1000}s`;
  return minutes === 0 ? seconds : `${minutes}m${seconds}`;
}
