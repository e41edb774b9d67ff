import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';

export const PriorityLevelConfiguration = object('io.k8s.api.flowcontrol.v1.PriorityLevelConfiguration', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PriorityLevelConfigurationSpec),
  status: opt(3, PriorityLevelConfigurationStatus),
}));
export interface PriorityLevelConfiguration extends Infer<typeof PriorityLevelConfiguration> {}

export const PriorityLevelConfigurationStatus = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationStatus',
  () => ({
    conditions: opt(
      1,
      list(PriorityLevelConfigurationCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
    ),
  }),
);
export interface PriorityLevelConfigurationStatus extends Infer<typeof PriorityLevelConfigurationStatus> {}

export const PriorityLevelConfigurationCondition = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationCondition',
  () => ({
    type: opt(1, str),
    status: opt(2, str),
    lastTransitionTime: opt(3, time),
    reason: opt(4, str),
    message: opt(5, str),
  }),
);
export interface PriorityLevelConfigurationCondition extends Infer<typeof PriorityLevelConfigurationCondition> {}

export const PriorityLevelConfigurationSpec = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec',
  () => ({
    type: req(1, str),
    limited: opt(2, LimitedPriorityLevelConfiguration),
    exempt: opt(3, ExemptPriorityLevelConfiguration),
  }),
);
export interface PriorityLevelConfigurationSpec extends Infer<typeof PriorityLevelConfigurationSpec> {}

export const LimitedPriorityLevelConfiguration = object(
  'io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration',
  () => ({
    nominalConcurrencyShares: opt(1, int32),
    limitResponse: opt(2, LimitResponse),
    lendablePercent: opt(3, int32),
    borrowingLimitPercent: opt(4, int32),
  }),
);
export interface LimitedPriorityLevelConfiguration extends Infer<typeof LimitedPriorityLevelConfiguration> {}

export const LimitResponse = object('io.k8s.api.flowcontrol.v1.LimitResponse', () => ({
  type: req(1, str),
  queuing: opt(2, QueuingConfiguration),
}));
export interface LimitResponse extends Infer<typeof LimitResponse> {}

export const QueuingConfiguration = object('io.k8s.api.flowcontrol.v1.QueuingConfiguration', () => ({
  queues: opt(1, int32),
  handSize: opt(2, int32),
  queueLengthLimit: opt(3, int32),
}));
export interface QueuingConfiguration extends Infer<typeof QueuingConfiguration> {}

export const ExemptPriorityLevelConfiguration = object(
  'io.k8s.api.flowcontrol.v1.ExemptPriorityLevelConfiguration',
  () => ({
    nominalConcurrencyShares: opt(1, int32),
    lendablePercent: opt(2, int32),
  }),
);
export interface ExemptPriorityLevelConfiguration extends Infer<typeof ExemptPriorityLevelConfiguration> {}
