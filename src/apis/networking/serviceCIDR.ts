import { type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepLabels, keepSpec } from '../statusRules.ts';
import { formatCidr, parseCidr } from './cidr.ts';

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
  cidrs: opt(1, list(str), { doc: 'Ranges of addresses for services: one, or one of each family.' }),
}));
export interface ServiceCIDRSpec extends Infer<typeof ServiceCIDRSpec> {}

/** Service CIDRs: the ranges that services get their addresses from. */
export const serviceCIDRs = defineKind<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  plural: 'servicecidrs',
  schema: ServiceCIDR,
  namespaced: false,
  prepareForCreate(range) {
    range.status = {};
  },
  validate: validateServiceCIDR,
  update: {
    prepare(range, old) {
      range.status = old.status ?? {};
    },
    validate: validateServiceCIDRUpdate,
  },
  status: {
    prepare(range, old) {
      keepSpec(range, old);
      keepLabels(range, old);
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'CIDRs',
      type: 'string',
      description: 'The ranges.',
      value: (range) => (range.spec?.cidrs ?? []).join(','),
    },
    AGE_COLUMN,
  ],
});

const MOST_CIDRS = 2;

function validateServiceCIDR(range: ServiceCIDR): FieldError[] {
  const cidrs = range.spec?.cidrs ?? [];
  const path = 'spec.cidrs';
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')];
  if (cidrs.length > MOST_CIDRS) return [invalid(path, range.spec, `may only hold up to ${MOST_CIDRS} values`)];
  const errors: FieldError[] = [];
  const families: number[] = [];
  for (const [i, text] of cidrs.entries()) {
    const cidr = parseCidr(text);
    if (cidr === undefined) {
      errors.push(invalid(`${path}[${i}]`, text, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'));
      continue;
    }
    families.push(cidr.family);
    const canonical = formatCidr(cidr);
    if (canonical !== text) {
      errors.push(invalid(`${path}[${i}]`, text, `must be in canonical form (${JSON.stringify(canonical)})`));
    }
  }
  if (families.length === 2 && families[0] === families[1]) {
    const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
    errors.push(invalid(path, cidrs, detail));
  }
  return errors;
}

/** A range never changes; one of the other family may be added. */
function validateServiceCIDRUpdate(range: ServiceCIDR, old: ServiceCIDR): FieldError[] {
  const [cidrs, before] = [range.spec?.cidrs ?? [], old.spec?.cidrs ?? []];
  const added = before.length === 1 && cidrs.length === MOST_CIDRS;
  if (cidrs.length !== before.length && !added) return [invalid('spec.cidrs', cidrs, 'field is immutable')];
  const errors: FieldError[] = [];
  for (const [i, text] of before.entries()) {
    if (cidrs[i] !== text) errors.push(invalid(`spec.cidrs[${i}]`, cidrs[i], 'field is immutable'));
  }
  return added ? [...errors, ...validateServiceCIDR(range)] : errors;
}
