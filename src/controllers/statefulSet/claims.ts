/**
 * The claims of a stateful set's pods: made before the pods, kept or deleted with them as the set says.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#persistentvolumeclaim-retention
 */
import { type StatefulSet, statefulSets } from '../../apis/apps/statefulSet.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { apiVersionOf, type Kind, type Stored } from '../../machinery/kind.ts';
import type { OwnerReference } from '../../machinery/meta.ts';
import type { Action } from '../action.ts';
import { claimNameOf } from './pod.ts';

export type FindClaim = (name: string) => Stored<PersistentVolumeClaim> | undefined;

/** Makes the claims of a pod that are missing. */
export function planMissingClaims(set: Stored<StatefulSet>, podName: string, find: FindClaim): Action[] {
  return (set.spec?.volumeClaimTemplates ?? []).flatMap((template): Action[] => {
    const name = claimNameOf(template, podName);
    if (find(name) !== undefined) return [];
    const { status: _status, ...rest } = template;
    const object: PersistentVolumeClaim = {
      ...rest,
      metadata: {
        ...template.metadata,
        name,
        namespace: set.metadata.namespace ?? '',
        labels: { ...template.metadata?.labels, ...set.spec?.selector?.matchLabels },
        ...(retentionOf(set).whenDeleted === 'Delete' ? { ownerReferences: [referenceTo(set, statefulSets)] } : {}),
      },
    };
    const about = `Claim ${name} Pod ${podName} in StatefulSet ${set.metadata.name}`;
    return [
      {
        verb: 'create',
        kind: persistentVolumeClaims as Kind,
        object,
        announce: {
          done: () => event(set, 'Normal', 'SuccessfulCreate', `create ${about} success`),
          failed: (error) => event(set, 'Warning', 'FailedCreate', `create ${about} failed error: ${error.message}`),
        },
      },
    ];
  });
}

/** Whether a claim of the pod is being deleted: the pod waits until it is gone and made anew. */
export function hasClaimThatGoes(set: Stored<StatefulSet>, podName: string, find: FindClaim): boolean {
  return (set.spec?.volumeClaimTemplates ?? []).some(
    (template) => find(claimNameOf(template, podName))?.metadata.deletionTimestamp !== undefined,
  );
}

/**
 * Who owns a pod's claims decides when they go: the set, where they go with it; the pod, where the pod is one
 * that is scaled away and they go with that.
 */
export function planClaimOwners(
  set: Stored<StatefulSet>,
  pod: Stored<Pod>,
  condemned: boolean,
  find: FindClaim,
): Action[] {
  const { whenDeleted, whenScaled } = retentionOf(set);
  return (set.spec?.volumeClaimTemplates ?? []).flatMap((template): Action[] => {
    const claim = find(claimNameOf(template, pod.metadata.name));
    if (claim === undefined) return [];
    const owners = claim.metadata.ownerReferences ?? [];
    const others = owners.filter((o) => o.uid !== set.metadata.uid && !isPod(o, pod.metadata.name));
    const byPod = condemned && whenScaled === 'Delete';
    const wanted = [
      ...others,
      ...(byPod ? [referenceTo(pod, pods)] : []),
      ...(!byPod && whenDeleted === 'Delete' ? [referenceTo(set, statefulSets)] : []),
    ];
    if (sameOwners(owners, wanted)) return [];
    const object = { ...claim, metadata: { ...claim.metadata, ownerReferences: wanted } };
    return [{ verb: 'update', kind: persistentVolumeClaims as Kind, object }];
  });
}

function retentionOf({ spec }: StatefulSet) {
  const policy = spec?.persistentVolumeClaimRetentionPolicy;
  return { whenDeleted: policy?.whenDeleted ?? 'Retain', whenScaled: policy?.whenScaled ?? 'Retain' };
}

const isPod = (o: OwnerReference, name: string) => o.kind === pods.kind && o.apiVersion === 'v1' && o.name === name;

const sameOwners = (a: readonly OwnerReference[], b: readonly OwnerReference[]) =>
  a.length === b.length && a.every((x) => b.some((y) => x.uid === y.uid));

/** An owner that is not a controller: the claim goes when it goes. */
function referenceTo(
  owner: Stored<StatefulSet> | Stored<Pod>,
  kind: Pick<Kind, 'group' | 'version' | 'kind'>,
): OwnerReference {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name, uid: owner.metadata.uid };
}

function event(regarding: StatefulSet, type: 'Normal' | 'Warning', reason: string, message: string) {
  return { verb: 'event', regarding, type, reason, message } as const;
}
