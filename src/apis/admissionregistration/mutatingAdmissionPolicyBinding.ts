import type { FieldError } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { MatchResources, ParamRef } from './match.ts';
import { setMatchDefaults } from './matchValidation.ts';
import { validateBindingHead } from './policyValidation.ts';

export const MutatingAdmissionPolicyBinding = object(
  'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding',
  () => ({
    apiVersion: opt(undefined, str),
    kind: opt(undefined, str),
    metadata: opt(1, ObjectMeta),
    spec: opt(2, MutatingAdmissionPolicyBindingSpec),
  }),
);
export interface MutatingAdmissionPolicyBinding extends Infer<typeof MutatingAdmissionPolicyBinding> {}

export const MutatingAdmissionPolicyBindingSpec = object(
  'io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBindingSpec',
  () => ({
    policyName: opt(1, str, { doc: 'The policy that is put into effect.' }),
    paramRef: opt(2, ParamRef, { doc: 'Which objects are the parameters.' }),
    matchResources: opt(3, MatchResources),
  }),
);
export interface MutatingAdmissionPolicyBindingSpec extends Infer<typeof MutatingAdmissionPolicyBindingSpec> {}

/** Puts a policy into effect, for some requests and with parameters. */
export const mutatingAdmissionPolicyBindings = defineKind<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  plural: 'mutatingadmissionpolicybindings',
  schema: MutatingAdmissionPolicyBinding,
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

function validateBinding(binding: MutatingAdmissionPolicyBinding): FieldError[] {
  const errors: FieldError[] = [];
  const spec: Partial<MutatingAdmissionPolicyBindingSpec> = binding.spec ?? {};
  validateBindingHead(spec, errors);
  return errors;
}
