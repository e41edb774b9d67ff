import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateMatchConditions, validateVariables } from './expressions.ts';
import { MatchCondition, MatchResources, ParamKind, Variable } from './match.ts';
import { REINVOCATION_POLICIES, setMatchDefaults, validateWord } from './matchValidation.ts';
import { validatePolicyHead } from './policyValidation.ts';

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
    mutations: opt(4, list(Mutation), { doc: 'The changes, one after the other.' }),
    failurePolicy: opt(5, str, { pointer: true }),
    matchConditions: opt(6, list(MatchCondition, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
    reinvocationPolicy: opt(7, str, {
      doc: 'Never or IfNeeded: whether it is asked again when others have changed the object since.',
    }),
  }),
);
export interface MutatingAdmissionPolicySpec extends Infer<typeof MutatingAdmissionPolicySpec> {}

export const Mutation = object('io.k8s.api.admissionregistration.v1.Mutation', () => ({
  patchType: req(2, str, { doc: 'ApplyConfiguration or JSONPatch.' }),
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

/** Changes in CEL that are made to objects before they are stored; a binding puts them into effect. */
export const mutatingAdmissionPolicies = defineKind<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  plural: 'mutatingadmissionpolicies',
  schema: MutatingAdmissionPolicy,
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  setDefaults(policy) {
    if (policy.spec === undefined) return;
    policy.spec.failurePolicy ??= 'Fail';
    setMatchDefaults(policy.spec.matchConstraints);
  },
  validate: validatePolicy,
  update: { validate: validatePolicy },
  columns: [
    NAME_COLUMN,
    {
      name: 'Mutations',
      type: 'integer',
      description: 'How many changes it makes.',
      value: (policy) => (policy.spec?.mutations ?? []).length,
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

const PATCH_TYPES = ['ApplyConfiguration', 'JSONPatch'];

function validatePolicy(policy: MutatingAdmissionPolicy): FieldError[] {
  const errors: FieldError[] = [];
  const spec = policy.spec ?? {};
  validatePolicyHead(spec, errors);
  for (const [i, rule] of (spec.matchConstraints?.resourceRules ?? []).entries()) {
    const at = rule.operations?.indexOf('DELETE') ?? -1;
    if (at < 0) continue;
    const path = `spec.matchConstraints.resourceRules[${i}].operations[${at}]`;
    errors.push(invalid(path, 'DELETE', 'an object that is deleted cannot be changed'));
  }
  validateMatchConditions(spec.matchConditions ?? [], 'spec.matchConditions', errors);
  validateVariables(spec.variables ?? [], 'spec.variables', errors);
  const mutations = spec.mutations ?? [];
  if (mutations.length === 0) errors.push(required('spec.mutations', 'mutations must contain at least one item'));
  for (const [i, mutation] of mutations.entries()) {
    validateMutation(mutation, `spec.mutations[${i}]`, errors);
  }
  validateWord(spec.reinvocationPolicy, REINVOCATION_POLICIES, 'spec.reinvocationPolicy', errors);
  return errors;
}

function validateMutation(mutation: Mutation, path: string, errors: FieldError[]): void {
  const { patchType } = mutation;
  if (!patchType) {
    errors.push(required(`${path}.patchType`));
    return;
  }
  if (!PATCH_TYPES.includes(patchType)) {
    errors.push(notSupported(`${path}.patchType`, patchType, PATCH_TYPES));
    return;
  }
  const [field, other] =
    patchType === 'JSONPatch'
      ? (['jsonPatch', 'applyConfiguration'] as const)
      : (['applyConfiguration', 'jsonPatch'] as const);
  if (mutation[other] !== undefined) {
    errors.push(invalid(`${path}.${other}`, mutation[other], `must not be specified when patchType is ${patchType}`));
  }
  const given = mutation[field];
  if (given === undefined) {
    errors.push(required(`${path}.${field}`, `must be specified when patchType is ${patchType}`));
  } else if (!given.expression?.trim()) {
    errors.push(required(`${path}.${field}.expression`, 'expression is not specified'));
  }
}
