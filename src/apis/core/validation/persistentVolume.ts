/**
 * What is wrong with a persistent volume.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/
 */
import { posix } from 'node:path';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../../machinery/fieldError.ts';
import { dnsSubdomain } from '../../../machinery/names.ts';
import { semanticEqual } from '../../../machinery/semanticEqual.ts';
import { NodeSelector } from '../affinity.ts';
import type { PersistentVolume, PersistentVolumeSpec } from '../persistentVolume.ts';
import { VOLUME_MODES, validateAccessModes, validateStorageAmount } from './accessModes.ts';
import { validateNodeSelector } from './affinity.ts';
import { SOURCES, validateVolumeSource } from './persistentVolumeSources.ts';
import { checkName } from './rules.ts';

const RECLAIM_POLICIES = ['Delete', 'Recycle', 'Retain'];

export function validateVolume(volume: PersistentVolume): FieldError[] {
  const errors: FieldError[] = [];
  const spec = volume.spec ?? {};
  const path = 'spec';
  validateModesAndSource(spec, path, errors);
  validateCapacity(spec, path, errors);
  const policy = spec.persistentVolumeReclaimPolicy;
  if (policy && !RECLAIM_POLICIES.includes(policy)) {
    errors.push(notSupported(`${path}.persistentVolumeReclaimPolicy`, policy, RECLAIM_POLICIES));
  }
  if (policy === 'Recycle' && spec.hostPath !== undefined && posix.resolve('/', spec.hostPath.path ?? '') === '/') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, detail));
  }
  validateAffinity(spec, path, errors);
  if (spec.storageClassName) checkName(spec.storageClassName, dnsSubdomain, `${path}.storageClassName`, errors);
  if (spec.volumeMode !== undefined && !VOLUME_MODES.includes(spec.volumeMode)) {
    errors.push(notSupported(`${path}.volumeMode`, spec.volumeMode, VOLUME_MODES));
  }
  validateAttributesClass(spec, path, errors);
  return errors;
}

/** A volume that stands in an attachment: only what CSI needs to know of it. */
export function validateInlineVolumeSpec(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const context = 'in the context of inline volumes';
  for (const field of ['claimRef', 'capacity', 'nodeAffinity', 'storageClassName'] as const) {
    const value = spec[field];
    if (value === undefined || value === '' || (field === 'capacity' && Object.keys(value).length === 0)) continue;
    errors.push(forbidden(`${path}.${field}`, `may not be specified ${context}`));
  }
  if (spec.csi === undefined) errors.push(required(`${path}.csi`, `has to be specified ${context}`));
  if (spec.persistentVolumeReclaimPolicy && spec.persistentVolumeReclaimPolicy !== 'Retain') {
    errors.push(forbidden(`${path}.persistentVolumeReclaimPolicy`, `may only be Retain ${context}`));
  }
  if (spec.volumeMode !== undefined && spec.volumeMode !== 'Filesystem') {
    errors.push(forbidden(`${path}.volumeMode`, `may not specify volumeMode other than Filesystem ${context}`));
  }
  validateModesAndSource(spec, path, errors);
  validateAttributesClass(spec, path, errors);
}

function validateModesAndSource(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const modes = spec.accessModes ?? [];
  if (modes.length === 0) errors.push(required(`${path}.accessModes`));
  validateAccessModes(modes, `${path}.accessModes`, errors);
  let sources = 0;
  for (const name of SOURCES) {
    const source = spec[name];
    if (source === undefined) continue;
    if (sources++ > 0) errors.push(forbidden(`${path}.${name}`, 'may not specify more than 1 volume type'));
    else validateVolumeSource(name, source as never, `${path}.${name}`, errors);
  }
  if (sources === 0) errors.push(required(path, 'must specify a volume type'));
}

function validateCapacity(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const capacity = spec.capacity ?? {};
  const names = Object.keys(capacity);
  if (names.length === 0) errors.push(required(`${path}.capacity`));
  if (names.length !== 1 || names[0] !== 'storage') {
    errors.push(notSupported(`${path}.capacity`, capacity, ['storage']));
  }
  for (const name of names) {
    validateStorageAmount(capacity[name] as string, 'more', `${path}.capacity[${name}]`, errors);
  }
}

