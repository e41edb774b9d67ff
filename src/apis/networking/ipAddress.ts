import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';

export const IPAddress = object('io.k8s.api.networking.v1.IPAddress', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, IPAddressSpec),
}));
export interface IPAddress extends Infer<typeof IPAddress> {}

export const IPAddressSpec = object('io.k8s.api.networking.v1.IPAddressSpec', () => ({
  parentRef: req(1, ParentReference),
}));
export interface IPAddressSpec extends Infer<typeof IPAddressSpec> {}

export const ParentReference = object('io.k8s.api.networking.v1.ParentReference', () => ({
  group: opt(1, str),
  resource: req(2, str),
  namespace: opt(3, str),
  name: req(4, str),
}));
export interface ParentReference extends Infer<typeof ParentReference> {}
