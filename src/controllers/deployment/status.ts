/**
 * What a deployment says of itself: counts, and whether it is available and gets on.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status
 */
import { type Deployment, type DeploymentCondition, DeploymentStatus } from '../../apis/apps/deployment.ts';
import type { ReplicaSet } from '../../apis/apps/replicaSet.ts';
import type { Stored } from '../../machinery/kind.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { formatTime, parseTime } from '../../machinery/time.ts';
import { availableOf, boundsOf, replicasOf, type Sets, sum } from './sizes.ts';

export interface Observed {
  readonly deployment: Stored<Deployment>;
  readonly fresh: Stored<ReplicaSet> | undefined;
  readonly old: Sets;
  /** whether a rollout goes on, so that its progress counts; not while scaling or paused */
  readonly rolling: boolean;
  /** the new replica set was made in this very moment: its name */
  readonly created?: string;
  /** why it could not be made */
  readonly failure?: Error;
  readonly collisionCount?: number | undefined;
  readonly now: number;
}

type Draft = Omit<DeploymentCondition, 'lastUpdateTime' | 'lastTransitionTime'>;
/** Progress is without end where the deadline is as far as it can be. */
const NO_DEADLINE = 2 ** 31 - 1;
const PAUSED_REASONS = { true: 'DeploymentPaused', false: 'DeploymentResumed' } as const;

/** The status to write; undefined where it says so already. */
export function statusOf(observed: Observed): DeploymentStatus | undefined {
  const { deployment } = observed;
  const status = countsOf(observed);
  let conditions: DeploymentCondition[] = [...(deployment.status?.conditions ?? [])];
  const set = (draft: Draft, renew = false) => {
    conditions = withCondition(conditions, draft, observed.now, renew);
  };
  set(availability(deployment, status));
  const progress = progressOf(observed, status);
  if (progress !== undefined) set(progress.condition, progress.renew);
  const failed = replicaFailure(observed);
  if (failed !== undefined) set(failed);
  else conditions = conditions.filter((c) => c.type !== 'ReplicaFailure');
  status.conditions = conditions;
  if (semanticEqual(DeploymentStatus, withZeros(deployment.status), withZeros(status))) return undefined;
  return withoutZeros(status);
}

/** As Kubernetes writes it: what is none is left out, but for pods that are going. */
function withoutZeros(status: DeploymentStatus): DeploymentStatus {
  return Object.fromEntries(
    Object.entries(status).filter(([name, value]) => value !== 0 || name === 'terminatingReplicas'),
  );
}

function countsOf({ deployment, fresh, old, collisionCount }: Observed): DeploymentStatus {
  const all = fresh === undefined ? old : [fresh, ...old];
  const available = sum(all, availableOf);
  const collisions = collisionCount ?? deployment.status?.collisionCount;
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(all, (set) => set.status?.replicas ?? 0),
    updatedReplicas: fresh?.status?.replicas ?? 0,
    readyReplicas: sum(all, (set) => set.status?.readyReplicas ?? 0),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sum(all, replicasOf) - available),
    terminatingReplicas: sum(all, (set) => set.status?.terminatingReplicas ?? 0),
    ...(collisions === undefined ? {} : { collisionCount: collisions }),
  };
}

/** A count that is left out is none. */
function withZeros(status: DeploymentStatus | undefined): DeploymentStatus {
  return {
    observedGeneration: 0,
    replicas: 0,
    updatedReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    unavailableReplicas: 0,
    terminatingReplicas: 0,
    ...status,
  };
}

function availability(deployment: Deployment, status: DeploymentStatus): Draft {
  const enough = (status.availableReplicas ?? 0) >= replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  return enough
    ? {
        type: 'Available',
        status: 'True',
        reason: 'MinimumReplicasAvailable',
        message: 'Deployment has minimum availability.',
      }
    : {
        type: 'Available',
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      };
}

/** All pods are of the present template and available, and no others are left. */
export function isComplete(deployment: Stored<Deployment>, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec?.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== NO_DEADLINE;
}

const progressing = (deployment: Deployment) => deployment.status?.conditions?.find((c) => c.type === 'Progressing');

