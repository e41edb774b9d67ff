import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel, dnsSubdomain, ipAddress, portNumber } from '../../machinery/names.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { isLocalAddress } from '../addresses.ts';
import { ObjectReference } from './references.ts';

export const Endpoints = object('io.k8s.api.core.v1.Endpoints', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  subsets: opt(2, list(EndpointSubset)),
}));
export interface Endpoints extends Infer<typeof Endpoints> {}

export const EndpointSubset = object('io.k8s.api.core.v1.EndpointSubset', () => ({
  addresses: opt(1, list(EndpointAddress)),
  notReadyAddresses: opt(2, list(EndpointAddress)),
  ports: opt(3, list(EndpointPort)),
}));
export interface EndpointSubset extends Infer<typeof EndpointSubset> {}

export const EndpointPort = object(
  'io.k8s.api.core.v1.EndpointPort',
  () => ({
    name: opt(1, str),
    port: req(2, int32),
    protocol: opt(3, str),
    appProtocol: opt(4, str, { pointer: true }),
  }),
  { atomic: true },
);
export interface EndpointPort extends Infer<typeof EndpointPort> {}

export const EndpointAddress = object(
  'io.k8s.api.core.v1.EndpointAddress',
  () => ({
    ip: req(1, str),
    targetRef: opt(2, ObjectReference),
    hostname: opt(3, str),
    nodeName: opt(4, str, { pointer: true }),
  }),
  { atomic: true },
);
export interface EndpointAddress extends Infer<typeof EndpointAddress> {}

/** As many endpoints as a line of a table shows. */
const SHOWN = 3;

/** Endpoints: the addresses behind a service, in the older form. */
export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  singular: 'endpoints',
  listKind: 'EndpointsList',
  shortNames: ['ep'],
  schema: Endpoints,
  createOnUpdate: true,
  deprecation: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  setDefaults(object) {
    for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP';
  },
  validate: validateEndpoints,
  update: { validate: validateEndpoints },
  columns: [
    NAME_COLUMN,
    { name: 'Endpoints', type: 'string', description: 'Addresses and ports that are ready.', value: endpointsText },
    AGE_COLUMN,
  ],
});

const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];

function validateEndpoints(object: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, subset] of (object.subsets ?? []).entries()) {
    const at = `subsets[${i}]`;
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      errors.push(required(at, 'must specify `addresses` or `notReadyAddresses`'));
    }
    for (const [j, a] of addresses.entries()) validateAddress(a, `${at}.addresses[${j}]`, errors);
    for (const [j, a] of notReadyAddresses.entries()) validateAddress(a, `${at}.notReadyAddresses[${j}]`, errors);
    for (const [j, port] of ports.entries()) validatePort(port, ports.length > 1, `${at}.ports[${j}]`, errors);
  }
  return errors;
}

function validateAddress(address: EndpointAddress, at: string, errors: FieldError[]): void {
  const { ip = '' } = address;
  for (const fault of ipAddress(ip)) errors.push(invalid(`${at}.ip`, ip, fault));
  if (isLocalAddress(ip)) errors.push(invalid(`${at}.ip`, ip, 'may not be unspecified, loopback or link-local'));
  if (address.hostname) {
    for (const fault of dnsLabel(address.hostname)) errors.push(invalid(`${at}.hostname`, address.hostname, fault));
  }
  if (address.nodeName !== undefined) {
    for (const fault of dnsSubdomain(address.nodeName)) errors.push(invalid(`${at}.nodeName`, address.nodeName, fault));
  }
}

function validatePort(port: EndpointPort, needsName: boolean, at: string, errors: FieldError[]): void {
  if (port.name) for (const fault of dnsLabel(port.name)) errors.push(invalid(`${at}.name`, port.name, fault));
  else if (needsName) errors.push(required(`${at}.name`));
  for (const fault of portNumber(port.port)) errors.push(invalid(`${at}.port`, port.port, fault));
  if (!PROTOCOLS.includes(port.protocol ?? '')) errors.push(notSupported(`${at}.protocol`, port.protocol, PROTOCOLS));
}

function endpointsText(object: Endpoints): string {
  const all = (object.subsets ?? []).flatMap((subset) =>
    (subset.ports ?? []).flatMap((port) => (subset.addresses ?? []).map((a) => `${a.ip}:${port.port}`)),
  );
  if (all.length === 0) return '<none>';
  const shown = all.slice(0, SHOWN).join(',');
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}
