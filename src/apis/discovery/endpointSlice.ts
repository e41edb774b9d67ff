import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, list, map, object, opt, req, str } from '../../machinery/schema/types.ts';
import { ObjectReference } from '../core/references.ts';
import { ENDPOINT_SLICE_COLUMNS } from './endpointSliceColumns.ts';
import { validateEndpointSlice, validateEndpointSliceUpdate } from './validation.ts';

export const EndpointSlice = object('io.k8s.api.discovery.v1.EndpointSlice', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  endpoints: opt(2, list(Endpoint)),
  ports: opt(3, list(EndpointPort)),
  addressType: req(4, str),
}));
export interface EndpointSlice extends Infer<typeof EndpointSlice> {}

export const EndpointPort = object(
  'io.k8s.api.discovery.v1.EndpointPort',
  () => ({
    name: opt(1, str, { pointer: true, default: '' }),
    protocol: opt(2, str, { pointer: true, default: 'TCP' }),
    port: opt(3, int32),
    appProtocol: opt(4, str, { pointer: true }),
  }),
  { atomic: true },
);
export interface EndpointPort extends Infer<typeof EndpointPort> {}

export const Endpoint = object('io.k8s.api.discovery.v1.Endpoint', () => ({
  addresses: req(1, list(str, { type: 'set' })),
  conditions: opt(2, EndpointConditions, { pointer: false }),
  hostname: opt(3, str, { pointer: true }),
  targetRef: opt(4, ObjectReference),
  deprecatedTopology: opt(5, map(str)),
  nodeName: opt(6, str, { pointer: true }),
  zone: opt(7, str, { pointer: true }),
  hints: opt(8, EndpointHints),
}));
export interface Endpoint extends Infer<typeof Endpoint> {}

export const EndpointHints = object('io.k8s.api.discovery.v1.EndpointHints', () => ({
  forZones: opt(1, list(ForZone)),
  forNodes: opt(2, list(ForNode)),
}));
export interface EndpointHints extends Infer<typeof EndpointHints> {}

export const ForZone = object('io.k8s.api.discovery.v1.ForZone', () => ({
  name: req(1, str),
}));
export interface ForZone extends Infer<typeof ForZone> {}

export const ForNode = object('io.k8s.api.discovery.v1.ForNode', () => ({
  name: req(1, str),
}));
export interface ForNode extends Infer<typeof ForNode> {}

export const EndpointConditions = object('io.k8s.api.discovery.v1.EndpointConditions', () => ({
  ready: opt(1, bool),
  serving: opt(2, bool),
  terminating: opt(3, bool),
}));
export interface EndpointConditions extends Infer<typeof EndpointConditions> {}

/** Endpoint slices: some of the addresses behind a service. */
export const endpointSlices = defineKind<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  schema: EndpointSlice,
  hasGeneration: true,
  validate: validateEndpointSlice,
  update: { validate: validateEndpointSliceUpdate },
  warnings: (slice) => (slice.addressType === 'FQDN' ? ['addressType: FQDN endpoints are deprecated'] : []),
  columns: ENDPOINT_SLICE_COLUMNS,
});
