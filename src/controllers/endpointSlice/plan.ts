/**
 * The endpoint slices of a service, with as few changes as possible: an endpoint stays in the slice where it is.
 *
 * Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
 */
import type { Pod } from '../../apis/core/pod.ts';
import { type Service, services } from '../../apis/core/service.ts';
import { Endpoint, type EndpointSlice, endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import type { Action, EventAction } from '../action.ts';
import {
  type AddressType,
  addressOf,
  addressTypes,
  conditionsOf,
  hostnameOf,
  isHeadless,
  podReference,
  portsOf,
  type ResolvedPort,
} from './endpoint.ts';
import { dealToZones, distributionHints, wantsTopology, type ZoneShares } from './hints.ts';
import { withTriggerTime } from './triggerTime.ts';

export const SERVICE_NAME = 'kubernetes.io/service-name';
export const MANAGED_BY = 'endpointslice.kubernetes.io/managed-by';
export const MANAGER = 'endpointslice-controller.k8s.io';
export const HEADLESS = 'service.kubernetes.io/headless';
const MAX_ENDPOINTS = 100;

export interface ServiceWorld {
  readonly service: Stored<Service>;
  /** all that the service's selector selects */
  readonly pods: readonly Stored<Pod>[];
  /** the slices that were made for the service */
  readonly slices: readonly Stored<EndpointSlice>[];
  zoneOf(nodeName: string): string | undefined;
  /** asked for only where the service wants endpoints dealt out to zones */
  zoneShares(): ZoneShares | undefined;
  /** since when the endpoints should have been what they become now */
  readonly triggerTime?: string | undefined;
}

/** Endpoints that have the same ports, which is what a slice holds. */
interface Group {
  readonly addressType: AddressType;
  readonly ports: readonly ResolvedPort[];
  readonly endpoints: Map<string, Endpoint>;
}

export function planEndpointSlices(world: ServiceWorld): Action[] {
  const groups = groupsOf(world);
  const events = wantsTopology(world.service) ? hintByTopology(world, groups) : [];
  const actions: Action[] = [];
  const used = new Set<Stored<EndpointSlice>>();
  for (const group of groups) {
    const slices = world.slices.filter((s) => s.addressType === group.addressType && hasPorts(s, group.ports));
    for (const slice of slices) used.add(slice);
    actions.push(...fill(world, group, slices));
  }
  for (const slice of world.slices) {
    if (!used.has(slice)) actions.push({ verb: 'delete', kind: endpointSlices as Kind, object: slice });
  }
  // What has not changed has been told already.
  return actions.length === 0 ? [] : [...actions, ...events];
}

function groupsOf(world: ServiceWorld): Group[] {
  const { service, pods } = world;
  const groups = new Map<string, Group>();
  for (const addressType of addressTypes(service)) {
    for (const pod of pods) {
      const address = addressOf(pod, addressType);
      if (address === undefined) continue;
      const ports = portsOf(pod, service);
      // A service without a name for any port of the pod leads nowhere, unless it leads to the pod as a whole.
      if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
      const key = `${addressType} ${portsKey(ports)}`;
      let group = groups.get(key);
      if (group === undefined) {
        group = { addressType, ports, endpoints: new Map() };
        groups.set(key, group);
      }
      group.endpoints.set(pod.metadata.uid, endpointOf(world, pod, address));
    }
    // Where there is no endpoint, an empty slice says so.
    if (![...groups.values()].some((g) => g.addressType === addressType)) {
      groups.set(addressType, { addressType, ports: [], endpoints: new Map() });
    }
  }
  return [...groups.values()];
}

function endpointOf(world: ServiceWorld, pod: Stored<Pod>, address: string): Endpoint {
  const nodeName = pod.spec?.nodeName;
  const zone = nodeName === undefined ? undefined : world.zoneOf(nodeName);
  const hostname = hostnameOf(pod, world.service);
  const endpoint: Endpoint = {
    addresses: [address],
    conditions: conditionsOf(pod, world.service),
    ...(hostname === undefined ? {} : { hostname }),
    targetRef: podReference(pod),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(zone === undefined ? {} : { zone }),
  };
  const hints = wantsTopology(world.service) ? undefined : distributionHints(world.service, endpoint);
  return hints === undefined ? endpoint : { ...endpoint, hints };
}

/** Deals the endpoints of each family out to the zones, and tells where that is new or cannot be done. */
function hintByTopology({ service, slices, zoneShares }: ServiceWorld, groups: readonly Group[]): EventAction[] {
  const events: EventAction[] = [];
  for (const addressType of addressTypes(service)) {
    const known = slices.filter((s) => s.addressType === addressType).flatMap((s) => s.endpoints ?? []);
    const before = new Map(known.map((e) => [e.targetRef?.uid ?? '', e.hints?.forZones?.[0]?.name]));
    const ofType = groups.filter((g) => g.addressType === addressType);
    const ready = ofType.flatMap((g) => [...g.endpoints].filter(([, e]) => e.conditions?.ready === true));
    const placed = ready.map(([key, e]) => ({ key, zone: e.zone, before: before.get(key) }));
    const dealt = dealToZones(placed, zoneShares());
    const event = (type: 'Normal' | 'Warning', reason: string, message: string) => {
      events.push({
        verb: 'event',
        regarding: service,
        type,
        reason,
        message: `${message}, addressType: ${addressType}`,
      });
    };
    if ('why' in dealt) {
      event('Warning', 'TopologyAwareHintsDisabled', dealt.why);
      continue;
    }
    for (const { endpoints } of ofType) {
      for (const [key, endpoint] of endpoints) {
        const name = dealt.zones.get(key);
        if (name !== undefined) endpoints.set(key, { ...endpoint, hints: { forZones: [{ name }] } });
      }
    }
    if ([...before.values()].every((zone) => zone === undefined)) {
      event('Normal', 'TopologyAwareHintsEnabled', 'Topology Aware Hints has been enabled');
    }
  }
  return events;
}

/** Brings the slices of one group to its endpoints. */
function fill(world: ServiceWorld, group: Group, slices: readonly Stored<EndpointSlice>[]): Action[] {
  const missing = new Map(group.endpoints);
  const drafts = slices.map((slice) => {
    const kept: Endpoint[] = [];
    for (const endpoint of slice.endpoints ?? []) {
      const uid = endpoint.targetRef?.uid ?? '';
      const wanted = missing.get(uid);
      if (wanted === undefined) continue;
      missing.delete(uid);
      kept.push(wanted);
    }
    return { slice, endpoints: kept };
  });
  const left = [...missing.values()];
  // The fullest first, so that new slices and half-empty ones are few.
  for (const draft of [...drafts].sort((a, b) => b.endpoints.length - a.endpoints.length)) {
    draft.endpoints.push(...left.splice(0, MAX_ENDPOINTS - draft.endpoints.length));
  }
  const actions: Action[] = [];
  let remaining = drafts.filter((d) => d.endpoints.length > 0).length + Math.ceil(left.length / MAX_ENDPOINTS);
  for (const { slice, endpoints } of drafts) {
    if (endpoints.length === 0 && remaining > 0) {
      actions.push({ verb: 'delete', kind: endpointSlices as Kind, object: slice });
      continue;
    }
    remaining++;
    const labels = labelsOf(world.service);
    if (sameEndpoints(slice.endpoints ?? [], endpoints) && sameLabels(slice.metadata.labels, labels)) continue;
    const annotations = withTriggerTime(slice.metadata.annotations, world.triggerTime);
    const object: EndpointSlice = { ...slice, metadata: { ...slice.metadata, labels, annotations }, endpoints };
    actions.push({ verb: 'update', kind: endpointSlices as Kind, object });
  }
  while (left.length > 0 || remaining === 0) {
    remaining++;
    actions.push(creationOf(world, group, left.splice(0, MAX_ENDPOINTS)));
  }
  return actions;
}

function creationOf({ service, triggerTime }: ServiceWorld, group: Group, endpoints: Endpoint[]): Action {
  const { name, namespace } = service.metadata;
  const object: EndpointSlice = {
    metadata: {
      generateName: `${name}-`,
      ...(namespace === undefined ? {} : { namespace }),
      labels: labelsOf(service),
      ...(triggerTime === undefined ? {} : { annotations: withTriggerTime({}, triggerTime) }),
      ownerReferences: [controllerReference(service, services)],
    },
    addressType: group.addressType,
    endpoints,
    ports: group.ports.map((p) => ({ ...p })),
  };
  return { verb: 'create', kind: endpointSlices as Kind, object };
}

/** The service's labels, and those that say what the slice is. */
function labelsOf(service: Stored<Service>): Record<string, string> {
  const labels: Record<string, string> = { ...service.metadata.labels };
  delete labels[HEADLESS];
  if (isHeadless(service)) labels[HEADLESS] = '';
  return { ...labels, [SERVICE_NAME]: service.metadata.name, [MANAGED_BY]: MANAGER };
}

export function sameLabels(a: Record<string, string> | undefined, b: Record<string, string>): boolean {
  const before = a ?? {};
  return Object.keys(before).length === Object.keys(b).length && Object.entries(b).every(([k, v]) => before[k] === v);
}

export function sameEndpoints(a: readonly Endpoint[], b: readonly Endpoint[]): boolean {
  return a.length === b.length && a.every((endpoint, i) => semanticEqual(Endpoint, endpoint, b[i]));
}

export function hasPorts(slice: EndpointSlice, ports: readonly ResolvedPort[]): boolean {
  const own = (slice.ports ?? []).map((p) => ({
    name: p.name ?? '',
    protocol: p.protocol ?? 'TCP',
    port: p.port ?? 0,
    ...(p.appProtocol === undefined ? {} : { appProtocol: p.appProtocol }),
  }));
  return portsKey(own) === portsKey(ports);
}

export function portsKey(ports: readonly ResolvedPort[]): string {
  return ports
    .map((p) => [p.name, p.protocol, p.port, p.appProtocol ?? ''].join('/'))
    .sort()
    .join(' ');
}
