/** The addresses behind the port of a service. Pure. */
import type { Service } from '../apis/core/service.ts';
import type { EndpointSlice } from '../apis/discovery/endpointSlice.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** @param port by its number or its name, as the service has it */
export function addressesOf(service: Service, slices: readonly EndpointSlice[], port: number | string): Address[] {
  const ports = service.spec?.ports ?? [];
  const found = ports.find((p) => (typeof port === 'number' ? p.port === port : p.name === port));
  if (found === undefined) return [];
  if (service.spec?.type === 'ExternalName') {
    const host = service.spec.externalName;
    return host ? [{ host, port: found.port }] : [];
  }
  const addresses = new Map<string, Address>();
  for (const { ports: open = [], endpoints = [] } of slices) {
    const at = open.find((p) => (p.name ?? '') === (found.name ?? '') && (p.protocol ?? 'TCP') === 'TCP')?.port;
    if (at === undefined) continue;
    for (const { addresses: [host] = [], conditions } of endpoints) {
      if (host !== undefined && conditions?.ready !== false) addresses.set(`${host} ${at}`, { host, port: at });
    }
  }
  return [...addresses.values()];
}
