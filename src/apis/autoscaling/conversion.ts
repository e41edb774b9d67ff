/**
 * Between autoscaling/v1 and v2: what v1 has no fields for is in annotations, in the words of v1.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v1/
 */
import { parseJson } from '../../machinery/schema/parseJson.ts';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from './horizontalPodAutoscaler.ts';
import type { HorizontalPodAutoscaler as V1 } from './horizontalPodAutoscalerV1.ts';

const PREFIX = 'autoscaling.alpha.kubernetes.io/';
const METRICS = `${PREFIX}metrics`;
const BEHAVIOR = `${PREFIX}behavior`;
const CURRENT = `${PREFIX}current-metrics`;
const CONDITIONS = `${PREFIX}conditions`;
const OWN = [METRICS, BEHAVIOR, CURRENT, CONDITIONS];

type Json = Record<string, unknown>;

export function toV2(object: V1): HorizontalPodAutoscaler {
  const { annotations = {}, ...metadata } = object.metadata ?? {};
  const others = Object.fromEntries(Object.entries(annotations).filter(([key]) => !OWN.includes(key)));
  const { targetCPUUtilizationPercentage: cpu, ...spec } = object.spec ?? {};
  const { currentCPUUtilizationPercentage: current, ...status } = object.status ?? {};
  const metrics = listIn(annotations[METRICS]).map(metricFromV1);
  if (cpu !== undefined) {
    const target = { type: 'Utilization', averageUtilization: cpu };
    metrics.unshift({ type: 'Resource', resource: { name: 'cpu', target } });
  }
  const currentMetrics = listIn(annotations[CURRENT]).map(statusFromV1);
  if (current !== undefined) {
    // What was measured besides stands in the annotation.
    const told = currentMetrics.findIndex((m) => m.resource?.name === 'cpu');
    const [known] = told < 0 ? [] : currentMetrics.splice(told, 1);
    const value = { ...known?.resource?.current, averageUtilization: current };
    currentMetrics.unshift({ type: 'Resource', resource: { name: 'cpu', current: value } });
  }
  const behavior = objectIn(annotations[BEHAVIOR]);
  const conditions = listIn(annotations[CONDITIONS]) as unknown as HorizontalPodAutoscalerCondition[];
  const { status: _status, ...whole } = object;
  return {
    ...whole,
    apiVersion: 'autoscaling/v2',
    metadata: { ...metadata, ...(Object.keys(others).length === 0 ? {} : { annotations: others }) },
    spec: {
      ...spec,
      ...(metrics.length === 0 ? {} : { metrics }),
      ...(behavior === undefined ? {} : { behavior }),
    } as HorizontalPodAutoscaler['spec'],
    ...(object.status === undefined
      ? {}
      : {
          status: {
            ...status,
            ...(currentMetrics.length === 0 ? {} : { currentMetrics }),
            ...(conditions.length === 0 ? {} : { conditions }),
          } as NonNullable<HorizontalPodAutoscaler['status']>,
        }),
  };
}

