/**
 * What is wrong with stateful sets, and what may change in them.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
 */
import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { LabelSelector } from '../../machinery/meta.ts';
import { dnsLabel } from '../../machinery/names.ts';
import { list, str } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { PersistentVolumeClaim } from '../core/persistentVolumeClaim.ts';
import type { PodTemplateSpec } from '../core/podTemplate.ts';
import { validateClaimSpec } from '../core/validation/persistentVolumeClaim.ts';
import type { StatefulSet, StatefulSetPersistentVolumeClaimRetentionPolicy, StatefulSetSpec } from './statefulSet.ts';
import {
  isZeroShare,
  validateCollisions,
  validateCounts,
  validateNotNegative,
  validateRunningTemplate,
  validateSelector,
  validateShare,
} from './validation.ts';

const MANAGEMENT_POLICIES = ['OrderedReady', 'Parallel'];
const RETENTION_POLICIES = ['Delete', 'Retain'];
/** All else stays as it was at creation. */
const FIXED_FIELDS = [
  ['podManagementPolicy', str],
  ['selector', LabelSelector],
  ['serviceName', str],
  ['volumeClaimTemplates', list(PersistentVolumeClaim)],
] as const;
const STATUS_COUNTS = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
] as const;

export function validateStatefulSet(set: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<StatefulSetSpec> = set.spec ?? {};
  const policy = spec.podManagementPolicy;
  if (!policy) errors.push(required('spec.podManagementPolicy'));
  else if (!MANAGEMENT_POLICIES.includes(policy)) {
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  validateStrategy(spec, errors);
  if (spec.persistentVolumeClaimRetentionPolicy !== undefined) {
    validateRetention(spec.persistentVolumeClaimRetentionPolicy, errors);
  }
  if (spec.serviceName) {
    for (const fault of dnsLabel(spec.serviceName)) errors.push(invalid('spec.serviceName', spec.serviceName, fault));
  }
  validateNotNegative(spec.replicas, 'spec.replicas', errors);
  validateNotNegative(spec.minReadySeconds, 'spec.minReadySeconds', errors);
  validateNotNegative(spec.revisionHistoryLimit, 'spec.revisionHistoryLimit', errors);
  validateNotNegative(spec.ordinals?.start, 'spec.ordinals.start', errors);
  const claims = spec.volumeClaimTemplates ?? [];
  validateClaims(claims, errors);
  const usable = validateSelector(spec.selector, 'spec.selector', errors);
  const template = withClaims(spec.template, claims);
  validateRunningTemplate(template, usable ? spec.selector : undefined, 'spec.template', errors);
  return errors;
}

function validateStrategy(spec: Partial<StatefulSetSpec>, errors: FieldError[]): void {
  const path = 'spec.updateStrategy';
  const { type, rollingUpdate } = spec.updateStrategy ?? {};
  switch (type) {
    case undefined:
    case '':
      errors.push(required(path));
      break;
    case 'OnDelete':
      if (rollingUpdate !== undefined) {
        errors.push(invalid(`${path}.rollingUpdate`, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"));
      }
      break;
    case 'RollingUpdate': {
      const most = rollingUpdate?.maxUnavailable;
      validateNotNegative(rollingUpdate?.partition, `${path}.rollingUpdate.partition`, errors);
      validateShare(most, `${path}.rollingUpdate.maxUnavailable`, errors);
      if (most !== undefined && isZeroShare(most)) {
        errors.push(invalid(`${path}.rollingUpdate.maxUnavailable`, most, 'cannot be 0'));
      }
      break;
    }
    default:
      errors.push(invalid(path, spec.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"));
  }
}

function validateRetention(retention: StatefulSetPersistentVolumeClaimRetentionPolicy, errors: FieldError[]): void {
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    const policy = retention[when];
    if (policy === undefined || !RETENTION_POLICIES.includes(policy)) {
      errors.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${when}`, policy ?? '', RETENTION_POLICIES));
    }
  }
}

function validateClaims(claims: readonly PersistentVolumeClaim[], errors: FieldError[]): void {
  const names = new Set<string>();
  for (const [i, claim] of claims.entries()) {
    const path = `spec.volumeClaimTemplates[${i}]`;
    const name = claim.metadata?.name ?? '';
    if (name === '') errors.push(required(`${path}.metadata.name`));
    else {
      // It names a volume of the pods too.
      for (const fault of dnsLabel(name)) errors.push(invalid(`${path}.metadata.name`, name, fault));
      if (names.has(name)) errors.push(duplicate(`${path}.metadata.name`, name));
      names.add(name);
    }
    validateClaimSpec(claim.spec ?? {}, `${path}.spec`, errors);
  }
}

/** The template as the pods will have it: with a volume for each claim, in the place of one of the same name. */
function withClaims(
  template: PodTemplateSpec | undefined,
  claims: readonly PersistentVolumeClaim[],
): PodTemplateSpec | undefined {
  if (template?.spec === undefined || claims.length === 0) return template;
  const names = new Set(claims.flatMap((claim) => claim.metadata?.name || []).filter((n) => dnsLabel(n).length === 0));
  const volumes = (template.spec.volumes ?? []).map((volume) => {
    if (!names.delete(volume.name)) return volume;
    return { name: volume.name, persistentVolumeClaim: { claimName: volume.name } };
  });
  for (const name of names) volumes.push({ name, persistentVolumeClaim: { claimName: name } });
  return { ...template, spec: { ...template.spec, volumes } };
}

export function validateStatefulSetUpdate(set: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = validateStatefulSet(set);
  const changed = FIXED_FIELDS.some(([field, type]) => !semanticEqual(type, set.spec?.[field], old.spec?.[field]));
  if (changed) {
    errors.push(
      forbidden(
        'spec',
        "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
      ),
    );
  }
  return errors;
}

export function validateStatefulSetStatus(set: StatefulSet, old: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  const status = set.status ?? { replicas: 0 };
  validateCounts(status, STATUS_COUNTS, errors);
  for (const field of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    const value = status[field] ?? 0;
    if (value > (status.replicas ?? 0)) {
      errors.push(invalid(`status.${field}`, value, 'cannot be greater than status.replicas'));
    }
  }
  if ((status.availableReplicas ?? 0) > (status.readyReplicas ?? 0)) {
    errors.push(
      invalid('status.availableReplicas', status.availableReplicas, 'cannot be greater than status.readyReplicas'),
    );
  }
  validateCollisions(status.collisionCount, old.status?.collisionCount, errors);
  return errors;
}
