/**
 * A deployment rolls out replica sets: one for each template that it had, the newest growing while the
 * others shrink.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
 */
import { type Deployment, deployments } from '../../apis/apps/deployment.ts';
import { type ReplicaSet, replicaSets } from '../../apis/apps/replicaSet.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { controllerOf, controllerReference } from '../../machinery/ownerReferences.ts';
import { isApiError } from '../../machinery/status.ts';
import { type Action, isNamespaceGoing, statusUpdate } from '../action.ts';
import { claim } from '../claim.ts';
import { contentHash } from '../contentHash.ts';
import type { Plan } from '../loop.ts';
import { isFinished } from '../podState.ts';
import { newSetAnnotations, nextRevision, REVISION, revisionOf, withSize } from './annotations.ts';
import {
  boundsOf,
  byAge,
  maxReplicas,
  newSetSize,
  replicasOf,
  rollingSizes,
  type Sets,
  type Sizes,
  scaledSizes,
  wasScaled,
} from './sizes.ts';
import { deadlineInMs, isComplete, type Observed, statusOf } from './status.ts';
import { isOfTemplate, TEMPLATE_HASH } from './template.ts';

export interface DeploymentWorld {
  readonly deployment: Stored<Deployment>;
  /** replica sets whose controller the deployment is */
  readonly owned: Sets;
  /** replica sets in the namespace without a controller */
  readonly orphans: Sets;
  /** the pods of a replica set */
  podsOf(set: Stored<ReplicaSet>): readonly Pod[];
  /** the replica set of that name in the namespace, whoever owns it */
  named(name: string): Stored<ReplicaSet> | undefined;
  /** milliseconds since the epoch */
  readonly now: number;
}

/** One step; what it changes brings the next one. */
export function planDeployment(world: DeploymentWorld): Plan {
  const { deployment, owned, orphans } = world;
  const selector = selectorFrom(deployment.spec?.selector);
  if (selector === undefined) return { actions: [] };
  const claims = claim({ owner: deployment, ownerKind: deployments, kind: replicaSets, selector, owned, orphans });
  if (claims.actions.length > 0) return { actions: claims.actions };
  const sets = byAge(claims.claimed);
  const fresh = sets.find((set) => isOfTemplate(set, deployment));
  const old = sets.filter((set) => set !== fresh);
  const view: View = { world, deployment, fresh, old };
  if (deployment.metadata.deletionTimestamp !== undefined) return statusOnly(view, false);
  const noted = noteRevision(view);
  if (noted.length > 0) return { actions: noted };
  if (deployment.spec?.paused === true || wasScaled(deployment, sets)) return scale(view);
  return deployment.spec?.strategy?.type === 'Recreate' ? recreate(view) : roll(view);
}

interface View {
  readonly world: DeploymentWorld;
  readonly deployment: Stored<Deployment>;
  /** the replica set of the present template */
  readonly fresh: Stored<ReplicaSet> | undefined;
  /** the others, oldest first */
  readonly old: Sets;
}

function roll(view: View): Plan {
  const { deployment, fresh, old } = view;
  if (fresh === undefined) return createSet(view);
  const actions = resize(view, rollingSizes(deployment, fresh, old));
  return actions.length > 0 ? { ...statusOnly(view, true), actions } : settled(view);
}

/** All old pods go before the first new one comes. */
function recreate(view: View): Plan {
  const { fresh, old, world } = view;
  const sizes: Sizes = new Map();
  for (const set of old) if (replicasOf(set) > 0) sizes.set(set.metadata.name, 0);
  const shrinking = resize(view, sizes);
  if (shrinking.length > 0) return { ...statusOnly(view, true), actions: shrinking };
  if (old.some((set) => world.podsOf(set).some((pod) => !isFinished(pod)))) return statusOnly(view, true);
  if (fresh === undefined) return createSet(view);
  const growing = resize(view, new Map([[fresh.metadata.name, replicasOf(view.deployment)]]));
  return growing.length > 0 ? { ...statusOnly(view, true), actions: growing } : settled(view);
}

function scale(view: View): Plan {
  const { deployment, fresh, old } = view;
  const actions = resize(view, scaledSizes(deployment, fresh, old));
  const paused = deployment.spec?.paused === true;
  return { ...statusOnly(view, false), actions: paused && actions.length === 0 ? cleanUp(view) : actions };
}

/** Nothing to resize: the history is cut to its length, and the status follows. */
function settled(view: View): Plan {
  const { deployment } = view;
  const complete = isComplete(deployment, deployment.status ?? {});
  return { ...statusOnly(view, true), actions: complete ? cleanUp(view) : [] };
}

function statusOnly(view: View, rolling: boolean): Plan {
  const { deployment, fresh, old, world } = view;
  return {
    actions: [],
    after: () => writeStatus({ deployment, fresh, old, rolling, now: world.now }),
    ...againAtDeadline(deployment, world.now),
  };
}

function againAtDeadline(deployment: Deployment, now: number): { againMs?: number } {
  const left = deadlineInMs(deployment, now);
  // Times are written in whole seconds: a second later it is over for certain.
  return left === undefined ? {} : { againMs: Math.max(0, left) + 1000 };
}

function writeStatus(observed: Observed): Action[] {
  const status = statusOf(observed);
  return status === undefined ? [] : [statusUpdate(deployments, { ...observed.deployment, status })];
}