export function fromV2(object: HorizontalPodAutoscaler): V1 {
  const { metrics = [], behavior, ...spec } = object.spec ?? {};
  const { currentMetrics = [], conditions = [], ...status } = object.status ?? {};
  const cpu = metrics.findIndex(({ resource }) => isCpuShare(resource?.name, resource?.target.averageUtilization));
  const current = currentMetrics.find(({ resource }) => resource?.name === 'cpu')?.resource?.current.averageUtilization;
  const rest = metrics.filter((_, i) => i !== cpu).map(metricToV1);
  const added = {
    ...(rest.length === 0 ? {} : { [METRICS]: JSON.stringify(rest) }),
    ...(behavior === undefined ? {} : { [BEHAVIOR]: JSON.stringify(behavior) }),
    ...(currentMetrics.length === 0 ? {} : { [CURRENT]: JSON.stringify(currentMetrics.map(statusToV1)) }),
    ...(conditions.length === 0 ? {} : { [CONDITIONS]: JSON.stringify(conditions) }),
  };
  const annotations = { ...object.metadata?.annotations, ...added };
  const share = cpu < 0 ? undefined : metrics[cpu]?.resource?.target.averageUtilization;
  const { status: _status, ...whole } = object;
  return {
    ...whole,
    apiVersion: 'autoscaling/v1',
    metadata: { ...object.metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
    spec: { ...spec, ...(share === undefined ? {} : { targetCPUUtilizationPercentage: share }) } as V1['spec'],
    ...(object.status === undefined
      ? {}
      : {
          status: {
            currentReplicas: 0,
            ...status,
            ...(current === undefined ? {} : { currentCPUUtilizationPercentage: current }),
          } as NonNullable<V1['status']>,
        }),
  };
}

const isCpuShare = (name: string | undefined, share: number | undefined) => name === 'cpu' && share !== undefined;

/** What somebody wrote into an annotation may be anything. */
function listIn(text: string | undefined): Json[] {
  const value = parsed(text);
  return Array.isArray(value) ? value.filter(isObject) : [];
}

function objectIn(text: string | undefined): Json | undefined {
  const value = parsed(text);
  return isObject(value) ? value : undefined;
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return parseJson(text).value;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Without what is absent. */
function compact<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

function targetOf(source: Json): MetricTarget {
  const { targetValue, averageValue, targetAverageValue, targetAverageUtilization } = source as Record<string, never>;
  const average = (averageValue ?? targetAverageValue) as string | undefined;
  const type =
    targetAverageUtilization !== undefined ? 'Utilization' : average !== undefined ? 'AverageValue' : 'Value';
  return compact({
    type,
    // Of objects v1 always has an amount to reach: none where it is an average.
    value: average !== undefined && targetValue === '0' ? undefined : (targetValue as string | undefined),
    averageValue: average,
    averageUtilization: targetAverageUtilization as number | undefined,
  }) as MetricTarget;
}

function metricFromV1(metric: Json): MetricSpec {
  const { object, pods, resource, external, containerResource, type } = metric as Record<string, Json | undefined>;
  const named = (source: Json, selector: unknown) => compact({ name: source.metricName, selector });
  return compact({
    type: type as unknown,
    object: object && {
      describedObject: object.target,
      metric: named(object, object.selector),
      target: targetOf(object),
    },
    pods: pods && { metric: named(pods, pods.selector), target: targetOf(pods) },
    external: external && { metric: named(external, external.metricSelector), target: targetOf(external) },
    resource: resource && { name: resource.name, target: targetOf(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      target: targetOf(containerResource),
    },
  }) as unknown as MetricSpec;
}

function metricToV1({ type, object, pods, resource, external, containerResource }: MetricSpec): Json {
  return compact({
    type,
    object:
      object &&
      compact({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
        targetValue: object.target.value ?? '0',
        averageValue: object.target.averageValue,
      }),
    pods:
      pods &&
      compact({
        metricName: pods.metric.name,
        selector: pods.metric.selector,
        targetAverageValue: pods.target.averageValue,
      }),
    external:
      external &&
      compact({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
    resource: resource && compact({ name: resource.name, ...targetToV1(resource.target) }),
    containerResource:
      containerResource &&
      compact({
        name: containerResource.name,
        container: containerResource.container,
        ...targetToV1(containerResource.target),
      }),
  });
}

const targetToV1 = ({ averageUtilization, averageValue }: MetricTarget) => ({
  targetAverageUtilization: averageUtilization,
  targetAverageValue: averageValue,
});

function currentOf(source: Json): MetricValueStatus {
  return compact({
    value: source.currentValue,
    averageValue: source.currentAverageValue ?? source.averageValue,
    averageUtilization: source.currentAverageUtilization,
  }) as MetricValueStatus;
}

function statusFromV1(status: Json): MetricStatus {
  const { object, pods, resource, external, containerResource, type } = status as Record<string, Json | undefined>;
  const named = (source: Json, selector: unknown) => compact({ name: source.metricName, selector });
  return compact({
    type: type as unknown,
    object: object && {
      describedObject: object.target,
      metric: named(object, object.selector),
      current: currentOf(object),
    },
    pods: pods && { metric: named(pods, pods.selector), current: currentOf(pods) },
    external: external && { metric: named(external, external.metricSelector), current: currentOf(external) },
    resource: resource && { name: resource.name, current: currentOf(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      current: currentOf(containerResource),
    },
  }) as unknown as MetricStatus;
}

function statusToV1({ type, object, pods, resource, external, containerResource }: MetricStatus): Json {
  const measured = (current: MetricValueStatus) => ({
    currentAverageUtilization: current.averageUtilization,
    currentAverageValue: current.averageValue,
  });
  return compact({
    type,
    object:
      object &&
      compact({
        target: object.describedObject,
        metricName: object.metric.name,
        selector: object.metric.selector,
        currentValue: object.current.value ?? '0',
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      compact({
        metricName: pods.metric.name,
        selector: pods.metric.selector,
        currentAverageValue: pods.current.averageValue,
      }),
    external:
      external &&
      compact({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value,
        currentAverageValue: external.current.averageValue,
      }),
    resource: resource && compact({ name: resource.name, ...measured(resource.current) }),
    containerResource:
      containerResource &&
      compact({
        name: containerResource.name,
        container: containerResource.container,
        ...measured(containerResource.current),
      }),
  });
}
