import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel1035, dnsSubdomain, pathSegment, portNumber } from '../../machinery/names.ts';
import { bool, bytes, type Infer, int32, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';

export const APIService = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIService', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta, { doc: 'Its name is the version, a dot, and the group.' }),
  spec: opt(2, APIServiceSpec),
  status: opt(3, APIServiceStatus),
}));
export interface APIService extends Infer<typeof APIService> {}

export const APIServiceSpec = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceSpec', () => ({
  service: opt(1, ServiceReference, { doc: 'Who serves the group and version; absent: this server itself.' }),
  group: opt(2, str),
  version: opt(3, str),
  insecureSkipTLSVerify: opt(4, bool, {
    pointer: false,
    doc: 'Any certificate of the service is believed. Not together with caBundle.',
  }),
  caBundle: opt(5, bytes, { doc: 'The CA of its certificate, in PEM; absent: those that the machine trusts.' }),
  groupPriorityMinimum: req(7, int32, { doc: 'Groups with a higher one come first in discovery.' }),
  versionPriority: req(8, int32, { doc: 'Within the group, versions with a higher one come first.' }),
}));
export interface APIServiceSpec extends Infer<typeof APIServiceSpec> {}

export const ServiceReference = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference', () => ({
  namespace: opt(1, str),
  name: opt(2, str),
  port: opt(3, int32, { pointer: true, default: 443 }),
}));
export interface ServiceReference extends Infer<typeof ServiceReference> {}

export const APIServiceStatus = object('io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceStatus', () => ({
  conditions: opt(1, list(APIServiceCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface APIServiceStatus extends Infer<typeof APIServiceStatus> {}

export const APIServiceCondition = object(
  'io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.APIServiceCondition',
  () => ({
    type: req(1, str),
    status: req(2, str),
    lastTransitionTime: opt(3, time),
    reason: opt(4, str),
    message: opt(5, str),
  }),
);
export interface APIServiceCondition extends Infer<typeof APIServiceCondition> {}

const STATUSES = ['True', 'False', 'Unknown'];
const HIGHEST_GROUP_PRIORITY = 20_000;
const HIGHEST_VERSION_PRIORITY = 1_000;

/** The condition Available, where it is told. */
export function availability(service: APIService): APIServiceCondition | undefined {
  return service.status?.conditions?.find((c) => c.type === 'Available');
}

/** What the condition Available says where this server itself serves the group and version. */
export const LOCAL = { status: 'True', reason: 'Local', message: 'Local APIServices are always available' } as const;

function validate(service: APIService): FieldError[] {
  const { group = '', version = '', ...spec } = service.spec ?? ({} as Partial<APIServiceSpec>);
  const name = service.metadata?.name ?? '';
  const errors: FieldError[] = [];
  if (name !== `${version}.${group}` && pathSegment(name).length === 0) {
    const detail = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(`${version}.${group}`)}`;
    errors.push(invalid('metadata.name', name, detail));
  }
  if (group === '' && version !== 'v1') {
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'));
  }
  if (group !== '') for (const fault of dnsSubdomain(group)) errors.push(invalid('spec.group', group, fault));
  for (const fault of dnsLabel1035(version)) errors.push(invalid('spec.version', version, fault));
  const { groupPriorityMinimum = 0, versionPriority = 0 } = spec;
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > HIGHEST_GROUP_PRIORITY) {
    errors.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'));
  }
  if (versionPriority <= 0 || versionPriority > HIGHEST_VERSION_PRIORITY) {
    errors.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'));
  }
  return [...errors, ...validateService(spec)];
}

function validateService({ service, caBundle = '', insecureSkipTLSVerify = false }: Partial<APIServiceSpec>) {
  const errors: FieldError[] = [];
  if (service === undefined) {
    if (caBundle !== '') {
      const size = `${Buffer.from(caBundle, 'base64').length} bytes`;
      errors.push(invalid('spec.caBundle', size, 'local APIServices may not have a caBundle'));
    }
    if (insecureSkipTLSVerify) {
      const detail = 'local APIServices may not have insecureSkipTLSVerify';
      errors.push(invalid('spec.insecureSkipTLSVerify', true, detail));
    }
    return errors;
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'));
  if (!service.name) errors.push(required('spec.service.name'));
  const port = service.port ?? 0;
  const faults = portNumber(port);
  if (faults.length > 0) errors.push(invalid('spec.service.port', port, `port is not valid: ${faults.join(', ')}`));
  if (insecureSkipTLSVerify && caBundle !== '') {
    errors.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'));
  }
  return errors;
}

/** Kept as it is by an update of the status. */
const KEPT = ['labels', 'annotations', 'finalizers', 'ownerReferences'] as const;

/** API services: who serves a group and version, this server itself or a service of the cluster. */
export const apiServices = defineKind<APIService>({
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  categories: ['api-extensions'],
  namespaced: false,
  // That of the core group ends in a dot.
  nameRule: pathSegment,
  schema: APIService,
  prepareForCreate(service) {
    if (service.spec?.service === undefined) {
      const { creationTimestamp } = service.metadata ?? {};
      const since = creationTimestamp === undefined ? {} : { lastTransitionTime: creationTimestamp };
      service.status = { conditions: [{ type: 'Available', ...LOCAL, ...since }] };
    } else service.status = {};
  },
  validate,
  update: {
    prepare(service, old) {
      if (old.status === undefined) delete service.status;
      else service.status = structuredClone(old.status);
    },
    validate,
  },
  status: {
    prepare(service, old) {
      if (old.spec === undefined) delete service.spec;
      else service.spec = structuredClone(old.spec);
      service.metadata ??= {};
      for (const field of KEPT) {
        const was = old.metadata?.[field];
        if (was === undefined) delete service.metadata[field];
        else Object.assign(service.metadata, { [field]: structuredClone(was) });
      }
    },
    validate(service) {
      return (service.status?.conditions ?? []).flatMap(({ status }, i) =>
        STATUSES.includes(status) ? [] : [notSupported(`status.conditions[${i}].status`, status, STATUSES)],
      );
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Service',
      type: 'string',
      description: 'The service that serves it, or Local.',
      value: ({ spec }) => {
        const { namespace = '', name = '' } = spec?.service ?? {};
        return spec?.service === undefined ? 'Local' : `${namespace}/${name}`;
      },
    },
    {
      name: 'Available',
      type: 'string',
      description: 'Whether it can be asked, and why not.',
      value(service) {
        const { status = 'Unknown', reason = '' } = availability(service) ?? {};
        return status === 'True' || reason === '' ? status : `${status} (${reason})`;
      },
    },
    AGE_COLUMN,
  ],
});
