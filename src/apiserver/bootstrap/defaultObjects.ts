/**
 * What every cluster has from its first moment: namespaces, priority classes, roles and bindings. A start
 * reads the watch caches and writes only what is missing, so a later start costs next to nothing.
 */

import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import { type Namespace, namespaces } from '../../apis/core/namespace.ts';
import { flowSchemas } from '../../apis/flowcontrol/flowSchema.ts';
import { priorityLevelConfigurations } from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import { type ClusterRole, clusterRoles } from '../../apis/rbac/clusterRole.ts';
import { clusterRoleBindings } from '../../apis/rbac/clusterRoleBinding.ts';
import { roles } from '../../apis/rbac/role.ts';
import { roleBindings } from '../../apis/rbac/roleBinding.ts';
import type { PolicyRule, RoleRef, Subject } from '../../apis/rbac/rules.ts';
import { type PriorityClass, priorityClasses } from '../../apis/scheduling/priorityClass.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { cloneJson } from '../../machinery/clone.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import { missingRules } from '../authorization/rules.ts';
import type { Registry } from '../registry/registry.ts';
import {
  completedFlowSchema,
  completedPriorityLevel,
  defaultFlowSchemas,
  defaultPriorityLevels,
} from './flowControlObjects.ts';
import {
  AUTOUPDATE_ANNOTATION,
  bootstrapClusterRoleBindings,
  bootstrapClusterRoles,
  bootstrapRoleBindings,
  bootstrapRoles,
} from './roles.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

const PRIORITY_CLASSES: readonly PriorityClass[] = [
  {
    metadata: { name: 'system-node-critical' },
    value: 2_000_001_000,
    description: 'For pods that must not be moved off their node.',
  },
  {
    metadata: { name: 'system-cluster-critical' },
    value: 2_000_000_000,
    description: 'For pods that the cluster cannot do without, though they may run on another node.',
  },
];

export interface BootstrapOptions {
  readonly registry: Registry;
  /** as an administrator */
  readonly client: Client;
  readonly log: Logger;
  readonly clock: Clock;
}

/** @throws ApiError where an object that is needed cannot be written */
export async function ensureDefaultObjects(options: BootstrapOptions): Promise<void> {
  const spaces: Namespace[] = NAMESPACES.map((name) => ({ metadata: { name } }));
  // What lives in a namespace can only follow it.
  await ensure(options, namespaces, spaces, () => undefined);
  await Promise.all([
    ensure(options, priorityClasses, PRIORITY_CLASSES, () => undefined),
    ensureFlowControl(options),
    ensure(options, clusterRoles, bootstrapClusterRoles(), completedRole),
    ensure(options, clusterRoleBindings, bootstrapClusterRoleBindings(), completedBinding),
    ensure(options, roles, bootstrapRoles(), completedRole),
    ensure(options, roleBindings, bootstrapRoleBindings(), completedBinding),
    ensure(options, configMaps, [tokenTracking(options.clock)], () => undefined),
  ]);
}

/** @throws ApiError */
export async function ensureFlowControl(options: BootstrapOptions): Promise<void> {
  await Promise.all([
    ensure(options, priorityLevelConfigurations, defaultPriorityLevels(), completedPriorityLevel),
    ensure(options, flowSchemas, defaultFlowSchemas(), completedFlowSchema),
  ]);
}

/** Since when the use of tokens that do not expire has been noted. */
function tokenTracking(clock: Clock): ConfigMap {
  return {
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: formatTime(clock.now()).slice(0, 10) },
  };
}

/** @param complete what a stored object must become; undefined where it is fine, 'replace' where it must be made anew */
async function ensure<T extends KubeObject>(
  { registry, client, log }: BootstrapOptions,
  kind: Kind<T>,
  wanted: readonly T[],
  complete: (found: Stored<T>, wanted: T) => T | 'replace' | undefined,
): Promise<void> {
  const cache = registry.cache(kind);
  await cache.freshen();
  await Promise.all(
    wanted.map(async (object) => {
      const { namespace, name = '' } = object.metadata ?? {};
      const found = cache.object(namespace, name);
      const next = found === undefined ? object : complete(found, object);
      if (next === undefined) return;
      try {
        if (found === undefined) {
          await client.create(kind, object);
          return;
        }
        log.info('completing a default object', { kind: kind.kind, name });
        if (next === 'replace') {
          await client.delete(kind, { namespace, name });
          await client.create(kind, object);
        } else await client.update(kind, next);
      } catch (e) {
        // Another API server was faster.
        if (!isApiError(e, 'AlreadyExists') && !isApiError(e, 'Conflict')) throw e;
      }
    }),
  );
}

/** Labels and annotations with those that are missing; the same object where none is. */
function completedMeta<T extends KubeObject>(found: Stored<T>, wanted: T): { object: T; changed: boolean } {
  const object = cloneJson(found) as T;
  let changed = false;
  for (const field of ['labels', 'annotations'] as const) {
    for (const [key, value] of Object.entries(wanted.metadata?.[field] ?? {})) {
      if (object.metadata?.[field]?.[key] !== undefined) continue;
      object.metadata = { ...object.metadata, [field]: { ...object.metadata?.[field], [key]: value } };
      changed = true;
    }
  }
  return { object, changed };
}

const mayComplete = (found: Stored<object>) => found.metadata.annotations?.[AUTOUPDATE_ANNOTATION] !== 'false';

/** Rules are added, never taken away: what an administrator granted stays. */
function completedRole<T extends KubeObject & { rules?: PolicyRule[] }>(found: Stored<T>, wanted: T): T | undefined {
  if (!mayComplete(found)) return undefined;
  const { object, changed } = completedMeta(found, wanted);
  const missing = missingRules(found.rules ?? [], wanted.rules ?? []);
  if (missing.length > 0) object.rules = [...(object.rules ?? []), ...missing];
  const { aggregationRule } = wanted as ClusterRole;
  const lacksAggregation = aggregationRule !== undefined && (found as ClusterRole).aggregationRule === undefined;
  if (lacksAggregation) (object as ClusterRole).aggregationRule = aggregationRule;
  return changed || missing.length > 0 || lacksAggregation ? object : undefined;
}

interface AnyBinding extends KubeObject {
  roleRef: RoleRef;
  subjects?: Subject[];
}

function completedBinding<T extends AnyBinding>(found: Stored<T>, wanted: T): T | 'replace' | undefined {
  if (!mayComplete(found)) return undefined;
  // What a binding refers to cannot be changed.
  if (found.roleRef.kind !== wanted.roleRef.kind || found.roleRef.name !== wanted.roleRef.name) return 'replace';
  const { object, changed } = completedMeta(found, wanted);
  const has = (s: Subject) =>
    (found.subjects ?? []).some(
      (f) => f.kind === s.kind && f.name === s.name && (f.namespace ?? '') === (s.namespace ?? ''),
    );
  const missing = (wanted.subjects ?? []).filter((s) => !has(s));
  if (missing.length > 0) object.subjects = [...(object.subjects ?? []), ...missing];
  return changed || missing.length > 0 ? object : undefined;
}
