/**
 * What is wrong with a claim of storage. Shared by claims, by the templates of stateful sets and by ephemeral volumes.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/
 */
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../../machinery/labelSelector.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../../machinery/names.ts';
import { compareQuantities, parseQuantity } from '../../../machinery/quantity.ts';
import { semanticEqual } from '../../../machinery/semanticEqual.ts';
import type { PersistentVolumeClaim } from '../persistentVolumeClaim.ts';
import type { TypedObjectReference } from '../references.ts';
import { PersistentVolumeClaimSpec } from '../volumes.ts';
import { VOLUME_MODES, validateAccessModes, validateStorageAmount } from './accessModes.ts';
import { checkName } from './rules.ts';

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
const RESIZE_STATUSES = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
];

export function validateClaim(claim: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  validateClaimSpec(claim.spec ?? {}, 'spec', errors);
  return errors;
}

export function validateClaimSpec(spec: PersistentVolumeClaimSpec, path: string, errors: FieldError[]): void {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) errors.push(required(`${path}.accessModes`, 'at least 1 access mode is required'));
  if (spec.selector !== undefined) errors.push(...validateLabelSelector(spec.selector, `${path}.selector`));
  validateAccessModes(modes, `${path}.accessModes`, errors);
  const size = spec.resources?.requests?.storage;
  if (size === undefined) errors.push(required(`${path}.resources[storage]`));
  else validateStorageAmount(size, 'more', `${path}.resources[storage]`, errors);
  if (spec.storageClassName) checkName(spec.storageClassName, dnsSubdomain, `${path}.storageClassName`, errors);
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, spec.volumeMode, VOLUME_MODES));
  }
  validateDataSources(spec, path, errors);
  if (spec.volumeAttributesClassName) {
    checkName(spec.volumeAttributesClassName, dnsSubdomain, `${path}.volumeAttributesClassName`, errors);
  }
}

function validateDataSources(spec: PersistentVolumeClaimSpec, path: string, errors: FieldError[]): void {
  const { dataSource, dataSourceRef } = spec;
  if (dataSource !== undefined) validateDataSource(dataSource, `${path}.dataSource`, errors);
  if (dataSourceRef !== undefined) {
    validateDataSource(dataSourceRef, `${path}.dataSourceRef`, errors);
    if (dataSourceRef.namespace) {
      checkName(dataSourceRef.namespace, dnsLabel, `${path}.dataSourceRef.namespace`, errors);
    }
  }
  if (dataSource === undefined || dataSourceRef === undefined) return;
  if (dataSourceRef.namespace) {
    errors.push(invalid(path, 'dataSource', 'may not be specified when dataSourceRef.namespace is specified'));
  } else if (
    dataSource.apiGroup !== dataSourceRef.apiGroup ||
    dataSource.kind !== dataSourceRef.kind ||
    dataSource.name !== dataSourceRef.name
  ) {
    errors.push(invalid(path, 'dataSource', 'must match dataSourceRef'));
  }
}

function validateDataSource(source: TypedObjectReference, path: string, errors: FieldError[]): void {
  if (!source.name) errors.push(required(`${path}.name`));
  if (!source.kind) errors.push(required(`${path}.kind`));
  if (!source.apiGroup) {
    if (source.kind !== 'PersistentVolumeClaim') {
      const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
      errors.push(invalid(path, source.kind ?? '', detail));
    }
  } else checkName(source.apiGroup, dnsSubdomain, `${path}.apiGroup`, errors);
}

