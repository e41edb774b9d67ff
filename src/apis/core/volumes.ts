import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import {
  bool,
  type Infer,
  int32,
  int64,
  list,
  map,
  object,
  opt,
  quantity,
  req,
  str,
} from '../../machinery/schema/types.ts';
import { LocalObjectReference, TypedLocalObjectReference, TypedObjectReference } from './references.ts';

export const Volume = object('io.k8s.api.core.v1.Volume', () => ({
  name: req(1, str),
  awsElasticBlockStore: opt(undefined, AWSElasticBlockStoreVolumeSource),
  azureDisk: opt(undefined, AzureDiskVolumeSource),
  azureFile: opt(undefined, AzureFileVolumeSource),
  cephfs: opt(undefined, CephFSVolumeSource),
  cinder: opt(undefined, CinderVolumeSource),
  configMap: opt(undefined, ConfigMapVolumeSource),
  csi: opt(undefined, CSIVolumeSource),
  downwardAPI: opt(undefined, DownwardAPIVolumeSource),
  emptyDir: opt(undefined, EmptyDirVolumeSource),
  ephemeral: opt(undefined, EphemeralVolumeSource),
  fc: opt(undefined, FCVolumeSource),
  flexVolume: opt(undefined, FlexVolumeSource),
  flocker: opt(undefined, FlockerVolumeSource),
  gcePersistentDisk: opt(undefined, GCEPersistentDiskVolumeSource),
  gitRepo: opt(undefined, GitRepoVolumeSource),
  glusterfs: opt(undefined, GlusterfsVolumeSource),
  hostPath: opt(undefined, HostPathVolumeSource),
  image: opt(undefined, ImageVolumeSource),
  iscsi: opt(undefined, ISCSIVolumeSource),
  nfs: opt(undefined, NFSVolumeSource),
  persistentVolumeClaim: opt(undefined, PersistentVolumeClaimVolumeSource),
  photonPersistentDisk: opt(undefined, PhotonPersistentDiskVolumeSource),
  portworxVolume: opt(undefined, PortworxVolumeSource),
  projected: opt(undefined, ProjectedVolumeSource),
  quobyte: opt(undefined, QuobyteVolumeSource),
  rbd: opt(undefined, RBDVolumeSource),
  scaleIO: opt(undefined, ScaleIOVolumeSource),
  secret: opt(undefined, SecretVolumeSource),
  storageos: opt(undefined, StorageOSVolumeSource),
  vsphereVolume: opt(undefined, VsphereVirtualDiskVolumeSource),
}));
export interface Volume extends Infer<typeof Volume> {}

export const VsphereVirtualDiskVolumeSource = object('io.k8s.api.core.v1.VsphereVirtualDiskVolumeSource', () => ({
  volumePath: req(1, str),
  fsType: opt(2, str),
  storagePolicyName: opt(3, str),
  storagePolicyID: opt(4, str),
}));
export interface VsphereVirtualDiskVolumeSource extends Infer<typeof VsphereVirtualDiskVolumeSource> {}

export const StorageOSVolumeSource = object('io.k8s.api.core.v1.StorageOSVolumeSource', () => ({
  volumeName: opt(1, str),
  volumeNamespace: opt(2, str),
  fsType: opt(3, str),
  readOnly: opt(4, bool, { pointer: false }),
  secretRef: opt(5, LocalObjectReference),
}));
export interface StorageOSVolumeSource extends Infer<typeof StorageOSVolumeSource> {}

export const SecretVolumeSource = object('io.k8s.api.core.v1.SecretVolumeSource', () => ({
  secretName: opt(1, str),
  items: opt(2, list(KeyToPath)),
  defaultMode: opt(3, int32),
  optional: opt(4, bool),
}));
export interface SecretVolumeSource extends Infer<typeof SecretVolumeSource> {}

