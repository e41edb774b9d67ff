/** What each metric of an autoscaler asks for: a number of replicas, and what the status tells of it. */
import type {
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../apis/autoscaling/horizontalPodAutoscaler.ts';
import { formatSelector, selectorFrom } from '../../machinery/labelSelector.ts';
import type { LabelSelector } from '../../machinery/meta.ts';
import { formatQuantity, milliValue, type QuantityFormat } from '../../machinery/quantity.ts';
import type { Quantity } from '../../machinery/schema/types.ts';
import { during, ScalingFailure } from './failure.ts';
import type { PodMetrics } from './podGroups.ts';
import { byAverage, byShare, byTotal, byUtilization, type Proposal, type ReplicaWorld } from './replicas.ts';

/** What the metrics APIs said, one for each metric of the spec. Amounts are in thousandths. */
export type Measured =
  | { readonly type: 'pods'; readonly metrics: PodMetrics }
  | { readonly type: 'amounts'; readonly amounts: readonly number[] }
  /** `message` says why it cannot be told */
  | { readonly type: 'failed'; readonly message: string };

export interface MetricProposal {
  readonly replicas: number;
  /** for people */
  readonly name: string;
  readonly status: MetricStatus;
}

/** A metric that says nothing: for the condition and an event, and for the list of all failures. */
export class MetricFailure extends ScalingFailure {
  readonly reason: string;
  /** what was done when it came, and why it came */
  readonly whole: string;
  constructor(reason: string, message: string, whole: string) {
    super(message);
    this.reason = reason;
    this.whole = whole;
  }
}

const REASON: Readonly<Record<string, string>> = {
  Resource: 'FailedGetResourceMetric',
  ContainerResource: 'FailedGetContainerResourceMetric',
  Pods: 'FailedGetPodsMetric',
  Object: 'FailedGetObjectMetric',
  External: 'FailedGetExternalMetric',
};

/** @throws MetricFailure */
export function proposalOf(spec: MetricSpec, measured: Measured, world: ReplicaWorld): MetricProposal {
  try {
    return propose(spec, measured, world);
  } catch (error) {
    if (!(error instanceof ScalingFailure)) throw error;
    const reason = REASON[spec.type] ?? 'InvalidMetricSourceType';
    throw new MetricFailure(reason, error.message, `${outerOf(spec)}${error.message}`);
  }
}

function outerOf({ type, resource, containerResource, external }: MetricSpec): string {
  switch (type) {
    case 'Resource':
      return `failed to get ${resource?.name} resource metric value: `;
    case 'ContainerResource':
      return `failed to get ${containerResource?.container} container metric value: `;
    case 'Pods':
      return 'failed to get pods metric value: ';
    case 'Object':
      return 'failed to get object metric value: ';
    case 'External':
      return `failed to get ${external?.metric.name} external metric value: `;
    default:
      return '';
  }
}

function propose(spec: MetricSpec, measured: Measured, world: ReplicaWorld): MetricProposal {
  const { type, resource, containerResource, pods, object, external } = spec;
  if (resource !== undefined) {
    const { name, target } = resource;
    const { replicas, current, what } = ofResource(world, measured, name, '', target);
    const label = what === 'utilization' ? UTILIZATION : '';
    return { replicas, name: `${name} resource${label}`, status: { type, resource: { name, current } } };
  }
  if (containerResource !== undefined) {
    const { name, container, target } = containerResource;
    const { replicas, current, what } = ofResource(world, measured, name, container, target);
    const label = what === 'utilization' ? `${name} container resource${UTILIZATION}` : `${name} resource`;
    return { replicas, name: label, status: { type, containerResource: { name, container, current } } };
  }
  if (pods !== undefined) {
    const { metric, target } = pods;
    const metrics = podsOf(measured, `unable to get metric ${metric.name}`);
    const { replicas, usage } = byAverage(world, metrics, '', milliValue(target.averageValue ?? '0'));
    const current = { averageValue: quantity(usage) };
    return { replicas, name: `pods metric ${metric.name}`, status: { type, pods: { metric, current } } };
  }
  if (object !== undefined) {
    const { metric, target, describedObject } = object;
    const { kind, name } = describedObject;
    const total = () => totalOf(measured, `unable to get metric ${metric.name} on ${kind} ${name}`);
    const { replicas, current, isShare } = ofTotal(world, target, total, 'object');
    const label = isShare
      ? `external metric ${metric.name}(${textOf(metric.selector)})`
      : `${kind} metric ${metric.name}`;
    return { replicas, name: label, status: { type, object: { metric, describedObject, current } } };
  }
  if (external !== undefined) {
    const { metric, target } = external;
    const label = `external metric ${metric.name}(${textOf(metric.selector)})`;
    const total = () => totalOf(measured, `unable to get ${label}`);
    const { replicas, current } = ofTotal(world, target, total, 'external');
    return { replicas, name: label, status: { type, external: { metric, current } } };
  }
  throw new ScalingFailure(`unknown metric source type ${JSON.stringify(type)}`);
}

const UTILIZATION = ' utilization (percentage of request)';

function ofResource(
  world: ReplicaWorld,
  measured: Measured,
  resource: string,
  container: string,
  target: MetricTarget,
): { replicas: number; current: MetricValueStatus; what: 'usage' | 'utilization' } {
  const { averageValue, averageUtilization } = target;
  const what = averageValue === undefined ? 'utilization' : 'usage';
  const format = resource === 'memory' ? 'BinarySI' : 'DecimalSI';
  if (averageValue === undefined && averageUtilization === undefined) {
    throw new ScalingFailure(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    );
  }
  try {
    const metrics = podsOf(measured, `unable to get metrics for resource ${resource}`);
    const proposal: Proposal =
      averageValue === undefined
        ? byUtilization(world, metrics, { resource, container, target: averageUtilization ?? 0 })
        : byAverage(world, metrics, resource, milliValue(averageValue));
    const { replicas, usage, utilization } = proposal;
    const share = utilization === undefined ? {} : { averageUtilization: utilization };
    return { replicas, current: { ...share, averageValue: quantity(usage, format) }, what };
  } catch (error) {
    throw error instanceof ScalingFailure ? during(`failed to get ${resource} ${what}`, error) : error;
  }
}

function ofTotal(
  world: ReplicaWorld,
  { type, value, averageValue }: MetricTarget,
  total: () => number,
  source: 'object' | 'external',
): { replicas: number; current: MetricValueStatus; isShare: boolean } {
  // An external metric's target is what is there, an object's what its type says.
  const isShare = averageValue !== undefined && (source === 'external' || type === 'AverageValue');
  if (isShare) {
    const { replicas, usage } = byShare(world, total(), milliValue(averageValue));
    return { replicas, current: { averageValue: quantity(usage) }, isShare };
  }
  if (value === undefined || (source === 'object' && type !== 'Value')) {
    throw new ScalingFailure(
      `invalid ${source} metric source: neither a value target nor an average value target was set`,
    );
  }
  const { replicas, usage } = byTotal(world, total(), milliValue(value));
  return { replicas, current: { value: quantity(usage) }, isShare };
}

function podsOf(measured: Measured, what: string): PodMetrics {
  if (measured.type === 'failed') throw new ScalingFailure(`${what}: ${measured.message}`);
  return measured.type === 'pods' ? measured.metrics : new Map();
}

function totalOf(measured: Measured, what: string): number {
  if (measured.type === 'failed') throw new ScalingFailure(`${what}: ${measured.message}`);
  return measured.type === 'amounts' ? measured.amounts.reduce((sum, amount) => sum + amount, 0) : 0;
}

/** @param milli in thousandths */
function quantity(milli: number, format: QuantityFormat = 'DecimalSI'): Quantity {
  return formatQuantity({ nano: BigInt(Math.round(milli)) * 1_000_000n, format });
}

const textOf = (selector: LabelSelector | undefined) => formatSelector(selectorFrom(selector) ?? []);
