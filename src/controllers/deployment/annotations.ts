/**
 * What a deployment notes on its replica sets.
 *
 * Source: https://kubernetes.io/docs/reference/labels-annotations-taints/
 */
import type { Deployment } from '../../apis/apps/deployment.ts';
import type { ReplicaSet } from '../../apis/apps/replicaSet.ts';
import type { KubeObject } from '../../machinery/kind.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';
export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';
const ROLLBACK_REVISION = 'deprecated.deployment.rollback.revision';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** These are not copied from the deployment. */
const OWN: ReadonlySet<string> = new Set([
  LAST_APPLIED,
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  ROLLBACK_REVISION,
]);

/** The history of revisions is cut from the front when it grows longer. */
const MAX_HISTORY_LENGTH = 2000;

type Annotations = Record<string, string>;

/** What a revision may be at most: a whole number of 64 bits. */
const MAX_REVISION = 2n ** 63n - 1n;

/** 0 where there is none. */
export function revisionOf(object: KubeObject): bigint {
  const text = object.metadata?.annotations?.[REVISION] ?? '';
  if (!/^\d{1,19}$/.test(text)) return 0n;
  const revision = BigInt(text);
  return revision > MAX_REVISION ? 0n : revision;
}

/** The revision behind all of these. */
export function nextRevision(sets: readonly KubeObject[]): bigint {
  let last = 0n;
  for (const revision of sets.map(revisionOf)) {
    if (revision > last) last = revision;
  }
  return last === MAX_REVISION ? last : last + 1n;
}

export function numberIn(object: KubeObject, annotation: string): number | undefined {
  const text = object.metadata?.annotations?.[annotation] ?? '';
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The annotations of the replica set that holds the deployment's present template. */
export function newSetAnnotations(deployment: Deployment, set: ReplicaSet | undefined, revision: bigint): Annotations {
  const annotations: Annotations = { ...set?.metadata?.annotations };
  for (const [name, value] of Object.entries(deployment.metadata?.annotations ?? {})) {
    if (!OWN.has(name)) annotations[name] = value;
  }
  const before = set === undefined ? 0n : revisionOf(set);
  if (before >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (before > 0n) {
    const history = (annotations[REVISION_HISTORY] ?? '').split(',').filter((r) => r !== '');
    history.push(String(before));
    while (history.length > 1 && history.join(',').length > MAX_HISTORY_LENGTH) history.shift();
    annotations[REVISION_HISTORY] = history.join(',');
  }
  return annotations;
}

/** With the size that the deployment has now, by which a later change of it is noticed. */
export function withSize(annotations: Annotations | undefined, desired: number, most: number): Annotations {
  return { ...annotations, [DESIRED_REPLICAS]: String(desired), [MAX_REPLICAS]: String(most) };
}