export const ScaleIOVolumeSource = object('io.k8s.api.core.v1.ScaleIOVolumeSource', () => ({
  gateway: req(1, str),
  system: req(2, str),
  secretRef: req(3, LocalObjectReference, { pointer: true }),
  sslEnabled: opt(4, bool, { pointer: false }),
  protectionDomain: opt(5, str),
  storagePool: opt(6, str),
  storageMode: opt(7, str),
  volumeName: opt(8, str),
  fsType: opt(9, str),
  readOnly: opt(10, bool, { pointer: false }),
}));
export interface ScaleIOVolumeSource extends Infer<typeof ScaleIOVolumeSource> {}

export const RBDVolumeSource = object('io.k8s.api.core.v1.RBDVolumeSource', () => ({
  monitors: req(1, list(str)),
  image: req(2, str),
  fsType: opt(3, str),
  pool: opt(4, str),
  user: opt(5, str),
  keyring: opt(6, str),
  secretRef: opt(7, LocalObjectReference),
  readOnly: opt(8, bool, { pointer: false }),
}));
export interface RBDVolumeSource extends Infer<typeof RBDVolumeSource> {}

export const QuobyteVolumeSource = object('io.k8s.api.core.v1.QuobyteVolumeSource', () => ({
  registry: req(1, str),
  volume: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  user: opt(4, str),
  group: opt(5, str),
  tenant: opt(6, str),
}));
export interface QuobyteVolumeSource extends Infer<typeof QuobyteVolumeSource> {}

export const ProjectedVolumeSource = object('io.k8s.api.core.v1.ProjectedVolumeSource', () => ({
  sources: opt(1, list(VolumeProjection)),
  defaultMode: opt(2, int32),
}));
export interface ProjectedVolumeSource extends Infer<typeof ProjectedVolumeSource> {}

export const VolumeProjection = object('io.k8s.api.core.v1.VolumeProjection', () => ({
  secret: opt(1, SecretProjection),
  downwardAPI: opt(2, DownwardAPIProjection),
  configMap: opt(3, ConfigMapProjection),
  serviceAccountToken: opt(4, ServiceAccountTokenProjection),
  clusterTrustBundle: opt(5, ClusterTrustBundleProjection),
  podCertificate: opt(6, PodCertificateProjection),
}));
export interface VolumeProjection extends Infer<typeof VolumeProjection> {}

export const ServiceAccountTokenProjection = object('io.k8s.api.core.v1.ServiceAccountTokenProjection', () => ({
  audience: opt(1, str),
  expirationSeconds: opt(2, int64),
  path: req(3, str),
}));
export interface ServiceAccountTokenProjection extends Infer<typeof ServiceAccountTokenProjection> {}

export const SecretProjection = object('io.k8s.api.core.v1.SecretProjection', () => ({
  items: opt(2, list(KeyToPath)),
  optional: opt(4, bool),
  name: opt(undefined, str),
}));
export interface SecretProjection extends Infer<typeof SecretProjection> {}

export const PodCertificateProjection = object('io.k8s.api.core.v1.PodCertificateProjection', () => ({
  signerName: req(1, str),
  keyType: req(2, str),
  maxExpirationSeconds: opt(3, int32),
  credentialBundlePath: opt(4, str),
  keyPath: opt(5, str),
  certificateChainPath: opt(6, str),
  userAnnotations: opt(7, map(str)),
}));
export interface PodCertificateProjection extends Infer<typeof PodCertificateProjection> {}

export const DownwardAPIProjection = object('io.k8s.api.core.v1.DownwardAPIProjection', () => ({
  items: opt(1, list(DownwardAPIVolumeFile)),
}));
export interface DownwardAPIProjection extends Infer<typeof DownwardAPIProjection> {}

export const ConfigMapProjection = object('io.k8s.api.core.v1.ConfigMapProjection', () => ({
  items: opt(2, list(KeyToPath)),
  optional: opt(4, bool),
  name: opt(undefined, str),
}));
export interface ConfigMapProjection extends Infer<typeof ConfigMapProjection> {}

