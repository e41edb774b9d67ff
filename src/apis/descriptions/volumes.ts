/** Volumes of pods, in words, for `kubectl explain`. */
export const VOLUMES = `
# io.k8s.api.core.v1
Volume: Storage that containers may mount; exactly one source is given.
  name: What containers call it.
  emptyDir: A folder that is made with the pod and goes with it.
  configMap: The keys of a config map, as files.
  secret: The keys of a secret, as files in memory.
  downwardAPI: Fields of the pod, as files.
  projected: Several of these in one folder.
  persistentVolumeClaim: The volume of a claim.
  ephemeral: A claim that is made with the pod and goes with it.
  hostPath: A file or folder of the node.
  nfs: A share of an NFS server.
  csi: A volume of a CSI driver that goes with the pod.
  image: The files of an image.
  iscsi: A disk of an iSCSI target.
  fc: A disk of a Fibre Channel network.
EmptyDirVolumeSource: A folder that goes with the pod.
  medium: Memory, for a file system in memory; the node's disk if absent.
  sizeLimit: What it may hold; a pod whose folder holds more is evicted.
HostPathVolumeSource: A file or folder of the node.
  path: Where it is on the node.
  type: What it must be, such as Directory or Socket; DirectoryOrCreate and FileOrCreate make it.
ConfigMapVolumeSource: Files of a config map.
  name: The config map.
  items: Which keys, and as which files; all of them if absent.
  defaultMode: The permissions of the files; 0644 if absent.
  optional: It is no error if it is absent.
SecretVolumeSource: Files of a secret.
  secretName: The secret.
  items: Which keys, and as which files; all of them if absent.
  defaultMode: The permissions of the files; 0644 if absent.
  optional: It is no error if it is absent.
KeyToPath: A key, as a file.
  key: The key.
  path: The file, within the volume.
  mode: Its permissions.
DownwardAPIVolumeSource: Files that tell of the pod.
  items: The files.
  defaultMode: The permissions of the files; 0644 if absent.
DownwardAPIVolumeFile: A file that tells of the pod.
  path: The file, within the volume.
  fieldRef: A field of the pod.
  resourceFieldRef: An amount of a container.
  mode: Its permissions.
ProjectedVolumeSource: Files from several sources.
  sources: Where they come from.
  defaultMode: The permissions of the files; 0644 if absent.
VolumeProjection: Where files come from; one of these.
  configMap: A config map.
  secret: A secret.
  downwardAPI: The pod itself.
  serviceAccountToken: A token of the pod's service account, renewed in time.
  clusterTrustBundle: Certificates of authorities.
  podCertificate: A certificate for the pod, and its key.
ServiceAccountTokenProjection: A token.
  audience: Who is to accept it; the API server if absent.
  expirationSeconds: How long it is valid; an hour if absent, at least ten minutes.
  path: The file, within the volume.
ConfigMapProjection: Files of a config map.
  name: The config map.
  items: Which keys, and as which files; all of them if absent.
  optional: It is no error if it is absent.
SecretProjection: Files of a secret.
  name: The secret.
  items: Which keys, and as which files; all of them if absent.
  optional: It is no error if it is absent.
DownwardAPIProjection: Files that tell of the pod.
  items: The files.
PersistentVolumeClaimVolumeSource: The volume of a claim.
  claimName: The claim, in the pod's namespace.
  readOnly: Nothing can be written.
EphemeralVolumeSource: A claim that goes with the pod.
  volumeClaimTemplate: What the claim is made from.
ImageVolumeSource: The files of an image.
  reference: The image.
  pullPolicy: When it is pulled: Always, IfNotPresent or Never.
NFSVolumeSource: A share of an NFS server.
  server: The server.
  path: The share.
  readOnly: Nothing can be written.
CSIVolumeSource: A volume of a CSI driver.
  driver: The driver.
  fsType: The file system.
  readOnly: Nothing can be written.
  volumeAttributes: What the driver needs to know.
  nodePublishSecretRef: A secret for the driver.
`;
