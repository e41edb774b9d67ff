/** From a CustomResourceDefinition to the kinds that it defines, one for each version that is served. */
import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from '../../apis/apiextensions/customResourceDefinition.ts';
import { findAll, parseJsonPath, plainFields } from '../../apis/apiextensions/jsonPath.ts';
import { decodeStructural, fillerOf } from '../../apis/apiextensions/structuralSchema.ts';
import { resourceType } from '../../apis/apiextensions/translateSchema.ts';
import { ruleChecker } from '../../apis/apiextensions/validationRules.ts';
import { validateValue } from '../../apis/apiextensions/valueValidation.ts';
import { cloneJson } from '../../machinery/clone.ts';
import { encodeStored } from '../../machinery/encode.ts';
import { parseExactJson, stringifyExactJson } from '../../machinery/exactJson.ts';
import { type FieldError, type FieldErrorType, invalid } from '../../machinery/fieldError.ts';
import {
  apiVersionOf,
  type Column,
  defineKind,
  type Kind,
  type KubeObject,
  type ScaleSubresource,
  type UpdateRules,
} from '../../machinery/kind.ts';
import { setOwn } from '../../machinery/setOwn.ts';
import { apiError } from '../../machinery/status.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { humanDuration, parseTime } from '../../machinery/time.ts';
import { type ConversionParts, webhookConversion } from './conversionWebhook.ts';

type Json = Record<string, unknown>;

/** The kinds of all versions, the one that is stored first, whether it is served or not. */
export interface DefinedKinds {
  readonly stored: Kind;
  readonly served: readonly Kind[];
}

/**
 * @param names as they were accepted
 * @param parts how webhooks are called that convert between versions; absent: only apiVersion changes
 */
export function kindsOf(
  crd: CustomResourceDefinition,
  names: CustomResourceDefinitionNames,
  parts?: ConversionParts,
): DefinedKinds {
  const versions = crd.spec.versions;
  // Validation sees to it that there is one.
  const storage = versions.find((v) => v.storage) as CustomResourceDefinitionVersion;
  if (crd.spec.conversion?.strategy === 'Webhook' && versions.length > 1 && parts !== undefined)
    return convertedKinds(crd, names, storage, parts);
  const stored = kindOf(crd, names, storage);
  const served = versions
    .filter((v) => v.served)
    .map((version) => (version === storage ? stored : kindOf(crd, names, version, stored)));
  return { stored, served };
}

/** Each version is a kind of its own, with its own view of what is stored. */
function convertedKinds(
  crd: CustomResourceDefinition,
  names: CustomResourceDefinitionNames,
  storage: CustomResourceDefinitionVersion,
  parts: ConversionParts,
): DefinedKinds {
  const all = crd.spec.versions.map((version): [CustomResourceDefinitionVersion, Kind] => {
    const own = kindOf(crd, names, version);
    return [version, { ...own, conversion: webhookConversion(crd, own, () => stored, parts) }];
  });
  // It is one of them.
  const stored = all.find(([version]) => version === storage)?.[1] as Kind;
  return { stored, served: all.filter(([{ served }]) => served).map(([, kind]) => kind) };
}

/** Faults of the shape of an object: rules are written for objects that have the right one. */
const OF_SHAPE: ReadonlySet<FieldErrorType> = new Set([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
]);
const UNCHECKED = invalid(
  '<nil>',
  undefined,
  'some validation rules were not checked because the object was invalid; ' +
    'correct the existing errors to complete validation',
);

/** What one version's schema does with objects; made when first needed. */
class VersionRules {
  readonly schema: JSONSchemaProps;
  #filler: ReturnType<typeof fillerOf> | null = null;
  #checker: ReturnType<typeof ruleChecker> | null = null;

  constructor(schema: JSONSchemaProps) {
    this.schema = schema;
  }

