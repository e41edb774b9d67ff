import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, list, object, opt, quantity, req, str, time } from '../../machinery/schema/types.ts';

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
  lastScaleTime: opt(2, time),
  currentReplicas: opt(3, int32),
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
  scaleTargetRef: req(1, CrossVersionObjectReference),
  minReplicas: opt(2, int32),
  maxReplicas: req(3, int32),
  metrics: opt(4, list(MetricSpec)),
  behavior: opt(5, HorizontalPodAutoscalerBehavior),
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
  selectPolicy: opt(1, str),
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
