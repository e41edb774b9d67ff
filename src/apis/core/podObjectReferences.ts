/** Which objects of the API a pod refers to: pods that come from their node may refer to none. */
import { containersOf } from './podContainers.ts';
import type { PodSpec } from './podSpec.ts';
import type { Volume } from './volumes.ts';

/** The resource of the first object of the API that the pod would need, pull secrets aside; undefined where it needs none. */
export function resourceReferredTo(spec: PodSpec): string | undefined {
  if (spec.serviceAccountName || spec.serviceAccount) return 'serviceaccounts';
  if ((spec.resourceClaims ?? []).length > 0) return 'resourceclaims';
  for (const volume of spec.volumes ?? []) {
    const resource = resourceOfVolume(volume);
    if (resource !== undefined) return resource;
  }
  for (const { env, envFrom } of containersOf(spec)) {
    for (const { configMapRef, secretRef } of envFrom ?? []) {
      if (configMapRef !== undefined) return 'configmaps';
      if (secretRef !== undefined) return 'secrets';
    }
    for (const { valueFrom } of env ?? []) {
      if (valueFrom?.configMapKeyRef !== undefined) return 'configmaps';
      if (valueFrom?.secretKeyRef !== undefined) return 'secrets';
    }
  }
  return undefined;
}

function resourceOfVolume(volume: Volume): string | undefined {
  if (volume.configMap !== undefined) return 'configmaps';
  if (volume.secret !== undefined || volume.azureFile !== undefined) return 'secrets';
  if (volume.persistentVolumeClaim !== undefined || volume.ephemeral !== undefined) return 'persistentvolumeclaims';
  if (volume.csi?.nodePublishSecretRef !== undefined) return 'secrets';
  for (const source of volume.projected?.sources ?? []) {
    if (source.configMap !== undefined) return 'configmaps';
    if (source.secret !== undefined) return 'secrets';
    if (source.serviceAccountToken !== undefined) return 'serviceaccounts';
    if (source.clusterTrustBundle !== undefined) return 'clustertrustbundles';
    if (source.podCertificate !== undefined) return 'podcertificaterequests';
  }
  // Of the older types many have one.
  const { cephfs, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  const refs = [cephfs, flexVolume, iscsi, rbd, scaleIO, storageos].map((source) => source?.secretRef);
  return refs.some((ref) => ref !== undefined) ? 'secrets' : undefined;
}
