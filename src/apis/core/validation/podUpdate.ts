/**
 * What of a pod may change once it is there.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/#pod-update-and-replacement
 */
import { type FieldError, forbidden, invalid, required } from '../../../machinery/fieldError.ts';
import { semanticEqual } from '../../../machinery/semanticEqual.ts';
import {
  Affinity,
  type NodeSelectorTerm,
  NodeSelectorTerm as NodeSelectorTermSchema,
  Toleration,
} from '../affinity.ts';
import { type Container, EphemeralContainer } from '../container.ts';
import type { Pod } from '../pod.ts';
import { PodSpec } from '../podSpec.ts';
import { validatePodAnnotationsUpdate } from './podAnnotations.ts';
import { validatePodSpec } from './podSpec.ts';
import { checkRange } from './rules.ts';
import { validateTolerations } from './tolerations.ts';

const LONGEST_DEADLINE = 2 ** 31 - 1;
const MESSAGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),' +
  '`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

const NOTHING: PodSpec = { containers: [] };

/** A write to the pod itself. */
export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? NOTHING;
  const before = old.spec ?? NOTHING;
  if (spec === before) {
    validatePodAnnotationsUpdate(pod, old, errors);
    return errors;
  }
  for (const field of ['containers', 'initContainers'] as const) {
    const now = spec[field] ?? [];
    if (now.length !== (before[field] ?? []).length) {
      errors.push(forbidden(`spec.${field}`, 'pod updates may not add or remove containers'));
      return errors;
    }
    for (const [i, container] of now.entries()) validateImage(container, `spec.${field}[${i}].image`, errors);
  }
  validatePodAnnotationsUpdate(pod, old, errors);
  validateDeadline(spec, before, errors);
  validateAddedTolerations(spec, before, errors);
  validateRemovedGates(spec, before, errors);
  const gated = (before.schedulingGates ?? []).length > 0;
  if (gated) validateNarrowed(spec, before, errors);
  if (!semanticEqual(PodSpec, withAllowedChangesUndone(spec, before, gated), before)) {
    errors.push(forbidden('spec', MESSAGE));
  }
  return errors;
}

function validateImage(container: Container, path: string, errors: FieldError[]): void {
  if (!container.image) errors.push(required(path));
  else if (container.image !== container.image.trim()) {
    errors.push(invalid(path, container.image, 'must not have leading or trailing whitespace'));
  }
}

/** A deadline may be set, and brought nearer. */
function validateDeadline(spec: PodSpec, before: PodSpec, errors: FieldError[]): void {
  const path = 'spec.activeDeadlineSeconds';
  const { activeDeadlineSeconds: deadline } = spec;
  const was = before.activeDeadlineSeconds;
  if (deadline === undefined) {
    if (was !== undefined) errors.push(invalid(path, deadline, 'must not update from a positive integer to nil value'));
    return;
  }
  checkRange(deadline, 1, LONGEST_DEADLINE, path, errors);
  if (was !== undefined && deadline > was) {
    errors.push(invalid(path, deadline, 'must be less than or equal to previous value'));
  }
}

/** Tolerations may be added; of those that are there, only the time may change. */
function validateAddedTolerations(spec: PodSpec, before: PodSpec, errors: FieldError[]): void {
  if (semanticEqual(TOLERATIONS, spec.tolerations, before.tolerations)) return;
  validateTolerations(spec.tolerations ?? [], 'spec.tolerations', errors);
  const timeless = ({ tolerationSeconds: _seconds, ...rest }: Toleration) => rest;
  const tolerations = (spec.tolerations ?? []).map(timeless);
  for (const [i, toleration] of (before.tolerations ?? []).map(timeless).entries()) {
    const same = (other: Toleration) => semanticEqual(Toleration, other, toleration);
    // Nearly always it stays where it was; to compare each with each would take long where there are hundreds.
    const stays = tolerations.slice(i, i + 1).some(same) || tolerations.some(same);
    if (!stays) {
      const detail = 'existing toleration can not be modified except its tolerationSeconds';
      errors.push(forbidden('spec.tolerations', detail));
      return;
    }
  }
}

const TOLERATIONS = { kind: 'list', of: Toleration, type: 'atomic' } as const;

