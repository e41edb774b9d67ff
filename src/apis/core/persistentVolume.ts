import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import {
  bool,
  type Infer,
  int32,
  list,
  map,
  object,
  opt,
  quantity,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { formatTime } from '../../machinery/time.ts';
import { keepSpec } from '../statusRules.ts';
import { accessModesText } from './accessModes.ts';
import { NodeSelector } from './affinity.ts';
import { ObjectReference, SecretReference } from './references.ts';
import { validateVolume, validateVolumeUpdate } from './validation/persistentVolume.ts';
import { setVolumeSourceDefaults } from './volumeDefaults.ts';
import {
  AWSElasticBlockStoreVolumeSource,
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlockerVolumeSource,
  GCEPersistentDiskVolumeSource,
  HostPathVolumeSource,
  NFSVolumeSource,
  PhotonPersistentDiskVolumeSource,
  PortworxVolumeSource,
  QuobyteVolumeSource,
  VsphereVirtualDiskVolumeSource,
} from './volumes.ts';

export const PersistentVolume = object('io.k8s.api.core.v1.PersistentVolume', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PersistentVolumeSpec),
  status: opt(3, PersistentVolumeStatus),
}));
export interface PersistentVolume extends Infer<typeof PersistentVolume> {}

export const PersistentVolumeStatus = object('io.k8s.api.core.v1.PersistentVolumeStatus', () => ({
  phase: opt(1, str, { doc: 'Pending, Available, Bound, Released or Failed.' }),
  message: opt(2, str),
  reason: opt(3, str),
  lastPhaseTransitionTime: opt(4, time, { pointer: true }),
}));
export interface PersistentVolumeStatus extends Infer<typeof PersistentVolumeStatus> {}

export const PersistentVolumeSpec = object('io.k8s.api.core.v1.PersistentVolumeSpec', () => ({
  capacity: opt(1, map(quantity), { doc: 'How large it is, in storage.' }),
  accessModes: opt(3, list(str), { doc: 'How it can be mounted.' }),
  claimRef: opt(4, ObjectReference, { doc: 'The claim that has it, or is to have it.' }),
  persistentVolumeReclaimPolicy: opt(5, str, {
    doc: 'What becomes of it when its claim is gone: Retain (default), Delete or Recycle.',
  }),
  storageClassName: opt(6, str, { doc: 'The class to which it belongs; empty for none.' }),
  mountOptions: opt(7, list(str), { doc: 'Options with which it is mounted; not checked.' }),
  volumeMode: opt(8, str, { pointer: true, doc: 'Filesystem (default) or Block.' }),
  nodeAffinity: opt(9, VolumeNodeAffinity, { doc: 'From which nodes it can be reached; from all if absent.' }),
  volumeAttributesClassName: opt(10, str, { pointer: true, doc: 'The attributes that it has.' }),
  awsElasticBlockStore: opt(undefined, AWSElasticBlockStoreVolumeSource),
  azureDisk: opt(undefined, AzureDiskVolumeSource),
  azureFile: opt(undefined, AzureFilePersistentVolumeSource),
  cephfs: opt(undefined, CephFSPersistentVolumeSource),
  cinder: opt(undefined, CinderPersistentVolumeSource),
  csi: opt(undefined, CSIPersistentVolumeSource),
  fc: opt(undefined, FCVolumeSource),
  flexVolume: opt(undefined, FlexPersistentVolumeSource),
  flocker: opt(undefined, FlockerVolumeSource),
  gcePersistentDisk: opt(undefined, GCEPersistentDiskVolumeSource),
  glusterfs: opt(undefined, GlusterfsPersistentVolumeSource),
  hostPath: opt(undefined, HostPathVolumeSource),
  iscsi: opt(undefined, ISCSIPersistentVolumeSource),
  local: opt(undefined, LocalVolumeSource),
  nfs: opt(undefined, NFSVolumeSource),
  photonPersistentDisk: opt(undefined, PhotonPersistentDiskVolumeSource),
  portworxVolume: opt(undefined, PortworxVolumeSource),
  quobyte: opt(undefined, QuobyteVolumeSource),
  rbd: opt(undefined, RBDPersistentVolumeSource),
  scaleIO: opt(undefined, ScaleIOPersistentVolumeSource),
  storageos: opt(undefined, StorageOSPersistentVolumeSource),
  vsphereVolume: opt(undefined, VsphereVirtualDiskVolumeSource),
}));
export interface PersistentVolumeSpec extends Infer<typeof PersistentVolumeSpec> {}

