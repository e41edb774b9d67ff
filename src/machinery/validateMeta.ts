/**
 * The rules for metadata that hold for every kind.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
import { type FieldError, forbidden, invalid, required, tooLong } from './fieldError.ts';
import type { Kind, KubeObject } from './kind.ts';
import type { ObjectMeta, OwnerReference } from './meta.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from './names.ts';

const ANNOTATIONS_MAX_BYTES = 256 * 1024;

/** Finalizers whose name needs no domain. */
const ORPHAN_DEPENDENTS = 'orphan';
const DELETE_DEPENDENTS = 'foregroundDeletion';
const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['kubernetes', ORPHAN_DEPENDENTS, DELETE_DEPENDENTS]);

/** Faults of a new object's metadata. */
export function validateMeta<T extends KubeObject>(kind: Kind<T>, meta: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  validateNames(kind, meta, errors);
  validateLabels(meta.labels, 'metadata.labels', errors);
  validateAnnotations(meta.annotations, 'metadata.annotations', errors);
  if (meta.generation !== undefined && meta.generation < 0) {
    errors.push(invalid('metadata.generation', meta.generation, 'must be greater than or equal to 0'));
  }
  if (meta.ownerReferences !== undefined) validateOwners(meta.ownerReferences, errors);
  if (meta.finalizers !== undefined) validateFinalizers(meta.finalizers, kind.anyFinalizer === true, errors);
  return errors;
}

function validateNames<T extends KubeObject>(kind: Kind<T>, meta: ObjectMeta, errors: FieldError[]): void {
  const nameRule = kind.nameRule ?? dnsSubdomain;
  if (meta.generateName !== undefined && meta.generateName !== '') {
    // A suffix follows, which may make a name of what ends in a dash.
    const base = meta.generateName.replace(/-$/, 'a');
    for (const fault of nameRule(base)) errors.push(invalid('metadata.generateName', meta.generateName, fault));
  }
  if (meta.name === undefined || meta.name === '')
    errors.push(required('metadata.name', 'name or generateName is required'));
  else for (const fault of nameRule(meta.name)) errors.push(invalid('metadata.name', meta.name, fault));
  if (kind.namespaced) {
    if (meta.namespace === undefined || meta.namespace === '') errors.push(required('metadata.namespace'));
    else
      for (const fault of dnsLabel(meta.namespace)) errors.push(invalid('metadata.namespace', meta.namespace, fault));
  } else if (meta.namespace !== undefined && meta.namespace !== '') {
    errors.push(forbidden('metadata.namespace', 'not allowed on this type'));
  }
}

/** Labels of an object or a pod template. */
export function validateLabels(
  labels: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const key in labels) {
    for (const fault of qualifiedName(key)) errors.push(invalid(path, key, fault));
    const value = labels[key] as string;
    for (const fault of labelValue(value)) errors.push(invalid(path, value, fault));
  }
}

/** Annotations of an object or a pod template. */
export function validateAnnotations(
  annotations: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  let size = 0;
  for (const key in annotations) {
    for (const fault of qualifiedName(key.toLowerCase())) errors.push(invalid(path, key, fault));
    size += Buffer.byteLength(key) + Buffer.byteLength(annotations[key] as string);
  }
  if (size > ANNOTATIONS_MAX_BYTES) errors.push(tooLong(path, ANNOTATIONS_MAX_BYTES));
}

function validateOwners(owners: readonly OwnerReference[], errors: FieldError[]): void {
  const at = 'metadata.ownerReferences';
  let controller: OwnerReference | undefined;
  for (const owner of owners) {
    const version = (owner.apiVersion ?? '').split('/').at(-1);
    if (!version) errors.push(invalid(`${at}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'));
    for (const field of ['kind', 'name', 'uid'] as const) {
      if (!owner[field]) errors.push(invalid(`${at}.${field}`, owner[field] ?? '', `${field} must not be empty`));
    }
    if (owner.apiVersion === 'v1' && owner.kind === 'Event') {
      errors.push(invalid(at, owner, '/v1, Kind=Event is disallowed from being an owner'));
    }
    if (owner.controller !== true) continue;
    if (controller !== undefined) {
      const both = `${controller.name} and ${owner.name}`;
      errors.push(
        invalid(
          at,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${both}`,
        ),
      );
    }
    controller = owner;
  }
}

function validateFinalizers(finalizers: readonly string[], anyName: boolean, errors: FieldError[]): void {
  const at = 'metadata.finalizers';
  for (const [i, finalizer] of finalizers.entries()) {
    for (const fault of qualifiedName(finalizer)) errors.push(invalid(at, finalizer, fault));
    if (!anyName && !finalizer.includes('/') && !STANDARD_FINALIZERS.has(finalizer)) {
      const fault = 'name is neither a standard finalizer name nor is it fully qualified';
      errors.push(invalid(`${at}[${i}]`, finalizer, fault));
    }
  }
  if (finalizers.includes(ORPHAN_DEPENDENTS) && finalizers.includes(DELETE_DEPENDENTS)) {
    const fault = `finalizer ${ORPHAN_DEPENDENTS} and ${DELETE_DEPENDENTS} cannot be both set`;
    errors.push(invalid(at, finalizers, fault));
  }
}

/** What an update may not change. */
export function validateMetaUpdate(meta: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const immutable = [
    'name',
    'namespace',
    'uid',
    'creationTimestamp',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ] as const;
  for (const field of immutable) {
    if (meta[field] !== old[field]) errors.push(invalid(`metadata.${field}`, meta[field], 'field is immutable'));
  }
  if (meta.generation !== undefined && meta.generation < (old.generation ?? 0)) {
    errors.push(invalid('metadata.generation', meta.generation, 'must not be decremented'));
  }
  if (old.deletionTimestamp !== undefined) {
    const added = (meta.finalizers ?? []).filter((finalizer) => !old.finalizers?.includes(finalizer));
    if (added.length > 0) {
      const shown = added.map((finalizer) => JSON.stringify(finalizer)).join(', ');
      errors.push(
        forbidden(
          'metadata.finalizers',
          `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown}}`,
        ),
      );
    }
  }
  return errors;
}