export const ClusterTrustBundleProjection = object('io.k8s.api.core.v1.ClusterTrustBundleProjection', () => ({
  name: opt(1, str, { pointer: true }),
  signerName: opt(2, str, { pointer: true }),
  labelSelector: opt(3, LabelSelector),
  path: req(4, str),
  optional: opt(5, bool),
}));
export interface ClusterTrustBundleProjection extends Infer<typeof ClusterTrustBundleProjection> {}

export const PortworxVolumeSource = object('io.k8s.api.core.v1.PortworxVolumeSource', () => ({
  volumeID: req(1, str),
  fsType: opt(2, str),
  readOnly: opt(3, bool, { pointer: false }),
}));
export interface PortworxVolumeSource extends Infer<typeof PortworxVolumeSource> {}

export const PhotonPersistentDiskVolumeSource = object('io.k8s.api.core.v1.PhotonPersistentDiskVolumeSource', () => ({
  pdID: req(1, str),
  fsType: opt(2, str),
}));
export interface PhotonPersistentDiskVolumeSource extends Infer<typeof PhotonPersistentDiskVolumeSource> {}

export const PersistentVolumeClaimVolumeSource = object('io.k8s.api.core.v1.PersistentVolumeClaimVolumeSource', () => ({
  claimName: req(1, str),
  readOnly: opt(2, bool, { pointer: false }),
}));
export interface PersistentVolumeClaimVolumeSource extends Infer<typeof PersistentVolumeClaimVolumeSource> {}

export const NFSVolumeSource = object('io.k8s.api.core.v1.NFSVolumeSource', () => ({
  server: req(1, str),
  path: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
}));
export interface NFSVolumeSource extends Infer<typeof NFSVolumeSource> {}

export const ISCSIVolumeSource = object('io.k8s.api.core.v1.ISCSIVolumeSource', () => ({
  targetPortal: req(1, str),
  iqn: req(2, str),
  lun: req(3, int32),
  iscsiInterface: opt(4, str),
  fsType: opt(5, str),
  readOnly: opt(6, bool, { pointer: false }),
  portals: opt(7, list(str)),
  chapAuthDiscovery: opt(8, bool, { pointer: false }),
  secretRef: opt(10, LocalObjectReference),
  chapAuthSession: opt(11, bool, { pointer: false }),
  initiatorName: opt(12, str, { pointer: true }),
}));
export interface ISCSIVolumeSource extends Infer<typeof ISCSIVolumeSource> {}

export const ImageVolumeSource = object('io.k8s.api.core.v1.ImageVolumeSource', () => ({
  reference: opt(1, str),
  pullPolicy: opt(2, str),
}));
export interface ImageVolumeSource extends Infer<typeof ImageVolumeSource> {}

export const HostPathVolumeSource = object('io.k8s.api.core.v1.HostPathVolumeSource', () => ({
  path: req(1, str),
  type: opt(2, str, { pointer: true }),
}));
export interface HostPathVolumeSource extends Infer<typeof HostPathVolumeSource> {}

export const GlusterfsVolumeSource = object('io.k8s.api.core.v1.GlusterfsVolumeSource', () => ({
  endpoints: req(1, str),
  path: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
}));
export interface GlusterfsVolumeSource extends Infer<typeof GlusterfsVolumeSource> {}

export const GitRepoVolumeSource = object('io.k8s.api.core.v1.GitRepoVolumeSource', () => ({
  repository: req(1, str),
  revision: opt(2, str),
  directory: opt(3, str),
}));
export interface GitRepoVolumeSource extends Infer<typeof GitRepoVolumeSource> {}

export const GCEPersistentDiskVolumeSource = object('io.k8s.api.core.v1.GCEPersistentDiskVolumeSource', () => ({
  pdName: req(1, str),
  fsType: opt(2, str),
  partition: opt(3, int32, { pointer: false }),
  readOnly: opt(4, bool, { pointer: false }),
}));
export interface GCEPersistentDiskVolumeSource extends Infer<typeof GCEPersistentDiskVolumeSource> {}

export const FlockerVolumeSource = object('io.k8s.api.core.v1.FlockerVolumeSource', () => ({
  datasetName: opt(1, str),
  datasetUUID: opt(2, str),
}));
export interface FlockerVolumeSource extends Infer<typeof FlockerVolumeSource> {}

