/**
 * What is wrong with an endpoint slice.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/service-resources/endpoint-slice-v1/
 */
import { isIP } from 'node:net';
import { duplicate, type FieldError, invalid, notSupported, required, tooMany } from '../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, portNumber, qualifiedName } from '../../machinery/names.ts';
import { isLocalAddress } from '../addresses.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from './endpointSlice.ts';

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MOST_ENDPOINTS = 1000;
const MOST_PORTS = 20000;
const MOST_ADDRESSES = 100;
const MOST_HINTS = 8;

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (!slice.addressType) errors.push(required('addressType'));
  else if (!ADDRESS_TYPES.includes(slice.addressType)) {
    errors.push(notSupported('addressType', slice.addressType, ADDRESS_TYPES));
  }
  const endpoints = slice.endpoints ?? [];
  if (endpoints.length > MOST_ENDPOINTS) errors.push(tooMany('endpoints', endpoints.length, MOST_ENDPOINTS));
  else for (const [i, e] of endpoints.entries()) validateEndpoint(e, slice.addressType, `endpoints[${i}]`, errors);
  validatePorts(slice.ports ?? [], errors);
  return errors;
}

/** A slice holds one sort of addresses for good. */
export function validateEndpointSliceUpdate(slice: EndpointSlice, old: EndpointSlice): FieldError[] {
  const errors = validateEndpointSlice(slice);
  if (slice.addressType !== old.addressType) {
    errors.push(invalid('addressType', slice.addressType, 'field is immutable'));
  }
  return errors;
}

function validateEndpoint(endpoint: Endpoint, type: string | undefined, path: string, errors: FieldError[]): void {
  const addresses = endpoint.addresses ?? [];
  if (addresses.length === 0) errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  if (addresses.length > MOST_ADDRESSES) errors.push(tooMany(`${path}.addresses`, addresses.length, MOST_ADDRESSES));
  for (const [i, address] of addresses.entries()) {
    validateAddress(address, type, `${path}.addresses[${i}]`, errors);
  }
  if (endpoint.nodeName !== undefined) {
    for (const fault of dnsSubdomain(endpoint.nodeName)) {
      errors.push(invalid(`${path}.nodeName`, endpoint.nodeName, fault));
    }
  }
  if (endpoint.hostname !== undefined) {
    for (const fault of dnsLabel(endpoint.hostname)) {
      errors.push(invalid(`${path}.hostname`, endpoint.hostname, fault));
    }
  }
  for (const field of ['forZones', 'forNodes'] as const) {
    const hints = endpoint.hints?.[field] ?? [];
    if (hints.length > MOST_HINTS) errors.push(tooMany(`${path}.hints.${field}`, hints.length, MOST_HINTS));
    const seen = new Set<string>();
    for (const [i, hint] of hints.entries()) {
      const at = `${path}.hints.${field}[${i}]`;
      if (!hint.name) errors.push(required(`${at}.name`));
      else if (seen.has(hint.name)) errors.push(duplicate(at, hint.name));
      seen.add(hint.name ?? '');
    }
  }
}

function validateAddress(address: string, type: string | undefined, path: string, errors: FieldError[]): void {
  switch (type) {
    case 'IPv4':
      if (isIP(address) !== 4) errors.push(invalid(path, address, 'must be an IPv4 address'));
      else if (isLocalAddress(address)) errors.push(invalid(path, address, LOCAL));
      break;
    case 'IPv6':
      if (isIP(address) !== 6) errors.push(invalid(path, address, 'must be an IPv6 address'));
      else if (isLocalAddress(address)) errors.push(invalid(path, address, LOCAL));
      break;
    case 'FQDN':
      for (const fault of dnsSubdomain(address)) errors.push(invalid(path, address, fault));
      break;
  }
}

const LOCAL = 'may not be unspecified, loopback, link-local or multicast';

function validatePorts(ports: readonly EndpointPort[], errors: FieldError[]): void {
  if (ports.length > MOST_PORTS) {
    errors.push(tooMany('ports', ports.length, MOST_PORTS));
    return;
  }
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const path = `ports[${i}]`;
    const name = port.name ?? '';
    if (name !== '') for (const fault of dnsLabel(name)) errors.push(invalid(`${path}.name`, name, fault));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (port.port !== undefined) {
      for (const fault of portNumber(port.port)) errors.push(invalid(`${path}.port`, port.port, fault));
    }
    if (!PROTOCOLS.includes(port.protocol ?? '')) {
      errors.push(notSupported(`${path}.protocol`, port.protocol, PROTOCOLS));
    }
    if (port.appProtocol) {
      for (const fault of qualifiedName(port.appProtocol)) {
        errors.push(invalid(`${path}.appProtocol`, port.appProtocol, fault));
      }
    }
  }
}
