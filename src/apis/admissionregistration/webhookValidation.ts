/**
 * Defaults and faults of webhooks, which both kinds of configuration share.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#webhook-configuration
 */
import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { dnsLabel1035, dnsSubdomain, portNumber } from '../../machinery/names.ts';
import { validateMatchConditions } from './expressions.ts';
import type { ServiceReference, WebhookClientConfig } from './match.ts';
import {
  FAILURE_POLICIES,
  REINVOCATION_POLICIES,
  setRuleDefaults,
  validateMatchPolicy,
  validateRule,
  validateWord,
} from './matchValidation.ts';
import type { MutatingWebhook } from './mutatingWebhookConfiguration.ts';
import type { ValidatingWebhook } from './validatingWebhookConfiguration.ts';

const DEFAULT_TIMEOUT_SECONDS = 10;
const MAX_TIMEOUT_SECONDS = 30;
const HTTPS_PORT = 443;
const SIDE_EFFECTS = ['None', 'NoneOnDryRun'];
const REVIEW_VERSIONS = ['v1', 'v1beta1'];

type Webhook = ValidatingWebhook | MutatingWebhook;

export function setWebhookDefaults(webhooks: readonly Webhook[] | undefined): void {
  for (const webhook of webhooks ?? []) {
    webhook.failurePolicy ??= 'Fail';
    webhook.matchPolicy ??= 'Equivalent';
    webhook.namespaceSelector ??= {};
    webhook.objectSelector ??= {};
    webhook.timeoutSeconds ??= DEFAULT_TIMEOUT_SECONDS;
    setRuleDefaults(webhook.rules);
    const service = webhook.clientConfig?.service;
    if (service !== undefined) service.port ??= HTTPS_PORT;
  }
}

/** @param old absent for a new configuration. Match conditions that an update leaves alone are not looked at again. */
export function validateWebhooks(
  webhooks: readonly Webhook[] | undefined,
  old: readonly Webhook[] | undefined,
  mutating: boolean,
): FieldError[] {
  const errors: FieldError[] = [];
  const names = new Set<string>();
  const sameConditions =
    old !== undefined &&
    webhooks?.length === old.length &&
    webhooks.every((w, i) => jsonEqual(w.matchConditions, old[i]?.matchConditions));
  for (const [i, webhook] of (webhooks ?? []).entries()) {
    const path = `webhooks[${i}]`;
    validateWebhook(webhook, path, errors);
    if (mutating) {
      const policy = (webhook as MutatingWebhook).reinvocationPolicy;
      validateWord(policy, REINVOCATION_POLICIES, `${path}.reinvocationPolicy`, errors);
    }
    if (!sameConditions) {
      validateMatchConditions(webhook.matchConditions ?? [], `${path}.matchConditions`, errors);
    }
    validateReviewVersions(webhook.admissionReviewVersions ?? [], `${path}.admissionReviewVersions`, errors);
    if (!webhook.name) continue;
    if (names.has(webhook.name)) errors.push(duplicate(`${path}.name`, webhook.name));
    names.add(webhook.name);
  }
  return errors;
}

function validateWebhook(webhook: Webhook, path: string, errors: FieldError[]): void {
  validateFullName(webhook.name, `${path}.name`, errors);
  for (const [i, rule] of (webhook.rules ?? []).entries()) validateRule(rule, `${path}.rules[${i}]`, errors);
  validateWord(webhook.failurePolicy, FAILURE_POLICIES, `${path}.failurePolicy`, errors);
  validateMatchPolicy(webhook.matchPolicy, `${path}.matchPolicy`, errors);
  const effects = webhook.sideEffects;
  if (!effects) errors.push(required(`${path}.sideEffects`, `must specify one of ${SIDE_EFFECTS.join(', ')}`));
  else if (!SIDE_EFFECTS.includes(effects)) errors.push(notSupported(`${path}.sideEffects`, effects, SIDE_EFFECTS));
  const seconds = webhook.timeoutSeconds;
  if (seconds !== undefined && (seconds < 1 || seconds > MAX_TIMEOUT_SECONDS)) {
    const detail = `the timeout value must be between 1 and ${MAX_TIMEOUT_SECONDS} seconds`;
    errors.push(invalid(`${path}.timeoutSeconds`, seconds, detail));
  }
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    const selector = webhook[field];
    if (selector !== undefined) errors.push(...validateLabelSelector(selector, `${path}.${field}`));
  }
  validateClientConfig(webhook.clientConfig ?? {}, `${path}.clientConfig`, errors);
}

