/** What is wrong with where a pod wants to be. */
import { type FieldError, invalid, notSupported, required } from '../../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../../machinery/labelSelector.ts';
import { qualifiedName } from '../../../machinery/names.ts';
import type { Affinity, NodeSelectorTerm, PodAffinityTerm, TopologySpreadConstraint } from '../affinity.ts';

const OPERATORS = ['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'];
const WHEN_UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway'];

export function validateAffinity(affinity: Affinity, path: string, errors: FieldError[]): void {
  const node = affinity.nodeAffinity;
  const needed = node?.requiredDuringSchedulingIgnoredDuringExecution;
  const at = `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`;
  if (needed !== undefined && (needed.nodeSelectorTerms ?? []).length === 0) {
    errors.push(required(at, 'must have at least one node selector term'));
  }
  for (const [i, term] of (needed?.nodeSelectorTerms ?? []).entries()) validateNodeTerm(term, `${at}[${i}]`, errors);
  for (const [i, preferred] of (node?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
    const here = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
    validateWeight(preferred.weight, `${here}.weight`, errors);
    if (preferred.preference !== undefined) validateNodeTerm(preferred.preference, `${here}.preference`, errors);
  }
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const pods = affinity[kind];
    for (const [i, term] of (pods?.requiredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      validatePodTerm(term, `${path}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, errors);
    }
    for (const [i, weighted] of (pods?.preferredDuringSchedulingIgnoredDuringExecution ?? []).entries()) {
      const here = `${path}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`;
      validateWeight(weighted.weight, `${here}.weight`, errors);
      if (weighted.podAffinityTerm === undefined) errors.push(required(`${here}.podAffinityTerm`));
      else validatePodTerm(weighted.podAffinityTerm, `${here}.podAffinityTerm`, errors);
    }
  }
}

function validateWeight(weight: number | undefined, path: string, errors: FieldError[]): void {
  if (weight === undefined || weight < 1 || weight > 100)
    errors.push(invalid(path, weight, 'must be in the range 1-100'));
}

function validateNodeTerm(term: NodeSelectorTerm, path: string, errors: FieldError[]): void {
  for (const [i, e] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`;
    for (const fault of qualifiedName(e.key ?? '')) errors.push(invalid(`${at}.key`, e.key, fault));
    if (!OPERATORS.includes(e.operator ?? '')) errors.push(notSupported(`${at}.operator`, e.operator, OPERATORS));
    const count = e.values?.length ?? 0;
    if ((e.operator === 'In' || e.operator === 'NotIn') && count === 0) {
      errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((e.operator === 'Gt' || e.operator === 'Lt') && count !== 1) {
      errors.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  }
}

function validatePodTerm(term: PodAffinityTerm, path: string, errors: FieldError[]): void {
  if (!term.topologyKey) errors.push(required(`${path}.topologyKey`, 'can not be empty'));
  if (term.labelSelector !== undefined)
    errors.push(...validateLabelSelector(term.labelSelector, `${path}.labelSelector`));
}

export function validateTopologySpread(
  constraints: readonly TopologySpreadConstraint[],
  path: string,
  errors: FieldError[],
): void {
  for (const [i, constraint] of constraints.entries()) {
    const at = `${path}[${i}]`;
    if (!(constraint.maxSkew > 0))
      errors.push(invalid(`${at}.maxSkew`, constraint.maxSkew, 'must be greater than zero'));
    if (!constraint.topologyKey) errors.push(required(`${at}.topologyKey`, 'can not be empty'));
    if (!WHEN_UNSATISFIABLE.includes(constraint.whenUnsatisfiable ?? '')) {
      errors.push(notSupported(`${at}.whenUnsatisfiable`, constraint.whenUnsatisfiable, WHEN_UNSATISFIABLE));
    }
  }
}
