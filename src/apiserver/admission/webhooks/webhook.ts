/** Webhooks as they are called: compiled from their configurations. */
import type { MatchCondition, WebhookClientConfig } from '../../../apis/admissionregistration/match.ts';
import type { MutatingWebhook } from '../../../apis/admissionregistration/mutatingWebhookConfiguration.ts';
import type { ValidatingWebhook } from '../../../apis/admissionregistration/validatingWebhookConfiguration.ts';
import { type Selector, selectorFrom } from '../../../machinery/labelSelector.ts';
import type { Match } from '../matching.ts';

const NONE: Selector = [];
const DEFAULT_TIMEOUT_SECONDS = 10;

export interface Webhook {
  readonly name: string;
  /** of the configuration that it stands in, and its place there: no two are the same */
  readonly id: string;
  readonly client: WebhookClientConfig;
  readonly match: Match;
  readonly conditions: readonly MatchCondition[];
  /** of the conditions; made when they are first evaluated */
  programs?: unknown;
  readonly ignoreFailure: boolean;
  readonly timeoutSeconds: number;
  /** of the AdmissionReview: the first of its list that is known */
  readonly version: 'v1' | 'v1beta1';
  /** whether it may be called for a dry run */
  readonly dryRun: boolean;
  /** whether it is asked again when others have changed the object since */
  readonly reinvoked: boolean;
}

interface Configuration<W> {
  readonly metadata: { readonly name: string };
  readonly webhooks?: readonly W[];
}

export function compileWebhooks(configuration: Configuration<ValidatingWebhook | MutatingWebhook>): Webhook[] {
  return (configuration.webhooks ?? []).map((webhook, i) => ({
    name: webhook.name,
    id: `${configuration.metadata.name}/${i}`,
    client: webhook.clientConfig,
    match: {
      rules: webhook.rules ?? [],
      equivalent: webhook.matchPolicy !== 'Exact',
      namespaceSelector: selectorFrom(webhook.namespaceSelector) ?? NONE,
      objectSelector: selectorFrom(webhook.objectSelector) ?? NONE,
    },
    conditions: webhook.matchConditions ?? [],
    ignoreFailure: webhook.failurePolicy === 'Ignore',
    timeoutSeconds: webhook.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS,
    version:
      webhook.admissionReviewVersions.find((v) => v === 'v1' || v === 'v1beta1') === 'v1beta1' ? 'v1beta1' : 'v1',
    dryRun: webhook.sideEffects === 'None' || webhook.sideEffects === 'NoneOnDryRun',
    reinvoked: 'reinvocationPolicy' in webhook && webhook.reinvocationPolicy === 'IfNeeded',
  }));
}