  /** @throws ApiError RequestEntityTooLarge */
  setDefaults(object: KubeObject): void {
    if (this.#fill(object)) return;
    throw apiError('RequestEntityTooLarge', 'the object is too large to be stored with the defaults of its definition');
  }

  #fill(object: KubeObject): boolean {
    if (this.#filler === null) this.#filler = fillerOf(this.schema);
    return this.#filler?.(object) ?? true;
  }

  /** Without what the schema does not have, with its defaults. */
  shape(object: KubeObject): KubeObject {
    const { value } = decodeStructural(this.schema, object);
    // What is stored must stay readable, whatever defaults were added since.
    this.#fill(value);
    return value as KubeObject;
  }

  validate(object: KubeObject, old?: KubeObject): FieldError[] {
    // Metadata is validated for every kind; what a schema may say of it concerns the name.
    const faults =
      old === undefined ? validateValue(this.schema, object, '') : validateValue(this.schema, object, '', old);
    if (this.#checker === null) this.#checker = ruleChecker(this.schema);
    if (this.#checker === undefined) return faults;
    if (faults.some(({ type }) => OF_SHAPE.has(type))) return [...faults, UNCHECKED];
    return [...faults, ...this.#checker(object, old)];
  }
}

function kindOf(
  crd: CustomResourceDefinition,
  names: CustomResourceDefinitionNames,
  version: CustomResourceDefinitionVersion,
  hub?: Kind,
): Kind {
  const { group, scope } = crd.spec;
  const rules = new VersionRules(version.schema?.openAPIV3Schema ?? { type: 'object' });
  const hasStatus = version.subresources?.status !== undefined;
  const gv = { group, version: version.name };
  const apiVersion = apiVersionOf(gv);
  const definition = `${group.split('.').reverse().join('.')}.${version.name}.${names.kind}`;
  const validate = (object: KubeObject, old: KubeObject) => rules.validate(object, old);
  const own: Kind = defineKind({
    ...gv,
    kind: names.kind,
    plural: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    schema: resourceType(definition, rules.schema),
    decode: (value) => decodeStructural(rules.schema, value),
    setDefaults: (object) => rules.setDefaults(object),
    validate: (object) => rules.validate(object),
    prepareForCreate(object) {
      if (hasStatus) delete (object as Json).status;
    },
    update: {
      ...(hasStatus ? { prepare: (object, old) => keepField(object, old, 'status') } : {}),
      validate,
    },
    ...(hasStatus ? { status: statusRules(validate) } : {}),
    anyFinalizer: true,
    warnings: finalizerWarnings,
    hasGeneration: true,
    ...(hasStatus ? {} : { countsStatus: true }),
    withoutStrategicMerge: true,
    ...(version.deprecated === true
      ? { deprecation: version.deprecationWarning ?? `${apiVersion} ${names.kind} is deprecated` }
      : {}),
    ...scaleOf(version),
    columns: columnsOf(version.additionalPrinterColumns),
    ...selectableOf(version),
  });
  if (hub !== undefined) return { ...own, hub: conversion(own, hub, rules) };
  const stored: Kind = { ...own, fromStored: (bytes) => fromStored(stored, rules, bytes) };
  return stored;
}

/** Only apiVersion differs; each version has what its own schema has. */
function conversion(own: Kind, hub: Kind, rules: VersionRules): NonNullable<Kind['hub']> {
  const apiVersion = apiVersionOf(own);
  const hubVersion = apiVersionOf(hub);
  return {
    kind: hub,
    validatesAlone: true,
    toHub(object) {
      const decoded = hub.decode?.({ ...object, apiVersion: hubVersion }).value ?? object;
      return decoded;
    },
    fromHub: (object) => rules.shape({ ...object, apiVersion }),
  };
}

/** What was stored in another version, or by another schema, as it is now. */
function fromStored(kind: Kind, rules: VersionRules, bytes: Buffer): Buffer {
  const object = parseExactJson(bytes.toString('utf8')) as KubeObject;
  return encodeStored(kind, rules.shape({ ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }));
}

function keepField(object: KubeObject, old: KubeObject, field: string): void {
  const was = (old as Json)[field];
  if (was === undefined) delete (object as Json)[field];
  else (object as Json)[field] = was;
}

/** With a status go no other changes. */
function statusRules(validate: NonNullable<UpdateRules['validate']>): UpdateRules {
  return {
    prepare(object, old) {
      for (const field of new Set([...Object.keys(object), ...Object.keys(old)])) {
        if (field !== 'status' && field !== 'metadata') keepField(object, old, field);
      }
      const { resourceVersion, uid, managedFields } = object.metadata ?? {};
      const { managedFields: _owners, ...kept } = old.metadata ?? {};
      object.metadata = cloneJson(kept);
      // Who owns the status is said there.
      if (managedFields !== undefined) object.metadata.managedFields = managedFields;
      if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
      if (uid !== undefined) object.metadata.uid = uid;
    },
    validate,
  };
}

function scaleOf(version: CustomResourceDefinitionVersion): { scale?: ScaleSubresource } {
  const scale = version.subresources?.scale;
  if (scale === undefined) return {};
  const spec = plainFields(scale.specReplicasPath) ?? [];
  const status = plainFields(scale.statusReplicasPath) ?? [];
  const selector = scale.labelSelectorPath ? plainFields(scale.labelSelectorPath) : undefined;
  const numberAt = (object: KubeObject, path: readonly string[]) => {
    const value = valueAt(object, path);
    return typeof value === 'number' ? value : 0;
  };
  return {
    scale: {
      specReplicas: (object) => numberAt(object, spec),
      setSpecReplicas: (object, replicas) => setAt(object as Json, spec, replicas),
      statusReplicas: (object) => numberAt(object, status),
      selector(object) {
        const value = selector === undefined ? undefined : valueAt(object, selector);
        return typeof value === 'string' ? value : '';
      },
    },
  };
}

function valueAt(object: unknown, path: readonly string[]): unknown {
  let here = object;
  for (const name of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, name)) return undefined;
    here = (here as Json)[name];
  }
  return here;
}

function setAt(object: Json, path: readonly string[], value: unknown): void {
  let here = object;
  for (const name of path.slice(0, -1)) {
    const next = Object.hasOwn(here, name) ? here[name] : undefined;
    if (typeof next === 'object' && next !== null) here = next as Json;
    else {
      const made: Json = {};
      setOwn<unknown>(here, name, made);
      here = made;
    }
  }
  setOwn(here, path[path.length - 1] as string, value);
}

function selectableOf(version: CustomResourceDefinitionVersion): Pick<Kind, 'selectableFields'> {
  const all = version.selectableFields ?? [];
  if (all.length === 0) return {};
  const fields = all.map(({ jsonPath }) => {
    const path = plainFields(jsonPath) ?? [];
    const value = (object: KubeObject) => {
      const found = valueAt(object, path);
      return found === undefined || found === null ? '' : String(found);
    };
    return [jsonPath.replace(/^\./, ''), value] as const;
  });
  return { selectableFields: Object.fromEntries(fields) };
}

const AGE: CustomResourceColumnDefinition = {
  name: 'Age',
  type: 'date',
  description: 'Time since the object was created.',
  jsonPath: '.metadata.creationTimestamp',
};

function columnsOf(definitions: readonly CustomResourceColumnDefinition[] | undefined): Column[] {
  const asked = definitions === undefined || definitions.length === 0 ? [AGE] : definitions;
  // Where one of them cannot be read, all of them give way to the usual ones.
  const given = asked.every(({ jsonPath }) => parseJsonPath(jsonPath) !== undefined) ? asked : [AGE];
  return [NAME_COLUMN, ...given.map(columnOf)];
}

function columnOf(of: CustomResourceColumnDefinition): Column {
  const path = parseJsonPath(of.jsonPath) ?? [];
  return {
    name: of.name,
    type: of.type as Column['type'],
    ...(of.format === undefined ? {} : { format: of.format }),
    description: of.description ?? `Custom resource definition column (in JSONPath format): ${of.jsonPath}`,
    priority: of.priority ?? 0,
    value: (object, now) => cell(of.type, findAll(path, object), now),
  };
}

/** What a column shows: null where there is nothing of its type. */
function cell(type: string, found: readonly unknown[], now: number): string | number | boolean | null {
  const [value] = found;
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
    case 'number':
      // Written as it is, whatever its size.
      return typeof value === 'number' || typeof value === 'bigint' ? (value as number) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date': {
      const time = typeof value === 'string' ? parseTime(value) : undefined;
      return time === undefined || Number.isNaN(time) ? '<invalid>' : humanDuration(now - time);
    }
    default:
      return found.map((v) => (typeof v === 'object' ? stringifyExactJson(v) : String(v))).join(' ');
  }
}

function finalizerWarnings(object: KubeObject, old?: KubeObject): string[] {
  const before = old?.metadata?.finalizers ?? [];
  return (object.metadata?.finalizers ?? [])
    .filter((name) => !name.includes('/') && !STANDARD_FINALIZERS.has(name) && !before.includes(name))
    .map(
      (name) =>
        `metadata.finalizers: ${JSON.stringify(name)}: prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers`,
    );
}

const STANDARD_FINALIZERS: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion']);