export const FlexVolumeSource = object('io.k8s.api.core.v1.FlexVolumeSource', () => ({
  driver: req(1, str),
  fsType: opt(2, str),
  secretRef: opt(3, LocalObjectReference),
  readOnly: opt(4, bool, { pointer: false }),
  options: opt(5, map(str)),
}));
export interface FlexVolumeSource extends Infer<typeof FlexVolumeSource> {}

export const FCVolumeSource = object('io.k8s.api.core.v1.FCVolumeSource', () => ({
  targetWWNs: opt(1, list(str)),
  lun: opt(2, int32),
  fsType: opt(3, str),
  readOnly: opt(4, bool, { pointer: false }),
  wwids: opt(5, list(str)),
}));
export interface FCVolumeSource extends Infer<typeof FCVolumeSource> {}

export const EphemeralVolumeSource = object('io.k8s.api.core.v1.EphemeralVolumeSource', () => ({
  volumeClaimTemplate: opt(1, PersistentVolumeClaimTemplate),
}));
export interface EphemeralVolumeSource extends Infer<typeof EphemeralVolumeSource> {}

export const PersistentVolumeClaimTemplate = object('io.k8s.api.core.v1.PersistentVolumeClaimTemplate', () => ({
  metadata: opt(1, ObjectMeta),
  spec: req(2, PersistentVolumeClaimSpec),
}));
export interface PersistentVolumeClaimTemplate extends Infer<typeof PersistentVolumeClaimTemplate> {}

export const PersistentVolumeClaimSpec = object('io.k8s.api.core.v1.PersistentVolumeClaimSpec', () => ({
  accessModes: opt(1, list(str), {
    doc: 'How the volume is to be mounted: ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.',
  }),
  resources: opt(2, VolumeResourceRequirements, {
    pointer: false,
    doc: 'How large the volume is to be, in requests.storage.',
  }),
  volumeName: opt(3, str, { doc: 'The volume that the claim has.' }),
  selector: opt(4, LabelSelector, { doc: 'Which volumes are considered.' }),
  storageClassName: opt(5, str, { pointer: true, doc: "The class asked for; '' for none, absent for the default." }),
  volumeMode: opt(6, str, { pointer: true, doc: 'Filesystem (default) or Block.' }),
  dataSource: opt(7, TypedLocalObjectReference, { doc: 'A claim or snapshot from which the volume is filled.' }),
  dataSourceRef: opt(8, TypedObjectReference, { doc: 'What the volume is filled from, of any kind.' }),
  volumeAttributesClassName: opt(9, str, { pointer: true, doc: 'The attributes asked for; may change later.' }),
}));
export interface PersistentVolumeClaimSpec extends Infer<typeof PersistentVolumeClaimSpec> {}

export const VolumeResourceRequirements = object('io.k8s.api.core.v1.VolumeResourceRequirements', () => ({
  limits: opt(1, map(quantity)),
  requests: opt(2, map(quantity)),
}));
export interface VolumeResourceRequirements extends Infer<typeof VolumeResourceRequirements> {}

export const EmptyDirVolumeSource = object('io.k8s.api.core.v1.EmptyDirVolumeSource', () => ({
  medium: opt(1, str),
  sizeLimit: opt(2, quantity),
}));
export interface EmptyDirVolumeSource extends Infer<typeof EmptyDirVolumeSource> {}

export const DownwardAPIVolumeSource = object('io.k8s.api.core.v1.DownwardAPIVolumeSource', () => ({
  items: opt(1, list(DownwardAPIVolumeFile)),
  defaultMode: opt(2, int32),
}));
export interface DownwardAPIVolumeSource extends Infer<typeof DownwardAPIVolumeSource> {}

export const DownwardAPIVolumeFile = object('io.k8s.api.core.v1.DownwardAPIVolumeFile', () => ({
  path: req(1, str),
  fieldRef: opt(2, ObjectFieldSelector),
  resourceFieldRef: opt(3, ResourceFieldSelector),
  mode: opt(4, int32),
}));
export interface DownwardAPIVolumeFile extends Infer<typeof DownwardAPIVolumeFile> {}

