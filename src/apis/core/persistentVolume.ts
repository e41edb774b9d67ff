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
import { NodeSelector } from './affinity.ts';
import { ObjectReference, SecretReference } from './references.ts';
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
  phase: opt(1, str),
  message: opt(2, str),
  reason: opt(3, str),
  lastPhaseTransitionTime: opt(4, time),
}));
export interface PersistentVolumeStatus extends Infer<typeof PersistentVolumeStatus> {}

export const PersistentVolumeSpec = object('io.k8s.api.core.v1.PersistentVolumeSpec', () => ({
  capacity: opt(1, map(quantity)),
  accessModes: opt(3, list(str)),
  claimRef: opt(4, ObjectReference),
  persistentVolumeReclaimPolicy: opt(5, str),
  storageClassName: opt(6, str),
  mountOptions: opt(7, list(str)),
  volumeMode: opt(8, str),
  nodeAffinity: opt(9, VolumeNodeAffinity),
  volumeAttributesClassName: opt(10, str),
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
  readOnly: opt(4, bool),
  secretRef: opt(5, ObjectReference),
}));
export interface StorageOSPersistentVolumeSource extends Infer<typeof StorageOSPersistentVolumeSource> {}

export const ScaleIOPersistentVolumeSource = object('io.k8s.api.core.v1.ScaleIOPersistentVolumeSource', () => ({
  gateway: req(1, str),
  system: req(2, str),
  secretRef: req(3, SecretReference),
  sslEnabled: opt(4, bool),
  protectionDomain: opt(5, str),
  storagePool: opt(6, str),
  storageMode: opt(7, str),
  volumeName: opt(8, str),
  fsType: opt(9, str),
  readOnly: opt(10, bool),
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
  readOnly: opt(8, bool),
}));
export interface RBDPersistentVolumeSource extends Infer<typeof RBDPersistentVolumeSource> {}

export const VolumeNodeAffinity = object('io.k8s.api.core.v1.VolumeNodeAffinity', () => ({
  required: opt(1, NodeSelector),
}));
export interface VolumeNodeAffinity extends Infer<typeof VolumeNodeAffinity> {}

export const LocalVolumeSource = object('io.k8s.api.core.v1.LocalVolumeSource', () => ({
  path: req(1, str),
  fsType: opt(2, str),
}));
export interface LocalVolumeSource extends Infer<typeof LocalVolumeSource> {}

export const ISCSIPersistentVolumeSource = object('io.k8s.api.core.v1.ISCSIPersistentVolumeSource', () => ({
  targetPortal: req(1, str),
  iqn: req(2, str),
  lun: req(3, int32),
  iscsiInterface: opt(4, str),
  fsType: opt(5, str),
  readOnly: opt(6, bool),
  portals: opt(7, list(str)),
  chapAuthDiscovery: opt(8, bool),
  secretRef: opt(10, SecretReference),
  chapAuthSession: opt(11, bool),
  initiatorName: opt(12, str),
}));
export interface ISCSIPersistentVolumeSource extends Infer<typeof ISCSIPersistentVolumeSource> {}

export const GlusterfsPersistentVolumeSource = object('io.k8s.api.core.v1.GlusterfsPersistentVolumeSource', () => ({
  endpoints: req(1, str),
  path: req(2, str),
  readOnly: opt(3, bool),
  endpointsNamespace: opt(4, str),
}));
export interface GlusterfsPersistentVolumeSource extends Infer<typeof GlusterfsPersistentVolumeSource> {}

export const FlexPersistentVolumeSource = object('io.k8s.api.core.v1.FlexPersistentVolumeSource', () => ({
  driver: req(1, str),
  fsType: opt(2, str),
  secretRef: opt(3, SecretReference),
  readOnly: opt(4, bool),
  options: opt(5, map(str)),
}));
export interface FlexPersistentVolumeSource extends Infer<typeof FlexPersistentVolumeSource> {}

export const CSIPersistentVolumeSource = object('io.k8s.api.core.v1.CSIPersistentVolumeSource', () => ({
  driver: req(1, str),
  volumeHandle: req(2, str),
  readOnly: opt(3, bool),
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
  readOnly: opt(3, bool),
  secretRef: opt(4, SecretReference),
}));
export interface CinderPersistentVolumeSource extends Infer<typeof CinderPersistentVolumeSource> {}

export const CephFSPersistentVolumeSource = object('io.k8s.api.core.v1.CephFSPersistentVolumeSource', () => ({
  monitors: req(1, list(str)),
  path: opt(2, str),
  user: opt(3, str),
  secretFile: opt(4, str),
  secretRef: opt(5, SecretReference),
  readOnly: opt(6, bool),
}));
export interface CephFSPersistentVolumeSource extends Infer<typeof CephFSPersistentVolumeSource> {}

export const AzureFilePersistentVolumeSource = object('io.k8s.api.core.v1.AzureFilePersistentVolumeSource', () => ({
  secretName: req(1, str),
  shareName: req(2, str),
  readOnly: opt(3, bool),
  secretNamespace: opt(4, str),
}));
export interface AzureFilePersistentVolumeSource extends Infer<typeof AzureFilePersistentVolumeSource> {}