export const StorageOSPersistentVolumeSource = object('io.k8s.api.core.v1.StorageOSPersistentVolumeSource', () => ({
  volumeName: opt(1, str),
  volumeNamespace: opt(2, str),
  fsType: opt(3, str),
  readOnly: opt(4, bool, { pointer: false }),
  secretRef: opt(5, ObjectReference),
}));
export interface StorageOSPersistentVolumeSource extends Infer<typeof StorageOSPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = object('io.k8s.api.core.v1.ScaleIOPersistentVolumeSource', () => ({
  gateway: req(1, str),
  system: req(2, str),
  secretRef: req(3, SecretReference, { pointer: true }),
  sslEnabled: opt(4, bool, { pointer: false }),
  protectionDomain: opt(5, str),
  storagePool: opt(6, str),
  storageMode: opt(7, str),
  volumeName: opt(8, str),
  fsType: opt(9, str),
  readOnly: opt(10, bool, { pointer: false }),
}));
export interface ScaleIOPersistentVolumeSource extends Infer<typeof ScaleIOPersistentVolumeSource> {}

export const RBDPersistentVolumeSource = object('io.k8s.api.core.v1.RBDPersistentVolumeSource', () => ({
  monitors: req(1, list(str)),
  image: req(2, str),
  fsType: opt(3, str),
  pool: opt(4, str),
  user: opt(5, str),
  keyring: opt(6, str),
  secretRef: opt(7, SecretReference),
  readOnly: opt(8, bool, { pointer: false }),
}));
export interface RBDPersistentVolumeSource extends Infer<typeof RBDPersistentVolumeSource> {}

export const VolumeNodeAffinity = object('io.k8s.api.core.v1.VolumeNodeAffinity', () => ({
  required: opt(1, NodeSelector),
}));
export interface VolumeNodeAffinity extends Infer<typeof VolumeNodeAffinity> {}

export const LocalVolumeSource = object('io.k8s.api.core.v1.LocalVolumeSource', () => ({
  path: req(1, str),
  fsType: opt(2, str, { pointer: true }),
}));
export interface LocalVolumeSource extends Infer<typeof LocalVolumeSource> {}

export const ISCSIPersistentVolumeSource = object('io.k8s.api.core.v1.ISCSIPersistentVolumeSource', () => ({
  targetPortal: req(1, str),
  iqn: req(2, str),
  lun: req(3, int32),
  iscsiInterface: opt(4, str),
  fsType: opt(5, str),
  readOnly: opt(6, bool, { pointer: false }),
  portals: opt(7, list(str)),
  chapAuthDiscovery: opt(8, bool, { pointer: false }),
  secretRef: opt(10, SecretReference),
  chapAuthSession: opt(11, bool, { pointer: false }),
  initiatorName: opt(12, str, { pointer: true }),
}));
export interface ISCSIPersistentVolumeSource extends Infer<typeof ISCSIPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = object('io.k8s.api.core.v1.GlusterfsPersistentVolumeSource', () => ({
  endpoints: req(1, str),
  path: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  endpointsNamespace: opt(4, str, { pointer: true }),
}));
export interface GlusterfsPersistentVolumeSource extends Infer<typeof GlusterfsPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = object('io.k8s.api.core.v1.FlexPersistentVolumeSource', () => ({
  driver: req(1, str),
  fsType: opt(2, str),
  secretRef: opt(3, SecretReference),
  readOnly: opt(4, bool, { pointer: false }),
  options: opt(5, map(str)),
}));
export interface FlexPersistentVolumeSource extends Infer<typeof FlexPersistentVolumeSource> {}

export const CSIPersistentVolumeSource = object('io.k8s.api.core.v1.CSIPersistentVolumeSource', () => ({
  driver: req(1, str),
  volumeHandle: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  fsType: opt(4, str),
  volumeAttributes: opt(5, map(str)),
  controllerPublishSecretRef: opt(6, SecretReference),
  nodeStageSecretRef: opt(7, SecretReference),
  nodePublishSecretRef: opt(8, SecretReference),
  controllerExpandSecretRef: opt(9, SecretReference),
  nodeExpandSecretRef: opt(10, SecretReference),
}));
export interface CSIPersistentVolumeSource extends Infer<typeof CSIPersistentVolumeSource> {}