export const ResourceFieldSelector = object(
  'io.k8s.api.core.v1.ResourceFieldSelector',
  () => ({
    containerName: opt(1, str),
    resource: req(2, str),
    divisor: opt(3, quantity, { pointer: false }),
  }),
  { atomic: true },
);
export interface ResourceFieldSelector extends Infer<typeof ResourceFieldSelector> {}

export const ObjectFieldSelector = object(
  'io.k8s.api.core.v1.ObjectFieldSelector',
  () => ({
    apiVersion: opt(1, str),
    fieldPath: req(2, str),
  }),
  { atomic: true },
);
export interface ObjectFieldSelector extends Infer<typeof ObjectFieldSelector> {}

export const CSIVolumeSource = object('io.k8s.api.core.v1.CSIVolumeSource', () => ({
  driver: req(1, str),
  readOnly: opt(2, bool),
  fsType: opt(3, str, { pointer: true }),
  volumeAttributes: opt(4, map(str)),
  nodePublishSecretRef: opt(5, LocalObjectReference),
}));
export interface CSIVolumeSource extends Infer<typeof CSIVolumeSource> {}

export const ConfigMapVolumeSource = object('io.k8s.api.core.v1.ConfigMapVolumeSource', () => ({
  items: opt(2, list(KeyToPath)),
  defaultMode: opt(3, int32),
  optional: opt(4, bool),
  name: opt(undefined, str),
}));
export interface ConfigMapVolumeSource extends Infer<typeof ConfigMapVolumeSource> {}

export const KeyToPath = object('io.k8s.api.core.v1.KeyToPath', () => ({
  key: req(1, str),
  path: req(2, str),
  mode: opt(3, int32),
}));
export interface KeyToPath extends Infer<typeof KeyToPath> {}

export const CinderVolumeSource = object('io.k8s.api.core.v1.CinderVolumeSource', () => ({
  volumeID: req(1, str),
  fsType: opt(2, str),
  readOnly: opt(3, bool, { pointer: false }),
  secretRef: opt(4, LocalObjectReference),
}));
export interface CinderVolumeSource extends Infer<typeof CinderVolumeSource> {}

export const CephFSVolumeSource = object('io.k8s.api.core.v1.CephFSVolumeSource', () => ({
  monitors: req(1, list(str)),
  path: opt(2, str),
  user: opt(3, str),
  secretFile: opt(4, str),
  secretRef: opt(5, LocalObjectReference),
  readOnly: opt(6, bool, { pointer: false }),
}));
export interface CephFSVolumeSource extends Infer<typeof CephFSVolumeSource> {}

export const AzureFileVolumeSource = object('io.k8s.api.core.v1.AzureFileVolumeSource', () => ({
  secretName: req(1, str),
  shareName: req(2, str),
  readOnly: opt(3, bool, { pointer: false }),
}));
export interface AzureFileVolumeSource extends Infer<typeof AzureFileVolumeSource> {}

export const AzureDiskVolumeSource = object('io.k8s.api.core.v1.AzureDiskVolumeSource', () => ({
  diskName: req(1, str),
  diskURI: req(2, str),
  cachingMode: opt(3, str, { pointer: true }),
  fsType: opt(4, str, { pointer: true }),
  readOnly: opt(5, bool),
  kind: opt(6, str, { pointer: true }),
}));
export interface AzureDiskVolumeSource extends Infer<typeof AzureDiskVolumeSource> {}

export const AWSElasticBlockStoreVolumeSource = object('io.k8s.api.core.v1.AWSElasticBlockStoreVolumeSource', () => ({
  volumeID: req(1, str),
  fsType: opt(2, str),
  partition: opt(3, int32, { pointer: false }),
  readOnly: opt(4, bool, { pointer: false }),
}));
export interface AWSElasticBlockStoreVolumeSource extends Infer<typeof AWSElasticBlockStoreVolumeSource> {}
