/**
 * Endpoint slices that say what the endpoints of a service say which somebody wrote by hand, in the older form.
 *
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#endpointslice-mirroring
 */
import { isIP } from 'node:net';
import { type EndpointAddress, type EndpointSubset, type Endpoints, endpoints } from '../../apis/core/endpoints.ts';
import type { Service } from '../../apis/core/service.ts';
import { type Endpoint, type EndpointSlice, endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import type { Action } from '../action.ts';
import type { AddressType, ResolvedPort } from '../endpointSlice/endpoint.ts';
import { hasPorts, MANAGED_BY, portsKey, SERVICE_NAME, sameEndpoints, sameLabels } from '../endpointSlice/plan.ts';
import { LAST_CHANGE_TRIGGER_TIME } from '../endpointSlice/triggerTime.ts';

export const MIRRORER = 'endpointslicemirroring-controller.k8s.io';
const SKIP = 'endpointslice.kubernetes.io/skip-mirror';
/** Endpoints were once used as locks: these lead nowhere. */
const LEADER = 'control-plane.alpha.kubernetes.io/leader';
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';
/** so many addresses of one set of ports */
const MAX_ADDRESSES = 1000;

export interface MirrorWorld {
  readonly endpoints: Stored<Endpoints> | undefined;
  readonly service: Stored<Service> | undefined;
  /** those that mirror these endpoints by now */
  readonly slices: readonly Stored<EndpointSlice>[];
}

interface Group {
  readonly addressType: AddressType;
  readonly ports: readonly ResolvedPort[];
  /** by address */
  readonly endpoints: Map<string, Endpoint>;
}

export function planMirror({ endpoints: source, service, slices }: MirrorWorld): Action[] {
  if (source === undefined || service === undefined || !isMirrored(source) || hasSelector(service)) {
    return slices.map(removal);
  }
  const { groups, invalid, skipped } = groupsOf(source);
  const actions: Action[] = [];
  const kept = new Set<Stored<EndpointSlice>>();
  for (const group of groups) {
    const slice = slices.find((s) => !kept.has(s) && s.addressType === group.addressType && hasPorts(s, group.ports));
    if (slice !== undefined) kept.add(slice);
    const write = writeOf(source, group, slice);
    if (write !== undefined) actions.push(write);
  }
  for (const slice of slices) if (!kept.has(slice)) actions.push(removal(slice));
  if (actions.length === 0) return [];
  const warn = (reason: string, message: string) => {
    actions.push({ verb: 'event', regarding: source, type: 'Warning', reason, message });
  };
  if (invalid > 0) warn('InvalidIPAddress', `Skipped ${invalid} invalid IP addresses when mirroring to EndpointSlices`);
  if (skipped > 0) {
    const most = `A max of ${MAX_ADDRESSES} addresses can be mirrored to EndpointSlices per Endpoints subset.`;
    warn('TooManyAddressesToMirror', `${most} ${skipped} addresses were skipped`);
  }
  return actions;
}

/** Whether these endpoints are mirrored at all, were there such a service. */
export function isMirrored({ metadata }: Stored<Endpoints>): boolean {
  return metadata.labels?.[SKIP] !== 'true' && metadata.annotations?.[LEADER] === undefined;
}

export function hasSelector(service: Service): boolean {
  return Object.keys(service.spec?.selector ?? {}).length > 0;
}

const removal = (slice: Stored<EndpointSlice>): Action => {
  return { verb: 'delete', kind: endpointSlices as Kind, object: slice };
};

function groupsOf(source: Endpoints): { groups: readonly Group[]; invalid: number; skipped: number } {
  const groups = new Map<string, Group>();
  let invalid = 0;
  let skipped = 0;
  for (const subset of source.subsets ?? []) {
    const ports = portsOf(subset);
    let taken = 0;
    const add = (address: EndpointAddress, ready: boolean) => {
      const family = isIP(address.ip);
      if (family === 0) {
        invalid++;
        return;
      }
      if (taken >= MAX_ADDRESSES) {
        skipped++;
        return;
      }
      taken++;
      const addressType = family === 6 ? 'IPv6' : 'IPv4';
      const key = `${addressType} ${portsKey(ports)}`;
      const group = groups.get(key) ?? { addressType, ports, endpoints: new Map() };
      groups.set(key, group);
      group.endpoints.set(address.ip, endpointOf(address, ready));
    };
    for (const address of subset.addresses ?? []) add(address, true);
    for (const address of subset.notReadyAddresses ?? []) add(address, false);
  }
  return { groups: [...groups.values()], invalid, skipped };
}

function portsOf(subset: EndpointSubset): ResolvedPort[] {
  return (subset.ports ?? []).map(({ name = '', protocol = 'TCP', port, appProtocol }) => {
    return { name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) };
  });
}

function endpointOf({ ip, hostname, nodeName, targetRef }: EndpointAddress, ready: boolean): Endpoint {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname ? { hostname } : {}),
    ...(targetRef === undefined ? {} : { targetRef }),
    ...(nodeName === undefined ? {} : { nodeName }),
  };
}

function writeOf(
  source: Stored<Endpoints>,
  group: Group,
  slice: Stored<EndpointSlice> | undefined,
): Action | undefined {
  const { name, namespace, labels: own, annotations: told } = source.metadata;
  const labels = { ...own, [SERVICE_NAME]: name, [MANAGED_BY]: MIRRORER };
  const { [LAST_CHANGE_TRIGGER_TIME]: _time, [LAST_APPLIED]: _applied, ...annotations } = told ?? {};
  const wanted = [...group.endpoints.values()].slice(0, MAX_ADDRESSES);
  if (slice === undefined) {
    const object: EndpointSlice = {
      metadata: {
        generateName: `${name}-`,
        ...(namespace === undefined ? {} : { namespace }),
        labels,
        annotations,
        ownerReferences: [controllerReference(source, endpoints)],
      },
      addressType: group.addressType,
      endpoints: wanted,
      ports: group.ports.map((p) => ({ ...p })),
    };
    return { verb: 'create', kind: endpointSlices as Kind, object };
  }
  const same =
    sameEndpoints(slice.endpoints ?? [], wanted) &&
    sameLabels(slice.metadata.labels, labels) &&
    sameLabels(slice.metadata.annotations, annotations);
  if (same) return undefined;
  const object: EndpointSlice = {
    ...slice,
    metadata: { ...slice.metadata, labels, annotations },
    endpoints: wanted,
  };
  return { verb: 'update', kind: endpointSlices as Kind, object };
}
