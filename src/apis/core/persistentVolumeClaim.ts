import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import { type Infer, list, map, object, opt, quantity, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepSpec } from '../statusRules.ts';
import { accessModesText } from './accessModes.ts';
import { normalizeClaimSpec, setClaimSpecDefaults } from './claimSpec.ts';
import { validateClaim, validateClaimStatus, validateClaimUpdate } from './validation/persistentVolumeClaim.ts';
import { PersistentVolumeClaimSpec } from './volumes.ts';

export const PersistentVolumeClaim = object('io.k8s.api.core.v1.PersistentVolumeClaim', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PersistentVolumeClaimSpec),
  status: opt(3, PersistentVolumeClaimStatus),
}));
export interface PersistentVolumeClaim extends Infer<typeof PersistentVolumeClaim> {}

export const PersistentVolumeClaimStatus = object('io.k8s.api.core.v1.PersistentVolumeClaimStatus', () => ({
  phase: opt(1, str, { doc: 'Pending, Bound, or Lost when its volume is gone.' }),
  accessModes: opt(2, list(str), { doc: 'How the volume that it has can be mounted.' }),
  capacity: opt(3, map(quantity), { doc: 'How large the volume is.' }),
  conditions: opt(
    4,
    list(PersistentVolumeClaimCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' }),
  ),
  allocatedResources: opt(5, map(quantity)),
  allocatedResourceStatuses: opt(7, map(str)),
  currentVolumeAttributesClassName: opt(8, str, { pointer: true }),
  modifyVolumeStatus: opt(9, ModifyVolumeStatus),
}));
export interface PersistentVolumeClaimStatus extends Infer<typeof PersistentVolumeClaimStatus> {}

export const ModifyVolumeStatus = object('io.k8s.api.core.v1.ModifyVolumeStatus', () => ({
  targetVolumeAttributesClassName: opt(1, str),
  status: req(2, str),
}));
export interface ModifyVolumeStatus extends Infer<typeof ModifyVolumeStatus> {}

export const PersistentVolumeClaimCondition = object('io.k8s.api.core.v1.PersistentVolumeClaimCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastProbeTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, str),
  message: opt(6, str),
}));
export interface PersistentVolumeClaimCondition extends Infer<typeof PersistentVolumeClaimCondition> {}

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';
const DEPRECATED_CLASS = 'deprecated since v1.8; use "storageClassName" attribute instead';
const NANO_PER_BYTE = 1_000_000_000n;

/** The class that a claim asks for: '' for none, undefined where it leaves that open. An annotation was the older way. */
export function classOfClaim(claim: PersistentVolumeClaim): string | undefined {
  return claim.metadata?.annotations?.[BETA_CLASS] ?? claim.spec?.storageClassName;
}

/** Persistent volume claims: storage that pods ask for. */
export const persistentVolumeClaims = defineKind<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  schema: PersistentVolumeClaim,
  shortNames: ['pvc'],
  returnsDeleted: true,
  setDefaults(claim) {
    if (claim.spec !== undefined) setClaimSpecDefaults(claim.spec);
    if (claim.status !== undefined) claim.status.phase ||= 'Pending';
  },
  prepareForCreate(claim) {
    claim.status = { phase: 'Pending' };
    if (claim.spec !== undefined) normalizeClaimSpec(claim.spec);
  },
  validate: validateClaim,
  update: {
    prepare(claim, old) {
      claim.status = old.status ?? { phase: 'Pending' };
      if (claim.spec !== undefined) normalizeClaimSpec(claim.spec, old.spec);
    },
    validate: validateClaimUpdate,
  },
  status: { prepare: keepSpec, validate: validateClaimStatus },
  warnings: warningsOf,
  columns: [
    NAME_COLUMN,
    {
      name: 'Status',
      type: 'string',
      description: 'Whether it has a volume.',
      value: (claim) => (claim.metadata?.deletionTimestamp === undefined ? (claim.status?.phase ?? '') : 'Terminating'),
    },
    {
      name: 'Volume',
      type: 'string',
      description: 'The volume that it has.',
      value: (claim) => claim.spec?.volumeName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: 'How large that is.',
      value: (claim) => (claim.spec?.volumeName ? (claim.status?.capacity?.storage ?? '0') : ''),
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How that can be mounted.',
      value: (claim) => (claim.spec?.volumeName ? accessModesText(claim.status?.accessModes) : ''),
    },
    {
      name: 'StorageClass',
      type: 'string',
      description: 'The class that it asks for.',
      value: (claim) => classOfClaim(claim) ?? '',
    },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'The attributes that it asks for.',
      value: (claim) => claim.spec?.volumeAttributesClassName ?? '<unset>',
    },
    AGE_COLUMN,
    {
      name: 'VolumeMode',
      type: 'string',
      description: 'A file system, or a block device.',
      priority: 1,
      value: (claim) => claim.spec?.volumeMode ?? '<unset>',
    },
  ],
  selectableFields: { name: (claim) => claim.metadata?.name ?? '' },
});

function warningsOf(claim: PersistentVolumeClaim): string[] {
  const warnings: string[] = [];
  if (claim.metadata?.annotations?.[BETA_CLASS] !== undefined) {
    warnings.push(`metadata.annotations[${BETA_CLASS}]: ${DEPRECATED_CLASS}`);
  }
  for (const field of ['requests', 'limits'] as const) {
    const amount = claim.spec?.resources?.[field]?.storage;
    if (amount === undefined || (parseQuantity(amount)?.nano ?? 0n) % NANO_PER_BYTE === 0n) continue;
    const path = `spec.resources.${field}[storage]`;
    warnings.push(`${path}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`);
  }
  return warnings;
}
