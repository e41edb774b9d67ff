import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, object, opt, req, str, time } from '../../machinery/schema/types.ts';

export const HorizontalPodAutoscaler = object('io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, HorizontalPodAutoscalerSpec),
  status: opt(3, HorizontalPodAutoscalerStatus),
}));
export interface HorizontalPodAutoscaler extends Infer<typeof HorizontalPodAutoscaler> {}

export const HorizontalPodAutoscalerStatus = object('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerStatus', () => ({
  observedGeneration: opt(1, int64),
  lastScaleTime: opt(2, time),
  currentReplicas: req(3, int32),
  desiredReplicas: req(4, int32),
  currentCPUUtilizationPercentage: opt(5, int32),
}));
export interface HorizontalPodAutoscalerStatus extends Infer<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscalerSpec = object('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec', () => ({
  scaleTargetRef: req(1, CrossVersionObjectReference),
  minReplicas: opt(2, int32),
  maxReplicas: req(3, int32),
  targetCPUUtilizationPercentage: opt(4, int32),
}));
export interface HorizontalPodAutoscalerSpec extends Infer<typeof HorizontalPodAutoscalerSpec> {}

export const CrossVersionObjectReference = object(
  'io.k8s.api.autoscaling.v1.CrossVersionObjectReference',
  () => ({
    kind: req(1, str),
    name: req(2, str),
    apiVersion: opt(3, str),
  }),
  { atomic: true },
);
export interface CrossVersionObjectReference extends Infer<typeof CrossVersionObjectReference> {}
