/**
 * What is wrong with roles and bindings.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, pathSegment } from '../../machinery/names.ts';
import type { PolicyRule, RoleRef, Subject } from './rules.ts';

const RBAC_GROUP = 'rbac.authorization.k8s.io';

/** @param namespaced a role of one namespace cannot speak of URLs, which belong to none */
export function validateRules(
  rules: readonly PolicyRule[] | undefined,
  namespaced: boolean,
  errors: FieldError[],
): void {
  for (const [i, rule] of (rules ?? []).entries()) {
    const path = `rules[${i}]`;
    if (isEmpty(rule.verbs)) errors.push(required(`${path}.verbs`, 'verbs must contain at least one value'));
    if (!isEmpty(rule.nonResourceURLs)) {
      if (namespaced) {
        const detail = 'namespaced rules cannot apply to non-resource URLs';
        errors.push(invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, detail));
      }
      if (!isEmpty(rule.apiGroups) || !isEmpty(rule.resources) || !isEmpty(rule.resourceNames)) {
        const detail = 'rules cannot apply to both regular resources and non-resource URLs';
        errors.push(invalid(`${path}.nonResourceURLs`, rule.nonResourceURLs, detail));
      }
      continue;
    }
    if (isEmpty(rule.apiGroups)) {
      errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
    }
    if (isEmpty(rule.resources)) {
      errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'));
    }
  }
}

const isEmpty = (list: readonly string[] | undefined) => list === undefined || list.length === 0;

export interface RoleBindingParts {
  subjects?: Subject[];
  roleRef?: RoleRef;
}

/** Groups that go without saying. */
export function setBindingDefaults(binding: RoleBindingParts): void {
  if (binding.roleRef !== undefined) binding.roleRef.apiGroup ||= RBAC_GROUP;
  for (const subject of binding.subjects ?? []) {
    if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= RBAC_GROUP;
  }
}

/** @param kinds what `roleRef` may point to */
export function validateBinding(binding: RoleBindingParts, kinds: readonly string[], errors: FieldError[]): void {
  const ref = binding.roleRef;
  if (ref?.apiGroup !== RBAC_GROUP) errors.push(notSupported('roleRef.apiGroup', ref?.apiGroup ?? '', [RBAC_GROUP]));
  if (!kinds.includes(ref?.kind ?? '')) errors.push(notSupported('roleRef.kind', ref?.kind ?? '', kinds));
  if (!ref?.name) errors.push(required('roleRef.name'));
  else for (const fault of pathSegment(ref.name)) errors.push(invalid('roleRef.name', ref.name, fault));
  // Of what is in a namespace, roles can be pointed to, too.
  const namespaced = kinds.includes('Role');
  for (const [i, subject] of (binding.subjects ?? []).entries()) {
    validateSubject(subject, namespaced, `subjects[${i}]`, errors);
  }
}

const SUBJECT_KINDS = ['Group', 'ServiceAccount', 'User'];

/** In a namespace, the accounts of that namespace need not name it. */
function validateSubject(subject: Subject, namespaced: boolean, path: string, errors: FieldError[]): void {
  if (!subject.name) errors.push(required(`${path}.name`));
  switch (subject.kind) {
    case 'ServiceAccount':
      if (subject.name) {
        for (const fault of dnsSubdomain(subject.name)) errors.push(invalid(`${path}.name`, subject.name, fault));
      }
      if (subject.apiGroup) errors.push(notSupported(`${path}.apiGroup`, subject.apiGroup, ['']));
      if (subject.namespace) {
        for (const fault of dnsLabel(subject.namespace)) {
          errors.push(invalid(`${path}.namespace`, subject.namespace, fault));
        }
      } else if (!namespaced) errors.push(required(`${path}.namespace`));
      break;
    case 'User':
    case 'Group':
      if (subject.apiGroup !== RBAC_GROUP) {
        errors.push(notSupported(`${path}.apiGroup`, subject.apiGroup ?? '', [RBAC_GROUP]));
      }
      break;
    default:
      errors.push(notSupported(`${path}.kind`, subject.kind ?? '', SUBJECT_KINDS));
  }
}

/** What a binding gives never changes: a new binding is made instead. */
export function validateRoleRefUpdate(binding: RoleBindingParts, old: RoleBindingParts, errors: FieldError[]): void {
  const { roleRef } = binding;
  const before = old.roleRef;
  if (roleRef?.apiGroup !== before?.apiGroup || roleRef?.kind !== before?.kind || roleRef?.name !== before?.name) {
    errors.push(invalid('roleRef', roleRef, 'cannot change roleRef'));
  }
}