/** The numbering of revisions, on the new replica set and on the deployment. */
function noteRevision({ deployment, fresh, old }: View): Action[] {
  if (fresh === undefined) return [];
  const revision = nextRevision(old);
  const annotations = newSetAnnotations(deployment, fresh, revision);
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const before = fresh.metadata.annotations ?? {};
  const same = Object.entries(annotations).every(([name, value]) => before[name] === value);
  if (!same || (fresh.spec?.minReadySeconds ?? 0) !== minReadySeconds) {
    return [
      updateSet({
        ...fresh,
        metadata: { ...fresh.metadata, annotations },
        spec: { ...specOf(fresh), minReadySeconds },
      }),
    ];
  }
  const noted = before[REVISION];
  if (noted === undefined || deployment.metadata.annotations?.[REVISION] === noted) return [];
  const object = {
    ...deployment,
    metadata: { ...deployment.metadata, annotations: { ...deployment.metadata.annotations, [REVISION]: noted } },
  };
  return [{ verb: 'update', kind: deployments as Kind, object }];
}

function createSet(view: View): Plan {
  const { deployment, old, world } = view;
  const { namespace, name } = deployment.metadata;
  const template = deployment.spec?.template ?? {};
  const hash = contentHash(template, deployment.status?.collisionCount);
  const setName = `${name}-${hash}`;
  const labels = { ...template.metadata?.labels, [TEMPLATE_HASH]: hash };
  const replicas = newSetSize(deployment, old, 0);
  const annotations = newSetAnnotations(deployment, undefined, nextRevision(old));
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
  const object: ReplicaSet = {
    metadata: {
      name: setName,
      ...(namespace === undefined ? {} : { namespace }),
      labels,
      annotations: withSize(annotations, replicasOf(deployment), maxReplicas(deployment)),
      ownerReferences: [controllerReference(deployment, deployments)],
    },
    spec: {
      replicas,
      ...(minReadySeconds === 0 ? {} : { minReadySeconds }),
      selector: {
        ...deployment.spec?.selector,
        matchLabels: { ...deployment.spec?.selector.matchLabels, [TEMPLATE_HASH]: hash },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  const announce = {
    done: () => scalingEvent(deployment, 'up', setName, 0, replicas),
  };
  const observed = { deployment, fresh: undefined, old, rolling: true, now: world.now };
  return {
    actions: [
      {
        verb: 'create',
        kind: replicaSets as Kind,
        object,
        ...(replicas > 0 ? { announce } : {}),
      },
    ],
    after(failure) {
      if (failure === undefined) return writeStatus({ ...observed, created: setName });
      if (isNamespaceGoing(failure)) return writeStatus(observed);
      if (!isApiError(failure, 'AlreadyExists')) return writeStatus({ ...observed, failure });
      const holder = world.named(setName);
      const ours = holder !== undefined && controllerOf(holder)?.uid === deployment.metadata.uid;
      // It is our own, or not to be seen yet: the next step finds it. Else another name is needed.
      if (holder === undefined || (ours && isOfTemplate(holder, deployment))) return [];
      return writeStatus({ ...observed, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 });
    },
  };
}

/** Updates of the sets whose size is another, or whose note of the deployment's size is out of date. */
function resize({ deployment, fresh, old }: View, sizes: Sizes): Action[] {
  const actions: Action[] = [];
  const desired = replicasOf(deployment);
  const most = desired + boundsOf(deployment).maxSurge;
  for (const set of fresh === undefined ? old : [fresh, ...old]) {
    const size = replicasOf(set);
    const target = sizes.get(set.metadata.name) ?? size;
    const annotations = withSize(set.metadata.annotations, desired, most);
    const noteStands = Object.entries(annotations).every(([n, v]) => set.metadata.annotations?.[n] === v);
    const counts = size > 0 || target > 0;
    if (target === size && (noteStands || !counts)) continue;
    const object = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...specOf(set), replicas: target } };
    actions.push(updateSet(object));
    if (target !== size) {
      actions.push(scalingEvent(deployment, target > size ? 'up' : 'down', set.metadata.name, size, target));
    }
  }
  return actions;
}

/** Old replica sets beyond the length of the history, by revision; only those that hold nothing. */
function cleanUp({ deployment, old }: View): Action[] {
  const limit = deployment.spec?.revisionHistoryLimit ?? 10;
  const empty = old.filter(
    (set) =>
      replicasOf(set) === 0 &&
      (set.status?.replicas ?? 0) === 0 &&
      (set.metadata.generation ?? 0) <= (set.status?.observedGeneration ?? 0) &&
      set.metadata.deletionTimestamp === undefined,
  );
  empty.sort((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : 1));
  const going = empty.slice(0, Math.max(0, old.length - limit));
  return going.map((set) => ({
    verb: 'delete',
    kind: replicaSets as Kind,
    object: set,
    options: { propagationPolicy: 'Background' },
  }));
}

const specOf = (set: ReplicaSet) => set.spec ?? { selector: {} };

function updateSet(object: ReplicaSet): Action {
  return { verb: 'update', kind: replicaSets as Kind, object };
}

function scalingEvent(deployment: Deployment, way: 'up' | 'down', name: string, from: number, to: number) {
  return {
    verb: 'event',
    regarding: deployment,
    type: 'Normal',
    reason: 'ScalingReplicaSet',
    message: `Scaled ${way} replica set ${name} from ${from} to ${to}`,
  } as const;
}
