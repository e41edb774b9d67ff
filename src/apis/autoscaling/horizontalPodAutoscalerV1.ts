import { defineKind, type KubeObject } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, int64, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { fromV2, toV2 } from './conversion.ts';
import { type HorizontalPodAutoscaler as Hub, horizontalPodAutoscalers } from './horizontalPodAutoscaler.ts';

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
  lastScaleTime: opt(2, time, { pointer: true }),
  currentReplicas: req(3, int32),
  desiredReplicas: req(4, int32),
  currentCPUUtilizationPercentage: opt(5, int32),
}));
export interface HorizontalPodAutoscalerStatus extends Infer<typeof HorizontalPodAutoscalerStatus> {}

export const HorizontalPodAutoscalerSpec = object('io.k8s.api.autoscaling.v1.HorizontalPodAutoscalerSpec', () => ({
  scaleTargetRef: req(1, CrossVersionObjectReference),
  minReplicas: opt(2, int32, { default: 1, doc: 'Never fewer pods than this; 1 if absent.' }),
  maxReplicas: req(3, int32),
  targetCPUUtilizationPercentage: opt(4, int32, {
    doc: 'The share of what they request that pods are to use, on average.',
  }),
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

const percent = (share: number | undefined, none: string) => (share === undefined ? none : `${share}%`);

/** The older version of horizontal pod autoscalers, which knows only cpu; all else is in annotations. */
export const horizontalPodAutoscalersV1 = defineKind<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  plural: 'horizontalpodautoscalers',
  schema: HorizontalPodAutoscaler,
  shortNames: ['hpa'],
  categories: ['all'],
  hasGeneration: true,
  hub: {
    kind: horizontalPodAutoscalers,
    toHub: (autoscaler) => toV2(autoscaler) as KubeObject,
    fromHub: (autoscaler) => fromV2(autoscaler as Hub),
  },
  update: {},
  status: {},
  columns: [
    NAME_COLUMN,
    {
      name: 'Reference',
      type: 'string',
      description: 'What is scaled.',
      value: ({ spec }) => `${spec?.scaleTargetRef?.kind ?? ''}/${spec?.scaleTargetRef?.name ?? ''}`,
    },
    {
      name: 'Targets',
      type: 'string',
      description: 'What is measured, and what it is to be.',
      value: ({ spec, status }) =>
        `${percent(status?.currentCPUUtilizationPercentage, '<unknown>')}/${percent(spec?.targetCPUUtilizationPercentage, '<auto>')}`,
    },
    {
      name: 'MinPods',
      type: 'integer',
      description: 'Never fewer pods than this.',
      value: ({ spec }) => spec?.minReplicas ?? 0,
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
