/**
 * What is wrong with where a pod wants to be.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
 */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../../machinery/labelSelector.ts';
import type { LabelSelector } from '../../../machinery/meta.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../../machinery/names.ts';
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  TopologySpreadConstraint,
} from '../affinity.ts';
import { checkChoice, checkName } from './rules.ts';

const OPERATORS = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'];
const FIELD_OPERATORS = ['In', 'NotIn'];
const NODE_FIELDS = ['metadata.name'];
const WHEN_UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway'];
const INCLUSION = ['Honor', 'Ignore'];

export function validateAffinity(affinity: Affinity, path: string, errors: FieldError[]): void {
  if (affinity.nodeAffinity !== undefined) validateNodeAffinity(affinity.nodeAffinity, `${path}.nodeAffinity`, errors);
  if (affinity.podAffinity !== undefined) validatePodAffinity(affinity.podAffinity, `${path}.podAffinity`, errors);
  if (affinity.podAntiAffinity !== undefined) {
    validatePodAffinity(affinity.podAntiAffinity, `${path}.podAntiAffinity`, errors);
  }
}

function validateNodeAffinity(node: NodeAffinity, path: string, errors: FieldError[]): void {
  const needed = node.requiredDuringSchedulingIgnoredDuringExecution;
  if (needed !== undefined) {
    validateNodeSelector(needed, `${path}.requiredDuringSchedulingIgnoredDuringExecution`, errors);
  }
  for (const [i, preferred] of (node.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    validateWeight(preferred.weight, `${at}.weight`, errors);
    if (preferred.preference !== undefined) validateNodeTerm(preferred.preference, `${at}.preference`, errors);
  }
}

export function validateNodeSelector(selector: NodeSelector, path: string, errors: FieldError[]): void {
  const at = `${path}.nodeSelectorTerms`;
  const terms = selector.nodeSelectorTerms ?? [];
  if (terms.length === 0) errors.push(required(at, 'must have at least one node selector term'));
  for (const [i, term] of terms.entries()) validateNodeTerm(term, `${at}[${i}]`, errors);
}

function validateWeight(weight: number | undefined, path: string, errors: FieldError[]): void {
  if (weight === undefined || weight < 1 || weight > 100) {
    errors.push(invalid(path, weight, 'must be in the range 1-100'));
  }
}

function validateNodeTerm(term: NodeSelectorTerm, path: string, errors: FieldError[]): void {
  for (const [i, requirement] of (term.matchExpressions ?? []).entries()) {
    validateNodeRequirement(requirement, `${path}.matchExpressions[${i}]`, errors);
  }
  for (const [i, requirement] of (term.matchFields ?? []).entries()) {
    const at = `${path}.matchFields[${i}]`;
    const values = requirement.values ?? [];
    if (!FIELD_OPERATORS.includes(requirement.operator)) {
      errors.push(notSupported(`${at}.operator`, requirement.operator, FIELD_OPERATORS));
    } else if (values.length !== 1) {
      errors.push(
        required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"),
      );
    }
    if (!NODE_FIELDS.includes(requirement.key)) errors.push(notSupported(`${at}.key`, requirement.key, NODE_FIELDS));
    else for (const [j, value] of values.entries()) checkName(value, dnsSubdomain, `${at}.values[${j}]`, errors);
  }
}

function validateNodeRequirement(requirement: NodeSelectorRequirement, path: string, errors: FieldError[]): void {
  const values = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) {
        errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
      }
      break;
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
      }
      break;
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(`${path}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
      }
      break;
    default:
      errors.push(notSupported(`${path}.operator`, requirement.operator, OPERATORS));
  }
  checkName(requirement.key ?? '', qualifiedName, `${path}.key`, errors);
}

function validatePodAffinity(pods: PodAffinity, path: string, errors: FieldError[]): void {
  for (const [i, term] of (pods.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    validatePodTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, errors);
  }
  for (const [i, weighted] of (pods.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    validateWeight(weighted.weight, `${at}.weight`, errors);
    if (weighted.podAffinityTerm === undefined) errors.push(required(`${at}.podAffinityTerm`));
    else validatePodTerm(weighted.podAffinityTerm, `${at}.podAffinityTerm`, errors);
  }
}

function validatePodTerm(term: PodAffinityTerm, path: string, errors: FieldError[]): void {
  validateSelector(term.labelSelector, `${path}.labelSelector`, errors);
  validateSelector(term.namespaceSelector, `${path}.namespaceSelector`, errors);
  for (const [i, namespace] of (term.namespaces ?? []).entries()) {
    checkName(namespace, dnsLabel, `${path}.namespaces[${i}]`, errors);
  }
  for (const field of ['matchLabelKeys', 'mismatchLabelKeys'] as const) {
    validateLabelKeys(term[field], term.labelSelector, `${path}.${field}`, errors);
  }
  for (const key of term.matchLabelKeys ?? []) {
    if (term.mismatchLabelKeys?.includes(key)) {
      errors.push(invalid(`${path}.matchLabelKeys`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'));
    }
  }
  validateTopologyKey(term.topologyKey, `${path}.topologyKey`, errors);
}

function validateSelector(selector: LabelSelector | undefined, path: string, errors: FieldError[]): void {
  if (selector !== undefined) errors.push(...validateLabelSelector(selector, path));
}

function validateTopologyKey(key: string | undefined, path: string, errors: FieldError[]): void {
  if (!key) errors.push(required(path, 'can not be empty'));
  else checkName(key, qualifiedName, path, errors);
}

/** Keys whose values are taken from the pod itself need a selector to be added to. */
function validateLabelKeys(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (keys === undefined || keys.length === 0) return;
  if (selector === undefined) errors.push(forbidden(path, 'must not be specified when labelSelector is not set'));
  for (const [i, key] of keys.entries()) checkName(key, qualifiedName, `${path}[${i}]`, errors);
}

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, constraint] of constraints.entries()) {
    const at = `${path}[${i}]`;
    const { maxSkew, minDomains, whenUnsatisfiable, topologyKey } = constraint;
    if (!(maxSkew > 0)) errors.push(invalid(`${at}.maxSkew`, maxSkew, 'must be greater than zero'));
    validateTopologyKey(topologyKey, `${at}.topologyKey`, errors);
    checkChoice(whenUnsatisfiable, WHEN_UNSATISFIABLE, `${at}.whenUnsatisfiable`, errors);
    const id = `${topologyKey}, ${whenUnsatisfiable}`;
    if (seen.has(id)) errors.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${id}}`));
    seen.add(id);
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalid(`${at}.minDomains`, minDomains, 'must be greater than zero'));
      if (whenUnsatisfiable !== 'DoNotSchedule') {
        const detail = 'can only use minDomains if whenUnsatisfiable=DoNotSchedule';
        errors.push(invalid(`${at}.minDomains`, minDomains, detail));
      }
    }
    for (const field of ['nodeAffinityPolicy', 'nodeTaintsPolicy'] as const) {
      if (constraint[field] !== undefined) checkChoice(constraint[field], INCLUSION, `${at}.${field}`, errors);
    }
    validateSelector(constraint.labelSelector, `${at}.labelSelector`, errors);
    validateLabelKeys(constraint.matchLabelKeys, constraint.labelSelector, `${at}.matchLabelKeys`, errors);
  }
}
