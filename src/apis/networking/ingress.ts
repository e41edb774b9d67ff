import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { TypedLocalObjectReference } from '../core/references.ts';
import { keepLabels, keepSpec } from '../statusRules.ts';
import { validateIngress, validateIngressCreate, validateIngressStatus } from './ingressValidation.ts';

export const Ingress = object('io.k8s.api.networking.v1.Ingress', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, IngressSpec),
  status: opt(3, IngressStatus),
}));
export interface Ingress extends Infer<typeof Ingress> {}

export const IngressStatus = object('io.k8s.api.networking.v1.IngressStatus', () => ({
  loadBalancer: opt(1, IngressLoadBalancerStatus, { pointer: false }),
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
  error: opt(3, str, { pointer: true }),
}));
export interface IngressPortStatus extends Infer<typeof IngressPortStatus> {}

export const IngressSpec = object('io.k8s.api.networking.v1.IngressSpec', () => ({
  defaultBackend: opt(1, IngressBackend, { doc: 'Where requests go for which there is no rule.' }),
  tls: opt(2, list(IngressTLS), { doc: 'The certificates for its hosts.' }),
  rules: opt(3, list(IngressRule), { doc: 'Where requests go, by host and path.' }),
  ingressClassName: opt(4, str, { pointer: true, doc: 'Which controller carries it out.' }),
}));
export interface IngressSpec extends Infer<typeof IngressSpec> {}

export const IngressTLS = object('io.k8s.api.networking.v1.IngressTLS', () => ({
  hosts: opt(1, list(str)),
  secretName: opt(2, str),
}));
export interface IngressTLS extends Infer<typeof IngressTLS> {}

export const IngressRule = object('io.k8s.api.networking.v1.IngressRule', () => ({
  host: opt(1, str, { doc: 'A DNS name, or one that begins with *. for all below; every host if absent.' }),
  http: opt(undefined, HTTPIngressRuleValue),
}));
export interface IngressRule extends Infer<typeof IngressRule> {}

export const HTTPIngressRuleValue = object('io.k8s.api.networking.v1.HTTPIngressRuleValue', () => ({
  paths: req(1, list(HTTPIngressPath)),
}));
export interface HTTPIngressRuleValue extends Infer<typeof HTTPIngressRuleValue> {}

export const HTTPIngressPath = object('io.k8s.api.networking.v1.HTTPIngressPath', () => ({
  path: opt(1, str, { doc: 'Begins with a slash.' }),
  backend: req(2, IngressBackend, { doc: 'Where such requests go.' }),
  pathType: req(3, str, {
    pointer: true,
    doc: 'How the path is compared: Exact, Prefix (by parts) or ImplementationSpecific.',
  }),
}));
export interface HTTPIngressPath extends Infer<typeof HTTPIngressPath> {}

export const IngressBackend = object('io.k8s.api.networking.v1.IngressBackend', () => ({
  resource: opt(3, TypedLocalObjectReference),
  service: opt(4, IngressServiceBackend),
}));
export interface IngressBackend extends Infer<typeof IngressBackend> {}

export const IngressServiceBackend = object('io.k8s.api.networking.v1.IngressServiceBackend', () => ({
  name: req(1, str),
  port: opt(2, ServiceBackendPort, { pointer: false }),
}));
export interface IngressServiceBackend extends Infer<typeof IngressServiceBackend> {}

export const ServiceBackendPort = object(
  'io.k8s.api.networking.v1.ServiceBackendPort',
  () => ({
    name: opt(1, str),
    number: opt(2, int32, { pointer: false }),
  }),
  { atomic: true },
);
export interface ServiceBackendPort extends Infer<typeof ServiceBackendPort> {}

/** Ingresses: which service answers which requests from outside. */
export const ingresses = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  schema: Ingress,
  shortNames: ['ing'],
  hasGeneration: true,
  prepareForCreate(ingress) {
    ingress.status = { loadBalancer: {} };
  },
  validate: validateIngressCreate,
  update: {
    prepare(ingress, old) {
      ingress.status = old.status ?? { loadBalancer: {} };
    },
    validate: validateIngress,
  },
  status: {
    prepare(ingress, old) {
      keepSpec(ingress, old);
      keepLabels(ingress, old);
    },
    validate: validateIngressStatus,
  },
  warnings(ingress) {
    if (ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] === undefined) return [];
    return ['annotation "kubernetes.io/ingress.class" is deprecated, please use \'spec.ingressClassName\' instead'];
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Class',
      type: 'string',
      description: 'Which controller carries it out.',
      value: (ingress) => ingress.spec?.ingressClassName ?? '<none>',
    },
    {
      name: 'Hosts',
      type: 'string',
      description: 'The hosts for which it has rules.',
      value: (ingress) => hostsText(ingress.spec?.rules ?? []),
    },
    {
      name: 'Address',
      type: 'string',
      description: 'Where it can be reached.',
      value: (ingress) => addressText(ingress.status?.loadBalancer?.ingress ?? []),
    },
    {
      name: 'Ports',
      type: 'string',
      description: 'The ports on which it answers.',
      value: (ingress) => ((ingress.spec?.tls ?? []).length > 0 ? '80, 443' : '80'),
    },
    AGE_COLUMN,
  ],
});

/** As many hosts as a line of a table shows. */
const SHOWN = 3;

function hostsText(rules: readonly IngressRule[]): string {
  const hosts: string[] = [];
  let more = false;
  for (const { host } of rules) {
    if (hosts.length === SHOWN) more = true;
    else if (host) hosts.push(host);
  }
  if (hosts.length === 0) return '*';
  return more ? `${hosts.join(',')} + ${rules.length - SHOWN} more...` : hosts.join(',');
}

function addressText(points: readonly IngressLoadBalancerIngress[]): string {
  const addresses = points.map((point) => point.ip || point.hostname || '').filter((address) => address !== '');
  return [...new Set(addresses)].sort().join(',');
}
