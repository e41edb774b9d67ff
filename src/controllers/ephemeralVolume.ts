/**
 * Makes the claims of pods' ephemeral volumes: each is the pod's own and goes with it.
 *
 * Source: https://kubernetes.io/docs/concepts/storage/ephemeral-volumes/#generic-ephemeral-volumes
 */
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { ephemeralClaimName, isMadeFor } from '../apis/core/volumeBinding.ts';
import type { Volume } from '../apis/core/volumes.ts';
import { keyOf, refKey } from '../client/store.ts';
import type { Kind, Stored } from '../machinery/kind.ts';
import { controllerReference } from '../machinery/ownerReferences.ts';
import type { Action, EventAction } from './action.ts';
import type { ControllerContext } from './context.ts';
import { startLoop } from './loop.ts';
import { claimKeysOf } from './persistentVolume/protection.ts';
import { isActive } from './podState.ts';

/** pods by the claims of their ephemeral volumes */
const BY_EPHEMERAL_CLAIM = 'ephemeral claim';

export function startEphemeralVolumeController(context: ControllerContext): void {
  const podInformer = context.informers.of(pods);
  const claims = context.informers.of(persistentVolumeClaims);
  podInformer.addIndex(BY_EPHEMERAL_CLAIM, (pod) => (hasEphemeral(pod) ? claimKeysOf(pod) : []));
  const loop = startLoop({
    name: 'ephemeral-volume-controller',
    context,
    reads: [podInformer, claims],
    plan(key) {
      const pod = podInformer.byKey(key);
      if (pod === undefined) return undefined;
      return { actions: planEphemeralClaims(pod, (name) => claims.get(pod.metadata.namespace, name)) };
    },
  });
  const look = (pod: Stored<Pod>) => {
    if (hasEphemeral(pod) && isActive(pod)) loop.enqueue(keyOf(pod));
  };
  podInformer.handle({ onAdd: look });
  claims.handle({
    // It may be made again; or another's is out of the way.
    onDelete({ metadata: { namespace, name } }) {
      podInformer.byIndex(BY_EPHEMERAL_CLAIM, refKey(namespace, name)).forEach(look);
    },
  });
}

const hasEphemeral = (pod: Pod) => (pod.spec?.volumes ?? []).some((volume) => volume.ephemeral !== undefined);

/** Makes the claims that are missing, and tells of those that are not the pod's. */
export function planEphemeralClaims(
  pod: Stored<Pod>,
  find: (name: string) => Stored<PersistentVolumeClaim> | undefined,
): Action[] {
  if (!isActive(pod)) return [];
  return (pod.spec?.volumes ?? []).flatMap((volume): Action[] => {
    const template = volume.ephemeral?.volumeClaimTemplate;
    if (template === undefined) return [];
    const { namespace, name: podName } = pod.metadata;
    const name = ephemeralClaimName(podName, volume.name);
    const found = find(name);
    if (found !== undefined) {
      if (isMadeFor(found, pod)) return [];
      const why = `PVC ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
      return [failure(pod, volume, why)];
    }
    const { labels, annotations } = template.metadata ?? {};
    const object: PersistentVolumeClaim = {
      metadata: {
        name,
        ...(namespace === undefined ? {} : { namespace }),
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
        ownerReferences: [controllerReference(pod, pods)],
      },
      spec: template.spec,
    };
    const failed = (error: Error) => failure(pod, volume, `create PVC ${name}: ${error.message}`);
    return [{ verb: 'create', kind: persistentVolumeClaims as Kind, object, announce: { failed } }];
  });
}

function failure(pod: Pod, volume: Volume, why: string): EventAction {
  const message = `ephemeral volume ${volume.name}: ${why}`;
  return { verb: 'event', regarding: pod, type: 'Warning', reason: 'FailedBinding', message };
}
