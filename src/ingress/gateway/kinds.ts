/**
 * The kinds of the Gateway API that are acted on, as far as they are acted on. They are custom resources: their
 * definitions come from the Gateway API's own releases, and are what validates them.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/
 */
import { defineKind, type KubeObject } from '../../machinery/kind.ts';
import { type Condition, type LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { any, object, opt } from '../../machinery/schema/types.ts';

export const GROUP = 'gateway.networking.k8s.io';

/** What of an object is read here is told by the interfaces; the rest is kept as it is. */
const Content = object('GatewayContent', () => ({
  metadata: opt(undefined, ObjectMeta),
  spec: opt(undefined, any),
  status: opt(undefined, any),
}));

export interface GatewayClass extends KubeObject {
  spec: { controllerName: string };
  status?: { conditions?: Condition[] };
}

export interface Gateway extends KubeObject {
  spec: { gatewayClassName: string; listeners?: Listener[] };
  status?: GatewayStatus;
}

export interface Listener {
  name: string;
  hostname?: string;
  port: number;
  protocol: string;
  tls?: { mode?: string; certificateRefs?: ObjectReference[] };
  allowedRoutes?: {
    namespaces?: { from?: string; selector?: LabelSelector };
    kinds?: { group?: string; kind: string }[];
  };
}

export interface ObjectReference {
  group?: string;
  kind?: string;
  name: string;
  namespace?: string;
}

export interface GatewayStatus {
  addresses?: { type: string; value: string }[];
  conditions?: Condition[];
  listeners?: ListenerStatus[];
}

export interface ListenerStatus {
  name: string;
  supportedKinds: { group: string; kind: string }[];
  attachedRoutes: number;
  conditions: Condition[];
}

export interface HTTPRoute extends KubeObject {
  spec: { parentRefs?: ParentReference[]; hostnames?: string[]; rules?: RouteRule[] };
  status?: { parents?: RouteParentStatus[] };
}

export interface ParentReference extends ObjectReference {
  sectionName?: string;
  port?: number;
}

export interface RouteParentStatus {
  parentRef: ParentReference;
  controllerName: string;
  conditions: Condition[];
}

export interface RouteRule {
  matches?: RouteMatch[];
  filters?: RouteFilter[];
  backendRefs?: BackendReference[];
  timeouts?: { request?: string; backendRequest?: string };
}

export interface RouteMatch {
  path?: { type?: string; value?: string };
  headers?: ValueMatch[];
  queryParams?: ValueMatch[];
  method?: string;
}

export interface ValueMatch {
  type?: string;
  name: string;
  value: string;
}

export interface BackendReference extends ObjectReference {
  port?: number;
  weight?: number;
  filters?: RouteFilter[];
}

export interface RouteFilter {
  type: string;
  requestHeaderModifier?: HeaderFilter;
  responseHeaderModifier?: HeaderFilter;
  requestMirror?: {
    backendRef: BackendReference;
    percent?: number;
    fraction?: { numerator: number; denominator?: number };
  };
  requestRedirect?: { scheme?: string; hostname?: string; path?: PathModifier; port?: number; statusCode?: number };
  urlRewrite?: { hostname?: string; path?: PathModifier };
}

export interface HeaderFilter {
  set?: { name: string; value: string }[];
  add?: { name: string; value: string }[];
  remove?: string[];
}

export interface PathModifier {
  type: string;
  replaceFullPath?: string;
  replacePrefixMatch?: string;
}

export interface ReferenceGrant extends KubeObject {
  spec: {
    from?: { group: string; kind: string; namespace: string }[];
    to?: { group: string; kind: string; name?: string }[];
  };
}

const of = (kind: string, plural: string, namespaced: boolean, version = 'v1') => ({
  group: GROUP,
  version,
  kind,
  plural,
  namespaced,
  schema: Content,
  withoutStrategicMerge: true,
});

export const gatewayClasses = defineKind<GatewayClass>(of('GatewayClass', 'gatewayclasses', false));
export const gateways = defineKind<Gateway>(of('Gateway', 'gateways', true));
export const httpRoutes = defineKind<HTTPRoute>(of('HTTPRoute', 'httproutes', true));
/** Of this kind the releases that are in use have this version in common. */
export const referenceGrants = defineKind<ReferenceGrant>(of('ReferenceGrant', 'referencegrants', true, 'v1beta1'));

/** The definitions without which there is nothing to do. */
export const NEEDED: readonly string[] = [gatewayClasses, gateways, httpRoutes, referenceGrants].map(
  ({ plural }) => `${plural}.${GROUP}`,
);
