import { duplicate, type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { MatchResources, ParamRef } from './match.ts';
import { setMatchDefaults } from './matchValidation.ts';
import { validateBindingHead } from './policyValidation.ts';

export const ValidatingAdmissionPolicyBinding = object(
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding',
  () => ({
    apiVersion: opt(undefined, str),
    kind: opt(undefined, str),
    metadata: opt(1, ObjectMeta),
    spec: req(2, ValidatingAdmissionPolicyBindingSpec),
  }),
);
export interface ValidatingAdmissionPolicyBinding extends Infer<typeof ValidatingAdmissionPolicyBinding> {}

export const ValidatingAdmissionPolicyBindingSpec = object(
  'io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec',
  () => ({
    policyName: req(1, str, { doc: 'The policy that is put into effect.' }),
    paramRef: opt(2, ParamRef, { doc: 'Which objects are the parameters.' }),
    matchResources: opt(3, MatchResources),
    validationActions: req(4, list(str, { type: 'set' }), { doc: 'What a violation leads to: Deny, Warn, Audit.' }),
  }),
);
export interface ValidatingAdmissionPolicyBindingSpec extends Infer<typeof ValidatingAdmissionPolicyBindingSpec> {}

/** Puts a policy into effect, for some requests and with parameters. */
export const validatingAdmissionPolicyBindings = defineKind<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  plural: 'validatingadmissionpolicybindings',
  schema: ValidatingAdmissionPolicyBinding,
  categories: ['api-extensions'],
  namespaced: false,
  hasGeneration: true,
  setDefaults(binding) {
    setMatchDefaults(binding.spec?.matchResources);
  },
  validate: validateBinding,
  update: { validate: validateBinding },
  columns: [
    NAME_COLUMN,
    {
      name: 'PolicyName',
      type: 'string',
      description: 'The policy that it puts into effect.',
      value: (binding) => binding.spec?.policyName ?? '',
    },
    {
      name: 'ParamRef',
      type: 'string',
      description: 'Which objects give parameters.',
      value({ spec }) {
        const ref = spec?.paramRef;
        if (ref === undefined) return '<unset>';
        if (ref.name === undefined || ref.name === '') return '*';
        return ref.namespace === undefined || ref.namespace === '' ? `*/${ref.name}` : `${ref.namespace}/${ref.name}`;
      },
    },
    AGE_COLUMN,
  ],
});

function validateBinding(binding: ValidatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<ValidatingAdmissionPolicyBindingSpec> = binding.spec ?? {};
  validateBindingHead(spec, errors);
  validateActions(spec.validationActions ?? [], 'spec.validationActions', errors);
  return errors;
}

const ACTIONS = ['Audit', 'Deny', 'Warn'];

function validateActions(actions: readonly string[], path: string, errors: FieldError[]): void {
  for (const [i, action] of actions.entries()) {
    if (!ACTIONS.includes(action)) errors.push(notSupported(`${path}[${i}]`, action, ACTIONS));
    if (actions.indexOf(action) < i) errors.push(duplicate(`${path}[${i}]`, action));
  }
  if (actions.includes('Deny') && actions.includes('Warn')) {
    const why =
      'must not contain both Deny and Warn (repeating the same validation failure information in the API response and headers serves no purpose)';
    errors.push(invalid(path, actions, why));
  }
  if (actions.length === 0) errors.push(required(path, 'at least one validation action is required'));
}
