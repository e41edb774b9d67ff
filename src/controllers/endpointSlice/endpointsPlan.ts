/**
 * The older form of a service's endpoints: one object with everything in it.
 *
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#endpoints
 */

import { isDeepStrictEqual } from 'node:util';
import { type EndpointAddress, EndpointSubset, type Endpoints, endpoints } from '../../apis/core/endpoints.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Service } from '../../apis/core/service.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { list } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import type { Action } from '../action.ts';
import { addressOf, addressTypes, conditionsOf, hostnameOf, isHeadless, podReference, portsOf } from './endpoint.ts';
import { HEADLESS } from './plan.ts';
import { LAST_CHANGE_TRIGGER_TIME, withTriggerTime } from './triggerTime.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const MANAGER = 'endpoint-controller';
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';
const MAX_ADDRESSES = 1000;
const Subsets = list(EndpointSubset);

export function planEndpoints(
  service: Stored<Service>,
  pods: readonly Stored<Pod>[],
  found: Stored<Endpoints> | undefined,
  triggerTime?: string,
): Action[] {
  const { subsets, truncated } = subsetsOf(service, pods);
  const labels: Record<string, string> = { ...service.metadata.labels, [MANAGED_BY]: MANAGER };
  if (isHeadless(service)) labels[HEADLESS] = '';
  const { [OVER_CAPACITY]: _cut, [LAST_CHANGE_TRIGGER_TIME]: time, ...others } = found?.metadata.annotations ?? {};
  const before = time === undefined ? others : { ...others, [LAST_CHANGE_TRIGGER_TIME]: time };
  const capacity: Record<string, string> = truncated ? { [OVER_CAPACITY]: 'truncated' } : {};
  const annotations = withTriggerTime({ ...others, ...capacity }, triggerTime);
  const { name, namespace } = service.metadata;
  if (found === undefined) {
    const metadata = { name, ...(namespace === undefined ? {} : { namespace }), labels, annotations };
    const object: Endpoints = { metadata, subsets };
    return [{ verb: 'create', kind: endpoints as Kind, object }];
  }
  const same =
    semanticEqual(Subsets, found.subsets, subsets) &&
    isDeepStrictEqual(found.metadata.labels, labels) &&
    isDeepStrictEqual(found.metadata.annotations ?? {}, { ...before, ...capacity });
  if (same) return [];
  const object: Endpoints = { ...found, metadata: { ...found.metadata, labels, annotations }, subsets };
  return [{ verb: 'update', kind: endpoints as Kind, object }];
}

/** What was made for a service goes with it. */
export function planWithoutService(found: Stored<Endpoints> | undefined): Action[] {
  if (found?.metadata.labels?.[MANAGED_BY] !== MANAGER) return [];
  return [{ verb: 'delete', kind: endpoints as Kind, object: found }];
}

function subsetsOf(
  service: Stored<Service>,
  pods: readonly Stored<Pod>[],
): { subsets: EndpointSubset[]; truncated: boolean } {
  const [addressType = 'IPv4'] = addressTypes(service);
  const byPorts = new Map<string, EndpointSubset>();
  let count = 0;
  // Of too many, those that are ready are worth more.
  const rank = (pod: Stored<Pod>) => (conditionsOf(pod, service).ready ? 0 : 1);
  const sorted = [...pods].sort((a, b) => rank(a) - rank(b) || (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const pod of sorted) {
    const ip = addressOf(pod, addressType);
    const { ready, terminating } = conditionsOf(pod, service);
    if (ip === undefined || (terminating && service.spec?.publishNotReadyAddresses !== true)) continue;
    const ports = portsOf(pod, service);
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    if (++count > MAX_ADDRESSES) continue;
    const key = JSON.stringify(ports);
    const subset: EndpointSubset = byPorts.get(key) ?? {
      ports: ports.map(({ name, ...p }) => ({ ...p, ...(name === '' ? {} : { name }) })),
    };
    byPorts.set(key, subset);
    const hostname = hostnameOf(pod, service);
    const nodeName = pod.spec?.nodeName;
    const address: EndpointAddress = {
      ip,
      ...(hostname === undefined ? {} : { hostname }),
      ...(nodeName === undefined ? {} : { nodeName }),
      targetRef: podReference(pod),
    };
    if (ready) subset.addresses = [...(subset.addresses ?? []), address];
    else subset.notReadyAddresses = [...(subset.notReadyAddresses ?? []), address];
  }
  const subsets = [...byPorts.values()];
  for (const { addresses, notReadyAddresses } of subsets) {
    addresses?.sort(byAddress);
    notReadyAddresses?.sort(byAddress);
  }
  return { subsets, truncated: count > MAX_ADDRESSES };
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  if (a.ip !== b.ip) return a.ip < b.ip ? -1 : 1;
  return (a.targetRef?.uid ?? '') < (b.targetRef?.uid ?? '') ? -1 : 1;
}
