/**
 * The records of one service. Pure.
 * Source: https://github.com/kubernetes/dns/blob/master/docs/specification.md (version 1.1)
 */
import type { Service } from '../apis/core/service.ts';
import type { Endpoint, EndpointSlice } from '../apis/discovery/endpointSlice.ts';
import { addressBytes, dashed, reverseName } from './addresses.ts';
import type { RecordData } from './message.ts';

/** A record with its full name, without the dot at the end. */
export interface NamedRecord {
  readonly name: string;
  readonly data: RecordData;
}

/** The weights of all that a name offers, together. */
const TOTAL_WEIGHT = 100;

/** @param domain of the cluster, `cluster.local` */
export function serviceRecords(service: Service, slices: readonly EndpointSlice[], domain: string): NamedRecord[] {
  const { name, namespace } = service.metadata ?? {};
  const spec = service.spec ?? {};
  const own = `${name}.${namespace}.svc.${domain}`;
  if (spec.type === 'ExternalName') {
    const target = (spec.externalName ?? '').replace(/\.$/, '').toLowerCase();
    return target === '' ? [] : [{ name: own, data: { type: 'CNAME', target } }];
  }
  if (spec.clusterIP === 'None') return headless(own, slices);
  const ips = spec.clusterIPs ?? (spec.clusterIP === undefined ? [] : [spec.clusterIP]);
  const addresses = ips.flatMap((ip) => addressBytes(ip) ?? []);
  if (addresses.length === 0) return [];
  return [
    ...addresses.flatMap((address) => [addressRecord(own, address), pointer(address, own)]),
    ...(spec.ports ?? []).flatMap((port) => srv(own, port.name, port.protocol, port.port, [own])),
  ];
}

function headless(own: string, slices: readonly EndpointSlice[]): NamedRecord[] {
  const records: NamedRecord[] = [];
  const ports = new Map<string, { name: string; protocol: string | undefined; port: number; hosts: Set<string> }>();
  for (const slice of slices) {
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue;
      const hosts = endpoint.addresses.flatMap((ip) => {
        const address = addressBytes(ip);
        if (address === undefined) return [];
        const host = `${hostOf(endpoint, ip)}.${own}`;
        records.push(addressRecord(own, address), addressRecord(host, address), pointer(address, host));
        return [host];
      });
      for (const { name = '', protocol, port } of slice.ports ?? []) {
        if (port === undefined) continue;
        const key = `${name}/${protocol}/${port}`;
        const known = ports.get(key) ?? { name, protocol, port, hosts: new Set<string>() };
        for (const host of hosts) known.hosts.add(host);
        ports.set(key, known);
      }
    }
  }
  for (const { name, protocol, port, hosts } of ports.values()) {
    records.push(...srv(own, name, protocol, port, [...hosts]));
  }
  return unique(records);
}

/** An endpoint with several ports may be in several slices. */
function unique(records: readonly NamedRecord[]): NamedRecord[] {
  const known = new Map<string, NamedRecord>();
  for (const record of records) {
    const { data } = record;
    const shown = 'address' in data ? data.address.toString('hex') : JSON.stringify(data);
    known.set(`${record.name} ${data.type} ${shown}`, record);
  }
  return [...known.values()];
}

const hostOf = ({ hostname }: Endpoint, ip: string) => (hostname ? hostname.toLowerCase() : dashed(ip));

function addressRecord(name: string, address: Buffer): NamedRecord {
  return { name, data: { type: address.length === 4 ? 'A' : 'AAAA', address } };
}

function pointer(address: Buffer, target: string): NamedRecord {
  return { name: reverseName(address), data: { type: 'PTR', target } };
}

/** Where a port is offered: below its own name, and under the name of the service among all its ports. */
function srv(
  own: string,
  port: string | undefined,
  protocol: string | undefined,
  number: number,
  hosts: readonly string[],
): NamedRecord[] {
  const weight = Math.max(1, Math.floor(TOTAL_WEIGHT / Math.max(1, hosts.length)));
  const names = port ? [`_${port}._${(protocol ?? 'TCP').toLowerCase()}.${own}`, own] : [own];
  return names.flatMap((name) =>
    hosts.map((target) => ({ name, data: { type: 'SRV' as const, priority: 0, weight, port: number, target } })),
  );
}
