import { type FieldError, forbidden, invalid, notSupported, required, tooLong } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { dnsLabel, domainPrefixedPath } from '../../machinery/names.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN } from '../../machinery/table.ts';
import { isDefaultClass, nameColumn } from '../defaultClass.ts';
import { validateReference } from './ingressValidation.ts';

export const IngressClass = object('io.k8s.api.networking.v1.IngressClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, IngressClassSpec),
}));
export interface IngressClass extends Infer<typeof IngressClass> {}

export const IngressClassSpec = object('io.k8s.api.networking.v1.IngressClassSpec', () => ({
  controller: opt(1, str, {
    doc: 'Who carries out the ingresses of this class, e.g. example.com/ingress. Never changes.',
  }),
  parameters: opt(2, IngressClassParametersReference, {
    doc: 'An object with what the controller needs to know besides.',
  }),
}));
export interface IngressClassSpec extends Infer<typeof IngressClassSpec> {}

export const IngressClassParametersReference = object(
  'io.k8s.api.networking.v1.IngressClassParametersReference',
  () => ({
    kind: req(2, str),
    name: req(3, str),
    scope: opt(4, str, { pointer: true }),
    namespace: opt(5, str, { pointer: true }),
    apiGroup: opt(1, str, { pointer: true }),
  }),
);
export interface IngressClassParametersReference extends Infer<typeof IngressClassParametersReference> {}

/** Whether ingresses that name no class get this one. */
export const isDefaultIngressClass = isDefaultClass(['ingressclass.kubernetes.io/is-default-class']);

/** Ingress classes: who carries out ingresses. */
export const ingressClasses = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  schema: IngressClass,
  namespaced: false,
  hasGeneration: true,
  setDefaults({ spec }) {
    if (spec?.parameters !== undefined) spec.parameters.scope ??= 'Cluster';
  },
  validate: validateIngressClass,
  update: {
    validate(ingressClass, old) {
      const errors = validateIngressClass(ingressClass);
      const controller = ingressClass.spec?.controller;
      if ((controller ?? '') !== (old.spec?.controller ?? '')) {
        errors.push(invalid('spec.controller', controller, 'field is immutable'));
      }
      return errors;
    },
  },
  columns: [
    nameColumn(isDefaultIngressClass),
    {
      name: 'Controller',
      type: 'string',
      description: 'Who carries out its ingresses.',
      value: (ingressClass) => ingressClass.spec?.controller ?? '',
    },
    {
      name: 'Parameters',
      type: 'string',
      description: 'An object with what the controller needs to know besides.',
      value: (ingressClass) => parametersText(ingressClass.spec?.parameters),
    },
    AGE_COLUMN,
  ],
});

const CONTROLLER_MAX = 250;
const SCOPES = ['Cluster', 'Namespace'];

function parametersText(parameters: IngressClassParametersReference | undefined): string {
  if (parameters === undefined) return '<none>';
  const group = parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
  return `${parameters.kind ?? ''}${group}/${parameters.name ?? ''}`;
}

function validateIngressClass(ingressClass: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  const { controller, parameters } = ingressClass.spec ?? {};
  if (!controller) errors.push(required('spec.controller'));
  else {
    if (Buffer.byteLength(controller) > CONTROLLER_MAX) errors.push(tooLong('spec.controller', CONTROLLER_MAX));
    for (const fault of domainPrefixedPath(controller)) errors.push(invalid('spec.controller', controller, fault));
  }
  if (parameters !== undefined) validateParameters(parameters, 'spec.parameters', errors);
  return errors;
}

function validateParameters(parameters: IngressClassParametersReference, path: string, errors: FieldError[]): void {
  validateReference(parameters, path, errors);
  const { scope, namespace } = parameters;
  if (scope === undefined) errors.push(required(`${path}.scope`));
  else if (!SCOPES.includes(scope)) errors.push(notSupported(`${path}.scope`, scope, SCOPES));
  else if (scope === 'Cluster') {
    if (namespace !== undefined) {
      errors.push(forbidden(`${path}.namespace`, "`parameters.scope` is set to 'Cluster'"));
    }
  } else if (namespace === undefined) {
    errors.push(required(`${path}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  } else for (const fault of dnsLabel(namespace)) errors.push(invalid(`${path}.namespace`, namespace, fault));
}
