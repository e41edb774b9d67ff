/** What of the cluster's storage a node's kubelet needs: the volumes of its pods' claims, and what they are mounted with. */

import { type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { ephemeralClaimName } from '../../apis/core/volumeBinding.ts';
import { volumeAttachments } from '../../apis/storage/volumeAttachment.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import { podRefersTo } from './podReferences.ts';
import type { PodsByNode } from './podsByNode.ts';

export class NodeStorage {
  readonly #registry: Registry;
  readonly #pods: PodsByNode;

  constructor(registry: Registry, pods: PodsByNode) {
    this.#registry = registry;
    this.#pods = pods;
  }

  /** Whether a pod of the node has the claim that has the volume. */
  needsVolume(node: string, name: string): boolean {
    const ref = started(this.#registry.cache(persistentVolumes)).object(undefined, name)?.spec?.claimRef;
    if (ref?.name === undefined) return false;
    for (const pod of this.#pods.of(node)) {
      if (pod.metadata.namespace !== ref.namespace) continue;
      if (podRefersTo(pod, 'persistentvolumeclaims', ref.name)) return true;
    }
    return false;
  }

  /** Whether a volume of a pod of the node is mounted with the secret. */
  needsSecret(node: string, namespace: string, name: string): boolean {
    for (const pod of this.#pods.of(node)) {
      for (const volume of this.#volumesOf(pod)) {
        const { nodePublishSecretRef, nodeStageSecretRef, nodeExpandSecretRef } = volume.spec?.csi ?? {};
        const refs = [nodePublishSecretRef, nodeStageSecretRef, nodeExpandSecretRef];
        if (refs.some((ref) => ref?.name === name && ref.namespace === namespace)) return true;
      }
    }
    return false;
  }

  isAttachment(node: string, name: string): boolean {
    return started(this.#registry.cache(volumeAttachments)).object(undefined, name)?.spec?.nodeName === node;
  }

  #volumesOf(pod: Stored<Pod>): PersistentVolume[] {
    const { namespace, name: podName } = pod.metadata;
    return (pod.spec?.volumes ?? []).flatMap(({ name, persistentVolumeClaim, ephemeral }) => {
      const claimName =
        persistentVolumeClaim?.claimName ?? (ephemeral === undefined ? '' : ephemeralClaimName(podName, name));
      if (claimName === '') return [];
      const claim = started(this.#registry.cache(persistentVolumeClaims)).object(namespace, claimName);
      if (!claim?.spec?.volumeName) return [];
      return started(this.#registry.cache(persistentVolumes)).object(undefined, claim.spec.volumeName) ?? [];
    });
  }
}

/** A cache that nobody has asked for yet is empty: who asks again finds it filled. */
function started<T extends KubeObject>(cache: WatchCache<T>): WatchCache<T> {
  // A failure is met again, and told, by whoever reads the kind.
  if (!cache.ready) cache.start().catch(() => {});
  return cache;
}
