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

/** Which revision a pod was made of. */
export const REVISION_HASH = 'controller-revision-hash';

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
      name: `${owner.metadata.name}-${hash}`,
      namespace: owner.metadata.namespace ?? '',
      labels: { ...owner.spec?.template?.metadata?.labels, [REVISION_HASH]: hash },
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

export function hashOf(revision: ControllerRevision): string {
  return revision.metadata?.labels?.[REVISION_HASH] ?? '';
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
