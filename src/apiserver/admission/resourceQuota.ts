/**
 * Resource quotas: a write that would take more than its namespace may have is refused. What it takes is written down in
 * the quota's status before the object is stored, so that writes at the same time cannot both have the last of it.
 *
 * Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { ResourceList } from '../../apis/core/podResources.ts';
import { COMPUTE_RESOURCES, isInScope, usageOf } from '../../apis/core/quotaUsage.ts';
import { type ResourceQuota, resourceQuotas } from '../../apis/core/resourceQuota.ts';
import type { Client } from '../../client/client.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import { addQuantities, compareQuantities, formatQuantity, quantityOf } from '../../machinery/quantity.ts';
import { forbiddenRequest, isApiError } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

/** Somebody else may write the same status: so often it is tried. */
const MAX_ATTEMPTS = 10;

/** @param client of the API server itself, once it answers */
export function resourceQuota(registry: Registry, client: () => Client | undefined): AdmissionPlugin {
  const cache = registry.cache(resourceQuotas);
  /** by namespace: charges are made one after the other */
  const turns = new Map<string, Promise<void>>();

  const charge = async (request: AdmissionRequest): Promise<void> => {
    const namespace = request.namespace ?? '';
    const before = turns.get(namespace) ?? Promise.resolve();
    const mine = before.catch(() => {}).then(() => chargeAll(request));
    turns.set(namespace, mine);
    try {
      await mine;
    } finally {
      if (turns.get(namespace) === mine) turns.delete(namespace);
    }
  };

  const chargeAll = async (request: AdmissionRequest): Promise<void> => {
    const quotas = cache.entries(request.namespace).map((entry) => entry.object as Stored<ResourceQuota>);
    const charges = quotas.flatMap((quota) => {
      const change = changeOf(quota, request);
      return change === undefined ? [] : [{ quota, change }];
    });
    // Nothing is written before all of them agree.
    for (const { quota, change } of charges) assertWithin(request, quota, change);
    const api = client();
    if (request.dryRun || api === undefined) return;
    for (const { quota, change } of charges) await write(api, request, quota, change);
  };

  const write = async (api: Client, request: AdmissionRequest, first: Stored<ResourceQuota>, change: ResourceList) => {
    const { namespace = '', name } = first.metadata;
    let quota = first;
    for (let attempt = 1; ; attempt++) {
      assertWithin(request, quota, change);
      const used = { ...quota.status?.used };
      for (const [key, amount] of Object.entries(change)) used[key] = addQuantities(used[key] ?? '0', amount);
      try {
        await api.update(resourceQuotas, { ...quota, status: { ...quota.status, used } }, { subresource: 'status' });
        return;
      } catch (error) {
        if (isApiError(error, 'NotFound')) return;
        if (!isApiError(error, 'Conflict') || attempt === MAX_ATTEMPTS) throw error;
        quota = await api.get(resourceQuotas, { namespace, name });
      }
    }
  };

  return {
    name: 'ResourceQuota',
    validate(request) {
      if (request.namespace === undefined || request.namespace === '' || request.subresource === 'status') return;
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      if (request.operation === 'CREATE' && request.subresource !== '') return;
      if (!request.kind.stored) return;
      // Most namespaces have none: then there is nothing to wait for.
      if (cache.ready) return cache.entries(request.namespace).length === 0 ? undefined : charge(request);
      return cache.start().then(() => charge(request));
    },
  };
}

/** What a write adds to what a quota counts; undefined: nothing. @throws ApiError Forbidden for a pod that does not say what it takes */
function changeOf(quota: Stored<ResourceQuota>, request: AdmissionRequest): ResourceList | undefined {
  const { kind, object, oldObject } = request;
  if (object === undefined) return undefined;
  const hard = quota.status?.hard ?? quota.spec?.hard ?? {};
  const of = (one: KubeObject | undefined): ResourceList =>
    one === undefined || !isInScope(quota, kind, one) ? {} : usageOf(kind, one);
  const after = of(object);
  const before = of(oldObject);
  const change: ResourceList = {};
  for (const name of Object.keys(hard)) {
    const more = difference(after[name] ?? '0', before[name] ?? '0');
    if (compareQuantities(more, 0) > 0) change[name] = more;
  }
  if (kind.group === '' && kind.plural === 'pods' && oldObject === undefined && isInScope(quota, kind, object)) {
    assertSaid(request, quota, object as Pod, Object.keys(hard), after);
  }
  return Object.keys(change).length === 0 ? undefined : change;
}

/** A pod must say how much it takes of what is counted. */
function assertSaid(
  request: AdmissionRequest,
  quota: Stored<ResourceQuota>,
  pod: Pod,
  names: readonly string[],
  usage: ResourceList,
): void {
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  const missing = names
    .filter((name) => COMPUTE_RESOURCES.has(name))
    .flatMap((name) => {
      const which = name.startsWith('limits.') ? 'limits' : 'requests';
      const resource = name.replace(/^(?:limits|requests)\./, '');
      if (pod.spec?.resources?.[which]?.[resource] !== undefined) return [];
      const silent = containers.filter((c) => c.resources?.[which]?.[resource] === undefined).map((c) => c.name);
      return silent.length === 0 && usage[name] !== undefined ? [] : [`${name} for: ${silent.join(',')}`];
    });
  if (missing.length > 0) {
    throw forbiddenRequest(
      request.kind,
      request.name,
      `failed quota: ${quota.metadata.name}: must specify ${missing.join('; ')}`,
    );
  }
}

/** @throws ApiError Forbidden */
function assertWithin(request: AdmissionRequest, quota: Stored<ResourceQuota>, change: ResourceList): void {
  const { hard, used = {} } = quota.status ?? {};
  const names = Object.keys(change).sort();
  const refuse = (why: string) => forbiddenRequest(request.kind, request.name, why);
  if (hard === undefined) {
    throw refuse(`status unknown for quota: ${quota.metadata.name}, resources: ${names.join(',')}`);
  }
  const over = names.filter((name) => {
    const limit = hard[name];
    return limit !== undefined && compareQuantities(addQuantities(used[name] ?? '0', change[name] ?? '0'), limit) > 0;
  });
  if (over.length === 0) return;
  const list = (amounts: Readonly<ResourceList>) => over.map((name) => `${name}=${amounts[name] ?? '0'}`).join(',');
  throw refuse(
    `exceeded quota: ${quota.metadata.name}, requested: ${list(change)}, used: ${list(used)}, limited: ${list(hard)}`,
  );
}

function difference(a: string, b: string): string {
  const [x, y] = [quantityOf(a), quantityOf(b)];
  return formatQuantity({ nano: x.nano - y.nano, format: x.nano === 0n ? y.format : x.format });
}
