/**
 * The rules for metadata that hold for every kind.
 *
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
import { duplicate, type FieldError, forbidden, invalid, required } from './fieldError.ts';
import type { Kind, KubeObject } from './kind.ts';
import type { ObjectMeta } from './meta.ts';
import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from './names.ts';

const ANNOTATIONS_MAX_BYTES = 256 * 1024;

/** Faults of a new object's metadata. */
export function validateMeta<T extends KubeObject>(kind: Kind<T>, meta: ObjectMeta): FieldError[] {
  const errors: FieldError[] = [];
  const nameRule = kind.nameRule ?? dnsSubdomain;
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
  validateLabels(meta.labels, 'metadata.labels', errors);
  validateAnnotations(meta.annotations, 'metadata.annotations', errors);
  validateOwners(meta, errors);
  for (const [i, finalizer] of (meta.finalizers ?? []).entries()) {
    for (const fault of qualifiedName(finalizer)) errors.push(invalid(`metadata.finalizers[${i}]`, finalizer, fault));
  }
  return errors;
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
    size += key.length + Buffer.byteLength(annotations[key] as string);
  }
  if (size > ANNOTATIONS_MAX_BYTES) {
    errors.push({
      type: 'FieldValueTooLong',
      field: path,
      detail: `may not be more than ${ANNOTATIONS_MAX_BYTES} bytes`,
    });
  }
}

function validateOwners(meta: ObjectMeta, errors: FieldError[]): void {
  let controllers = 0;
  for (const [i, owner] of (meta.ownerReferences ?? []).entries()) {
    const at = `metadata.ownerReferences[${i}]`;
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const) {
      if (!owner[field]) errors.push(required(`${at}.${field}`, 'must not be empty'));
    }
    if (owner.controller === true && ++controllers > 1) {
      errors.push(
        invalid('metadata.ownerReferences', owner.name, 'Only one reference can have Controller set to true'),
      );
    }
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
  if (old.deletionTimestamp !== undefined) {
    for (const finalizer of meta.finalizers ?? []) {
      if (!old.finalizers?.includes(finalizer)) {
        errors.push(
          forbidden(
            'metadata.finalizers',
            `no new finalizers can be added if the object is being deleted, found new finalizers []string{${JSON.stringify(finalizer)}}`,
          ),
        );
      }
    }
  }
  const seen = new Set<string>();
  for (const [i, finalizer] of (meta.finalizers ?? []).entries()) {
    if (seen.has(finalizer)) errors.push(duplicate(`metadata.finalizers[${i}]`, finalizer));
    seen.add(finalizer);
  }
  return errors;
}
