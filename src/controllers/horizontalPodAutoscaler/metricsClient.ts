/**
 * Asks the metrics APIs: metrics.k8s.io, custom.metrics.k8s.io, and external.metrics.k8s.io.
 * Source: https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#support-for-metrics-apis
 */
import type { MetricSpec } from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import { type PodMetrics as MeasuredPod, podMetrics } from '../../apis/metrics/podMetrics.ts';
import type { Client, ObjectList } from '../../client/client.ts';
import { parseDuration } from '../../lib/duration.ts';
import { formatSelector, selectorFrom } from '../../machinery/labelSelector.ts';
import type { LabelSelector } from '../../machinery/meta.ts';
import { milliValue } from '../../machinery/quantity.ts';
import { parseTime } from '../../machinery/time.ts';
import { messageOf, ScalingFailure } from './failure.ts';
import type { Measured } from './metrics.ts';
import type { PodMetric } from './podGroups.ts';
import { resourcesOf, versionsOf } from './resources.ts';

/** What metrics are asked for, and as whom. */
export interface MetricsQuestion {
  readonly client: Client;
  readonly namespace: string;
  /** of the target's pods, as text */
  readonly podSelector: string;
  readonly signal: AbortSignal;
}

const CUSTOM = 'custom.metrics.k8s.io';
/** What of the API of custom metrics is understood; the first that is served is asked. */
const CUSTOM_VERSIONS = ['v1beta2', 'v1beta1'];
const EXTERNAL = '/apis/external.metrics.k8s.io/v1beta1';
/** A minute: the window of values that do not say theirs. */
const USUAL_WINDOW_SECONDS = 60;

/** As servers of custom and of external metrics tell it; what a stranger's server really sends is checked when it is used. */
interface MetricValue {
  readonly describedObject?: { readonly name?: string };
  readonly timestamp?: string;
  readonly windowSeconds?: number | null;
  readonly value?: string | number;
}

interface MetricValueList {
  readonly items?: readonly MetricValue[] | null;
}

/** One answer for each metric, in their order. Never rejects but when the signal is aborted. */
export async function measure(question: MetricsQuestion, specs: readonly MetricSpec[]): Promise<readonly Measured[]> {
  const { client, namespace, podSelector, signal } = question;
  let asked: Promise<ObjectList<MeasuredPod>> | undefined;
  // All metrics of resources are told in one answer.
  const listPods = () => {
    asked ??= client.list(podMetrics, { namespace, labelSelector: podSelector, signal });
    return asked;
  };
  const all = await Promise.all(
    specs.map((spec) =>
      measureOne(question, spec, listPods).catch((error): Measured => ({ type: 'failed', message: whyNot(error) })),
    ),
  );
  signal.throwIfAborted();
  return all;
}

/** Whoever serves metrics may send anything: what is not of the right type is found where it is used. */
const whyNot = (error: unknown) =>
  error instanceof TypeError ? `the metrics API sent what cannot be read: ${error.message}` : messageOf(error);

async function measureOne(
  question: MetricsQuestion,
  { resource, containerResource, pods, object, external }: MetricSpec,
  listPods: () => Promise<ObjectList<MeasuredPod>>,
): Promise<Measured> {
  if (resource !== undefined) return ofResource(await listed(listPods), resource.name, undefined);
  if (containerResource !== undefined) {
    return ofResource(await listed(listPods), containerResource.name, containerResource.container);
  }
  if (pods !== undefined) return ofPods(question, pods.metric);
  if (object !== undefined) return ofObject(question, object);
  if (external !== undefined) return ofExternal(question, external.metric);
  throw new ScalingFailure('the metric has no source');
}

async function listed(listPods: () => Promise<ObjectList<MeasuredPod>>): Promise<readonly MeasuredPod[]> {
  const { items } = await fetched('resource', listPods());
  if (items.length === 0) throw new ScalingFailure('no metrics returned from resource metrics API');
  return items;
}

