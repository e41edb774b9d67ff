/** What a pod needs of its namespace, by name: the secrets, config maps and claims that its node may read. */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume } from '../../apis/core/volumes.ts';

/** Pods with it only show what a node runs of its own accord. */
export const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

export type Referenced = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts';

/** Whether the pod refers to an object of its own namespace. */
export function podRefersTo(pod: Pod, resource: Referenced, name: string): boolean {
  const { spec } = pod;
  if (spec === undefined) return false;
  if (resource === 'serviceaccounts') return spec.serviceAccountName === name;
  for (const volume of spec.volumes ?? []) if (volumeRefersTo(volume, resource, name, pod.metadata?.name)) return true;
  if (resource === 'persistentvolumeclaims') return false;
  if (resource === 'secrets' && spec.imagePullSecrets?.some((s) => s.name === name)) return true;
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? []), ...(spec.ephemeralContainers ?? [])];
  return containers.some((c) => containerRefersTo(c as Container, resource, name));
}

function containerRefersTo(container: Container, resource: Referenced, name: string): boolean {
  const secret = resource === 'secrets';
  for (const from of container.envFrom ?? []) {
    if ((secret ? from.secretRef : from.configMapRef)?.name === name) return true;
  }
  for (const { valueFrom } of container.env ?? []) {
    if ((secret ? valueFrom?.secretKeyRef : valueFrom?.configMapKeyRef)?.name === name) return true;
  }
  return false;
}

function volumeRefersTo(volume: Volume, resource: Referenced, name: string, podName: string | undefined): boolean {
  switch (resource) {
    case 'persistentvolumeclaims':
      return (
        volume.persistentVolumeClaim?.claimName === name ||
        (volume.ephemeral !== undefined && `${podName ?? ''}-${volume.name}` === name)
      );
    case 'configmaps':
      return volume.configMap?.name === name || !!volume.projected?.sources?.some((s) => s.configMap?.name === name);
    default:
      return (
        volume.secret?.secretName === name ||
        volume.csi?.nodePublishSecretRef?.name === name ||
        !!volume.projected?.sources?.some((s) => s.secret?.name === name)
      );
  }
}
