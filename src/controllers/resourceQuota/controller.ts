/**
 * Counts what there is in namespaces with quotas, and says so in their status. The API server counts what is added by
 * itself; this one sees what goes, and puts right what was counted for nothing.
 *
 * Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
import { usageOf } from '../../apis/core/quotaUsage.ts';
import { type ResourceQuota, resourceQuotas } from '../../apis/core/resourceQuota.ts';
import { keyOf, refKey } from '../../client/store.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import type { ControllerContext } from '../context.ts';
import type { CustomKinds } from '../customKinds.ts';
import { startLoop } from '../loop.ts';
import { countedKinds, planQuota } from './plan.ts';

/** Everything is counted anew this often, though nothing is known to have changed. */
const RECOUNT_MS = 300_000;
/** How soon a quota is looked at again whose objects are not known yet. */
const SYNC_MS = 100;

/** @param kinds all that the API server serves, beside custom resources */
export function startResourceQuotaController(
  context: ControllerContext,
  kinds: readonly Kind[],
  custom: CustomKinds,
): void {
  const informer = context.informers.of(resourceQuotas);
  const followed = new Set<Kind>();
  const loop = startLoop({
    name: 'resourcequota-controller',
    context,
    reads: [informer],
    plan(key) {
      const quota = informer.byKey(key);
      if (quota === undefined || quota.metadata.deletionTimestamp !== undefined) return undefined;
      const counted = countedKinds(quota, [...kinds, ...custom.all()]);
      for (const kind of counted) follow(kind);
      if (counted.some((kind) => !context.informers.of(kind).hasSynced)) return { actions: [], againMs: SYNC_MS };
      const plan = planQuota(quota, counted, (kind) => context.informers.of(kind).list(quota.metadata.namespace));
      return { actions: plan?.actions ?? [], againMs: RECOUNT_MS };
    },
  });
  const changed = (quota: Stored<ResourceQuota>) => loop.enqueue(keyOf(quota));
  informer.handle({
    onAdd: changed,
    onUpdate(quota, old) {
      if (!jsonEqual(quota.spec ?? {}, old.spec ?? {}) || quota.status?.hard === undefined) changed(quota);
    },
  });
  const all = () => {
    for (const quota of informer.list()) changed(quota);
  };
  custom.handle({ onAdd: all, onRemove: all });
  /** From now on each object of the kind that comes, goes or takes another amount is heard of. */
  const follow = (kind: Kind) => {
    if (followed.has(kind)) return;
    followed.add(kind);
    const tell = ({ metadata }: Stored<KubeObject>) => {
      for (const quota of informer.list(metadata.namespace))
        loop.enqueue(refKey(quota.metadata.namespace, quota.metadata.name));
    };
    context.informers.of(kind).handle({
      onAdd: (object, initial) => {
        if (!initial) tell(object);
      },
      onUpdate(object, old) {
        if (!jsonEqual(usageOf(kind, object), usageOf(kind, old))) tell(object);
      },
      onDelete: tell,
    });
  };
}