/** From where it can be reached: a local volume from one node only, so it must say. */
function validateAffinity(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const needed = spec.nodeAffinity?.required;
  if (spec.nodeAffinity !== undefined) {
    const at = `${path}.nodeAffinity.required`;
    if (needed === undefined) errors.push(required(at, 'must specify required node constraints'));
    else validateNodeSelector(needed, at, errors);
  }
  if (spec.local !== undefined && needed === undefined) {
    errors.push(required(`${path}.nodeAffinity`, 'Local volume requires node affinity'));
  }
}

function validateAttributesClass(spec: PersistentVolumeSpec, path: string, errors: FieldError[]): void {
  const name = spec.volumeAttributesClassName;
  if (name === undefined) return;
  if (name === '') errors.push(required(`${path}.volumeAttributesClassName`, 'an empty string is disallowed'));
  else checkName(name, dnsSubdomain, `${path}.volumeAttributesClassName`, errors);
  if (spec.csi === undefined) {
    errors.push(required(`${path}.csi`, 'has to be specified when using volumeAttributesClassName'));
  }
}

/** @param Spec the type of the specs */
export function validateVolumeUpdate(
  volume: PersistentVolume,
  old: PersistentVolume,
  Spec: typeof PersistentVolumeSpec,
): FieldError[] {
  const errors = validateVolume(volume);
  const spec = volume.spec ?? {};
  const before = old.spec ?? {};
  if (!sameSource(spec, before, Spec)) {
    const detail = 'spec.persistentvolumesource is immutable after creation';
    errors.push(forbidden('spec.persistentvolumesource', detail));
  }
  if (spec.volumeMode !== before.volumeMode) errors.push(invalid('volumeMode', spec.volumeMode, 'field is immutable'));
  if (before.nodeAffinity !== undefined && !keepsAffinity(spec.nodeAffinity?.required, before.nodeAffinity.required)) {
    errors.push(invalid('nodeAffinity', spec.nodeAffinity, 'field is immutable'));
  }
  if (before.volumeAttributesClassName !== undefined && spec.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return errors;
}

/** The secret with which a volume grows may be told later. */
function sameSource(
  spec: PersistentVolumeSpec,
  before: PersistentVolumeSpec,
  Spec: typeof PersistentVolumeSpec,
): boolean {
  return SOURCES.every((name) => {
    const [now, was] = [spec[name], before[name]];
    const { type } = Spec.fields[name];
    if (name !== 'csi' || spec.csi === undefined || before.csi?.controllerExpandSecretRef !== undefined) {
      return semanticEqual(type, now, was);
    }
    const { controllerExpandSecretRef: _later, ...csi } = spec.csi;
    return semanticEqual(type, csi, was);
  });
}

/** Labels of nodes that had another name once, and their name now: the one change that is let through. */
const RENAMED: ReadonlyMap<string, string> = new Map([
  ['failure-domain.beta.kubernetes.io/zone', 'topology.kubernetes.io/zone'],
  ['failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/region'],
  ['beta.kubernetes.io/os', 'kubernetes.io/os'],
  ['beta.kubernetes.io/arch', 'kubernetes.io/arch'],
  ['beta.kubernetes.io/instance-type', 'node.kubernetes.io/instance-type'],
]);

function keepsAffinity(now: NodeSelector | undefined, was: NodeSelector | undefined): boolean {
  if (now === undefined || was === undefined) return now === was;
  const expected = structuredClone(was);
  for (const [i, term] of (expected.nodeSelectorTerms ?? []).entries()) {
    for (const [j, requirement] of (term.matchExpressions ?? []).entries()) {
      const key = now.nodeSelectorTerms?.[i]?.matchExpressions?.[j]?.key;
      if (key !== undefined && RENAMED.get(requirement.key) === key) requirement.key = key;
    }
  }
  return semanticEqual(NodeSelector, now, expected);
}
