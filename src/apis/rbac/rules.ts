import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';

export const Subject = object(
  'io.k8s.api.rbac.v1.Subject',
  () => ({
    kind: req(1, str),
    apiGroup: opt(2, str),
    name: req(3, str),
    namespace: opt(4, str),
  }),
  { atomic: true },
);
export interface Subject extends Infer<typeof Subject> {}

export const RoleRef = object(
  'io.k8s.api.rbac.v1.RoleRef',
  () => ({
    apiGroup: opt(1, str),
    kind: req(2, str),
    name: req(3, str),
  }),
  { atomic: true },
);
export interface RoleRef extends Infer<typeof RoleRef> {}

export const PolicyRule = object('io.k8s.api.rbac.v1.PolicyRule', () => ({
  verbs: req(1, list(str)),
  apiGroups: opt(2, list(str)),
  resources: opt(3, list(str)),
  resourceNames: opt(4, list(str)),
  nonResourceURLs: opt(5, list(str)),
}));
export interface PolicyRule extends Infer<typeof PolicyRule> {}
