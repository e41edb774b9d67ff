/**
 * Which endpoints take the connections of a service's port, on this node. Pure.
 *
 * Source: https://kubernetes.io/docs/reference/networking/virtual-ips/#traffic-policies and
 * https://kubernetes.io/docs/concepts/services-networking/topology-aware-routing/
 */
import type { Endpoint, EndpointSlice } from '../apis/discovery/endpointSlice.ts';

export type Family = 4 | 6;

export interface Backend {
  readonly ip: string;
  readonly port: number;
}

/** The node that the rules are for. */
export interface Here {
  readonly nodeName: string;
  readonly zone: string | undefined;
}

export interface Backends {
  /** for traffic that may go anywhere */
  readonly cluster: readonly Backend[];
  /** for traffic that stays on this node */
  readonly local: readonly Backend[];
}

interface Candidate extends Backend {
  readonly endpoint: Endpoint;
}

/** Of a port, by its name and protocol; each in a stable order and once. */
export function backendsOf(
  slices: readonly EndpointSlice[],
  family: Family,
  portName: string,
  protocol: string,
  here: Here,
): Backends {
  const ready: Candidate[] = [];
  const leaving: Candidate[] = [];
  for (const slice of slices) {
    if (slice.addressType !== `IPv${family}`) continue;
    for (const { name = '', protocol: own = 'TCP', port } of slice.ports ?? []) {
      if (name !== portName || own !== protocol || port === undefined) continue;
      for (const endpoint of slice.endpoints ?? []) {
        const [ip] = endpoint.addresses;
        const { conditions } = endpoint;
        if (ip === undefined) continue;
        if (conditions?.ready !== false) ready.push({ ip, port, endpoint });
        else if (conditions.serving === true && conditions.terminating === true) leaving.push({ ip, port, endpoint });
      }
    }
  }
  const isHere = ({ endpoint }: Candidate) => endpoint.nodeName === here.nodeName;
  // Where nothing else is left, what is on its way out still answers.
  const local = ready.filter(isHere);
  return {
    cluster: sorted(ready.length > 0 ? near(ready, here) : leaving),
    local: sorted(local.length > 0 ? local : leaving.filter(isHere)),
  };
}

/** Those that are meant for this node or its zone, where every endpoint says for whom it is. */
function near(ready: readonly Candidate[], { nodeName, zone }: Here): readonly Candidate[] {
  const hintsOf = ({ endpoint }: Candidate) => endpoint.hints;
  if (ready.every((c) => (hintsOf(c)?.forNodes ?? []).length > 0)) {
    const found = ready.filter((c) => hintsOf(c)?.forNodes?.some(({ name }) => name === nodeName));
    if (found.length > 0) return found;
  }
  if (zone !== undefined && ready.every((c) => (hintsOf(c)?.forZones ?? []).length > 0)) {
    const found = ready.filter((c) => hintsOf(c)?.forZones?.some(({ name }) => name === zone));
    if (found.length > 0) return found;
  }
  return ready;
}

function sorted(candidates: readonly Candidate[]): Backend[] {
  const unique = new Map(candidates.map(({ ip, port }) => [`${ip}:${port}`, { ip, port }]));
  return [...unique.keys()].sort().map((key) => unique.get(key) as Backend);
}
