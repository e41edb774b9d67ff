/** Runs the plans of claims for devices, and of the pods that have any. */
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type ResourceClaim, resourceClaims } from '../../apis/resource/resourceClaim.ts';
import { resourceClaimTemplates } from '../../apis/resource/resourceClaimTemplate.ts';
import { keyOf, refKey } from '../../client/store.ts';
import type { Stored } from '../../machinery/kind.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import type { ControllerContext } from '../context.ts';
import { indexByController, ownedBy } from '../indexes.ts';
import { startLoop } from '../loop.ts';
import { claimNamesOf, planPodClaims } from './podClaims.ts';
import { isDone, planRelease } from './release.ts';

const NAME = 'resource-claim-controller';
const BY_CLAIM = 'resource claim';
const BY_TEMPLATE = 'resource claim template';

export function startResourceClaimController(context: ControllerContext): void {
  const podInformer = context.informers.of(pods);
  const claims = context.informers.of(resourceClaims);
  const templates = context.informers.of(resourceClaimTemplates);
  const client = context.clientFor(NAME);
  indexByController(claims);
  podInformer.addIndex(BY_CLAIM, (pod) => claimNamesOf(pod).map((name) => refKey(pod.metadata.namespace, name)));
  podInformer.addIndex(BY_TEMPLATE, (pod) =>
    (pod.spec?.resourceClaims ?? [])
      .map((claim) => claim.resourceClaimTemplateName)
      .filter((name) => name !== undefined)
      .map((name) => refKey(pod.metadata.namespace, name)),
  );
  const ofPods = startLoop({
    name: NAME,
    context,
    reads: [podInformer, claims, templates],
    plan(key) {
      const pod = podInformer.byKey(key);
      if (pod === undefined) return undefined;
      const { namespace, uid } = pod.metadata;
      const actions = planPodClaims({
        pod,
        owned: ownedBy(claims, uid).filter((claim) => claim.metadata.deletionTimestamp === undefined),
        claim: (name) => claims.get(namespace, name),
        template: (name) => templates.get(namespace, name),
      });
      return { actions };
    },
  });
  const ofClaims = startLoop({
    name: NAME,
    context,
    reads: [podInformer, claims],
    plan(key) {
      const claim = claims.byKey(key);
      if (claim === undefined) return undefined;
      return {
        actions: planRelease({ claim, pod: (name) => podInformer.get(claim.metadata.namespace, name), client }),
      };
    },
  });

  const usesClaims = (pod: Pod) =>
    (pod.spec?.resourceClaims ?? []).length > 0 || pod.status?.extendedResourceClaimStatus !== undefined;
  const tellClaims = (pod: Stored<Pod>) => {
    for (const name of claimNamesOf(pod)) ofClaims.enqueue(refKey(pod.metadata.namespace, name));
    for (const claim of ownedBy(claims, pod.metadata.uid)) ofClaims.enqueue(keyOf(claim));
  };
  const look = (pod: Stored<Pod>) => {
    if (!usesClaims(pod)) return;
    ofPods.enqueue(keyOf(pod));
    if (isDone(pod)) tellClaims(pod);
  };
  podInformer.handle({
    onAdd: look,
    onUpdate: look,
    onDelete(pod) {
      if (usesClaims(pod)) tellClaims(pod);
    },
  });
  const tellPods = (claim: Stored<ResourceClaim>) => {
    const owner = controllerOf(claim);
    if (owner?.kind === 'Pod') ofPods.enqueue(refKey(claim.metadata.namespace, owner.name));
    for (const pod of podInformer.byIndex(BY_CLAIM, keyOf(claim))) ofPods.enqueue(keyOf(pod));
  };
  const lookAtClaim = (claim: Stored<ResourceClaim>) => {
    ofClaims.enqueue(keyOf(claim));
    tellPods(claim);
  };
  claims.handle({ onAdd: lookAtClaim, onUpdate: lookAtClaim, onDelete: tellPods });
  templates.handle({
    onAdd(template) {
      for (const pod of podInformer.byIndex(BY_TEMPLATE, keyOf(template))) ofPods.enqueue(keyOf(pod));
    },
  });
}