/** At least three parts, as `policy.example.com`. */
function validateFullName(name: string | undefined, path: string, errors: FieldError[]): void {
  if (!name) {
    errors.push(required(path));
    return;
  }
  const faults = dnsSubdomain(name);
  if (faults.length > 0) errors.push(invalid(path, name, faults.join(',')));
  else if (name.split('.').length < 3) {
    errors.push(invalid(path, name, 'should be a domain with at least three segments separated by dots'));
  }
}

function validateReviewVersions(versions: readonly string[], path: string, errors: FieldError[]): void {
  if (versions.length === 0) {
    errors.push(required(path, `must specify one of ${REVIEW_VERSIONS.join(', ')}`));
    return;
  }
  for (const [i, version] of versions.entries()) {
    if (versions.indexOf(version) < i) errors.push(invalid(`${path}[${i}]`, version, 'duplicate version'));
    else for (const fault of dnsLabel1035(version)) errors.push(invalid(`${path}[${i}]`, version, fault));
  }
  if (!versions.some((v) => REVIEW_VERSIONS.includes(v))) {
    errors.push(invalid(path, versions, `must include at least one of ${REVIEW_VERSIONS.join(', ')}`));
  }
}

/** Where a webhook is. */
export function validateClientConfig(config: Partial<WebhookClientConfig>, path: string, errors: FieldError[]): void {
  if ((config.url === undefined) === (config.service === undefined)) {
    errors.push(required(path, 'exactly one of url or service is required'));
  } else if (config.url !== undefined) validateUrl(config.url, `${path}.url`, errors);
  else if (config.service !== undefined) validateService(config.service, `${path}.service`, errors);
}

const FORM = '; desired format: https://host[/path]';

function validateUrl(text: string, path: string, errors: FieldError[]): void {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    errors.push(required(path, `url must be a valid URL${FORM}`));
    return;
  }
  const scheme = url.protocol.slice(0, -1);
  if (scheme !== 'https') errors.push(invalid(path, scheme, `'https' is the only allowed URL scheme${FORM}`));
  if (url.host === '') errors.push(invalid(path, url.host, `host must be specified${FORM}`));
  if (url.username !== '' || url.password !== '') {
    errors.push(invalid(path, url.username, 'user information is not permitted in the URL'));
  }
  if (url.hash !== '') errors.push(invalid(path, url.hash.slice(1), 'fragments are not permitted in the URL'));
  if (url.search !== '')
    errors.push(invalid(path, url.search.slice(1), 'query parameters are not permitted in the URL'));
}

function validateService(service: ServiceReference, path: string, errors: FieldError[]): void {
  if (!service.name) errors.push(required(`${path}.name`));
  if (!service.namespace) errors.push(required(`${path}.namespace`));
  for (const fault of portNumber(service.port ?? 0)) {
    errors.push(invalid(`${path}.port`, service.port, `port is not valid: ${fault}`));
  }
  validateServicePath(service.path ?? '', `${path}.path`, errors);
}

function validateServicePath(text: string, path: string, errors: FieldError[]): void {
  if (text === '' || text === '/') return;
  if (text === '//') {
    errors.push(invalid(path, text, 'segment[0] may not be empty'));
    return;
  }
  if (!text.startsWith('/')) errors.push(invalid(path, text, "must start with a '/'"));
  const inner = text.slice(1).endsWith('/') ? text.slice(1, -1) : text.slice(1);
  for (const [i, step] of inner.split('/').entries()) {
    if (step === '') errors.push(invalid(path, text, `segment[${i}] may not be empty`));
    else for (const fault of dnsSubdomain(step)) errors.push(invalid(path, text, `segment[${i}]: ${fault}`));
  }
}
