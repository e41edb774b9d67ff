import { LabelSelector } from '../../machinery/meta.ts';
import { bytes, type Infer, int32, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const WebhookClientConfig = object('io.k8s.api.admissionregistration.v1.WebhookClientConfig', () => ({
  service: opt(1, ServiceReference),
  caBundle: opt(2, bytes, { doc: 'The CA of its certificate, in PEM; absent: those that the machine trusts.' }),
  url: opt(3, str, { pointer: true, doc: 'https://host[:port]/path; not together with service.' }),
}));
export interface WebhookClientConfig extends Infer<typeof WebhookClientConfig> {}

export const ServiceReference = object('io.k8s.api.admissionregistration.v1.ServiceReference', () => ({
  namespace: req(1, str),
  name: req(2, str),
  path: opt(3, str, { pointer: true }),
  port: opt(4, int32),
}));
export interface ServiceReference extends Infer<typeof ServiceReference> {}

export const ParamRef = object(
  'io.k8s.api.admissionregistration.v1.ParamRef',
  () => ({
    name: opt(1, str),
    namespace: opt(2, str),
    selector: opt(3, LabelSelector),
    parameterNotFoundAction: opt(4, str, {
      pointer: true,
      doc: 'Deny or Allow: what happens where there are no parameters.',
    }),
  }),
  { atomic: true },
);
export interface ParamRef extends Infer<typeof ParamRef> {}

export const ParamKind = object(
  'io.k8s.api.admissionregistration.v1.ParamKind',
  () => ({
    apiVersion: opt(1, str),
    kind: opt(2, str),
  }),
  { atomic: true },
);
export interface ParamKind extends Infer<typeof ParamKind> {}

export const Variable = object(
  'io.k8s.api.admissionregistration.v1.Variable',
  () => ({
    expression: req(2, str),
    name: req(1, str),
  }),
  { atomic: true },
);
export interface Variable extends Infer<typeof Variable> {}

export const RuleWithOperations = object('io.k8s.api.admissionregistration.v1.RuleWithOperations', () => ({
  operations: opt(1, list(str)),
  apiGroups: opt(undefined, list(str)),
  apiVersions: opt(undefined, list(str)),
  resources: opt(undefined, list(str)),
  scope: opt(undefined, str, { pointer: true }),
}));
export interface RuleWithOperations extends Infer<typeof RuleWithOperations> {}

export const MatchCondition = object('io.k8s.api.admissionregistration.v1.MatchCondition', () => ({
  name: req(1, str),
  expression: req(2, str),
}));
export interface MatchCondition extends Infer<typeof MatchCondition> {}

export const MatchResources = object(
  'io.k8s.api.admissionregistration.v1.MatchResources',
  () => ({
    namespaceSelector: opt(1, LabelSelector),
    objectSelector: opt(2, LabelSelector, { doc: 'Only objects with these labels, before or after the change.' }),
    resourceRules: opt(3, list(NamedRuleWithOperations), { doc: 'Which operations on which resources are meant.' }),
    excludeResourceRules: opt(4, list(NamedRuleWithOperations), {
      doc: 'What is not meant, though resourceRules say so.',
    }),
    matchPolicy: opt(7, str, {
      pointer: true,
      doc: 'Exact, or Equivalent: rules count for other versions of the same objects too.',
    }),
  }),
  { atomic: true },
);
export interface MatchResources extends Infer<typeof MatchResources> {}

export const NamedRuleWithOperations = object(
  'io.k8s.api.admissionregistration.v1.NamedRuleWithOperations',
  () => ({
    resourceNames: opt(1, list(str)),
    apiGroups: opt(undefined, list(str)),
    apiVersions: opt(undefined, list(str)),
    operations: opt(undefined, list(str)),
    resources: opt(undefined, list(str)),
    scope: opt(undefined, str, { pointer: true }),
  }),
  { atomic: true },
);
export interface NamedRuleWithOperations extends Infer<typeof NamedRuleWithOperations> {}
