/**
 * From gateways and routes to what each listener serves, and to what is told of both. Pure.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/
 */
import type { Service } from '../../apis/core/service.ts';
import { type Labels, matchesLabels, selectorFrom } from '../../machinery/labelSelector.ts';
import type { Condition } from '../../machinery/meta.ts';
import type { Certificate } from '../server.ts';
import { SUPPORTED_FILTERS } from './filters.ts';
import { commonHostnames } from './hostnames.ts';
import {
  type Gateway,
  GROUP,
  type HTTPRoute,
  type Listener,
  type ObjectReference,
  type ParentReference,
  type ReferenceGrant,
} from './kinds.ts';
import type { AttachedRoute } from './routeTable.ts';

/** What gateways and routes refer to. */
export interface Surroundings {
  readonly grants: readonly ReferenceGrant[];
  labelsOf(namespace: string): Labels | undefined;
  service(namespace: string, name: string): Service | undefined;
  certificate(namespace: string, name: string): Certificate | undefined;
}

export type Told = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

export interface PlannedListener {
  readonly listener: Listener;
  readonly protocol: 'http' | 'https';
  /** '' for all names */
  readonly hostname: string;
  readonly certificate: Certificate | undefined;
  /** Whether it is opened. */
  readonly serves: boolean;
  readonly takesRoutes: boolean;
  readonly conditions: readonly Told[];
  readonly routes: AttachedRoute[];
}

export interface PlannedGateway {
  readonly gateway: Gateway;
  readonly listeners: readonly PlannedListener[];
}

/** What is told of a route for one of its parents. */
export interface PlannedParent {
  readonly parentRef: ParentReference;
  readonly conditions: readonly Told[];
}

const PROTOCOLS: Readonly<Record<string, 'http' | 'https'>> = { HTTP: 'http', HTTPS: 'https' };

const told = (type: string, holds: boolean, reason: string, message = ''): Told => ({
  type,
  status: holds ? 'True' : 'False',
  reason,
  message,
});

export function planGateway(gateway: Gateway, around: Surroundings): PlannedGateway {
  const namespace = gateway.metadata?.namespace ?? '';
  const all = gateway.spec.listeners ?? [];
  return { gateway, listeners: all.map((listener) => planListener(listener, all, namespace, around)) };
}

function planListener(
  listener: Listener,
  all: readonly Listener[],
  namespace: string,
  around: Surroundings,
): PlannedListener {
  const protocol = PROTOCOLS[listener.protocol];
  const passes = listener.tls?.mode === 'Passthrough';
  const earlier = all.slice(0, all.indexOf(listener)).filter(({ port }) => port === listener.port);
  const conflict = earlier.some((other) => other.protocol !== listener.protocol)
    ? told('Conflicted', true, 'ProtocolConflict', `port ${listener.port} is another listener's, of another protocol`)
    : earlier.some((other) => (other.hostname ?? '') === (listener.hostname ?? ''))
      ? told('Conflicted', true, 'HostnameConflict', `port ${listener.port} is another listener's, of the same name`)
      : told('Conflicted', false, 'NoConflicts');
  const isSupported = protocol !== undefined && !passes;
  const { certificate, refs } =
    protocol === 'https' ? certificateOf(listener, namespace, around) : { certificate: undefined, refs: undefined };
  const kinds = listener.allowedRoutes?.kinds;
  const takesRoutes = kinds === undefined || kinds.length === 0 || kinds.some(isHttpRoute);
  const onlyKnown = kinds?.every(isHttpRoute) ?? true;
  const accepted = isSupported && conflict.status === 'False';
  const serves = accepted && (protocol === 'http' || certificate !== undefined);
  return {
    listener,
    protocol: protocol ?? 'http',
    hostname: (listener.hostname ?? '').toLowerCase(),
    certificate,
    serves,
    takesRoutes,
    conditions: [
      isSupported
        ? told('Accepted', accepted, accepted ? 'Accepted' : conflict.reason)
        : told(
            'Accepted',
            false,
            'UnsupportedProtocol',
            `${listener.protocol}${passes ? ' Passthrough' : ''} is not served`,
          ),
      told('Programmed', serves, serves ? 'Programmed' : 'Invalid'),
      conflict,
      refs ??
        (onlyKnown
          ? told('ResolvedRefs', true, 'ResolvedRefs')
          : told('ResolvedRefs', false, 'InvalidRouteKinds', 'only HTTPRoutes are served')),
    ],
    routes: [],
  };
}

const isHttpRoute = ({ group = GROUP, kind }: { group?: string; kind: string }) =>
  group === GROUP && kind === 'HTTPRoute';

function certificateOf({ tls }: Listener, namespace: string, around: Surroundings) {
  const [ref] = tls?.certificateRefs ?? [];
  const fail = (reason: string, message: string) => ({
    certificate: undefined,
    refs: told('ResolvedRefs', false, reason, message),
  });
  if (ref === undefined) return fail('InvalidCertificateRef', 'no certificate is named');
  if ((ref.group ?? '') !== '' || (ref.kind ?? 'Secret') !== 'Secret') {
    return fail('InvalidCertificateRef', `${ref.kind} is no Secret`);
  }
  const from = { group: GROUP, kind: 'Gateway', namespace };
  if (!isGranted(from, { ...ref, group: '', kind: 'Secret' }, around.grants)) {
    return fail('RefNotPermitted', `no ReferenceGrant in ${ref.namespace} lets ${ref.name} be used`);
  }
  const certificate = around.certificate(ref.namespace ?? namespace, ref.name);
  if (certificate === undefined) return fail('InvalidCertificateRef', `there is no TLS secret ${ref.name}`);
  return { certificate, refs: told('ResolvedRefs', true, 'ResolvedRefs') };
}

