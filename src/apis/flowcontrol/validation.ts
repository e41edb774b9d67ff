/**
 * What is wrong with the rules of flow schemas.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain } from '../../machinery/names.ts';
import type { NonResourcePolicyRule, PolicyRulesWithSubjects, ResourcePolicyRule, Subject } from './flowSchema.ts';

const ALL = '*';
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch'];

export function validatePolicyRules(rule: PolicyRulesWithSubjects, path: string, errors: FieldError[]): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] }: Partial<PolicyRulesWithSubjects> = rule;
  if (subjects.length === 0) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'));
  for (const [i, subject] of subjects.entries()) validateSubject(subject, `${path}.subjects[${i}]`, errors);
  if (resourceRules.length === 0 && nonResourceRules.length === 0) {
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'));
  }
  for (const [i, r] of resourceRules.entries()) validateResourceRule(r, `${path}.resourceRules[${i}]`, errors);
  for (const [i, r] of nonResourceRules.entries()) validateNonResourceRule(r, `${path}.nonResourceRules[${i}]`, errors);
}

/** The field that goes with each kind of subject. */
const SUBJECT_FIELDS = [
  ['ServiceAccount', 'serviceAccount'],
  ['User', 'user'],
  ['Group', 'group'],
] as const;

function validateSubject(subject: Subject, path: string, errors: FieldError[]): void {
  if (!SUBJECT_FIELDS.some(([kind]) => kind === subject.kind)) {
    errors.push(notSupported(`${path}.kind`, subject.kind ?? '', ['Group', 'ServiceAccount', 'User']));
    return;
  }
  for (const [kind, field] of SUBJECT_FIELDS) {
    const at = `${path}.${field}`;
    const value = subject[field];
    if (kind !== subject.kind) {
      if (value !== undefined) errors.push(forbidden(at, `${field} is forbidden when subject kind is not '${kind}'`));
    } else if (value === undefined) errors.push(required(at, `${field} is required when subject kind is '${kind}'`));
    else validateSubjectName(value, field === 'serviceAccount', at, errors);
  }
}

function validateSubjectName(
  subject: { name?: string; namespace?: string },
  isServiceAccount: boolean,
  path: string,
  errors: FieldError[],
): void {
  const { name = '', namespace = '' } = subject;
  if (name === '') errors.push(required(`${path}.name`));
  if (!isServiceAccount) return;
  if (name !== '' && name !== ALL) {
    for (const fault of dnsSubdomain(name)) errors.push(invalid(`${path}.name`, name, fault));
  }
  if (namespace === '') errors.push(required(`${path}.namespace`, 'must specify namespace for service account'));
  else for (const fault of dnsLabel(namespace)) errors.push(invalid(`${path}.namespace`, namespace, fault));
}

function validateVerbs(verbs: readonly string[], path: string, errors: FieldError[]): void {
  if (verbs.length === 0) errors.push(required(path, 'verbs must contain at least one value'));
  else if (verbs.includes(ALL)) {
    if (verbs.length > 1) errors.push(invalid(path, verbs, "if '*' is present, must not specify other verbs"));
  } else if (!verbs.every((v) => VERBS.includes(v))) errors.push(notSupported(path, verbs, VERBS));
}

function validateResourceRule(rule: ResourcePolicyRule, path: string, errors: FieldError[]): void {
  const { verbs = [], apiGroups = [], resources = [], namespaces = [] }: Partial<ResourcePolicyRule> = rule;
  validateVerbs(verbs, `${path}.verbs`, errors);
  if (apiGroups.length === 0) {
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
  } else if (apiGroups.length > 1 && apiGroups.includes(ALL)) {
    const detail = "if '*' is present, must not specify other api groups";
    errors.push(invalid(`${path}.apiGroups`, apiGroups, detail));
  }
  if (resources.length === 0) {
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
  } else if (resources.length > 1 && resources.includes(ALL)) {
    const detail = "if '*' is present, must not specify other resources";
    errors.push(invalid(`${path}.resources`, resources, detail));
  }
  if (namespaces.length === 0 && rule.clusterScope !== true) {
    const detail = 'resource rules that are not cluster scoped must supply at least one namespace';
    errors.push(required(`${path}.namespaces`, detail));
  } else if (namespaces.includes(ALL)) {
    if (namespaces.length > 1) {
      const detail = "if '*' is present, must not specify other namespaces";
      errors.push(invalid(`${path}.namespaces`, namespaces, detail));
    }
  } else {
    for (const [i, name] of namespaces.entries()) {
      for (const fault of dnsLabel(name)) {
        const detail = `each member of this list must be '*' or a DNS-1123 label; ${fault}`;
        errors.push(invalid(`${path}.namespaces[${i}]`, name, detail));
      }
    }
  }
}

function validateNonResourceRule(rule: NonResourcePolicyRule, path: string, errors: FieldError[]): void {
  const { verbs = [], nonResourceURLs = [] }: Partial<NonResourcePolicyRule> = rule;
  validateVerbs(verbs, `${path}.verbs`, errors);
  const at = `${path}.nonResourceURLs`;
  if (nonResourceURLs.length === 0) errors.push(required(at, 'nonResourceURLs must contain at least one value'));
  else if (nonResourceURLs.includes(ALL)) {
    if (nonResourceURLs.length > 1) {
      errors.push(invalid(at, nonResourceURLs, "if '*' is present, must not specify other non-resource URLs"));
    }
  } else {
    for (const [i, url] of nonResourceURLs.entries()) {
      const fault = pathFault(url);
      if (fault !== undefined) errors.push(invalid(`${at}[${i}]`, url, fault));
    }
  }
}

function pathFault(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  if (path === '/') return undefined;
  if (!path.startsWith('/')) return 'must start with slash';
  if (path.includes(' ')) return 'must not contain white-space';
  if (path.includes('//')) return 'must not contain double slash';
  const star = path.indexOf(ALL);
  if (star >= 0 && (star < path.length - 1 || !path.endsWith('/*'))) return 'wildcard can only do suffix matching';
  return undefined;
}

/** Conditions of a status: each type once, and named. */
export function validateConditionTypes(
  conditions: readonly { type?: string }[] | undefined,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, { type = '' }] of (conditions ?? []).entries()) {
    const path = `status.conditions[${i}].type`;
    if (seen.has(type)) errors.push(duplicate(path, type));
    seen.add(type);
    if (type === '') errors.push(required(path, 'must not be empty'));
  }
}
