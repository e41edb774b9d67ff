import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';

export const ServiceCIDR = object('io.k8s.api.networking.v1.ServiceCIDR', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ServiceCIDRSpec),
  status: opt(3, ServiceCIDRStatus),
}));
export interface ServiceCIDR extends Infer<typeof ServiceCIDR> {}

export const ServiceCIDRStatus = object('io.k8s.api.networking.v1.ServiceCIDRStatus', () => ({
  conditions: opt(1, list(Condition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface ServiceCIDRStatus extends Infer<typeof ServiceCIDRStatus> {}

export const ServiceCIDRSpec = object('io.k8s.api.networking.v1.ServiceCIDRSpec', () => ({
  cidrs: opt(1, list(str)),
}));
export interface ServiceCIDRSpec extends Infer<typeof ServiceCIDRSpec> {}
