/**
 * For whom an endpoint is: hints by which the proxies keep traffic near.
 *
 * Source: https://kubernetes.io/docs/concepts/services-networking/service/#traffic-distribution and
 * https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/
 */
import type { Node } from '../../apis/core/node.ts';
import type { Service } from '../../apis/core/service.ts';
import type { Endpoint, EndpointHints } from '../../apis/discovery/endpointSlice.ts';
import { milliValue } from '../../machinery/quantity.ts';

/** The second is the older name of the first. */
const TOPOLOGY_ANNOTATIONS = ['service.kubernetes.io/topology-mode', 'service.kubernetes.io/topology-aware-hints'];
const CONTROL_PLANE_LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
const ZONE = 'topology.kubernetes.io/zone';
/** By how much more traffic than is fair an endpoint may get. */
const OVERLOAD = 0.2;

/** Whether the service asks for endpoints to be dealt out to zones by their CPUs. */
export function wantsTopology(service: Service): boolean {
  const annotations = service.metadata?.annotations ?? {};
  const key = TOPOLOGY_ANNOTATIONS.find((name) => annotations[name] !== undefined);
  return key !== undefined && (annotations[key] === 'Auto' || annotations[key] === 'auto');
}

/** What `trafficDistribution` means for one endpoint. */
export function distributionHints(
  service: Service,
  { conditions, zone, nodeName }: Endpoint,
): EndpointHints | undefined {
  const wish = service.spec?.trafficDistribution;
  if (conditions?.ready !== true) return undefined;
  if (wish !== 'PreferClose' && wish !== 'PreferSameZone' && wish !== 'PreferSameNode') return undefined;
  const forZones = zone === undefined ? {} : { forZones: [{ name: zone }] };
  const forNodes = nodeName === undefined || wish !== 'PreferSameNode' ? {} : { forNodes: [{ name: nodeName }] };
  const hints: EndpointHints = { ...forZones, ...forNodes };
  return Object.keys(hints).length === 0 ? undefined : hints;
}

/** How large a part of the cluster's CPUs is in each zone. */
export type ZoneShares = ReadonlyMap<string, number>;

/** Undefined where a node does not say where it is or what it has, or where there are no two zones. */
export function zoneShares(nodes: readonly Node[]): ZoneShares | undefined {
  const byZone = new Map<string, number>();
  let total = 0;
  for (const { metadata, status } of nodes) {
    if (CONTROL_PLANE_LABELS.some((label) => metadata?.labels?.[label] !== undefined)) continue;
    if (status?.conditions?.find((c) => c.type === 'Ready')?.status !== 'True') continue;
    const zone = metadata?.labels?.[ZONE] ?? '';
    const cpu = milliValue(status.allocatable?.cpu ?? '0');
    if (zone === '' || cpu === 0) return undefined;
    byZone.set(zone, (byZone.get(zone) ?? 0) + cpu);
    total += cpu;
  }
  if (byZone.size < 2) return undefined;
  return new Map([...byZone].map(([zone, cpu]) => [zone, cpu / total]));
}

/** An endpoint that takes traffic. */
export interface Placed {
  readonly key: string;
  readonly zone: string | undefined;
  /** for which zone it was before */
  readonly before: string | undefined;
}

/** The zone for which each endpoint is, by its key; or why no hints can be given. */
export type Dealt = { readonly zones: ReadonlyMap<string, string> } | { readonly why: string };

interface Part {
  readonly min: number;
  readonly max: number;
  readonly desired: number;
}

/** Gives each zone as many endpoints as it has CPUs, and moves as few as it must. */
export function dealToZones(endpoints: readonly Placed[], shares: ZoneShares | undefined): Dealt {
  if (shares === undefined) {
    return { why: 'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes' };
  }
  const counts = `(${endpoints.length} endpoints, ${shares.size} zones)`;
  if (endpoints.length < shares.size) return { why: `Insufficient number of endpoints ${counts}` };
  const parts = partsOf(endpoints.length, shares);
  if (parts === undefined)
    return { why: `Minimum allocation of required endpoints exceeds overload threshold ${counts}` };
  if (endpoints.some((e) => (e.zone ?? '') === '')) {
    return { why: 'One or more endpoints do not have a zone specified' };
  }
  const before = new Map(endpoints.map((e) => [e.key, e.before ?? '']));
  if (isBalanced(before, parts)) return { zones: before };
  const zones = new Map(endpoints.map((e) => [e.key, e.zone ?? '']));
  moveSurplus(zones, parts);
  return { zones };
}

/** Undefined where the zones need more endpoints, all together, than there are. */
function partsOf(count: number, shares: ZoneShares): Map<string, Part> | undefined {
  const minima = new Map([...shares].map(([zone, share]) => [zone, Math.ceil((share * count) / (1 + OVERLOAD))]));
  const spare = count - [...minima.values()].reduce((sum, n) => sum + n, 0);
  if (spare < 0) return undefined;
  return new Map(
    [...minima].map(([zone, min]) => {
      return [zone, { min, max: min + spare, desired: Math.max((shares.get(zone) ?? 0) * count, min) }];
    }),
  );
}

function isBalanced(zones: ReadonlyMap<string, string>, parts: ReadonlyMap<string, Part>): boolean {
  const counts = countsOf(zones);
  if ([...counts.keys()].some((zone) => !parts.has(zone))) return false;
  return [...parts].every(([zone, { min, max }]) => {
    const count = counts.get(zone) ?? 0;
    return count >= min && count <= max;
  });
}

function countsOf(zones: ReadonlyMap<string, string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const zone of zones.values()) counts.set(zone, (counts.get(zone) ?? 0) + 1);
  return counts;
}

/** Lets zones that have more than they need give to those that lack most. */
function moveSurplus(zones: Map<string, string>, parts: ReadonlyMap<string, Part>): void {
  const counts = countsOf(zones);
  const all = new Set([...parts.keys(), ...counts.keys()]);
  /** positive: so many too many */
  const surplus = new Map([...all].map((zone) => [zone, (counts.get(zone) ?? 0) - (parts.get(zone)?.desired ?? 0)]));
  const keysIn = new Map<string, string[]>();
  for (const [key, zone] of zones) keysIn.set(zone, [...(keysIn.get(zone) ?? []), key]);
  for (;;) {
    const sorted = [...surplus].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
    const [giver, give] = sorted[0] ?? ['', 0];
    const [taker, lack] = sorted.at(-1) ?? ['', 0];
    // Less than half an endpoint is nothing to give or to take; nor is it where neither has a whole one to move.
    if (give < 0.5 || -lack < 0.5 || (give < 1 && -lack < 1)) return;
    const key = keysIn.get(giver)?.shift();
    if (key === undefined) return;
    zones.set(key, taker);
    surplus.set(giver, give - 1);
    surplus.set(taker, lack + 1);
  }
}
