import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int64, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { MatchCondition, MatchResources, ParamKind, Variable } from './match.ts';

export const ValidatingAdmissionPolicy = object(
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy',
  () => ({
    apiVersion: opt(undefined, str),
    kind: opt(undefined, str),
    metadata: opt(1, ObjectMeta),
    spec: opt(2, ValidatingAdmissionPolicySpec),
    status: opt(3, ValidatingAdmissionPolicyStatus),
  }),
);
export interface ValidatingAdmissionPolicy extends Infer<typeof ValidatingAdmissionPolicy> {}

export const ValidatingAdmissionPolicyStatus = object(
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyStatus',
  () => ({
    observedGeneration: opt(1, int64),
    typeChecking: opt(2, TypeChecking),
    conditions: opt(3, list(Condition, { type: 'map', keys: ['type'] })),
  }),
);
export interface ValidatingAdmissionPolicyStatus extends Infer<typeof ValidatingAdmissionPolicyStatus> {}

export const TypeChecking = object('io.k8s.api.admissionregistration.v1.TypeChecking', () => ({
  expressionWarnings: opt(1, list(ExpressionWarning)),
}));
export interface TypeChecking extends Infer<typeof TypeChecking> {}

export const ExpressionWarning = object('io.k8s.api.admissionregistration.v1.ExpressionWarning', () => ({
  fieldRef: req(2, str),
  warning: req(3, str),
}));
export interface ExpressionWarning extends Infer<typeof ExpressionWarning> {}

export const ValidatingAdmissionPolicySpec = object(
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicySpec',
  () => ({
    paramKind: opt(1, ParamKind),
    matchConstraints: opt(2, MatchResources),
    validations: opt(3, list(Validation)),
    failurePolicy: opt(4, str),
    auditAnnotations: opt(5, list(AuditAnnotation)),
    matchConditions: opt(6, list(MatchCondition, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
    variables: opt(7, list(Variable, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  }),
);
export interface ValidatingAdmissionPolicySpec extends Infer<typeof ValidatingAdmissionPolicySpec> {}

export const Validation = object('io.k8s.api.admissionregistration.v1.Validation', () => ({
  message: opt(2, str),
  reason: opt(3, str),
  messageExpression: opt(4, str),
  expression: req(undefined, str),
}));
export interface Validation extends Infer<typeof Validation> {}

export const AuditAnnotation = object('io.k8s.api.admissionregistration.v1.AuditAnnotation', () => ({
  key: req(1, str),
  valueExpression: req(2, str),
}));
export interface AuditAnnotation extends Infer<typeof AuditAnnotation> {}
