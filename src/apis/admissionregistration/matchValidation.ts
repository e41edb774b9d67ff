/**
 * What is wrong with the rules that say which requests a webhook or a policy is for.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
 */
import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { pathSegment } from '../../machinery/names.ts';
import type { MatchResources, NamedRuleWithOperations, RuleWithOperations } from './match.ts';

const ALL = '*';
const SCOPES = [ALL, 'Cluster', 'Namespaced'];
const OPERATIONS = [ALL, 'CONNECT', 'CREATE', 'DELETE', 'UPDATE'];
export const FAILURE_POLICIES = ['Fail', 'Ignore'];
const MATCH_POLICIES = ['Equivalent', 'Exact'];
export const REINVOCATION_POLICIES = ['IfNeeded', 'Never'];

/** Rules are for every scope where they name none. */
export function setRuleDefaults(rules: readonly (RuleWithOperations | NamedRuleWithOperations)[] | undefined): void {
  for (const rule of rules ?? []) rule.scope ??= ALL;
}

/** Matches everything that the rules match, in every namespace. */
export function setMatchDefaults(match: MatchResources | undefined): void {
  if (match === undefined) return;
  match.matchPolicy ??= 'Equivalent';
  match.namespaceSelector ??= {};
  match.objectSelector ??= {};
  setRuleDefaults(match.resourceRules);
  setRuleDefaults(match.excludeResourceRules);
}

/** One of a few words, which must be there. */
export function validateWord(
  value: string | undefined,
  allowed: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (value === undefined || value === '') errors.push(required(path));
  else if (!allowed.includes(value)) errors.push(notSupported(path, value, allowed));
}

export function validateMatchPolicy(policy: string | undefined, path: string, errors: FieldError[]): void {
  validateWord(policy, MATCH_POLICIES, path, errors);
}

export function validateMatchResources(match: MatchResources, path: string, errors: FieldError[]): void {
  validateMatchPolicy(match.matchPolicy, `${path}.matchPolicy`, errors);
  for (const field of ['namespaceSelector', 'objectSelector'] as const) {
    const selector = match[field];
    if (selector === undefined) errors.push(required(`${path}.${field}`));
    else errors.push(...validateLabelSelector(selector, `${path}.${field}`));
  }
  for (const field of ['resourceRules', 'excludeResourceRules'] as const) {
    for (const [i, rule] of (match[field] ?? []).entries()) validateNamedRule(rule, `${path}.${field}[${i}]`, errors);
  }
}

function validateNamedRule(rule: NamedRuleWithOperations, path: string, errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, name] of (rule.resourceNames ?? []).entries()) {
    const at = `${path}.resourceNames[${i}]`;
    for (const fault of pathSegment(name)) errors.push(invalid(at, name, fault));
    if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
  }
  validateRule(rule, path, errors);
}

export function validateRule(rule: RuleWithOperations, path: string, errors: FieldError[]): void {
  validateOperations(rule.operations ?? [], `${path}.operations`, errors);
  validateAlone(rule.apiGroups ?? [], 'API groups', `${path}.apiGroups`, errors);
  validateAlone(rule.apiVersions ?? [], 'API versions', `${path}.apiVersions`, errors);
  for (const [i, version] of (rule.apiVersions ?? []).entries()) {
    if (version === '') errors.push(required(`${path}.apiVersions[${i}]`));
  }
  validateResources(rule.resources ?? [], `${path}.resources`, errors);
  if (rule.scope !== undefined && !SCOPES.includes(rule.scope)) {
    errors.push(notSupported(`${path}.scope`, rule.scope, SCOPES));
  }
}

/** At least one; `*` only by itself. */
function validateAlone(values: readonly string[], what: string, path: string, errors: FieldError[]): void {
  if (values.length === 0) errors.push(required(path));
  if (values.length > 1 && values.includes(ALL)) {
    errors.push(invalid(path, values, `if '*' is present, must not specify other ${what}`));
  }
}

function validateOperations(operations: readonly string[], path: string, errors: FieldError[]): void {
  validateAlone(operations, 'operations', path, errors);
  for (const [i, operation] of operations.entries()) {
    if (!OPERATIONS.includes(operation)) errors.push(notSupported(`${path}[${i}]`, operation, OPERATIONS));
  }
}

/** `pods`, `pods/status`, `pods/*`, `*\/scale`, `*`, `*\/*`: none may be covered by another of the list. */
function validateResources(resources: readonly string[], path: string, errors: FieldError[]): void {
  if (resources.length === 0) errors.push(required(path));
  const allSubresourcesOf = new Set<string>();
  const ofAllResources = new Set<string>();
  let whole = false;
  for (const [i, text] of resources.entries()) {
    if (text === '') {
      errors.push(required(`${path}[${i}]`));
      continue;
    }
    const slash = text.indexOf('/');
    if (slash < 0) {
      whole ||= text !== ALL;
      continue;
    }
    const resource = text.slice(0, slash);
    const subresource = text.slice(slash + 1);
    if (allSubresourcesOf.has(resource)) {
      errors.push(invalid(`${path}[${i}]`, text, `if '${resource}/*' is present, must not specify ${text}`));
    }
    if (ofAllResources.has(subresource)) {
      errors.push(invalid(`${path}[${i}]`, text, `if '*/${subresource}' is present, must not specify ${text}`));
    }
    if (subresource === ALL) allSubresourcesOf.add(resource);
    if (resource === ALL) ofAllResources.add(subresource);
  }
  if (resources.length > 1 && resources.includes('*/*')) {
    errors.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"));
  }
  if (whole && resources.includes(ALL)) {
    const detail = "if '*' is present, must not specify other resources without subresources";
    errors.push(invalid(path, resources, detail));
  }
}
