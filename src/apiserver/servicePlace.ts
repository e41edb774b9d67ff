/** Where a service of the cluster is reached from here: at one of its endpoints, so that nothing needs to be routed. */
import { services } from '../apis/core/service.ts';
import { endpointSlices } from '../apis/discovery/endpointSlice.ts';
import type { Random } from '../lib/random.ts';
import type { Registry } from './registry/registry.ts';

export interface ServicePlace {
  readonly host: string;
  readonly port: number;
}

/** @param port of the service. @throws Error in words that stand behind what was to be done */
export async function servicePlace(
  { registry, random }: { readonly registry: Registry; readonly random: Random },
  { namespace, name, port }: { readonly namespace: string; readonly name: string; readonly port: number },
): Promise<ServicePlace> {
  await Promise.all([registry.cache(services).freshen(), registry.cache(endpointSlices).freshen()]);
  const found = registry.cache(services).object(namespace, name);
  if (found === undefined) throw new Error(`service ${JSON.stringify(name)} not found`);
  const { type, externalName, ports = [] } = found.spec ?? {};
  if (type === 'ExternalName') return { host: externalName ?? '', port };
  const servicePort = ports.find((p) => p.port === port);
  if (servicePort === undefined) throw new Error(`no service port ${port} found for service ${JSON.stringify(name)}`);
  const places = endpointPlaces(registry, namespace, name, servicePort.name ?? '');
  const chosen = places[random.integer(Math.max(1, places.length))];
  if (chosen === undefined) throw new Error(`no endpoints available for service ${JSON.stringify(name)}`);
  return chosen;
}

/** The endpoints that are ready, of the service's port with this name. */
function endpointPlaces(registry: Registry, namespace: string, service: string, portName: string): ServicePlace[] {
  const places: ServicePlace[] = [];
  const cache = registry.cache(endpointSlices);
  for (const { object } of cache.entries(namespace)) {
    const slice = cache.object(namespace, object.metadata.name);
    if (slice?.metadata.labels?.['kubernetes.io/service-name'] !== service) continue;
    const port = (slice.ports ?? []).find((p) => (p.name ?? '') === portName)?.port;
    if (port === undefined) continue;
    for (const { addresses, conditions } of slice.endpoints ?? []) {
      const [host] = addresses;
      if (conditions?.ready !== false && host !== undefined) places.push({ host, port });
    }
  }
  return places;
}
