/** What a quota says is used. Pure. */
import { countName, isInScope, sumOf, usageOf } from '../../apis/core/quotaUsage.ts';
import { type ResourceQuota, resourceQuotas } from '../../apis/core/resourceQuota.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { statusUpdate } from '../action.ts';
import type { Plan } from '../loop.ts';

const CLASS = '.storageclass.storage.k8s.io/';

/** The kinds whose objects a quota counts. */
export function countedKinds(quota: ResourceQuota, kinds: readonly Kind[]): Kind[] {
  const names = Object.keys(quota.spec?.hard ?? {});
  const plurals = new Set(names.flatMap((name) => pluralOf(name) ?? []));
  const counts = new Set(names.filter((name) => name.startsWith('count/')));
  return kinds.filter(
    (kind) =>
      kind.namespaced &&
      kind.stored &&
      kind.hub === undefined &&
      (counts.has(countName(kind)) || (kind.group === '' && plurals.has(kind.plural))),
  );
}

function pluralOf(name: string): string | undefined {
  if (name.startsWith('count/')) return undefined;
  if (name.startsWith('services')) return 'services';
  if (name === 'requests.storage' || name === 'persistentvolumeclaims' || name.includes(CLASS))
    return 'persistentvolumeclaims';
  const isBare = ['configmaps', 'replicationcontrollers', 'resourcequotas', 'secrets'].includes(name);
  return isBare ? name : 'pods';
}

/** @param objectsOf all objects of a kind in the quota's namespace */
export function planQuota(
  quota: Stored<ResourceQuota>,
  kinds: readonly Kind[],
  objectsOf: (kind: Kind) => readonly KubeObject[],
): Plan | undefined {
  const hard = quota.spec?.hard ?? {};
  const usages = kinds.flatMap((kind) =>
    objectsOf(kind)
      .filter((object) => isInScope(quota, kind, object))
      .map((object) => usageOf(kind, object)),
  );
  const used = sumOf(Object.keys(hard), usages);
  const status = { hard, used };
  if (jsonEqual(quota.status ?? {}, status)) return undefined;
  const changed: ResourceQuota = { ...quota, status };
  return { actions: [statusUpdate(resourceQuotas as Kind, changed)] };
}
