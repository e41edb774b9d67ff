/** Services whose endpoints are parts of kubets itself, on the node: the cluster's DNS, its ingress. */
import { type Endpoints, endpoints } from '../apis/core/endpoints.ts';
import { type Service, services } from '../apis/core/service.ts';
import { type EndpointSlice, endpointSlices } from '../apis/discovery/endpointSlice.ts';
import { type IngressClass, ingressClasses } from '../apis/networking/ingressClass.ts';
import type { Client } from '../client/client.ts';
import { INGRESS_CONTROLLER } from '../ingress/start.ts';
import { jsonEqual } from '../machinery/jsonEqual.ts';
import type { Kind, KubeObject, Stored } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { ClusterError } from './errors.ts';

export interface OwnService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** whom it goes with */
  readonly ownerReferences?: NonNullable<Service['metadata']>['ownerReferences'];
  readonly spec: Pick<NonNullable<Service['spec']>, 'clusterIP' | 'type'>;
  /** as clients see them */
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

export const DNS_PORT = 53;
export const DNS_SERVICE = {
  namespace: 'kube-system',
  name: 'kube-dns',
  labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'KubeDNS' },
  ports: [
    { name: 'dns', protocol: 'UDP', port: DNS_PORT },
    { name: 'dns-tcp', protocol: 'TCP', port: DNS_PORT },
  ],
} satisfies Omit<OwnService, 'spec'>;

export const INGRESS_SERVICE = {
  namespace: 'kube-system',
  name: 'kubets-ingress',
  labels: { 'app.kubernetes.io/name': 'kubets-ingress' },
  spec: { type: 'LoadBalancer' },
  ports: [
    { name: 'http', protocol: 'TCP', port: 80 },
    { name: 'https', protocol: 'TCP', port: 443 },
  ],
} satisfies OwnService;

/**
 * Makes a service and its endpoints, or puts them right.
 * @param client as an administrator
 * @param at where it listens: an address, and a port for each of the service's, by its name
 * @throws ClusterError where it cannot have its address
 */
export async function ensureOwnService(
  client: Client,
  own: OwnService,
  at: { readonly address: string; readonly ports: Readonly<Record<string, number>> },
): Promise<void> {
  const { namespace, name, ownerReferences } = own;
  const metadata = {
    name,
    namespace,
    labels: { ...own.labels },
    ...(ownerReferences === undefined ? {} : { ownerReferences }),
  };
  const found = await client.get(services, { namespace, name }).catch(absent);
  if (found === undefined) {
    const spec = { ...own.spec, ports: own.ports.map((port) => ({ ...port })) };
    await client.create(services, { metadata, spec }).catch((error: unknown) => {
      if (!isApiError(error, 'Invalid')) throw error;
      throw new ClusterError(`the service ${namespace}/${name} could not be made: ${error.message}`);
    });
  }
  // In another order or number they are other ports; what somebody set beside stays.
  else if (!jsonEqual(found.spec?.ports?.map(portOnly), own.ports)) {
    const spec = { ports: own.ports.map((port) => ({ ...port })) };
    await client.patch(services, { namespace, name }, 'merge', { spec });
  }
  const ports = own.ports.map(({ name: port, protocol }) => ({ name: port, protocol, port: at.ports[port] ?? 0 }));
  await put<Endpoints>(client, endpoints, {
    metadata: { ...metadata, labels: { ...own.labels, 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: at.address }], ports }],
  });
  await put<EndpointSlice>(client, endpointSlices, {
    metadata: { ...metadata, labels: { ...own.labels, 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [at.address], conditions: { ready: true, serving: true, terminating: false } }],
    ports,
  });
}

/** Where a service listened last; 0: it never did. @param client as an administrator */
export async function portOf(
  client: Client,
  { namespace, name }: Pick<OwnService, 'namespace' | 'name'>,
): Promise<number> {
  const found = await client.get(endpointSlices, { namespace, name }).catch(absent);
  return found?.ports?.[0]?.port ?? 0;
}

/**
 * Makes the service of a gateway, or puts it right; it goes with the gateway.
 * @param at where it listens: for each port of the gateway another one
 */
export async function publishGateway(
  client: Client,
  { apiVersion, kind, metadata }: Stored<KubeObject>,
  service: string,
  at: { readonly address: string; readonly ports: ReadonlyMap<number, number> },
): Promise<void> {
  const { name, namespace = '', uid } = metadata;
  const own: OwnService = {
    namespace,
    name: service,
    labels: { 'gateway.networking.k8s.io/gateway-name': name },
    ownerReferences: [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: false }],
    spec: { type: 'LoadBalancer' },
    ports: [...at.ports.keys()].map((port) => ({ name: `port-${port}`, protocol: 'TCP', port })),
  };
  const ports = Object.fromEntries([...at.ports].map(([port, open]) => [`port-${port}`, open]));
  if (own.ports.length > 0) await ensureOwnService(client, own, { address: at.address, ports });
}

/** The class of ingresses that name none. */
export async function ensureIngressClass(client: Client): Promise<void> {
  const name = 'kubets';
  const object: IngressClass = {
    metadata: { name, annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    spec: { controller: INGRESS_CONTROLLER },
  };
  const found = await client.get(ingressClasses, { name }).catch(absent);
  if (found === undefined) await client.create(ingressClasses, object);
}

const portOnly = ({ name, protocol, port }: { name?: string; protocol?: string; port: number }) => ({
  name,
  protocol,
  port,
});

async function put<T extends KubeObject>(client: Client, kind: Kind<T>, wanted: T): Promise<void> {
  const { metadata, ...content } = wanted;
  const { namespace = '', name = '' } = metadata ?? {};
  const found = await client.get(kind, { namespace, name }).catch(absent);
  if (found === undefined) {
    await client.create(kind, wanted);
    return;
  }
  const changed: KubeObject = { ...found, ...content, metadata: { ...found.metadata, labels: metadata?.labels ?? {} } };
  if (!jsonEqual(changed, found)) await client.update(kind, changed as typeof found);
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'NotFound')) return undefined;
  throw error;
}
