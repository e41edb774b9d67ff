/** One pod as an endpoint of a service: whether it is one, at which ports, in which condition. */
import type { Pod } from '../../apis/core/pod.ts';
import type { ObjectReference } from '../../apis/core/references.ts';
import type { Service, ServicePort } from '../../apis/core/service.ts';
import type { Stored } from '../../machinery/kind.ts';
import { isFinished, isReady } from '../podState.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** A port of the service as this pod has it. */
export interface ResolvedPort {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  readonly appProtocol?: string;
}

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None';

/** The families in which a service has endpoints. */
export function addressTypes(service: Service): AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  return families.length === 0 ? ['IPv4'] : (families as AddressType[]);
}

/** The pod's address of that family; undefined where the pod is no endpoint. */
export function addressOf(pod: Pod, type: AddressType): string | undefined {
  if (isFinished(pod)) return undefined;
  const ips = pod.status?.podIPs?.map((p) => p.ip) ?? (pod.status?.podIP ? [pod.status.podIP] : []);
  return ips.find((ip) => ip.includes(':') === (type === 'IPv6'));
}

export interface Conditions {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

/** Source: https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/#conditions */
export function conditionsOf(pod: Pod, service: Service): Conditions {
  const serving = isReady(pod);
  const terminating = pod.metadata?.deletionTimestamp !== undefined;
  return { ready: service.spec?.publishNotReadyAddresses === true || (serving && !terminating), serving, terminating };
}

/** The service's ports on this pod; a named port that the pod does not have is left out. */
export function portsOf(pod: Pod, service: Service): ResolvedPort[] {
  const ports: ResolvedPort[] = [];
  for (const servicePort of service.spec?.ports ?? []) {
    const port = targetPort(pod, servicePort);
    if (port === undefined) continue;
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    ports.push({ name, protocol, port, ...(appProtocol === undefined ? {} : { appProtocol }) });
  }
  return ports;
}

function targetPort(pod: Pod, { targetPort: target, port, protocol = 'TCP' }: ServicePort): number | undefined {
  if (target === undefined || target === 0 || target === '') return port;
  if (typeof target === 'number') return target;
  const sidecars = pod.spec?.initContainers?.filter((c) => c.restartPolicy === 'Always') ?? [];
  for (const container of [...(pod.spec?.containers ?? []), ...sidecars]) {
    for (const p of container.ports ?? []) {
      if (p.name === target && (p.protocol ?? 'TCP') === protocol) return p.containerPort;
    }
  }
  return undefined;
}

/** Under which name the service's DNS has the pod. */
export function hostnameOf(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec ?? {};
  return hostname && subdomain === service.metadata?.name ? hostname : undefined;
}

export function podReference(pod: Stored<Pod>): ObjectReference {
  const { namespace, name, uid } = pod.metadata;
  return { kind: 'Pod', ...(namespace === undefined ? {} : { namespace }), name, uid };
}
