import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { TypedLocalObjectReference } from '../core/references.ts';

export const Ingress = object('io.k8s.api.networking.v1.Ingress', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, IngressSpec),
  status: opt(3, IngressStatus),
}));
export interface Ingress extends Infer<typeof Ingress> {}

export const IngressStatus = object('io.k8s.api.networking.v1.IngressStatus', () => ({
  loadBalancer: opt(1, IngressLoadBalancerStatus),
}));
export interface IngressStatus extends Infer<typeof IngressStatus> {}

export const IngressLoadBalancerStatus = object('io.k8s.api.networking.v1.IngressLoadBalancerStatus', () => ({
  ingress: opt(1, list(IngressLoadBalancerIngress)),
}));
export interface IngressLoadBalancerStatus extends Infer<typeof IngressLoadBalancerStatus> {}

export const IngressLoadBalancerIngress = object('io.k8s.api.networking.v1.IngressLoadBalancerIngress', () => ({
  ip: opt(1, str),
  hostname: opt(2, str),
  ports: opt(4, list(IngressPortStatus)),
}));
export interface IngressLoadBalancerIngress extends Infer<typeof IngressLoadBalancerIngress> {}

export const IngressPortStatus = object('io.k8s.api.networking.v1.IngressPortStatus', () => ({
  port: req(1, int32),
  protocol: req(2, str),
  error: opt(3, str),
}));
export interface IngressPortStatus extends Infer<typeof IngressPortStatus> {}

export const IngressSpec = object('io.k8s.api.networking.v1.IngressSpec', () => ({
  defaultBackend: opt(1, IngressBackend),
  tls: opt(2, list(IngressTLS)),
  rules: opt(3, list(IngressRule)),
  ingressClassName: opt(4, str),
}));
export interface IngressSpec extends Infer<typeof IngressSpec> {}

export const IngressTLS = object('io.k8s.api.networking.v1.IngressTLS', () => ({
  hosts: opt(1, list(str)),
  secretName: opt(2, str),
}));
export interface IngressTLS extends Infer<typeof IngressTLS> {}

export const IngressRule = object('io.k8s.api.networking.v1.IngressRule', () => ({
  host: opt(1, str),
  http: opt(undefined, HTTPIngressRuleValue),
}));
export interface IngressRule extends Infer<typeof IngressRule> {}

export const HTTPIngressRuleValue = object('io.k8s.api.networking.v1.HTTPIngressRuleValue', () => ({
  paths: req(1, list(HTTPIngressPath)),
}));
export interface HTTPIngressRuleValue extends Infer<typeof HTTPIngressRuleValue> {}

export const HTTPIngressPath = object('io.k8s.api.networking.v1.HTTPIngressPath', () => ({
  path: opt(1, str),
  backend: req(2, IngressBackend),
  pathType: req(3, str),
}));
export interface HTTPIngressPath extends Infer<typeof HTTPIngressPath> {}

export const IngressBackend = object('io.k8s.api.networking.v1.IngressBackend', () => ({
  resource: opt(3, TypedLocalObjectReference),
  service: opt(4, IngressServiceBackend),
}));
export interface IngressBackend extends Infer<typeof IngressBackend> {}

export const IngressServiceBackend = object('io.k8s.api.networking.v1.IngressServiceBackend', () => ({
  name: req(1, str),
  port: opt(2, ServiceBackendPort),
}));
export interface IngressServiceBackend extends Infer<typeof IngressServiceBackend> {}

export const ServiceBackendPort = object(
  'io.k8s.api.networking.v1.ServiceBackendPort',
  () => ({
    name: opt(1, str),
    number: opt(2, int32),
  }),
  { atomic: true },
);
export interface ServiceBackendPort extends Infer<typeof ServiceBackendPort> {}
