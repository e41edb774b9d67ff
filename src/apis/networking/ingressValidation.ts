/**
 * What is wrong with an ingress.
 * Source: https://kubernetes.io/docs/concepts/services-networking/ingress/
 */
import { isIP } from 'node:net';
import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, pathSegment, portName, portNumber, wildcardSubdomain } from '../../machinery/names.ts';
import type { TypedLocalObjectReference } from '../core/references.ts';
import { canonicalAddress } from './cidr.ts';
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressServiceBackend } from './ingress.ts';

const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix'];
/** What no path that is compared may have, anywhere or at its end. */
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F'];
const BAD_ENDS = ['/..', '/.'];

export function validateIngressCreate(ingress: Ingress): FieldError[] {
  const errors = validateIngress(ingress);
  const noted = ingress.metadata?.annotations?.[CLASS_ANNOTATION];
  const name = ingress.spec?.ingressClassName;
  if (noted !== undefined && name !== undefined && noted !== name) {
    const detail = 'must match `ingressClassName` when both are specified';
    errors.push(invalid(`annotations.${CLASS_ANNOTATION}`, noted, detail));
  }
  return errors;
}

export function validateIngress(ingress: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const { rules = [], defaultBackend, tls = [], ingressClassName } = ingress.spec ?? {};
  if (rules.length === 0 && defaultBackend === undefined) {
    errors.push(invalid('spec', rules, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend !== undefined) validateBackend(defaultBackend, 'spec.defaultBackend', errors);
  for (const [i, rule] of rules.entries()) validateRule(rule, `spec.rules[${i}]`, errors);
  for (const [i, { hosts = [], secretName }] of tls.entries()) {
    for (const [j, host] of hosts.entries()) validateHost(host, `spec.tls[${i}].hosts[${j}]`, errors);
    if (!secretName) continue;
    for (const fault of dnsSubdomain(secretName)) {
      errors.push(invalid(`spec.tls[${i}].secretName`, secretName, fault));
    }
  }
  if (ingressClassName !== undefined) {
    for (const fault of dnsSubdomain(ingressClassName)) {
      errors.push(invalid('spec.ingressClassName', ingressClassName, fault));
    }
  }
  return errors;
}

function validateRule(rule: IngressRule, path: string, errors: FieldError[]): void {
  if (rule.host) {
    if (isIP(rule.host) !== 0) errors.push(invalid(`${path}.host`, rule.host, 'must be a DNS name, not an IP address'));
    validateHost(rule.host, `${path}.host`, errors);
  }
  if (rule.http === undefined) return;
  const paths = rule.http.paths ?? [];
  if (paths.length === 0) errors.push(required(`${path}.http.paths`));
  for (const [i, one] of paths.entries()) validatePath(one, `${path}.http.paths[${i}]`, errors);
}

function validateHost(host: string, path: string, errors: FieldError[]): void {
  const faults = host.includes('*') ? wildcardSubdomain(host) : dnsSubdomain(host);
  for (const fault of faults) errors.push(invalid(path, host, fault));
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, at: string, errors: FieldError[]): void {
  if (pathType === undefined) {
    errors.push(required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  const field = `${at}.path`;
  const compared = pathType === 'Exact' || pathType === 'Prefix';
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(`${at}.pathType`, pathType, PATH_TYPES));
  else if (!path.startsWith('/') && (compared || path !== '')) {
    errors.push(invalid(field, path, 'must be an absolute path'));
  }
  if (compared) {
    for (const bad of BAD_SEQUENCES) {
      if (path.includes(bad)) errors.push(invalid(field, path, `must not contain '${bad}'`));
    }
    for (const bad of BAD_ENDS) if (path.endsWith(bad)) errors.push(invalid(field, path, `cannot end with '${bad}'`));
  }
  validateBackend(backend ?? {}, `${at}.backend`, errors);
}

function validateBackend({ resource, service }: IngressBackend, path: string, errors: FieldError[]): void {
  if (resource !== undefined && service !== undefined) {
    errors.push(invalid(path, '', 'cannot set both resource and service backends'));
  } else if (resource !== undefined) validateReference(resource, `${path}.resource`, errors);
  else if (service !== undefined) validateService(service, path, errors);
  else errors.push(invalid(path, '', 'resource or service backend is required'));
}

function validateService(service: IngressServiceBackend, path: string, errors: FieldError[]): void {
  if (!service.name) errors.push(required(`${path}.service.name`));
  else for (const fault of dnsLabel(service.name)) errors.push(invalid(`${path}.service.name`, service.name, fault));
  const { name = '', number = 0 } = service.port ?? {};
  if (name !== '' && number !== 0) errors.push(invalid(path, '', 'cannot set both port name & port number'));
  else if (name !== '') {
    for (const fault of portName(name)) errors.push(invalid(`${path}.service.port.name`, name, fault));
  } else if (number !== 0) {
    for (const fault of portNumber(number)) errors.push(invalid(`${path}.service.port.number`, number, fault));
  } else errors.push(required(path, 'port name or number is required'));
}

/** What an ingress, its class or an address refers to: any kind, by group, kind and name. */
export function validateReference(
  reference: Partial<TypedLocalObjectReference>,
  path: string,
  errors: FieldError[],
): void {
  if (reference.apiGroup !== undefined) {
    for (const fault of dnsSubdomain(reference.apiGroup)) {
      errors.push(invalid(`${path}.apiGroup`, reference.apiGroup, fault));
    }
  }
  for (const field of ['kind', 'name'] as const) {
    const value = reference[field];
    if (!value) errors.push(required(`${path}.${field}`));
    else for (const fault of pathSegment(value)) errors.push(invalid(`${path}.${field}`, value, fault));
  }
}

export function validateIngressStatus(ingress: Ingress, old: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const known = new Set((old.status?.loadBalancer?.ingress ?? []).map((point) => point.ip));
  for (const [i, { ip, hostname }] of (ingress.status?.loadBalancer?.ingress ?? []).entries()) {
    const at = `status.loadBalancer.ingress[${i}]`;
    if (ip && !known.has(ip) && canonicalAddress(ip) === undefined) {
      errors.push(invalid(`${at}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
    }
    if (!hostname) continue;
    for (const fault of dnsSubdomain(hostname)) errors.push(invalid(`${at}.hostname`, hostname, fault));
    if (isIP(hostname) !== 0) errors.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
  }
  return errors;
}
