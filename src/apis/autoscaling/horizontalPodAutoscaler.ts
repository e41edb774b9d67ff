import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, object, opt, quantity, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepSpec } from '../statusRules.ts';
import { referenceText, targetsText } from './columns.ts';
import { validateAutoscaler, validateAutoscalerStatus } from './validation.ts';

export const HorizontalPodAutoscaler = object('io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, HorizontalPodAutoscalerSpec),
  status: opt(3, HorizontalPodAutoscalerStatus),
}));
export interface HorizontalPodAutoscaler extends Infer<typeof HorizontalPodAutoscaler> {}

export const HorizontalPodAutoscalerStatus = object('io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerStatus', () => ({
  observedGeneration: opt(1, int64),
  lastScaleTime: opt(2, time, { pointer: true }),
  currentReplicas: opt(3, int32, { pointer: false }),
  desiredReplicas: req(4, int32),
  currentMetrics: opt(5, list(MetricStatus)),
  conditions: opt(
    6,
    list(HorizontalPodAutoscalerCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
  ),
}));
export interface HorizontalPodAutoscalerStatus extends Infer<typeof HorizontalPodAutoscalerStatus> {}

export const MetricStatus = object('io.k8s.api.autoscaling.v2.MetricStatus', () => ({
  type: req(1, str),
  object: opt(2, ObjectMetricStatus),
  pods: opt(3, PodsMetricStatus),
  resource: opt(4, ResourceMetricStatus),
  external: opt(5, ExternalMetricStatus),
  containerResource: opt(7, ContainerResourceMetricStatus),
}));
export interface MetricStatus extends Infer<typeof MetricStatus> {}

export const ResourceMetricStatus = object('io.k8s.api.autoscaling.v2.ResourceMetricStatus', () => ({
  name: req(1, str),
  current: req(2, MetricValueStatus),
}));
export interface ResourceMetricStatus extends Infer<typeof ResourceMetricStatus> {}

export const PodsMetricStatus = object('io.k8s.api.autoscaling.v2.PodsMetricStatus', () => ({
  metric: req(1, MetricIdentifier),
  current: req(2, MetricValueStatus),
}));
export interface PodsMetricStatus extends Infer<typeof PodsMetricStatus> {}

export const ObjectMetricStatus = object('io.k8s.api.autoscaling.v2.ObjectMetricStatus', () => ({
  metric: req(1, MetricIdentifier),
  current: req(2, MetricValueStatus),
  describedObject: req(3, CrossVersionObjectReference),
}));
export interface ObjectMetricStatus extends Infer<typeof ObjectMetricStatus> {}

export const ExternalMetricStatus = object('io.k8s.api.autoscaling.v2.ExternalMetricStatus', () => ({
  metric: req(1, MetricIdentifier),
  current: req(2, MetricValueStatus),
}));
export interface ExternalMetricStatus extends Infer<typeof ExternalMetricStatus> {}

export const ContainerResourceMetricStatus = object('io.k8s.api.autoscaling.v2.ContainerResourceMetricStatus', () => ({
  name: req(1, str),
  current: req(2, MetricValueStatus),
  container: req(3, str),
}));
export interface ContainerResourceMetricStatus extends Infer<typeof ContainerResourceMetricStatus> {}

export const MetricValueStatus = object('io.k8s.api.autoscaling.v2.MetricValueStatus', () => ({
  value: opt(1, quantity),
  averageValue: opt(2, quantity),
  averageUtilization: opt(3, int32),
}));
export interface MetricValueStatus extends Infer<typeof MetricValueStatus> {}

export const HorizontalPodAutoscalerCondition = object(
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerCondition',
  () => ({
    type: req(1, str),
    status: req(2, str),
    lastTransitionTime: opt(3, time),
    reason: opt(4, str),
    message: opt(5, str),
  }),
);
export interface HorizontalPodAutoscalerCondition extends Infer<typeof HorizontalPodAutoscalerCondition> {}

export const HorizontalPodAutoscalerSpec = object('io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerSpec', () => ({
  scaleTargetRef: req(1, CrossVersionObjectReference, { doc: 'What is scaled; it must have the subresource scale.' }),
  minReplicas: opt(2, int32, { default: 1, doc: 'Never fewer pods than this; 1 if absent.' }),
  maxReplicas: req(3, int32, { doc: 'Never more pods than this.' }),
  metrics: opt(4, list(MetricSpec), {
    doc: 'What is measured, and what it is to be; the one that asks for most pods counts.',
  }),
  behavior: opt(5, HorizontalPodAutoscalerBehavior, { doc: 'How fast it scales, in each direction.' }),
}));
export interface HorizontalPodAutoscalerSpec extends Infer<typeof HorizontalPodAutoscalerSpec> {}

export const MetricSpec = object('io.k8s.api.autoscaling.v2.MetricSpec', () => ({
  type: req(1, str),
  object: opt(2, ObjectMetricSource),
  pods: opt(3, PodsMetricSource),
  resource: opt(4, ResourceMetricSource),
  external: opt(5, ExternalMetricSource),
  containerResource: opt(7, ContainerResourceMetricSource),
}));
export interface MetricSpec extends Infer<typeof MetricSpec> {}

export const ResourceMetricSource = object('io.k8s.api.autoscaling.v2.ResourceMetricSource', () => ({
  name: req(1, str),
  target: req(2, MetricTarget),
}));
export interface ResourceMetricSource extends Infer<typeof ResourceMetricSource> {}

export const PodsMetricSource = object('io.k8s.api.autoscaling.v2.PodsMetricSource', () => ({
  metric: req(1, MetricIdentifier),
  target: req(2, MetricTarget),
}));
export interface PodsMetricSource extends Infer<typeof PodsMetricSource> {}

export const ObjectMetricSource = object('io.k8s.api.autoscaling.v2.ObjectMetricSource', () => ({
  describedObject: req(1, CrossVersionObjectReference),
  target: req(2, MetricTarget),
  metric: req(3, MetricIdentifier),
}));
export interface ObjectMetricSource extends Infer<typeof ObjectMetricSource> {}

export const CrossVersionObjectReference = object('io.k8s.api.autoscaling.v2.CrossVersionObjectReference', () => ({
  kind: req(1, str),
  name: req(2, str),
  apiVersion: opt(3, str),
}));
export interface CrossVersionObjectReference extends Infer<typeof CrossVersionObjectReference> {}

export const ExternalMetricSource = object('io.k8s.api.autoscaling.v2.ExternalMetricSource', () => ({
  metric: req(1, MetricIdentifier),
  target: req(2, MetricTarget),
}));
export interface ExternalMetricSource extends Infer<typeof ExternalMetricSource> {}

export const MetricIdentifier = object('io.k8s.api.autoscaling.v2.MetricIdentifier', () => ({
  name: req(1, str),
  selector: opt(2, LabelSelector),
}));
export interface MetricIdentifier extends Infer<typeof MetricIdentifier> {}

export const ContainerResourceMetricSource = object('io.k8s.api.autoscaling.v2.ContainerResourceMetricSource', () => ({
  name: req(1, str),
  target: req(2, MetricTarget),
  container: req(3, str),
}));
export interface ContainerResourceMetricSource extends Infer<typeof ContainerResourceMetricSource> {}

export const MetricTarget = object('io.k8s.api.autoscaling.v2.MetricTarget', () => ({
  type: req(1, str),
  value: opt(2, quantity),
  averageValue: opt(3, quantity),
  averageUtilization: opt(4, int32),
}));
export interface MetricTarget extends Infer<typeof MetricTarget> {}

export const HorizontalPodAutoscalerBehavior = object(
  'io.k8s.api.autoscaling.v2.HorizontalPodAutoscalerBehavior',
  () => ({
    scaleUp: opt(1, HPAScalingRules),
    scaleDown: opt(2, HPAScalingRules),
  }),
);
export interface HorizontalPodAutoscalerBehavior extends Infer<typeof HorizontalPodAutoscalerBehavior> {}

export const HPAScalingRules = object('io.k8s.api.autoscaling.v2.HPAScalingRules', () => ({
  selectPolicy: opt(1, str, { pointer: true }),
  policies: opt(2, list(HPAScalingPolicy)),
  stabilizationWindowSeconds: opt(3, int32),
  tolerance: opt(4, quantity),
}));
export interface HPAScalingRules extends Infer<typeof HPAScalingRules> {}

export const HPAScalingPolicy = object('io.k8s.api.autoscaling.v2.HPAScalingPolicy', () => ({
  type: req(1, str),
  value: req(2, int32),
  periodSeconds: req(3, int32),
}));
export interface HPAScalingPolicy extends Infer<typeof HPAScalingPolicy> {}

const UTILIZATION = 80;
const SCALE_UP: HPAScalingRules = {
  stabilizationWindowSeconds: 0,
  selectPolicy: 'Max',
  policies: [
    { type: 'Pods', value: 4, periodSeconds: 15 },
    { type: 'Percent', value: 100, periodSeconds: 15 },
  ],
};
const SCALE_DOWN: HPAScalingRules = {
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
};

/** Horizontal pod autoscalers: how many pods there are follows from what they have to do. */
export const horizontalPodAutoscalers = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  schema: HorizontalPodAutoscaler,
  shortNames: ['hpa'],
  categories: ['all'],
  hasGeneration: true,
  setDefaults({ spec }) {
    if (spec === undefined) return;
    if ((spec.metrics ?? []).length === 0) {
      const target = { type: 'Utilization', averageUtilization: UTILIZATION };
      spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
    }
    if (spec.behavior === undefined) return;
    spec.behavior.scaleUp = { ...structuredClone(SCALE_UP), ...spec.behavior.scaleUp };
    spec.behavior.scaleDown = { ...structuredClone(SCALE_DOWN), ...spec.behavior.scaleDown };
  },
  prepareForCreate(autoscaler) {
    autoscaler.status = { desiredReplicas: 0 };
  },
  validate: validateAutoscaler,
  update: {
    prepare(autoscaler, old) {
      if (old.status === undefined) delete autoscaler.status;
      else autoscaler.status = old.status;
    },
    validate: validateAutoscaler,
  },
  status: { prepare: keepSpec, validate: validateAutoscalerStatus },
  columns: [
    NAME_COLUMN,
    { name: 'Reference', type: 'string', description: 'What is scaled.', value: referenceText },
    { name: 'Targets', type: 'string', description: 'What is measured, and what it is to be.', value: targetsText },
    {
      name: 'MinPods',
      type: 'string',
      description: 'Never fewer pods than this.',
      value: ({ spec }) => (spec?.minReplicas === undefined ? '<unset>' : String(spec.minReplicas)),
    },
    {
      name: 'MaxPods',
      type: 'integer',
      description: 'Never more pods than this.',
      value: ({ spec }) => spec?.maxReplicas ?? 0,
    },
    {
      name: 'Replicas',
      type: 'integer',
      description: 'How many pods there are.',
      value: ({ status }) => status?.currentReplicas ?? 0,
    },
    AGE_COLUMN,
  ],
});
