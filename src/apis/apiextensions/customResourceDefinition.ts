import { required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import {
  any,
  bool,
  bytes,
  double,
  type Infer,
  int32,
  int64,
  type JsonValue,
  list,
  map,
  type ObjectType,
  object,
  opt,
  req,
  type ScalarType,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { decodeDefinition } from './decodeDefinition.ts';
import { validateDefinition, validateStoredVersions } from './validation.ts';

export const CustomResourceDefinition = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  () => ({
    apiVersion: opt(undefined, str),
    kind: opt(undefined, str),
    metadata: opt(1, ObjectMeta),
    spec: req(2, CustomResourceDefinitionSpec),
    status: opt(3, CustomResourceDefinitionStatus),
  }),
);
export interface CustomResourceDefinition extends Infer<typeof CustomResourceDefinition> {}

export const CustomResourceDefinitionStatus = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionStatus',
  () => ({
    conditions: opt(1, list(CustomResourceDefinitionCondition, { type: 'map', keys: ['type'] })),
    acceptedNames: opt(2, CustomResourceDefinitionNames, { pointer: false }),
    storedVersions: opt(3, list(str)),
    observedGeneration: opt(4, int64, { pointer: false }),
  }),
);
export interface CustomResourceDefinitionStatus extends Infer<typeof CustomResourceDefinitionStatus> {}

export const CustomResourceDefinitionCondition = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionCondition',
  () => ({
    type: req(1, str),
    status: req(2, str),
    lastTransitionTime: opt(3, time),
    reason: opt(4, str),
    message: opt(5, str),
    observedGeneration: opt(6, int64, { pointer: false }),
  }),
);
export interface CustomResourceDefinitionCondition extends Infer<typeof CustomResourceDefinitionCondition> {}

export const CustomResourceDefinitionSpec = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec',
  () => ({
    group: req(1, str),
    names: req(3, CustomResourceDefinitionNames),
    scope: req(4, str),
    versions: req(7, list(CustomResourceDefinitionVersion)),
    conversion: opt(9, CustomResourceConversion),
    preserveUnknownFields: opt(10, bool, { pointer: false }),
  }),
);
export interface CustomResourceDefinitionSpec extends Infer<typeof CustomResourceDefinitionSpec> {}

export const CustomResourceDefinitionVersion = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionVersion',
  () => ({
    name: req(1, str),
    served: req(2, bool),
    storage: req(3, bool),
    schema: opt(4, CustomResourceValidation),
    subresources: opt(5, CustomResourceSubresources),
    additionalPrinterColumns: opt(6, list(CustomResourceColumnDefinition)),
    deprecated: opt(7, bool, { pointer: false }),
    deprecationWarning: opt(8, str, { pointer: true }),
    selectableFields: opt(9, list(SelectableField)),
  }),
);
export interface CustomResourceDefinitionVersion extends Infer<typeof CustomResourceDefinitionVersion> {}

export const CustomResourceSubresources = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresources',
  () => ({
    status: opt(1, CustomResourceSubresourceStatus, { pointer: true }),
    scale: opt(2, CustomResourceSubresourceScale),
  }),
);
export interface CustomResourceSubresources extends Infer<typeof CustomResourceSubresources> {}

/** It is there, or it is not. */
export const CustomResourceSubresourceStatus = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus',
  () => ({}),
);

export const CustomResourceSubresourceScale = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceScale',
  () => ({
    specReplicasPath: req(1, str),
    statusReplicasPath: req(2, str),
    labelSelectorPath: opt(3, str, { pointer: true }),
  }),
);
export interface CustomResourceSubresourceScale extends Infer<typeof CustomResourceSubresourceScale> {}

export const SelectableField = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.SelectableField',
  () => ({
    jsonPath: req(1, str),
  }),
);
export interface SelectableField extends Infer<typeof SelectableField> {}

export const CustomResourceValidation = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceValidation',
  () => ({
    openAPIV3Schema: opt(1, JSONSchemaProps),
  }),
);
export interface CustomResourceValidation extends Infer<typeof CustomResourceValidation> {}

