/** Words in which the tables of roles are written. */
import type { PolicyRule } from '../../apis/rbac/rules.ts';

/**
 * A rule: verbs, then groups with their resources. All are lists with spaces in between; the core group is
 * `core`, several groups are joined by a comma.
 *
 *     can('get list watch', 'core', 'pods services')
 */
export function can(verbs: string, groups: string, resources: string, names?: readonly string[]): PolicyRule {
  return {
    verbs: verbs.split(' '),
    apiGroups: groups.split(',').map((g) => (g === 'core' ? '' : g)),
    resources: resources.split(' '),
    ...(names === undefined ? {} : { resourceNames: [...names] }),
  };
}

/** A rule for paths that are no resources. */
export function canVisit(...nonResourceURLs: string[]): PolicyRule {
  return { verbs: ['get'], nonResourceURLs };
}

export const READ = 'get list watch';
export const WRITE = 'create delete deletecollection patch update';
/** What every controller may do, so that it can say what happened. */
export const RECORD_EVENTS = can('create patch update', 'core,events.k8s.io', 'events');

export interface RoleRow {
  readonly name: string;
  readonly rules: readonly PolicyRule[];
  /** the aggregated roles that this one is a part of */
  readonly partOf?: readonly ('admin' | 'edit' | 'view')[];
  /** made of the roles that are labelled as a part of this name */
  readonly aggregate?: 'admin' | 'edit' | 'view';
}
