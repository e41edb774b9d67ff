import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { ipAddress, portNumber } from '../../machinery/names.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
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
    protocol: opt(3, str, { default: 'TCP' }),
    appProtocol: opt(4, str),
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
    nodeName: opt(4, str),
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
  validate: validateEndpoints,
  update: { validate: validateEndpoints },
  columns: [
    NAME_COLUMN,
    { name: 'Endpoints', type: 'string', description: 'Addresses and ports that are ready.', value: endpointsText },
    AGE_COLUMN,
  ],
});

function validateEndpoints(object: Endpoints): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, subset] of (object.subsets ?? []).entries()) {
    for (const field of ['addresses', 'notReadyAddresses'] as const) {
      for (const [j, address] of (subset[field] ?? []).entries()) {
        for (const fault of ipAddress(address.ip ?? ''))
          errors.push(invalid(`subsets[${i}].${field}[${j}].ip`, address.ip, fault));
      }
    }
    for (const [j, port] of (subset.ports ?? []).entries()) {
      for (const fault of portNumber(port.port))
        errors.push(invalid(`subsets[${i}].ports[${j}].port`, port.port, fault));
    }
  }
  return errors;
}

function endpointsText(object: Endpoints): string {
  const all = (object.subsets ?? []).flatMap((subset) =>
    (subset.ports ?? []).flatMap((port) => (subset.addresses ?? []).map((a) => `${a.ip}:${port.port}`)),
  );
  if (all.length === 0) return '<none>';
  const shown = all.slice(0, SHOWN).join(',');
  return all.length > SHOWN ? `${shown} + ${all.length - SHOWN} more...` : shown;
}