export const CinderPersistentVolumeSource = object('io.k8s.api.core.v1.CinderPersistentVolumeSource', () => ({
  volumeID: req(1, str),
  fsType: opt(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  secretRef: opt(4, SecretReference),
}));
export interface CinderPersistentVolumeSource extends Infer<typeof CinderPersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = object('io.k8s.api.core.v1.CephFSPersistentVolumeSource', () => ({
  monitors: req(1, list(str)),
  path: opt(2, str),
  user: opt(3, str),
  secretFile: opt(4, str),
  secretRef: opt(5, SecretReference),
  readOnly: opt(6, bool, { pointer: false }),
}));
export interface CephFSPersistentVolumeSource extends Infer<typeof CephFSPersistentVolumeSource> {}

export const AzureFilePersistentVolumeSource = object('io.k8s.api.core.v1.AzureFilePersistentVolumeSource', () => ({
  secretName: req(1, str),
  shareName: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  secretNamespace: opt(4, str, { pointer: true }),
}));
export interface AzureFilePersistentVolumeSource extends Infer<typeof AzureFilePersistentVolumeSource> {}

/** Where a volume comes from: one of these. */
export type PersistentVolumeSource = Omit<
  PersistentVolumeSpec,
  | 'capacity'
  | 'accessModes'
  | 'claimRef'
  | 'persistentVolumeReclaimPolicy'
  | 'storageClassName'
  | 'mountOptions'
  | 'volumeMode'
  | 'nodeAffinity'
  | 'volumeAttributesClassName'
>;

const BETA_CLASS = 'volume.beta.kubernetes.io/storage-class';

/** The class to which a volume belongs, '' for none. An annotation was the older way to say it. */
export function classOfVolume(volume: PersistentVolume): string {
  return volume.metadata?.annotations?.[BETA_CLASS] ?? volume.spec?.storageClassName ?? '';
}

/** Persistent volumes: storage of the cluster. */
export const persistentVolumes = defineKind<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  schema: PersistentVolume,
  shortNames: ['pv'],
  namespaced: false,
  returnsDeleted: true,
  setDefaults(volume) {
    if (volume.status !== undefined) volume.status.phase ||= 'Pending';
    const { spec } = volume;
    if (spec === undefined) return;
    spec.persistentVolumeReclaimPolicy ||= 'Retain';
    spec.volumeMode ??= 'Filesystem';
    setVolumeSourceDefaults(spec);
  },
  prepareForCreate(volume) {
    const at = volume.metadata?.creationTimestamp;
    volume.status = { phase: 'Pending', ...(at === undefined ? {} : { lastPhaseTransitionTime: at }) };
  },
  validate: validateVolume,
  update: {
    prepare(volume, old) {
      volume.status = old.status ?? { phase: 'Pending' };
    },
    validate: (volume, old) => validateVolumeUpdate(volume, old, PersistentVolumeSpec),
  },
  status: {
    prepare(volume, old, now) {
      keepSpec(volume, old);
      volume.status ??= {};
      const { phase, lastPhaseTransitionTime: at } = volume.status;
      if (phase !== old.status?.phase && (at === undefined || at === old.status?.lastPhaseTransitionTime)) {
        volume.status.lastPhaseTransitionTime = formatTime(now);
      }
    },
  },
  warnings: warningsOf,
  columns: [
    NAME_COLUMN,
    {
      name: 'Capacity',
      type: 'string',
      description: 'How large it is.',
      value: (volume) => volume.spec?.capacity?.storage ?? '0',
    },
    {
      name: 'Access Modes',
      type: 'string',
      description: 'How it can be mounted.',
      value: (volume) => accessModesText(volume.spec?.accessModes),
    },
    {
      name: 'Reclaim Policy',
      type: 'string',
      description: 'What becomes of it when its claim is gone.',
      value: (volume) => volume.spec?.persistentVolumeReclaimPolicy ?? '',
    },
    {
      name: 'Status',
      type: 'string',
      description: 'Whether a claim has it.',
      value: (volume) =>
        volume.metadata?.deletionTimestamp === undefined ? (volume.status?.phase ?? '') : 'Terminating',
    },
    {
      name: 'Claim',
      type: 'string',
      description: 'The claim that has it.',
      value: ({ spec }) =>
        spec?.claimRef === undefined ? '' : `${spec.claimRef.namespace ?? ''}/${spec.claimRef.name ?? ''}`,
    },
    {
      name: 'StorageClass',
      type: 'string',
      description: 'The class to which it belongs.',
      value: classOfVolume,
    },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      description: 'The attributes that it has.',
      value: (volume) => volume.spec?.volumeAttributesClassName ?? '<unset>',
    },
    {
      name: 'Reason',
      type: 'string',
      description: 'Why it failed.',
      value: (volume) => volume.status?.reason ?? '',
    },
    AGE_COLUMN,
    {
      name: 'VolumeMode',
      type: 'string',
      description: 'A file system, or a block device.',
      priority: 1,
      value: (volume) => volume.spec?.volumeMode ?? '<unset>',
    },
  ],
  selectableFields: { name: (volume) => volume.metadata?.name ?? '' },
});

/** Sources whose code is gone from Kubernetes, and what it says of them. */
const GONE_SOURCES = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const;

function warningsOf(volume: PersistentVolume): string[] {
  const warnings: string[] = [];
  if (volume.metadata?.annotations?.[BETA_CLASS] !== undefined) {
    const instead = 'deprecated since v1.8; use "storageClassName" attribute instead';
    warnings.push(`metadata.annotations[${BETA_CLASS}]: ${instead}`);
  }
  if (volume.spec?.persistentVolumeReclaimPolicy === 'Recycle') {
    const instead = 'Instead, the recommended approach is to use dynamic provisioning.';
    warnings.push(`spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. ${instead}`);
  }
  for (const [source, what] of GONE_SOURCES) {
    if (volume.spec?.[source] !== undefined) warnings.push(`spec.${source}: ${what}`);
  }
  return warnings;
}
