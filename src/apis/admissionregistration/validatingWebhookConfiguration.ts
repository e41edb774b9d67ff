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
    webhooks: opt(2, list(ValidatingWebhook, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  }),
);
export interface ValidatingWebhookConfiguration extends Infer<typeof ValidatingWebhookConfiguration> {}

export const ValidatingWebhook = object('io.k8s.api.admissionregistration.v1.ValidatingWebhook', () => ({
  name: req(1, str),
  clientConfig: req(2, WebhookClientConfig, { doc: 'Where the webhook is: a URL or a service of the cluster.' }),
  rules: opt(3, list(RuleWithOperations), { doc: 'Which operations on which resources it is asked about.' }),
  failurePolicy: opt(4, str, {
    pointer: true,
    doc: 'Whether a request is refused (Fail) or goes on (Ignore) when the webhook cannot be reached.',
  }),
  namespaceSelector: opt(5, LabelSelector, { doc: 'It is asked only about objects in namespaces with these labels.' }),
  sideEffects: req(6, str, {
    pointer: true,
    doc: 'None or NoneOnDryRun: whether asking it changes anything elsewhere.',
  }),
  timeoutSeconds: opt(7, int32, { doc: 'How long it may take to answer, 1 to 30; 10 by default.' }),
  admissionReviewVersions: req(8, list(str), {
    doc: 'Versions of AdmissionReview that it understands, the one it likes best first.',
  }),
  matchPolicy: opt(9, str, { pointer: true }),
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