/** A schema or something else, which in protobuf is a message with a place for each. */
function schemaOr(other: 'Array' | 'Bool' | 'StringArray'): ScalarType<'any'> {
  return { ...any, wireType: `JSONSchemaPropsOr${other}` };
}

export const JSONSchemaProps: ObjectType = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps',
  () => ({
    id: opt(1, str),
    description: opt(4, str),
    type: opt(5, str),
    format: opt(6, str),
    title: opt(7, str),
    default: opt(8, any),
    maximum: opt(9, double),
    exclusiveMaximum: opt(10, bool, { pointer: false }),
    minimum: opt(11, double),
    exclusiveMinimum: opt(12, bool, { pointer: false }),
    maxLength: opt(13, int64),
    minLength: opt(14, int64),
    pattern: opt(15, str),
    maxItems: opt(16, int64),
    minItems: opt(17, int64),
    uniqueItems: opt(18, bool, { pointer: false }),
    multipleOf: opt(19, double),
    enum: opt(20, list(any)),
    maxProperties: opt(21, int64),
    minProperties: opt(22, int64),
    required: opt(23, list(str)),
    items: opt(24, schemaOr('Array')),
    allOf: opt(25, list(JSONSchemaProps)),
    oneOf: opt(26, list(JSONSchemaProps)),
    anyOf: opt(27, list(JSONSchemaProps)),
    not: opt(28, JSONSchemaProps),
    properties: opt(29, map(JSONSchemaProps)),
    additionalProperties: opt(30, schemaOr('Bool')),
    patternProperties: opt(31, map(JSONSchemaProps)),
    dependencies: opt(32, map(schemaOr('StringArray'))),
    additionalItems: opt(33, schemaOr('Bool')),
    definitions: opt(34, map(JSONSchemaProps)),
    externalDocs: opt(35, ExternalDocumentation),
    example: opt(36, any),
    nullable: opt(37, bool, { pointer: false }),
    $ref: opt(3, str, { pointer: true }),
    $schema: opt(2, str),
    'x-kubernetes-embedded-resource': opt(39, bool, { pointer: false }),
    'x-kubernetes-int-or-string': opt(40, bool, { pointer: false }),
    'x-kubernetes-list-map-keys': opt(41, list(str)),
    'x-kubernetes-list-type': opt(42, str, { pointer: true }),
    'x-kubernetes-map-type': opt(43, str, { pointer: true }),
    'x-kubernetes-preserve-unknown-fields': opt(38, bool),
    'x-kubernetes-validations': opt(
      44,
      list(ValidationRule, { type: 'map', keys: ['rule'], patch: 'merge', mergeKey: 'rule' }),
    ),
  }),
);
/** A JSON schema. It is recursive, so TypeScript cannot infer it. */
export interface JSONSchemaProps {
  id?: string;
  description?: string;
  type?: string;
  format?: string;
  title?: string;
  default?: JsonValue;
  maximum?: number;
  exclusiveMaximum?: boolean;
  minimum?: number;
  exclusiveMinimum?: boolean;
  maxLength?: number;
  minLength?: number;
  pattern?: string;
  maxItems?: number;
  minItems?: number;
  uniqueItems?: boolean;
  multipleOf?: number;
  enum?: JsonValue[];
  maxProperties?: number;
  minProperties?: number;
  required?: string[];
  items?: JSONSchemaProps | JSONSchemaProps[];
  allOf?: JSONSchemaProps[];
  oneOf?: JSONSchemaProps[];
  anyOf?: JSONSchemaProps[];
  not?: JSONSchemaProps;
  properties?: Record<string, JSONSchemaProps>;
  additionalProperties?: JSONSchemaProps | boolean;
  patternProperties?: Record<string, JSONSchemaProps>;
  dependencies?: Record<string, JSONSchemaProps | string[]>;
  additionalItems?: JSONSchemaProps | boolean;
  definitions?: Record<string, JSONSchemaProps>;
  externalDocs?: ExternalDocumentation;
  example?: JsonValue;
  nullable?: boolean;
  $ref?: string;
  $schema?: string;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-list-type'?: string;
  'x-kubernetes-map-type'?: string;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-validations'?: ValidationRule[];
}

