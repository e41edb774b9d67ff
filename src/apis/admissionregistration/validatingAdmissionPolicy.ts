import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { defineKind } from '../../machinery/kind.ts';
import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { type Infer, int64, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateConditions } from '../conditions.ts';
import { keepSpec } from '../statusRules.ts';
import { validateMatchConditions, validateVariables } from './expressions.ts';
import { MatchCondition, MatchResources, ParamKind, Variable } from './match.ts';
import { setMatchDefaults } from './matchValidation.ts';
import { validatePolicyHead } from './policyValidation.ts';

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
    observedGeneration: opt(1, int64, { pointer: false }),
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
    paramKind: opt(1, ParamKind, { doc: 'The kind of the objects that bindings give as parameters.' }),
    matchConstraints: opt(2, MatchResources),
    validations: opt(3, list(Validation), { doc: 'What must be true.' }),
    failurePolicy: opt(4, str, {
      pointer: true,
      doc: 'Fail or Ignore: what an expression that cannot be evaluated means.',
    }),
    auditAnnotations: opt(5, list(AuditAnnotation)),
    matchConditions: opt(6, list(MatchCondition, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
    variables: opt(7, list(Variable, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  }),
);
export interface ValidatingAdmissionPolicySpec extends Infer<typeof ValidatingAdmissionPolicySpec> {}

export const Validation = object('io.k8s.api.admissionregistration.v1.Validation', () => ({
  message: opt(2, str),
  reason: opt(3, str, { pointer: true, doc: 'The reason that clients see; Invalid by default.' }),
  messageExpression: opt(4, str, { doc: 'CEL that gives the message of a refusal.' }),
  expression: req(1, str, { doc: 'CEL that must be true for a request to go on.' }),
}));
export interface Validation extends Infer<typeof Validation> {}

export const AuditAnnotation = object('io.k8s.api.admissionregistration.v1.AuditAnnotation', () => ({
  key: req(1, str),
  valueExpression: req(2, str),
}));
export interface AuditAnnotation extends Infer<typeof AuditAnnotation> {}

/** Rules in CEL that requests must keep; a binding puts them into effect. */
export const validatingAdmissionPolicies = defineKind<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  plural: 'validatingadmissionpolicies',
  schema: ValidatingAdmissionPolicy,
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  setDefaults(policy) {
    if (policy.spec === undefined) return;
    policy.spec.failurePolicy ??= 'Fail';
    setMatchDefaults(policy.spec.matchConstraints);
  },
  prepareForCreate(policy) {
    policy.status = {};
  },
  validate: (policy) => validatePolicy(policy, false),
  update: {
    prepare(policy, old) {
      policy.status = old.status ?? {};
    },
    validate(policy, old) {
      const sameConditions =
        jsonEqual(policy.spec?.paramKind, old.spec?.paramKind) &&
        jsonEqual(policy.spec?.matchConditions, old.spec?.matchConditions);
      return validatePolicy(policy, sameConditions);
    },
  },
  status: { prepare: keepSpec, validate: validateStatus },
  columns: [
    NAME_COLUMN,
    {
      name: 'Validations',
      type: 'integer',
      description: 'How many rules it has.',
      value: (policy) => (policy.spec?.validations ?? []).length,
    },
    {
      name: 'ParamKind',
      type: 'string',
      description: 'The kind of the objects that give it parameters.',
      value({ spec }) {
        const kind = spec?.paramKind;
        return kind === undefined ? '<unset>' : `${kind.apiVersion ?? ''}/${kind.kind ?? ''}`;
      },
    },
    AGE_COLUMN,
  ],
});

const MAX_AUDIT_ANNOTATIONS = 20;
const MAX_AUDIT_EXPRESSION = 5 * 1024;
const REASONS = ['Forbidden', 'Invalid', 'RequestEntityTooLarge'];
const NOTHING_TO_DO = 'validations or auditAnnotations must contain at least one item';

function validatePolicy(policy: ValidatingAdmissionPolicy, sameConditions: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const spec = policy.spec ?? {};
  validatePolicyHead(spec, errors);
  if (!sameConditions) {
    validateMatchConditions(spec.matchConditions ?? [], 'spec.matchConditions', errors);
  }
  validateVariables(spec.variables ?? [], 'spec.variables', errors);
  const validations = spec.validations ?? [];
  const annotations = spec.auditAnnotations ?? [];
  if (validations.length === 0 && annotations.length === 0) {
    errors.push(required('spec.validations', NOTHING_TO_DO), required('spec.auditAnnotations', NOTHING_TO_DO));
  }
  for (const [i, validation] of validations.entries()) {
    validateValidation(validation, `spec.validations[${i}]`, errors);
  }
  if (annotations.length > MAX_AUDIT_ANNOTATIONS) {
    const detail = `must not have more than ${MAX_AUDIT_ANNOTATIONS} auditAnnotations`;
    errors.push(invalid('spec.auditAnnotations', annotations.length, detail));
  }
  const keys = new Set<string>();
  for (const [i, { key, valueExpression }] of annotations.entries()) {
    const path = `spec.auditAnnotations[${i}]`;
    const name = policy.metadata?.name ?? '';
    if (name === '') errors.push(invalid(`${path}.key`, key, 'requires metadata.name be non-empty'));
    else {
      for (const fault of qualifiedName(`${name}/${key ?? ''}`)) errors.push(invalid(`${path}.key`, key, fault));
    }
    if (keys.has(key)) errors.push(duplicate(`${path}.key`, key));
    keys.add(key);
    const expression = valueExpression?.trim() ?? '';
    if (expression === '') errors.push(required(`${path}.valueExpression`, 'valueExpression is not specified'));
    else if (Buffer.byteLength(expression) > MAX_AUDIT_EXPRESSION) {
      errors.push(required(`${path}.valueExpression`, `must not exceed ${MAX_AUDIT_EXPRESSION} bytes in length`));
    }
  }
  return errors;
}

function validateValidation(v: Validation, path: string, errors: FieldError[]): void {
  if (!v.expression?.trim()) errors.push(required(`${path}.expression`, 'expression is not specified'));

  if (v.messageExpression) {
    if (v.messageExpression.trim() === '') {
      errors.push(invalid(`${path}.messageExpression`, v.messageExpression, 'must be non-empty if specified'));
    }
  }
  if (v.message) {
    if (v.message.trim() === '') {
      errors.push(invalid(`${path}.message`, v.message, 'message must be non-empty if specified'));
    } else if (/[\n\r]/.test(v.message.trim())) {
      errors.push(invalid(`${path}.message`, v.message, 'message must not contain line breaks'));
    }
  }
  if (v.reason !== undefined && !REASONS.includes(v.reason)) {
    errors.push(notSupported(`${path}.reason`, v.reason, REASONS));
  }
}

function validateStatus(policy: ValidatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  for (const [i, warning] of (policy.status?.typeChecking?.expressionWarnings ?? []).entries()) {
    const path = `status.typeChecking.expressionWarnings[${i}]`;
    if (!warning.warning) errors.push(required(`${path}.warning`));
    if (!warning.fieldRef?.trim()) errors.push(required(`${path}.fieldRef`));
  }
  validateConditions(policy.status?.conditions ?? [], 'status.conditions', errors);
  return errors;
}
