/**
 * The history of a stateful set or a daemon set: each template that it had is a ControllerRevision of its own.
 *
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#revision-history
 */
import { type ControllerRevision, controllerRevisions } from '../apis/apps/controllerRevision.ts';
import type { PodTemplateSpec } from '../apis/core/podTemplate.ts';
import type { Kind, KubeObject, Stored } from '../machinery/kind.ts';
import { controllerReference } from '../machinery/ownerReferences.ts';
import type { JsonObject } from '../machinery/schema/types.ts';
import type { Action } from './action.ts';
import { canonical, contentHash } from './contentHash.ts';

/** Which revision a pod was made of: a daemon set's pods bear its hash, those of a stateful set its name. */
export const REVISION_LABEL = 'controller-revision-hash';
/** What revisions of stateful sets bear their hashes as; those of daemon sets have it as their pods do. */
const HASH_LABEL = 'controller.kubernetes.io/hash';
/** Longer names of owners are cut, to leave room for the hash. */
const MAX_PREFIX = 223;

interface Templated extends KubeObject {
  readonly spec?: { readonly template?: PodTemplateSpec };
}

export interface History {
  /** that of the present template; it may be about to be made */
  readonly update: ControllerRevision;
  /** all that there are, the oldest first, with `update` at the end */
  readonly all: readonly ControllerRevision[];
  readonly actions: readonly Action[];
  /** what to count in the status where a name was taken by something else */
  readonly collided: boolean;
}

/**
 * Finds the revision of the owner's template, or makes it. An older one that says the same becomes the newest.
 * @param named what has a name already, whoever owns it
 */
export function revisionsOf<O extends Templated>(
  owner: Stored<O>,
  ownerKind: Kind<O>,
  owned: readonly Stored<ControllerRevision>[],
  collisions: number | undefined,
  named: (name: string) => Stored<ControllerRevision> | undefined,
): History {
  const sorted = [...owned].sort((a, b) => a.revision - b.revision);
  const data = dataOf(owner.spec?.template ?? {});
  const text = canonical(data);
  const newest = sorted[sorted.length - 1];
  const same = sorted.findLast((r) => canonical(r.data ?? null) === text);
  if (same !== undefined && same === newest) return { update: same, all: sorted, actions: [], collided: false };
  const revision = (newest?.revision ?? 0) + 1;
  if (same !== undefined) {
    const update = { ...same, revision };
    const all = [...sorted.filter((r) => r !== same), update];
    const actions: Action[] = [{ verb: 'update', kind: controllerRevisions as Kind, object: update }];
    return { update, all, actions, collided: false };
  }
  const hash = contentHash(data, collisions);
  const update: ControllerRevision = {
    metadata: {
      name: `${owner.metadata.name.slice(0, MAX_PREFIX)}-${hash}`,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...owner.spec?.template?.metadata?.labels, [hashLabelOf(ownerKind)]: hash },
      ownerReferences: [controllerReference(owner, ownerKind)],
    },
    data,
    revision,
  };
  const collided = named(update.metadata?.name ?? '') !== undefined;
  const actions: Action[] = collided ? [] : [{ verb: 'create', kind: controllerRevisions as Kind, object: update }];
  return { update, all: [...sorted, update], actions, collided };
}

/** Old revisions beyond the limit go, but for those that are `live`. The oldest go first. */
export function planCleanUp(
  all: readonly ControllerRevision[],
  live: ReadonlySet<string>,
  limit: number | undefined,
): Action[] {
  const idle = all.filter((r) => !live.has(r.metadata?.name ?? '') && r.metadata?.uid !== undefined);
  return idle
    .slice(0, Math.max(0, idle.length - (limit ?? 10)))
    .map((r) => ({ verb: 'delete', kind: controllerRevisions as Kind, object: r as Stored<ControllerRevision> }));
}

function hashLabelOf(ownerKind: { readonly kind: string }): string {
  return ownerKind.kind === 'DaemonSet' ? REVISION_LABEL : HASH_LABEL;
}

/** What the pods of a daemon set bear that are of this revision. */
export function hashOf(revision: ControllerRevision): string {
  return revision.metadata?.labels?.[REVISION_LABEL] ?? '';
}

/** What the pods of a stateful set bear that are of this revision. */
export function nameOf(revision: ControllerRevision): string {
  return revision.metadata?.name ?? '';
}

/** The template that a revision holds. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const spec = (revision.data?.spec ?? {}) as { template?: PodTemplateSpec & { $patch?: string } };
  const { $patch: _patch, ...template } = spec.template ?? {};
  return template;
}

/** A patch that gives an object this template: so that a rollback can apply it. */
function dataOf(template: PodTemplateSpec): JsonObject {
  return { spec: { template: { ...(template as unknown as JsonObject), $patch: 'replace' } } };
}
