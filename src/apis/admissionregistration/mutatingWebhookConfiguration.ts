import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { MatchCondition, RuleWithOperations, WebhookClientConfig } from './match.ts';
import { WEBHOOK_COLUMNS } from './webhookColumns.ts';
import { setWebhookDefaults, validateWebhooks } from './webhookValidation.ts';

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

/** Webhooks that may change objects before they are stored, called one after the other. */
export const mutatingWebhookConfigurations = defineKind<MutatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingWebhookConfiguration',
  plural: 'mutatingwebhookconfigurations',
  schema: MutatingWebhookConfiguration,
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  setDefaults(configuration) {
    setWebhookDefaults(configuration.webhooks);
    for (const webhook of configuration.webhooks ?? []) webhook.reinvocationPolicy ??= 'Never';
  },
  validate: (configuration) => validateWebhooks(configuration.webhooks, undefined, true),
  update: {
    validate: (configuration, old) => validateWebhooks(configuration.webhooks, old.webhooks ?? [], true),
  },
  columns: WEBHOOK_COLUMNS,
});
