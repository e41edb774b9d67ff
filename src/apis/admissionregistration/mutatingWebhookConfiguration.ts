import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { MatchCondition, RuleWithOperations, WebhookClientConfig } from './match.ts';

export const MutatingWebhookConfiguration = object(
  'io.k8s.api.admissionregistration.v1.MutatingWebhookConfiguration',
  () => ({
    apiVersion: opt(undefined, str),
    kind: opt(undefined, str),
    metadata: opt(1, ObjectMeta),
    webhooks: opt(undefined, list(MutatingWebhook, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  }),
);
export interface MutatingWebhookConfiguration extends Infer<typeof MutatingWebhookConfiguration> {}

export const MutatingWebhook = object('io.k8s.api.admissionregistration.v1.MutatingWebhook', () => ({
  name: req(1, str),
  clientConfig: req(2, WebhookClientConfig),
  rules: opt(3, list(RuleWithOperations)),
  failurePolicy: opt(4, str),
  namespaceSelector: opt(5, LabelSelector),
  sideEffects: req(6, str),
  timeoutSeconds: opt(7, int32),
  admissionReviewVersions: req(8, list(str)),
  matchPolicy: opt(9, str),
  reinvocationPolicy: opt(10, str),
  objectSelector: opt(11, LabelSelector),
  matchConditions: opt(12, list(MatchCondition, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
}));
export interface MutatingWebhook extends Infer<typeof MutatingWebhook> {}