export const ValidationRule = object('io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ValidationRule', () => ({
  rule: req(1, str),
  message: opt(2, str),
  messageExpression: opt(3, str),
  reason: opt(4, str, { pointer: true }),
  fieldPath: opt(5, str),
  optionalOldSelf: opt(6, bool),
}));
export interface ValidationRule extends Infer<typeof ValidationRule> {}

export const ExternalDocumentation = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ExternalDocumentation',
  () => ({
    description: opt(1, str),
    url: opt(2, str),
  }),
);
export interface ExternalDocumentation extends Infer<typeof ExternalDocumentation> {}

export const CustomResourceColumnDefinition = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceColumnDefinition',
  () => ({
    name: req(1, str),
    type: req(2, str),
    format: opt(3, str),
    description: opt(4, str),
    priority: opt(5, int32, { pointer: false }),
    jsonPath: req(6, str),
  }),
);
export interface CustomResourceColumnDefinition extends Infer<typeof CustomResourceColumnDefinition> {}

export const CustomResourceDefinitionNames = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames',
  () => ({
    plural: req(1, str),
    singular: opt(2, str),
    shortNames: opt(3, list(str)),
    kind: req(4, str),
    listKind: opt(5, str),
    categories: opt(6, list(str)),
  }),
);
export interface CustomResourceDefinitionNames extends Infer<typeof CustomResourceDefinitionNames> {}

export const CustomResourceConversion = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceConversion',
  () => ({
    strategy: req(1, str),
    webhook: opt(2, WebhookConversion),
  }),
);
export interface CustomResourceConversion extends Infer<typeof CustomResourceConversion> {}

export const WebhookConversion = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookConversion',
  () => ({
    clientConfig: opt(2, WebhookClientConfig),
    conversionReviewVersions: req(3, list(str)),
  }),
);
export interface WebhookConversion extends Infer<typeof WebhookConversion> {}

export const WebhookClientConfig = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.WebhookClientConfig',
  () => ({
    service: opt(1, ServiceReference),
    caBundle: opt(2, bytes),
    url: opt(3, str, { pointer: true }),
  }),
);
export interface WebhookClientConfig extends Infer<typeof WebhookClientConfig> {}

export const ServiceReference = object(
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference',
  () => ({
    namespace: req(1, str),
    name: req(2, str),
    path: opt(3, str, { pointer: true }),
    port: opt(4, int32),
  }),
);
export interface ServiceReference extends Infer<typeof ServiceReference> {}

/** The storage version is among those that objects may be stored in. */
function rememberStorageVersion(crd: CustomResourceDefinition): void {
  const stored = crd.status?.storedVersions ?? [];
  for (const version of crd.spec?.versions ?? []) {
    if (version.storage === true && !stored.includes(version.name)) stored.push(version.name);
  }
  crd.status = { ...crd.status, storedVersions: stored };
}

export const customResourceDefinitions = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  namespaced: false,
  schema: CustomResourceDefinition,
  decode: (value) => decodeDefinition(value, { definition: CustomResourceDefinition, schema: JSONSchemaProps }),
  anyFinalizer: true,
  hasGeneration: true,
  setDefaults(crd) {
    const { spec } = crd;
    if (spec === undefined) return;
    const names = spec.names as CustomResourceDefinitionNames | undefined;
    if (names !== undefined) {
      names.singular ||= (names.kind ?? '').toLowerCase();
      if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
    }
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service !== undefined) service.port ??= 443;
  },
  prepareForCreate(crd) {
    crd.status = {};
    rememberStorageVersion(crd);
  },
  validate: (crd) => validateDefinition(crd),
  update: {
    prepare(crd, old) {
      crd.status = structuredClone(old.status ?? {});
      rememberStorageVersion(crd);
    },
    validate: validateDefinition,
  },
  status: {
    prepare(crd, old) {
      crd.spec = structuredClone(old.spec);
    },
    validate(crd) {
      return (crd.status?.storedVersions ?? []).length === 0
        ? [required('status.storedVersions', 'must have at least one stored version')]
        : validateStoredVersions(crd);
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Created At',
      type: 'date',
      description: 'When the object was created, by the server.',
      value: (crd) => crd.metadata?.creationTimestamp ?? null,
    },
  ],
});