/** A claim is what quota was counted for and a volume was found for: only its size and attributes change later. */
export function validateClaimUpdate(claim: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors = validateClaim(claim);
  const spec = claim.spec ?? {};
  const before = old.spec ?? {};
  const same: PersistentVolumeClaimSpec = { ...spec };
  const expected: PersistentVolumeClaimSpec = { ...before };
  // The volume's name is written once, by whoever binds the claim.
  if (!before.volumeName) setOrDelete(expected, 'volumeName', spec.volumeName);
  setOrDelete(same, 'volumeAttributesClassName', before.volumeAttributesClassName);
  allowClass(claim, old, same, errors);
  const size = before.resources?.requests?.storage;
  if (old.status?.phase === 'Bound' && same.resources?.requests !== undefined && size !== undefined) {
    same.resources = { ...same.resources, requests: { ...same.resources.requests, storage: size } };
  }
  if (!semanticEqual(PersistentVolumeClaimSpec, same, expected)) {
    const detail =
      'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
    errors.push(forbidden('spec', detail));
  }
  validateShrinking(spec, old, errors);
  if (spec.volumeMode !== before.volumeMode) errors.push(invalid('volumeMode', spec.volumeMode, 'field is immutable'));
  if (before.volumeAttributesClassName !== undefined && !spec.volumeAttributesClassName) {
    const to = spec.volumeAttributesClassName === undefined ? 'nil' : 'an empty string';
    if (spec.volumeAttributesClassName !== before.volumeAttributesClassName) {
      errors.push(forbidden('spec.volumeAttributesClassName', `update from non-nil value to ${to} is forbidden`));
    }
  }
  return errors;
}

/** The class may be told later: where there was none, or where an annotation told it. */
function allowClass(
  claim: PersistentVolumeClaim,
  old: PersistentVolumeClaim,
  same: PersistentVolumeClaimSpec,
  errors: FieldError[],
): void {
  const noted = old.metadata?.annotations?.[BETA_CLASS];
  const notedNow = claim.metadata?.annotations?.[BETA_CLASS];
  const unsaid = old.spec?.storageClassName === undefined;
  const name = claim.spec?.storageClassName;
  const moved = noted !== undefined && unsaid && name === noted && (notedNow ?? noted) === noted;
  if (!moved && (noted ?? '') !== (notedNow ?? '')) {
    errors.push(invalid(`metadata.annotations[${BETA_CLASS}]`, notedNow ?? '', 'field is immutable'));
  }
  if (unsaid && name !== undefined && (noted === undefined || name === noted)) delete same.storageClassName;
}

/** What was asked for and not yet got may be taken back; a volume never shrinks. */
function validateShrinking(spec: PersistentVolumeClaimSpec, old: PersistentVolumeClaim, errors: FieldError[]): void {
  const now = spec.resources?.requests?.storage ?? '0';
  const was = old.spec?.resources?.requests?.storage ?? '0';
  const has = old.status?.capacity?.storage ?? '0';
  if ([now, was, has].some((amount) => parseQuantity(amount) === undefined)) return;
  if (compareQuantities(now, was) < 0 && compareQuantities(now, has) <= 0) {
    errors.push(forbidden('spec.resources.requests.storage', 'field can not be less than status.capacity'));
  }
}

function setOrDelete<K extends 'volumeName' | 'volumeAttributesClassName'>(
  spec: PersistentVolumeClaimSpec,
  field: K,
  value: PersistentVolumeClaimSpec[K] | undefined,
): void {
  if (value === undefined) delete spec[field];
  else spec[field] = value;
}

export function validateClaimStatus(claim: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const { capacity, allocatedResources, allocatedResourceStatuses } = claim.status ?? {};
  if ((claim.spec?.accessModes ?? []).length === 0) errors.push(required('Spec.accessModes'));
  for (const name in capacity) {
    validateStorageAmount(capacity[name] as string, 'zero', `status.capacity[${name}]`, errors);
  }
  for (const name in allocatedResourceStatuses) {
    const path = 'status.allocatedResourceStatus';
    validateResourceName(name, path, errors);
    const state = allocatedResourceStatuses[name] as string;
    if (!RESIZE_STATUSES.includes(state)) errors.push(notSupported(path, name, RESIZE_STATUSES));
  }
  for (const name in allocatedResources) {
    if (!validateResourceName(name, 'status.allocatedResources', errors)) continue;
    validateStorageAmount(allocatedResources[name] as string, 'zero', `status.allocatedResources[${name}]`, errors);
  }
  return errors;
}

/** Of the system's own resources a claim has only storage. */
function validateResourceName(name: string, path: string, errors: FieldError[]): boolean {
  const faults = qualifiedName(name);
  for (const fault of faults) errors.push(invalid(path, name, fault));
  if (faults.length > 0) return false;
  if (name === 'storage' || (name.includes('/') && !name.includes('kubernetes.io/'))) return true;
  errors.push(notSupported(path, name, ['storage']));
  return false;
}
