import { defineKind } from '../../machinery/kind.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { MatchCondition, RuleWithOperations, WebhookClientConfig } from './match.ts';
import { WEBHOOK_COLUMNS } from './webhookColumns.ts';
import { setWebhookDefaults, validateWebhooks } from './webhookValidation.ts';

export const ValidatingWebhookConfiguration = object(
  'io.k8s.api.admissionregistration.v1.ValidatingWebhookConfiguration',
  () => ({
    apiVersion: opt(undefined, str),
    kind: opt(undefined, str),
    metadata: opt(1, ObjectMeta),
    webhooks: opt(
      undefined,
      list(ValidatingWebhook, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' }),
    ),
  }),
);
export interface ValidatingWebhookConfiguration extends Infer<typeof ValidatingWebhookConfiguration> {}

export const ValidatingWebhook = object('io.k8s.api.admissionregistration.v1.ValidatingWebhook', () => ({
  name: req(1, str),
  clientConfig: req(2, WebhookClientConfig),
  rules: opt(3, list(RuleWithOperations)),
  failurePolicy: opt(4, str),
  namespaceSelector: opt(5, LabelSelector),
  sideEffects: req(6, str),
  timeoutSeconds: opt(7, int32),
  admissionReviewVersions: req(8, list(str)),
  matchPolicy: opt(9, str),
  objectSelector: opt(10, LabelSelector),
  matchConditions: opt(11, list(MatchCondition, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
}));
export interface ValidatingWebhook extends Infer<typeof ValidatingWebhook> {}

/** Webhooks that may refuse requests, called all at once. */
export const validatingWebhookConfigurations = defineKind<ValidatingWebhookConfiguration>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingWebhookConfiguration',
  plural: 'validatingwebhookconfigurations',
  schema: ValidatingWebhookConfiguration,
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  setDefaults(configuration) {
    setWebhookDefaults(configuration.webhooks);
  },
  validate: (configuration) => validateWebhooks(configuration.webhooks, undefined, false),
  update: {
    validate: (configuration, old) => validateWebhooks(configuration.webhooks, old.webhooks ?? [], false),
  },
  columns: WEBHOOK_COLUMNS,
});