function progressOf(observed: Observed, status: DeploymentStatus): { condition: Draft; renew: boolean } | undefined {
  const { deployment, fresh, rolling, created, failure } = observed;
  const known = progressing(deployment);
  const draft = (state: string, reason: string, message: string, renew = false) => ({
    condition: { type: 'Progressing', status: state, reason, message },
    renew,
  });
  if (!hasDeadline(deployment)) return undefined;
  if (failure !== undefined) return draft('False', 'ReplicaSetCreateError', failure.message);
  if (created !== undefined) return draft('True', 'NewReplicaSetCreated', `Created new replica set "${created}"`);
  const paused = deployment.spec?.paused === true;
  const pausedNow = known?.reason === PAUSED_REASONS.true;
  // How a rollout ended is not forgotten by a pause.
  if (known?.reason !== 'ProgressDeadlineExceeded' && paused !== pausedNow) {
    if (paused) return draft('Unknown', PAUSED_REASONS.true, 'Deployment is paused');
    if (pausedNow) return draft('Unknown', PAUSED_REASONS.false, 'Deployment is resumed');
  }
  if (!rolling) return undefined;
  const name = fresh === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${fresh.metadata.name}"`;
  const over = known?.reason === 'NewReplicaSetAvailable' && (status.replicas ?? 0) === (status.updatedReplicas ?? 0);
  if (over) return undefined;
  if (isComplete(deployment, status)) {
    return draft('True', 'NewReplicaSetAvailable', `${name} has successfully progressed.`);
  }
  if (gotOn(deployment.status ?? {}, status)) {
    return draft('True', 'ReplicaSetUpdated', `${name} is progressing.`, true);
  }
  if (isLate(observed)) return draft('False', 'ProgressDeadlineExceeded', `${name} has timed out progressing.`);
  if (known === undefined && fresh !== undefined) {
    return draft('True', 'FoundNewReplicaSet', `Found new replica set "${fresh.metadata.name}"`);
  }
  return undefined;
}

function gotOn(before: DeploymentStatus, now: DeploymentStatus): boolean {
  const oldPods = (s: DeploymentStatus) => (s.replicas ?? 0) - (s.updatedReplicas ?? 0);
  return (
    (now.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(now) < oldPods(before) ||
    (now.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (now.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

function isLate({ deployment, now }: Observed): boolean {
  const known = progressing(deployment);
  if (known?.reason === 'ProgressDeadlineExceeded') return true;
  const left = deadlineInMs(deployment, now);
  return left !== undefined && left <= 0;
}

/** In how many milliseconds a rollout that does not get on is late; undefined where nothing is waited for. */
export function deadlineInMs(deployment: Deployment, now: number): number | undefined {
  const known = progressing(deployment);
  if (!hasDeadline(deployment) || known === undefined || deployment.spec?.paused === true) return undefined;
  if (known.reason === 'NewReplicaSetAvailable' || known.reason === 'ProgressDeadlineExceeded') return undefined;
  const since = parseTime(known.lastUpdateTime) ?? now;
  return since + (deployment.spec?.progressDeadlineSeconds ?? 0) * 1000 - now;
}

/** What keeps the replica sets from making pods, the newest first. */
function replicaFailure({ fresh, old }: Observed): Draft | undefined {
  for (const set of fresh === undefined ? old : [fresh, ...old]) {
    const condition = set.status?.conditions?.find((c) => c.type === 'ReplicaFailure');
    if (condition !== undefined) {
      const { type, status, reason = '', message = '' } = condition;
      return { type, status, reason, message };
    }
  }
  return undefined;
}

/** @param renew the time of the update counts though status and reason stay */
function withCondition(
  conditions: readonly DeploymentCondition[],
  draft: Draft,
  now: number,
  renew: boolean,
): DeploymentCondition[] {
  const known = conditions.find((c) => c.type === draft.type);
  if (known !== undefined && known.status === draft.status && known.reason === draft.reason && !renew) {
    return [...conditions];
  }
  const time = formatTime(now);
  const lastTransitionTime = known?.status === draft.status ? (known.lastTransitionTime ?? time) : time;
  const condition = { ...draft, lastUpdateTime: time, lastTransitionTime };
  return known === undefined ? [...conditions, condition] : conditions.map((c) => (c === known ? condition : c));
}
