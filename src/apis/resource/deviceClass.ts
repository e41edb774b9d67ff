import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { DeviceSelector, OpaqueDeviceConfiguration } from './resourceClaim.ts';

export const DeviceClass = object('io.k8s.api.resource.v1.DeviceClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, DeviceClassSpec),
}));
export interface DeviceClass extends Infer<typeof DeviceClass> {}

export const DeviceClassSpec = object('io.k8s.api.resource.v1.DeviceClassSpec', () => ({
  selectors: opt(1, list(DeviceSelector)),
  config: opt(2, list(DeviceClassConfiguration)),
  extendedResourceName: opt(4, str),
}));
export interface DeviceClassSpec extends Infer<typeof DeviceClassSpec> {}

export const DeviceClassConfiguration = object('io.k8s.api.resource.v1.DeviceClassConfiguration', () => ({
  opaque: opt(undefined, OpaqueDeviceConfiguration),
}));
export interface DeviceClassConfiguration extends Infer<typeof DeviceClassConfiguration> {}
