import { LabelSelectorRequirement } from '../../machinery/meta.ts';
import { bool, type Infer, list, map, object, opt, req, str } from '../../machinery/schema/types.ts';

export const SubjectAccessReviewStatus = object('io.k8s.api.authorization.v1.SubjectAccessReviewStatus', () => ({
  allowed: req(1, bool),
  reason: opt(2, str),
  evaluationError: opt(3, str),
  denied: opt(4, bool, { pointer: false }),
}));
export interface SubjectAccessReviewStatus extends Infer<typeof SubjectAccessReviewStatus> {}

export const SubjectAccessReviewSpec = object('io.k8s.api.authorization.v1.SubjectAccessReviewSpec', () => ({
  resourceAttributes: opt(1, ResourceAttributes),
  nonResourceAttributes: opt(2, NonResourceAttributes),
  user: opt(3, str),
  groups: opt(4, list(str)),
  extra: opt(5, map(list(str))),
  uid: opt(6, str),
}));
export interface SubjectAccessReviewSpec extends Infer<typeof SubjectAccessReviewSpec> {}

export const ResourceAttributes = object('io.k8s.api.authorization.v1.ResourceAttributes', () => ({
  namespace: opt(1, str),
  verb: opt(2, str),
  group: opt(3, str),
  version: opt(4, str),
  resource: opt(5, str),
  subresource: opt(6, str),
  name: opt(7, str),
  fieldSelector: opt(8, FieldSelectorAttributes),
  labelSelector: opt(9, LabelSelectorAttributes),
}));
export interface ResourceAttributes extends Infer<typeof ResourceAttributes> {}

export const LabelSelectorAttributes = object('io.k8s.api.authorization.v1.LabelSelectorAttributes', () => ({
  rawSelector: opt(1, str),
  requirements: opt(2, list(LabelSelectorRequirement)),
}));
export interface LabelSelectorAttributes extends Infer<typeof LabelSelectorAttributes> {}

export const FieldSelectorAttributes = object('io.k8s.api.authorization.v1.FieldSelectorAttributes', () => ({
  rawSelector: opt(1, str),
  requirements: opt(2, list(FieldSelectorRequirement)),
}));
export interface FieldSelectorAttributes extends Infer<typeof FieldSelectorAttributes> {}

export const FieldSelectorRequirement = object('io.k8s.apimachinery.pkg.apis.meta.v1.FieldSelectorRequirement', () => ({
  key: req(1, str),
  operator: req(2, str),
  values: opt(3, list(str)),
}));
export interface FieldSelectorRequirement extends Infer<typeof FieldSelectorRequirement> {}

export const NonResourceAttributes = object('io.k8s.api.authorization.v1.NonResourceAttributes', () => ({
  path: opt(1, str),
  verb: opt(2, str),
}));
export interface NonResourceAttributes extends Infer<typeof NonResourceAttributes> {}
