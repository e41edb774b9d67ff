/**
 * What is written down of which request.
 * Source: https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy
 */
import { type FieldError, fieldErrorMessage, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { decode } from '../../machinery/schema/decode.ts';
import { bool, type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import type { Attributes } from '../authorization/authorizer.ts';

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const;
export type Level = (typeof LEVELS)[number];
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const;
export type AuditStage = (typeof STAGES)[number];

const GroupResources = object('io.k8s.apiserver.pkg.apis.audit.v1.GroupResources', () => ({
  group: opt(1, str),
  resources: opt(2, list(str)),
  resourceNames: opt(3, list(str)),
}));

const PolicyRule = object('io.k8s.apiserver.pkg.apis.audit.v1.PolicyRule', () => ({
  level: req(1, str),
  users: opt(2, list(str)),
  userGroups: opt(3, list(str)),
  verbs: opt(4, list(str)),
  resources: opt(5, list(GroupResources)),
  namespaces: opt(6, list(str)),
  nonResourceURLs: opt(7, list(str)),
  omitStages: opt(8, list(str)),
  omitManagedFields: opt(9, bool),
}));
type PolicyRule = Infer<typeof PolicyRule>;

const Policy = object('io.k8s.apiserver.pkg.apis.audit.v1.Policy', () => ({
  apiVersion: opt(1, str),
  kind: opt(2, str),
  metadata: opt(
    3,
    object('io.k8s.apiserver.pkg.apis.audit.v1.PolicyMeta', () => ({ name: opt(1, str) })),
  ),
  rules: req(4, list(PolicyRule)),
  omitStages: opt(5, list(str)),
  omitManagedFields: opt(6, bool),
}));
export type AuditPolicy = Infer<typeof Policy>;

/** What the policy says of one request. */
export interface Instruction {
  readonly level: Level;
  readonly omitStages: ReadonlySet<string>;
  readonly omitManagedFields: boolean;
}

/** A policy file that cannot be followed; the message is one line for a person. */
export class AuditPolicyError extends Error {
  override readonly name = 'AuditPolicyError';
}

/** Reads a policy, in YAML or JSON. @throws AuditPolicyError */
export async function parseAuditPolicy(text: string): Promise<AuditPolicy> {
  const { parseDocument } = await import('yaml');
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault !== undefined) throw new AuditPolicyError(fault.message.split('\n')[0] ?? 'no YAML');
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AuditPolicyError('it is no object');
  const { apiVersion, kind } = value as Record<string, unknown>;
  if (apiVersion !== 'audit.k8s.io/v1' || kind !== 'Policy') {
    throw new AuditPolicyError('it must have the apiVersion audit.k8s.io/v1 and the kind Policy');
  }
  const decoded = decode<AuditPolicy>(Policy, value);
  const [error] = decoded.errors;
  if (error !== undefined) throw new AuditPolicyError(`${error.path}: ${error.message}`);
  const [unknown] = decoded.unknown;
  if (unknown !== undefined) throw new AuditPolicyError(`unknown field ${JSON.stringify(unknown)}`);
  const policy = decoded.value;
  if ((policy.rules ?? []).length === 0) throw new AuditPolicyError('rules: it has none');
  const errors = validateAuditPolicy(policy);
  if (errors.length > 0) throw new AuditPolicyError(errors.map(fieldErrorMessage).join('; '));
  return policy;
}

function validateAuditPolicy(policy: AuditPolicy): FieldError[] {
  const errors = stageErrors(policy.omitStages, 'omitStages');
  for (const [i, rule] of (policy.rules ?? []).entries()) {
    const path = `rules[${i}]`;
    if (!rule.level) errors.push(required(`${path}.level`));
    else if (!LEVELS.includes(rule.level as Level)) errors.push(notSupported(`${path}.level`, rule.level, LEVELS));
    for (const [j, url] of (rule.nonResourceURLs ?? []).entries()) {
      const at = `${path}.nonResourceURLs[${j}]`;
      if (url === '*') continue;
      if (!url.startsWith('/')) errors.push(invalid(at, url, "non-resource URL rules must begin with a '/' character"));
      if (url.slice(0, -1).includes('*')) {
        errors.push(invalid(at, url, "non-resource URL wildcards '*' must be the final character of the rule"));
      }
    }
    for (const { resources = [], resourceNames = [] } of rule.resources ?? []) {
      if (resourceNames.length > 0 && resources.length === 0) {
        const detail = 'using resourceNames requires at least one resource';
        errors.push(invalid(`${path}.resources.resourceNames`, resourceNames, detail));
      }
    }
    if (rule.nonResourceURLs?.length && (rule.resources?.length || rule.namespaces?.length)) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs';
      errors.push(invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, detail));
    }
    errors.push(...stageErrors(rule.omitStages, `${path}.omitStages`));
  }
  return errors;
}

function stageErrors(stages: readonly string[] | undefined, path: string): FieldError[] {
  return (stages ?? []).flatMap((stage, i) =>
    STAGES.includes(stage as AuditStage)
      ? []
      : [invalid(`${path}[${i}]`, stage, `allowed stages are ${STAGES.join(',')}`)],
  );
}

const NOTHING: Instruction = { level: 'None', omitStages: new Set(), omitManagedFields: false };

/** Asks the rules in order; the first that is for the request counts, and without one nothing is written down. */
export function auditInstructions(policy: AuditPolicy): (attributes: Attributes) => Instruction {
  const rules = (policy.rules ?? []).map((rule) => {
    const instruction: Instruction = {
      level: rule.level as Level,
      omitStages: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
    };
    return { rule, instruction };
  });
  return (attributes) => rules.find(({ rule }) => concerns(rule, attributes))?.instruction ?? NOTHING;
}

function concerns(rule: PolicyRule, a: Attributes): boolean {
  const { users = [], userGroups = [], verbs = [], namespaces = [], resources = [], nonResourceURLs = [] } = rule;
  if (users.length > 0 && !users.includes(a.user.name)) return false;
  if (userGroups.length > 0 && !a.user.groups.some((group) => userGroups.includes(group))) return false;
  if (verbs.length > 0 && !verbs.includes(a.verb)) return false;
  if (namespaces.length > 0 || resources.length > 0) {
    if (!a.isResource || (namespaces.length > 0 && !namespaces.includes(a.namespace))) return false;
    return resources.length === 0 || resources.some((of) => isAmong(of, a));
  }
  if (nonResourceURLs.length === 0) return true;
  return !a.isResource && nonResourceURLs.some((url) => isBelow(url, a.path));
}

function isBelow(url: string, path: string): boolean {
  return url === '*' || url === path || (url.endsWith('*') && path.startsWith(url.slice(0, -1)));
}

function isAmong({ group = '', resources = [], resourceNames = [] }: Infer<typeof GroupResources>, a: Attributes) {
  if (group !== '*' && group !== a.group) return false;
  if (resources.length === 0) return true;
  if (resourceNames.length > 0 && !resourceNames.includes(a.name)) return false;
  const whole = a.subresource === '' ? a.resource : `${a.resource}/${a.subresource}`;
  return resources.some(
    (r) => r === '*' || r === whole || r === `${a.resource}/*` || (a.subresource !== '' && r === `*/${a.subresource}`),
  );
}
