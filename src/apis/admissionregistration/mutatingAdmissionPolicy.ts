import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { MatchCondition, MatchResources, ParamKind, Variable } from './match.ts';

export const MutatingAdmissionPolicy = object('io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, MutatingAdmissionPolicySpec),
}));
export interface MutatingAdmissionPolicy extends Infer<typeof MutatingAdmissionPolicy> {}

export const MutatingAdmissionPolicySpec = object(
  'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicySpec',
  () => ({
    paramKind: opt(1, ParamKind),
    matchConstraints: opt(2, MatchResources),
    variables: opt(3, list(Variable)),
    mutations: opt(4, list(Mutation)),
    failurePolicy: opt(5, str),
    matchConditions: opt(6, list(MatchCondition, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
    reinvocationPolicy: opt(7, str),
  }),
);
export interface MutatingAdmissionPolicySpec extends Infer<typeof MutatingAdmissionPolicySpec> {}

export const Mutation = object('io.k8s.api.admissionregistration.v1.Mutation', () => ({
  patchType: req(2, str),
  applyConfiguration: opt(3, ApplyConfiguration),
  jsonPatch: opt(4, JSONPatch),
}));
export interface Mutation extends Infer<typeof Mutation> {}

export const JSONPatch = object('io.k8s.api.admissionregistration.v1.JSONPatch', () => ({
  expression: opt(1, str),
}));
export interface JSONPatch extends Infer<typeof JSONPatch> {}

export const ApplyConfiguration = object('io.k8s.api.admissionregistration.v1.ApplyConfiguration', () => ({
  expression: opt(1, str),
}));
export interface ApplyConfiguration extends Infer<typeof ApplyConfiguration> {}
