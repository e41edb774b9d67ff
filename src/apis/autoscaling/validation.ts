/** What is wrong with a HorizontalPodAutoscaler. Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/horizontal-pod-autoscaler-v2/ */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { pathSegment } from '../../machinery/names.ts';
import { compareQuantities } from '../../machinery/quantity.ts';
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HPAScalingRules,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
} from './horizontalPodAutoscaler.ts';

const SOURCES = ['Object', 'Pods', 'Resource', 'External', 'ContainerResource'] as const;
const FIELD_OF: Readonly<Record<(typeof SOURCES)[number], keyof MetricSpec>> = {
  Object: 'object',
  Pods: 'pods',
  Resource: 'resource',
  External: 'external',
  ContainerResource: 'containerResource',
};
const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue'];
const SELECT_POLICIES = ['Max', 'Min', 'Disabled'];
const POLICY_TYPES = ['Percent', 'Pods'];
const MAX_PERIOD_SECONDS = 1800;
const MAX_WINDOW_SECONDS = 3600;

export function validateAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  const { minReplicas, maxReplicas = 0, scaleTargetRef, metrics = [], behavior }: Partial<typeof spec> = spec ?? {};
  // Pods that are not there use nothing: only what others measure tells when they are needed again.
  const least = metrics.some(({ type }) => type === 'Object' || type === 'External') ? 0 : 1;
  if (minReplicas !== undefined && minReplicas < least) {
    errors.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${least}`));
  }
  if (maxReplicas < 1) errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than 0'));
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  validateReference(scaleTargetRef, 'spec.scaleTargetRef', errors);
  for (const [i, metric] of metrics.entries()) validateMetric(metric, `spec.metrics[${i}]`, errors);
  validateRules(behavior?.scaleUp, 'spec.behavior.scaleUp', errors);
  validateRules(behavior?.scaleDown, 'spec.behavior.scaleDown', errors);
  return errors;
}

export function validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['currentReplicas', 'desiredReplicas'] as const) {
    const count = status?.[field] ?? 0;
    if (count < 0) errors.push(invalid(`status.${field}`, count, 'must be greater than or equal to 0'));
  }
  return errors;
}

function validateReference(ref: CrossVersionObjectReference | undefined, path: string, errors: FieldError[]): void {
  const { kind = '', name = '', apiVersion = '' }: Partial<CrossVersionObjectReference> = ref ?? {};
  for (const [field, value] of Object.entries({ kind, name })) {
    if (value === '') errors.push(required(`${path}.${field}`));
    else for (const fault of pathSegment(value)) errors.push(invalid(`${path}.${field}`, value, fault));
  }
  if (apiVersion.split('/').length > 2) {
    errors.push(invalid(`${path}.apiVersion`, apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
  }
}

function validateMetric(metric: MetricSpec, path: string, errors: FieldError[]): void {
  const { type } = metric;
  if (!type) {
    errors.push(required(`${path}.type`, 'must specify a metric source type'));
    return;
  }
  const source = SOURCES.find((name) => name === type);
  if (source === undefined) {
    errors.push(notSupported(`${path}.type`, type, SOURCES));
    return;
  }
  for (const [name, field] of Object.entries(FIELD_OF)) {
    if (name !== type && metric[field] !== undefined) {
      errors.push(forbidden(`${path}.${field}`, 'must populate the given metric source only'));
    }
  }
  if (metric[FIELD_OF[source]] === undefined) {
    errors.push(required(`${path}.${FIELD_OF[source]}`, 'must populate information for the given metric source'));
    return;
  }
  validateSource(metric, path, errors);
}

function validateSource(metric: MetricSpec, path: string, errors: FieldError[]): void {
  const { object, pods, resource, external, containerResource } = metric;
  if (object !== undefined) {
    validateReference(object.describedObject, `${path}.object.describedObject`, errors);
    validateIdentifier(object.metric, `${path}.object.metric`, errors);
    validateTarget(object.target, `${path}.object.target`, errors);
    oneOf(object.target, ['value', 'averageValue'], `${path}.object.target`, errors);
  }
  if (pods !== undefined) {
    validateIdentifier(pods.metric, `${path}.pods.metric`, errors);
    validateTarget(pods.target, `${path}.pods.target`, errors);
    oneOf(pods.target, ['averageValue'], `${path}.pods.target`, errors);
  }
  if (external !== undefined) {
    validateIdentifier(external.metric, `${path}.external.metric`, errors);
    validateTarget(external.target, `${path}.external.target`, errors);
    oneOf(external.target, ['value', 'averageValue'], `${path}.external.target`, errors);
  }
  for (const [field, source] of Object.entries({ resource, containerResource })) {
    if (source === undefined) continue;
    if (!source.name) errors.push(required(`${path}.${field}.name`, 'must specify a resource name'));
    if (field === 'containerResource' && !containerResource?.container) {
      errors.push(required(`${path}.${field}.container`, 'must specify a container name'));
    }
    validateTarget(source.target, `${path}.${field}.target`, errors);
    oneOf(source.target, ['averageUtilization', 'averageValue'], `${path}.${field}.target`, errors);
  }
}

function validateIdentifier(metric: MetricIdentifier | undefined, path: string, errors: FieldError[]): void {
  const name = metric?.name ?? '';
  if (name === '') errors.push(required(`${path}.name`));
  else for (const fault of pathSegment(name)) errors.push(invalid(`${path}.name`, name, fault));
  if (metric?.selector !== undefined) errors.push(...validateLabelSelector(metric.selector, `${path}.selector`));
}

function validateTarget(target: MetricTarget | undefined, path: string, errors: FieldError[]): void {
  const { type = '', value, averageValue, averageUtilization }: Partial<MetricTarget> = target ?? {};
  if (type === '') errors.push(required(`${path}.type`, 'must specify a metric target type'));
  else if (!TARGET_TYPES.includes(type)) {
    errors.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  for (const [field, amount] of Object.entries({ value, averageValue })) {
    if (amount !== undefined && compareQuantities(amount, 0) <= 0) {
      errors.push(invalid(`${path}.${field}`, amount, 'must be positive'));
    }
  }
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
}

/** Exactly one of the values says what is to be reached. */
function oneOf(
  target: MetricTarget | undefined,
  fields: readonly ('value' | 'averageValue' | 'averageUtilization')[],
  path: string,
  errors: FieldError[],
): void {
  const [first, second] = fields;
  const given = fields.filter((field) => target?.[field] !== undefined);
  if (first === undefined) return;
  if (given.length === 0) {
    const detail =
      second === undefined ? `must specify a positive target ${first}` : `must set either a ${first} or a ${second}`;
    errors.push(required(`${path}.${first}`, detail));
  } else if (given.length > 1) {
    errors.push(forbidden(`${path}.${second}`, `may not set both a ${first} and a ${second}`));
  }
}

function validateRules(rules: HPAScalingRules | undefined, path: string, errors: FieldError[]): void {
  if (rules === undefined) return;
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules;
  if (window !== undefined && window < 0) {
    errors.push(invalid(`${path}.stabilizationWindowSeconds`, window, 'must be greater than or equal to zero'));
  }
  if (window !== undefined && window > MAX_WINDOW_SECONDS) {
    const detail = `must be less than or equal to ${MAX_WINDOW_SECONDS}`;
    errors.push(invalid(`${path}.stabilizationWindowSeconds`, window, detail));
  }
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy)) {
    errors.push(notSupported(`${path}.selectPolicy`, selectPolicy, SELECT_POLICIES));
  }
  if (tolerance !== undefined && compareQuantities(tolerance, 0) < 0) {
    errors.push(invalid(`${path}.tolerance`, tolerance, 'must be greater or equal to zero'));
  }
  if (policies.length === 0) errors.push(required(`${path}.policies`, 'must specify at least one Policy'));
  for (const [i, { type, value, periodSeconds }] of policies.entries()) {
    const at = `${path}.policies[${i}]`;
    if (!POLICY_TYPES.includes(type)) errors.push(notSupported(`${at}.type`, type, POLICY_TYPES));
    if (!(value > 0)) errors.push(invalid(`${at}.value`, value, 'must be greater than zero'));
    if (!(periodSeconds > 0)) errors.push(invalid(`${at}.periodSeconds`, periodSeconds, 'must be greater than zero'));
    if (periodSeconds > MAX_PERIOD_SECONDS) {
      const detail = `must be less than or equal to ${MAX_PERIOD_SECONDS}`;
      errors.push(invalid(`${at}.periodSeconds`, periodSeconds, detail));
    }
  }
}