/** @param container undefined: all containers of the pod together */
function ofResource(items: readonly MeasuredPod[], resource: string, container: string | undefined): Measured {
  const metrics = new Map<string, PodMetric>();
  for (const { metadata, timestamp, window, containers = [] } of items) {
    const name = metadata?.name ?? '';
    const counted = container === undefined ? containers : containers.filter((c) => c.name === container);
    if (container !== undefined && counted.length === 0) {
      const pod = `${metadata?.namespace}/${name}`;
      throw new ScalingFailure(
        `failed to get container metrics: container ${container} not present in metrics for pod ${pod}`,
      );
    }
    const amounts = counted.flatMap(({ usage }) => usage?.[resource] ?? []);
    // A pod of which one container is not told of is as good as not measured.
    if (amounts.length === 0 || amounts.length < counted.length) continue;
    const value = amounts.reduce((sum, amount) => sum + milliValue(amount), 0);
    metrics.set(name, { at: parseTime(timestamp) ?? 0, windowMs: parseDuration(window) ?? 0, value });
  }
  return { type: 'pods', metrics };
}

async function ofPods(question: MetricsQuestion, metric: Identifier): Promise<Measured> {
  const { namespace, podSelector } = question;
  const path = `namespaces/${encodeURIComponent(namespace)}/pods/*/${encodeURIComponent(metric.name)}`;
  const items = await customValues(question, path, { labelSelector: podSelector, ...selecting(metric) });
  const metrics = new Map<string, PodMetric>();
  for (const { describedObject, timestamp, windowSeconds, value } of items) {
    metrics.set(describedObject?.name ?? '', {
      at: parseTime(timestamp) ?? 0,
      windowMs: (windowSeconds ?? USUAL_WINDOW_SECONDS) * 1000,
      value: amountOf(value),
    });
  }
  return { type: 'pods', metrics };
}

async function ofObject(
  question: MetricsQuestion,
  { metric, describedObject }: NonNullable<MetricSpec['object']>,
): Promise<Measured> {
  const { client, namespace, signal } = question;
  const metricPart = encodeURIComponent(metric.name);
  const name = encodeURIComponent(describedObject.name);
  const [resource] = await resourcesOf(client, describedObject, signal);
  if (resource === undefined) throw new ScalingFailure(`no resource of kind ${describedObject.kind}`);
  const { group, plural } = resource;
  // A namespace is described at the root; all else in the autoscaler's namespace.
  const path =
    group === '' && plural === 'namespaces'
      ? `namespaces/${name}/metrics/${metricPart}`
      : `namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(group === '' ? plural : `${plural}.${group}`)}/${name}/${metricPart}`;
  const [item] = await customValues(question, path, selecting(metric));
  return { type: 'amounts', amounts: [amountOf(item?.value)] };
}

async function customValues(
  { client, signal }: MetricsQuestion,
  path: string,
  query: Readonly<Record<string, string>>,
): Promise<readonly MetricValue[]> {
  const served = await fetched('custom', versionsOf(client, CUSTOM, signal));
  const version = CUSTOM_VERSIONS.find((v) => served.includes(v));
  if (version === undefined) {
    throw new ScalingFailure(
      `unable to fetch metrics from custom metrics API: no custom metrics API (${CUSTOM}) registered`,
    );
  }
  return values('custom', client.read(`/apis/${CUSTOM}/${version}/${path}`, { query, signal }));
}

async function ofExternal({ client, namespace, signal }: MetricsQuestion, metric: Identifier): Promise<Measured> {
  const path = `${EXTERNAL}/namespaces/${encodeURIComponent(namespace)}/${encodeURIComponent(metric.name)}`;
  const labelSelector = textOf(metric.selector);
  const query: Record<string, string> = labelSelector === '' ? {} : { labelSelector };
  const items = await values('external', client.read(path, { query, signal }));
  return { type: 'amounts', amounts: items.map(({ value }) => amountOf(value)) };
}

type Identifier = NonNullable<MetricSpec['pods']>['metric'];

async function values(api: string, answer: Promise<unknown>): Promise<readonly MetricValue[]> {
  const { items } = (await fetched(api, answer)) as MetricValueList;
  if (!Array.isArray(items) || items.length === 0) {
    throw new ScalingFailure(`no metrics returned from ${api} metrics API`);
  }
  return items;
}

async function fetched<T>(api: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new ScalingFailure(`unable to fetch metrics from ${api} metrics API: ${messageOf(error)}`);
  }
}

function amountOf(value: string | number | undefined): number {
  const amount = value === undefined ? Number.NaN : milliValue(value);
  if (!Number.isFinite(amount)) throw new ScalingFailure('the metrics API told of a metric without its value');
  return amount;
}

function selecting({ selector }: Identifier): Record<string, string> {
  const metricLabelSelector = textOf(selector);
  return metricLabelSelector === '' ? {} : { metricLabelSelector };
}

const textOf = (selector: LabelSelector | undefined) => formatSelector(selectorFrom(selector) ?? []);