function validateRemovedGates(spec: PodSpec, before: PodSpec, errors: FieldError[]): void {
  for (const [i, gate] of (spec.schedulingGates ?? []).entries()) {
    if (!(before.schedulingGates ?? []).some((g) => g.name === gate.name)) {
      const detail = `only deletion is allowed, but found new scheduling gate '${gate.name}'`;
      errors.push(forbidden(`spec.schedulingGates[${i}].name`, detail));
    }
  }
}

/** A pod that waits at its gates may be told more narrowly where to go. */
function validateNarrowed(spec: PodSpec, before: PodSpec, errors: FieldError[]): void {
  for (const [key, value] of Object.entries(before.nodeSelector ?? {})) {
    if (spec.nodeSelector?.[key] !== value) {
      const detail = 'only additions to spec.nodeSelector are allowed (no mutations or deletions)';
      errors.push(invalid('spec.nodeSelector', spec.nodeSelector, detail));
      break;
    }
  }
  const was = before.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (was === undefined) return;
  const path = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
  const now = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  if (now.length !== was.length) {
    errors.push(invalid(path, now, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed'));
    return;
  }
  for (const [i, term] of now.entries()) {
    // The lists are of one length.
    if (!isNarrower(term, was[i] as NodeSelectorTerm)) {
      errors.push(invalid(`${path}[${i}]`, term, 'only additions are allowed (no mutations or deletions)'));
    }
  }
}

function isNarrower(term: NodeSelectorTerm, was: NodeSelectorTerm): boolean {
  const start = {
    matchExpressions: (term.matchExpressions ?? []).slice(0, was.matchExpressions?.length ?? 0),
    matchFields: (term.matchFields ?? []).slice(0, was.matchFields?.length ?? 0),
  };
  const empty = (was.matchExpressions ?? []).length + (was.matchFields ?? []).length === 0;
  return !empty && semanticEqual(NodeSelectorTermSchema, start, was);
}

/** The new spec with the old values of what may change: what differs then may not. */
function withAllowedChangesUndone(spec: PodSpec, before: PodSpec, gated: boolean): PodSpec {
  const undone: PodSpec = { ...spec, containers: withOldImages(spec.containers ?? [], before.containers ?? []) };
  if (spec.initContainers !== undefined) {
    undone.initContainers = withOldImages(spec.initContainers, before.initContainers ?? []);
  }
  const kept: (keyof PodSpec)[] = ['activeDeadlineSeconds', 'tolerations', 'schedulingGates'];
  if (spec.terminationGracePeriodSeconds === 1 && (before.terminationGracePeriodSeconds ?? 0) < 0) {
    kept.push('terminationGracePeriodSeconds');
  }
  if (gated) kept.push('nodeSelector');
  for (const field of kept) restore(undone, before, field);
  if (gated) restoreNodeAffinity(undone, before);
  return undone;
}

function restore<K extends keyof PodSpec>(spec: PodSpec, before: PodSpec, field: K): void {
  if (before[field] === undefined) delete spec[field];
  else spec[field] = before[field];
}

function restoreNodeAffinity(spec: PodSpec, before: PodSpec): void {
  const { nodeAffinity: _now, ...others } = spec.affinity ?? {};
  const was = before.affinity?.nodeAffinity;
  const affinity: Affinity = was === undefined ? others : { ...others, nodeAffinity: was };
  if (before.affinity === undefined && semanticEqual(Affinity, affinity, {})) delete spec.affinity;
  else spec.affinity = affinity;
}

function withOldImages(containers: readonly Container[], before: readonly Container[]): Container[] {
  return containers.map((container, i) => {
    const { image: _image, ...rest } = container;
    const image = before[i]?.image;
    return image === undefined ? rest : { ...rest, image };
  });
}

/** A write to `ephemeralcontainers`: containers may be added, and then stay as they are. */
export function validateEphemeralContainersUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? NOTHING;
  validatePodSpec(spec, 'spec', errors);
  const path = 'spec.ephemeralContainers';
  const now = spec.ephemeralContainers ?? [];
  for (const was of old.spec?.ephemeralContainers ?? []) {
    const same = now.find((container) => container.name === was.name);
    if (same === undefined) {
      errors.push(forbidden(path, `existing ephemeral containers ${JSON.stringify(was.name)} may not be removed`));
    } else if (!semanticEqual(EphemeralContainer, same, was)) {
      errors.push(forbidden(path, `existing ephemeral containers ${JSON.stringify(was.name)} may not be changed`));
    }
  }
  return errors;
}
