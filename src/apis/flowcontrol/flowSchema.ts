import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, list, object, opt, req, str, time } from '../../machinery/schema/types.ts';

export const FlowSchema = object('io.k8s.api.flowcontrol.v1.FlowSchema', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, FlowSchemaSpec),
  status: opt(3, FlowSchemaStatus),
}));
export interface FlowSchema extends Infer<typeof FlowSchema> {}

export const FlowSchemaStatus = object('io.k8s.api.flowcontrol.v1.FlowSchemaStatus', () => ({
  conditions: opt(1, list(FlowSchemaCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
}));
export interface FlowSchemaStatus extends Infer<typeof FlowSchemaStatus> {}

export const FlowSchemaCondition = object('io.k8s.api.flowcontrol.v1.FlowSchemaCondition', () => ({
  type: opt(1, str),
  status: opt(2, str),
  lastTransitionTime: opt(3, time),
  reason: opt(4, str),
  message: opt(5, str),
}));
export interface FlowSchemaCondition extends Infer<typeof FlowSchemaCondition> {}

export const FlowSchemaSpec = object('io.k8s.api.flowcontrol.v1.FlowSchemaSpec', () => ({
  priorityLevelConfiguration: req(1, PriorityLevelConfigurationReference),
  matchingPrecedence: opt(2, int32),
  distinguisherMethod: opt(3, FlowDistinguisherMethod),
  rules: opt(4, list(PolicyRulesWithSubjects)),
}));
export interface FlowSchemaSpec extends Infer<typeof FlowSchemaSpec> {}

export const PolicyRulesWithSubjects = object('io.k8s.api.flowcontrol.v1.PolicyRulesWithSubjects', () => ({
  subjects: req(1, list(Subject)),
  resourceRules: opt(2, list(ResourcePolicyRule)),
  nonResourceRules: opt(3, list(NonResourcePolicyRule)),
}));
export interface PolicyRulesWithSubjects extends Infer<typeof PolicyRulesWithSubjects> {}

export const Subject = object('io.k8s.api.flowcontrol.v1.Subject', () => ({
  kind: req(1, str),
  user: opt(2, UserSubject),
  group: opt(3, GroupSubject),
  serviceAccount: opt(4, ServiceAccountSubject),
}));
export interface Subject extends Infer<typeof Subject> {}

export const UserSubject = object('io.k8s.api.flowcontrol.v1.UserSubject', () => ({
  name: req(1, str),
}));
export interface UserSubject extends Infer<typeof UserSubject> {}

export const ServiceAccountSubject = object('io.k8s.api.flowcontrol.v1.ServiceAccountSubject', () => ({
  namespace: req(1, str),
  name: req(2, str),
}));
export interface ServiceAccountSubject extends Infer<typeof ServiceAccountSubject> {}

export const GroupSubject = object('io.k8s.api.flowcontrol.v1.GroupSubject', () => ({
  name: req(1, str),
}));
export interface GroupSubject extends Infer<typeof GroupSubject> {}

export const ResourcePolicyRule = object('io.k8s.api.flowcontrol.v1.ResourcePolicyRule', () => ({
  verbs: req(1, list(str, { type: 'set' })),
  apiGroups: req(2, list(str, { type: 'set' })),
  resources: req(3, list(str, { type: 'set' })),
  clusterScope: opt(4, bool),
  namespaces: opt(5, list(str, { type: 'set' })),
}));
export interface ResourcePolicyRule extends Infer<typeof ResourcePolicyRule> {}

export const NonResourcePolicyRule = object('io.k8s.api.flowcontrol.v1.NonResourcePolicyRule', () => ({
  verbs: req(1, list(str, { type: 'set' })),
  nonResourceURLs: req(6, list(str, { type: 'set' })),
}));
export interface NonResourcePolicyRule extends Infer<typeof NonResourcePolicyRule> {}

export const PriorityLevelConfigurationReference = object(
  'io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference',
  () => ({
    name: req(1, str),
  }),
);
export interface PriorityLevelConfigurationReference extends Infer<typeof PriorityLevelConfigurationReference> {}

export const FlowDistinguisherMethod = object('io.k8s.api.flowcontrol.v1.FlowDistinguisherMethod', () => ({
  type: req(1, str),
}));
export interface FlowDistinguisherMethod extends Infer<typeof FlowDistinguisherMethod> {}
