/** The service kube-dns, through which pods reach the cluster's DNS server. */
import { type Endpoints, endpoints } from '../apis/core/endpoints.ts';
import { type Service, services } from '../apis/core/service.ts';
import { type EndpointSlice, endpointSlices } from '../apis/discovery/endpointSlice.ts';
import type { Client } from '../client/client.ts';
import { jsonEqual } from '../machinery/jsonEqual.ts';
import type { Kind, KubeObject } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { ClusterError } from './errors.ts';

export interface DnsServiceOptions {
  /** as an administrator */
  readonly client: Client;
  /** of the service */
  readonly clusterIP: string;
  /** where the server listens */
  readonly address: string;
  readonly port: number;
}

const NAMESPACE = 'kube-system';
const NAME = 'kube-dns';
export const DNS_PORT = 53;
const LABELS = {
  'k8s-app': NAME,
  'kubernetes.io/cluster-service': 'true',
  'kubernetes.io/name': 'KubeDNS',
};

/** How policies select it. */
export const DNS_SERVICE = { namespace: NAMESPACE, labels: LABELS };

/** Makes the service and its endpoints, or puts them right. @throws ClusterError where another service has its address */
export async function ensureDnsService({ client, clusterIP, address, port }: DnsServiceOptions): Promise<void> {
  const metadata = { name: NAME, namespace: NAMESPACE, labels: LABELS };
  const ports = [
    { name: 'dns', protocol: 'UDP', port },
    { name: 'dns-tcp', protocol: 'TCP', port },
  ];
  const service: Service = {
    metadata,
    spec: { clusterIP, ports: ports.map(({ name, protocol }) => ({ name, protocol, port: DNS_PORT })) },
  };
  const found = await client.get(services, { namespace: NAMESPACE, name: NAME }).catch(absent);
  if (found === undefined) {
    await client.create(services, service).catch((error: unknown) => {
      if (!isApiError(error, 'Invalid')) throw error;
      throw new ClusterError(
        `the service ${NAMESPACE}/${NAME} could not get its address ${clusterIP}: ${error.message}`,
      );
    });
  }
  await put<Endpoints>(client, endpoints, {
    metadata: { ...metadata, labels: { ...LABELS, 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: [{ ip: address }], ports }],
  });
  await put<EndpointSlice>(client, endpointSlices, {
    metadata: { ...metadata, labels: { ...LABELS, 'kubernetes.io/service-name': NAME } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports,
  });
}

async function put<T extends KubeObject>(client: Client, kind: Kind<T>, wanted: T): Promise<void> {
  const found = await client.get(kind, { namespace: NAMESPACE, name: NAME }).catch(absent);
  if (found === undefined) {
    await client.create(kind, wanted);
    return;
  }
  const { metadata, ...content } = wanted;
  const changed: KubeObject = { ...found, ...content, metadata: { ...found.metadata, labels: metadata?.labels ?? {} } };
  if (!jsonEqual(changed, found)) await client.update(kind, changed as typeof found);
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'NotFound')) return undefined;
  throw error;
}