interface Referrer {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
}

/** What is in another namespace may be referred to where a grant there says so. */
export function isGranted(from: Referrer, to: ObjectReference, grants: readonly ReferenceGrant[]): boolean {
  if (to.namespace === undefined || to.namespace === from.namespace) return true;
  return grants.some(
    ({ metadata, spec }) =>
      metadata?.namespace === to.namespace &&
      spec.from?.some((f) => f.group === from.group && f.kind === from.kind && f.namespace === from.namespace) &&
      spec.to?.some((t) => t.group === (to.group ?? '') && t.kind === to.kind && (!t.name || t.name === to.name)),
  );
}

/** Puts a route onto the listeners that take it, and says what is to be told of it: for each parent that is ours. */
export function attachRoute(
  route: HTTPRoute,
  gateways: readonly PlannedGateway[],
  around: Surroundings,
): PlannedParent[] {
  const namespace = route.metadata?.namespace ?? '';
  const refs = resolved(route, around);
  return (route.spec.parentRefs ?? []).flatMap((parentRef) => {
    const parent = gateways.find(({ gateway: { metadata } }) => isParent(parentRef, namespace, metadata ?? {}));
    if (parent === undefined) return [];
    return { parentRef, conditions: [attached(route, parentRef, parent, around), refs] };
  });
}

function isParent(
  { group = GROUP, kind = 'Gateway', name, namespace }: ParentReference,
  own: string,
  gateway: { name?: string; namespace?: string },
): boolean {
  return group === GROUP && kind === 'Gateway' && name === gateway.name && (namespace ?? own) === gateway.namespace;
}

function attached(route: HTTPRoute, ref: ParentReference, parent: PlannedGateway, around: Surroundings): Told {
  const unsupported = (route.spec.rules ?? [])
    .flatMap(({ filters = [], backendRefs = [] }) => [...filters, ...backendRefs.flatMap((b) => b.filters ?? [])])
    .find(({ type }) => !SUPPORTED_FILTERS.includes(type));
  if (unsupported !== undefined) {
    return told('Accepted', false, 'UnsupportedValue', `the filter ${unsupported.type} is not served`);
  }
  const named = parent.listeners.filter(
    ({ listener: { name, port } }) =>
      (ref.sectionName === undefined || ref.sectionName === name) && (ref.port === undefined || ref.port === port),
  );
  if (named.length === 0) return told('Accepted', false, 'NoMatchingParent', 'the gateway has no such listener');
  const allowed = named.filter((one) => one.takesRoutes && allows(one.listener, route, parent.gateway, around));
  if (allowed.length === 0) return told('Accepted', false, 'NotAllowedByListeners', 'no listener takes the route');
  let found = false;
  for (const { hostname, routes } of allowed) {
    const hostnames = commonHostnames(hostname, route.spec.hostnames);
    if (hostnames.length === 0) continue;
    found = true;
    if (!routes.some((one) => one.route === route)) routes.push({ route, hostnames });
  }
  return found
    ? told('Accepted', true, 'Accepted')
    : told('Accepted', false, 'NoMatchingListenerHostname', 'no listener has a name of the route');
}

function allows({ allowedRoutes }: Listener, route: HTTPRoute, gateway: Gateway, around: Surroundings): boolean {
  const { from = 'Same', selector } = allowedRoutes?.namespaces ?? {};
  const namespace = route.metadata?.namespace ?? '';
  if (from === 'All') return true;
  if (from === 'Same') return namespace === gateway.metadata?.namespace;
  const wanted = from === 'Selector' ? selectorFrom(selector) : undefined;
  return wanted !== undefined && matchesLabels(wanted, around.labelsOf(namespace));
}

function resolved({ spec, metadata }: HTTPRoute, around: Surroundings): Told {
  const namespace = metadata?.namespace ?? '';
  const refs = (spec.rules ?? []).flatMap(({ backendRefs = [], filters = [] }) => [
    ...backendRefs,
    ...filters.flatMap(({ requestMirror }) => requestMirror?.backendRef ?? []),
  ]);
  for (const ref of refs) {
    const problem = backendProblem(ref, namespace, around);
    if (problem !== undefined) return told('ResolvedRefs', false, problem, `backend ${ref.name}`);
  }
  return told('ResolvedRefs', true, 'ResolvedRefs');
}

/** Why a backend cannot be used, in a word of the API's; undefined: it can. */
export function backendProblem(
  ref: ObjectReference & { port?: number },
  namespace: string,
  around: Surroundings,
): 'InvalidKind' | 'RefNotPermitted' | 'BackendNotFound' | undefined {
  if ((ref.group ?? '') !== '' || (ref.kind ?? 'Service') !== 'Service') return 'InvalidKind';
  const from = { group: GROUP, kind: 'HTTPRoute', namespace };
  if (!isGranted(from, { ...ref, group: '', kind: 'Service' }, around.grants)) return 'RefNotPermitted';
  const service = around.service(ref.namespace ?? namespace, ref.name);
  const hasPort = service?.spec?.ports?.some(({ port }) => port === ref.port);
  return hasPort === true ? undefined : 'BackendNotFound';
}
