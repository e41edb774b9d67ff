import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
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

/** Endpoints: the addresses behind a service, in the older form. */
export const endpoints = defineKind<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  schema: Endpoints,
  singular: 'endpoints',
  shortNames: ['ep'],
});
