/** What becomes of a request that comes to a port of a gateway. Pure, but for chance among backends. */
import { parseDuration } from '../../lib/duration.ts';
import type { Random } from '../../lib/random.ts';
import type { Asked, Decision } from '../decision.ts';
import type { Address } from '../endpoints.ts';
import { headerChanges, redirectOf, rewriteOf, SUPPORTED_FILTERS } from './filters.ts';
import { candidatesFor, nameOf } from './hostnames.ts';
import type { BackendReference, RouteRule } from './kinds.ts';
import { backendProblem, type PlannedListener, type Surroundings } from './plan.ts';
import { RouteTable } from './routeTable.ts';

export interface Backends extends Surroundings {
  /** Where a port of a service is reached. */
  addresses(namespace: string, name: string, port: number): readonly Address[];
}

/** The listeners of one port. */
export class PortRoutes {
  readonly #port: number;
  readonly #byHost: ReadonlyMap<string, { readonly listener: PlannedListener; readonly table: RouteTable }>;

  constructor(port: number, listeners: readonly PlannedListener[]) {
    this.#port = port;
    this.#byHost = new Map(
      listeners.map((listener) => [listener.hostname, { listener, table: new RouteTable(listener.routes) }]),
    );
  }

  /** Of the listener that a server name belongs to. */
  certificate(serverName: string) {
    return this.#listenerOf(serverName.toLowerCase())?.listener.certificate;
  }

  decide(asked: Asked, backends: Backends, random: Random): Decision {
    const found = this.#listenerOf(nameOf(asked.host))?.table.find(asked);
    if (found === undefined) return { to: 'refuse', status: 404 };
    const { rule, namespace } = found;
    const filters = rule.filters ?? [];
    if (filters.some(({ type }) => !SUPPORTED_FILTERS.includes(type))) return { to: 'refuse', status: 500 };
    const redirect = redirectOf(found, asked, this.#port);
    if (redirect !== undefined) return redirect;
    const backend = chosen(rule.backendRefs ?? [], random);
    if (backend === undefined || backendProblem(backend, namespace, backends) !== undefined) {
      return { to: 'refuse', status: 500 };
    }
    const at = (ref: BackendReference) => backends.addresses(ref.namespace ?? namespace, ref.name, ref.port ?? 0);
    const all = [...filters, ...(backend.filters ?? [])];
    const timeoutMs = timeoutOf(rule);
    return {
      to: 'backends',
      addresses: at(backend),
      ...rewriteOf(found, asked),
      requestHeaders: headerChanges(all, 'request'),
      answerHeaders: headerChanges(all, 'response'),
      mirrors: filters.flatMap(({ requestMirror }) => {
        if (requestMirror === undefined || backendProblem(requestMirror.backendRef, namespace, backends) !== undefined)
          return [];
        const { percent = 100, fraction } = requestMirror;
        const share = fraction === undefined ? percent / 100 : fraction.numerator / (fraction.denominator ?? 100);
        return random.float() < share ? at(requestMirror.backendRef).slice(0, 1) : [];
      }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    };
  }

  #listenerOf(name: string) {
    for (const candidate of candidatesFor(name)) {
      const found = this.#byHost.get(candidate);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** By weight; undefined where there is nobody to go to. */
function chosen(backends: readonly BackendReference[], random: Random): BackendReference | undefined {
  const total = backends.reduce((sum, { weight = 1 }) => sum + weight, 0);
  if (total <= 0) return undefined;
  let left = random.float() * total;
  for (const backend of backends) {
    left -= backend.weight ?? 1;
    if (left < 0) return backend;
  }
  return undefined;
}

/** The shorter one of both; `0s` is no limit. */
function timeoutOf({ timeouts }: RouteRule): number | undefined {
  const given = [timeouts?.request, timeouts?.backendRequest].flatMap((text) => {
    const ms = text === undefined ? undefined : parseDuration(text);
    return ms === undefined || ms <= 0 ? [] : ms;
  });
  return given.length === 0 ? undefined : Math.min(...given);
}
