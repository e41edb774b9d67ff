import { type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsSubdomain, pathSegment } from '../../machinery/names.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { canonicalAddress } from './cidr.ts';

export const IPAddress = object('io.k8s.api.networking.v1.IPAddress', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, IPAddressSpec),
}));
export interface IPAddress extends Infer<typeof IPAddress> {}

export const IPAddressSpec = object('io.k8s.api.networking.v1.IPAddressSpec', () => ({
  parentRef: req(1, ParentReference, { pointer: true, doc: 'Who has the address: a service. Never changes.' }),
}));
export interface IPAddressSpec extends Infer<typeof IPAddressSpec> {}

export const ParentReference = object('io.k8s.api.networking.v1.ParentReference', () => ({
  group: opt(1, str),
  resource: req(2, str),
  namespace: opt(3, str),
  name: req(4, str),
}));
export interface ParentReference extends Infer<typeof ParentReference> {}

/** IP addresses: those that services have, one object each, named by the address. */
export const ipAddresses = defineKind<IPAddress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IPAddress',
  plural: 'ipaddresses',
  schema: IPAddress,
  shortNames: ['ip'],
  namespaced: false,
  nameRule(name) {
    const canonical = canonicalAddress(name);
    if (canonical === undefined) return ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'];
    return canonical === name ? [] : [`must be in canonical form (${JSON.stringify(canonical)})`];
  },
  validate: validateIPAddress,
  update: {
    validate(address, old) {
      const parent = address.spec?.parentRef;
      if (semanticEqual(ParentReference, parent, old.spec?.parentRef)) return [];
      return [invalid('spec.parentRef', parent, 'field is immutable')];
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'ParentRef',
      type: 'string',
      description: 'Who has the address.',
      value: (address) => parentText(address.spec?.parentRef),
    },
  ],
});

function parentText(parent: ParentReference | undefined): string {
  if (parent === undefined) return '<none>';
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  const kind = (group === '' ? resource : `${resource}.${group}`).toLowerCase();
  return [kind, ...(namespace === '' ? [] : [namespace]), name].join('/');
}

function validateIPAddress(address: IPAddress): FieldError[] {
  const errors: FieldError[] = [];
  const path = 'spec.parentRef';
  const parent = address.spec?.parentRef;
  if (parent === undefined) return [required(path)];
  if (parent.group)
    for (const fault of dnsSubdomain(parent.group)) errors.push(invalid(`${path}.group`, parent.group, fault));
  for (const field of ['resource', 'name', 'namespace'] as const) {
    const value = parent[field];
    if (value) for (const fault of pathSegment(value)) errors.push(invalid(`${path}.${field}`, value, fault));
    else if (field !== 'namespace') errors.push(required(`${path}.${field}`));
  }
  return errors;
}
