/** Validates CustomResourceDefinitions. */
import { stringifyExactJson } from '../../machinery/exactJson.ts';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { dnsLabel1035, dnsSubdomain } from '../../machinery/names.ts';
import { validateClientConfig } from '../admissionregistration/webhookValidation.ts';
import type {
  CustomResourceConversion,
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  JSONSchemaProps,
} from './customResourceDefinition.ts';
import { plainFields } from './jsonPath.ts';
import { validateSchema } from './schemaRules.ts';
import { propertyOf } from './structuralSchema.ts';

const API_APPROVED = 'api-approved.kubernetes.io';

/** Faults of a definition. @param old absent: it is new */
export function validateDefinition(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const { spec } = crd;
  if (spec === undefined) return [required('spec')];
  const name = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`;
  if (crd.metadata?.name !== name) {
    errors.push(invalid('metadata.name', crd.metadata?.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  }
  approval(crd, errors);
  group(spec, errors);
  scope(spec, errors);
  names(spec.names ?? {}, errors);
  versions(spec, old?.spec, errors);
  conversion(spec.conversion, errors);
  if (spec.preserveUnknownFields === true) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
  errors.push(...validateStoredVersions(crd));
  if (old?.spec !== undefined) immutable(spec, old, errors);
  return errors;
}

/** Groups of Kubernetes itself need a word of approval. */
function approval({ spec, metadata }: CustomResourceDefinition, errors: FieldError[]): void {
  const of = spec.group ?? '';
  const isProtected = /(^|\.)(k8s|kubernetes)\.io$/.test(of);
  if (!isProtected) return;
  const value = metadata?.annotations?.[API_APPROVED] ?? '';
  const at = `metadata.annotations[${API_APPROVED}]`;
  const see = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (value === '') {
    errors.push(required(at, `protected groups must have approval annotation "${API_APPROVED}", ${see}`));
  } else if (!/^https?:\/\/.+/.test(value) && !/^unapproved/.test(value)) {
    errors.push(
      invalid(
        at,
        value,
        `protected groups must have approval annotation "${API_APPROVED}" with either a URL or a reason starting with "unapproved", ${see}`,
      ),
    );
  }
}

function group({ group: of = '' }: CustomResourceDefinitionSpec, errors: FieldError[]): void {
  if (of === '') errors.push(required('spec.group'));
  else {
    for (const fault of dnsSubdomain(of)) errors.push(invalid('spec.group', of, fault));
    if (!of.includes('.')) errors.push(invalid('spec.group', of, 'should be a domain with at least one dot'));
  }
}

function scope({ scope: of = '' }: CustomResourceDefinitionSpec, errors: FieldError[]): void {
  if (of === '') errors.push(required('spec.scope'));
  else if (of !== 'Cluster' && of !== 'Namespaced')
    errors.push(notSupported('spec.scope', of, ['Cluster', 'Namespaced']));
}

function names(of: Partial<CustomResourceDefinitionNames>, errors: FieldError[]): void {
  const label = (at: string, value: string | undefined, mixed: boolean, needed: boolean) => {
    const field = `spec.names.${at}`;
    if (value === undefined || value === '') {
      if (needed) errors.push(required(field));
      return;
    }
    for (const fault of dnsLabel1035(mixed ? value.toLowerCase() : value)) {
      errors.push(invalid(field, value, mixed ? `may have mixed case, but should otherwise match: ${fault}` : fault));
    }
  };
  label('plural', of.plural, false, true);
  label('singular', of.singular, false, false);
  label('kind', of.kind, true, true);
  label('listKind', of.listKind, true, false);
  for (const [i, name] of (of.shortNames ?? []).entries()) label(`shortNames[${i}]`, name, false, true);
  for (const [i, name] of (of.categories ?? []).entries()) label(`categories[${i}]`, name, false, true);
  if (of.kind !== undefined && of.kind !== '' && of.kind === of.listKind) {
    errors.push(invalid('spec.names.listKind', of.listKind, 'kind and listKind may not be the same'));
  }
}

function versions(
  spec: CustomResourceDefinitionSpec,
  old: CustomResourceDefinitionSpec | undefined,
  errors: FieldError[],
): void {
  const all = spec.versions ?? [];
  if (all.length === 0) errors.push(required('spec.versions', 'must have at least one version'));
  const seen = new Set(all.map((v) => v.name));
  if (seen.size !== all.length)
    errors.push(
      invalid(
        'spec.versions',
        all.map((v) => v.name),
        'must contain unique version names',
      ),
    );
  if (all.length > 0 && all.filter((v) => v.storage === true).length !== 1) {
    errors.push(
      invalid(
        'spec.versions',
        all.map((v) => v.name),
        'must have exactly one version marked as storage version',
      ),
    );
  }
  for (const [i, version] of all.entries()) {
    const before = old?.versions?.find((v) => v.name === version.name);
    oneVersion(version, before, `spec.versions[${i}]`, errors);
  }
}

function oneVersion(
  version: CustomResourceDefinitionVersion,
  before: CustomResourceDefinitionVersion | undefined,
  path: string,
  errors: FieldError[],
): void {
  const { name = '', schema, deprecationWarning } = version;
  if (name === '') errors.push(required(`${path}.name`));
  else for (const fault of dnsLabel1035(name)) errors.push(invalid(`${path}.name`, name, fault));
  if (version.served === undefined) errors.push(required(`${path}.served`));
  if (version.storage === undefined) errors.push(required(`${path}.storage`));
  if (deprecationWarning !== undefined) {
    const at = `${path}.deprecationWarning`;
    if (version.deprecated !== true)
      errors.push(invalid(at, deprecationWarning, 'can only be set for deprecated versions'));
    if (deprecationWarning.length > 256) errors.push(invalid(at, deprecationWarning, 'must be <= 256 characters'));
    if (deprecationWarning === '') errors.push(invalid(at, deprecationWarning, 'must not be empty'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are meant
    if (/[\x00-\x1f\x7f]/.test(deprecationWarning))
      errors.push(invalid(at, deprecationWarning, 'must only contain printable UTF-8 characters'));
  }
  const open = schema?.openAPIV3Schema;
  if (open === undefined) errors.push(required(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
  // What was accepted before is not judged anew.
  else if (stringifyExactJson(open) !== stringifyExactJson(before?.schema?.openAPIV3Schema)) {
    for (const error of validateSchema(open, `${path}.schema.openAPIV3Schema`)) errors.push(error);
  }
  columns(version, path, errors);
  subresources(version, path, errors);
  selectable(version, open, path, errors);
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];

function columns(version: CustomResourceDefinitionVersion, path: string, errors: FieldError[]): void {
  for (const [i, column] of (version.additionalPrinterColumns ?? []).entries()) {
    const at = `${path}.additionalPrinterColumns[${i}]`;
    if (!column.name) errors.push(required(`${at}.name`));
    if (!column.type) errors.push(required(`${at}.type`, `must be one of ${COLUMN_TYPES.join(',')}`));
    else if (!COLUMN_TYPES.includes(column.type))
      errors.push(invalid(`${at}.type`, column.type, `must be one of ${COLUMN_TYPES.join(',')}`));
    if (column.format && !COLUMN_FORMATS.includes(column.format)) {
      errors.push(invalid(`${at}.format`, column.format, `must be one of ${COLUMN_FORMATS.join(',')}`));
    }
    if (!column.jsonPath) errors.push(required(`${at}.jsonPath`));
    else if (!column.jsonPath.startsWith('.')) {
      errors.push(invalid(`${at}.jsonPath`, column.jsonPath, 'must be a simple json path starting with .'));
    }
  }
}

function subresources({ subresources: of }: CustomResourceDefinitionVersion, path: string, errors: FieldError[]): void {
  const scale = of?.scale;
  if (scale === undefined) return;
  const check = (field: 'specReplicasPath' | 'statusReplicasPath' | 'labelSelectorPath', below: readonly string[]) => {
    const at = `${path}.subresources.scale.${field}`;
    const value = scale[field];
    if (value === undefined || value === '') {
      if (field !== 'labelSelectorPath') errors.push(required(at));
      return;
    }
    const fields = plainFields(value);
    if (fields === undefined || fields.length < 2)
      errors.push(invalid(at, value, 'must be a simple json path of fields'));
    else if (!below.includes(fields[0] as string)) {
      errors.push(invalid(at, value, `should be a json path under ${below.map((b) => `.${b}`).join(' or ')}`));
    }
  };
  check('specReplicasPath', ['spec']);
  check('statusReplicasPath', ['status']);
  check('labelSelectorPath', ['spec', 'status']);
}

const MAX_SELECTABLE = 8;

function selectable(
  version: CustomResourceDefinitionVersion,
  schema: JSONSchemaProps | undefined,
  path: string,
  errors: FieldError[],
): void {
  const all = version.selectableFields ?? [];
  if (all.length > MAX_SELECTABLE) {
    errors.push({
      type: 'FieldValueTooMany',
      field: `${path}.selectableFields`,
      value: all.length,
      detail: `must have at most ${MAX_SELECTABLE} items`,
    });
  }
  const seen = new Set<string>();
  for (const [i, { jsonPath = '' }] of all.entries()) {
    const at = `${path}.selectableFields[${i}].jsonPath`;
    if (jsonPath === '') {
      errors.push(required(at));
      continue;
    }
    if (seen.has(jsonPath)) errors.push({ type: 'FieldValueDuplicate', field: at, value: jsonPath, detail: '' });
    seen.add(jsonPath);
    const fields = plainFields(jsonPath);
    if (fields === undefined)
      errors.push(invalid(at, jsonPath, 'is an invalid path: must be a simple json path of fields'));
    else if (fields[0] === 'metadata') errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    else if (schema !== undefined) {
      let here: JSONSchemaProps | undefined = schema;
      for (const name of fields) here = here && propertyOf(here, name);
      if (here === undefined) errors.push(invalid(at, jsonPath, 'is an invalid path: does not refer to a valid field'));
      else if (!['string', 'boolean', 'integer'].includes(here.type ?? '')) {
        errors.push(
          invalid(
            at,
            jsonPath,
            'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.',
          ),
        );
      }
    }
  }
}

function conversion(of: CustomResourceConversion | undefined, errors: FieldError[]): void {
  if (of === undefined) return;
  const { strategy = '', webhook } = of;
  if (strategy === '') errors.push(required('spec.conversion.strategy'));
  else if (strategy !== 'None' && strategy !== 'Webhook')
    errors.push(notSupported('spec.conversion.strategy', strategy, ['None', 'Webhook']));
  if (strategy === 'None' && webhook !== undefined) {
    errors.push(forbidden('spec.conversion.webhook', 'should not be set when strategy is not set to Webhook'));
  }
  if (strategy !== 'Webhook') return;
  const at = 'spec.conversion.webhook';
  if (webhook?.clientConfig === undefined) {
    errors.push(required(`${at}.clientConfig`, 'required when strategy is set to Webhook'));
  } else validateClientConfig(webhook.clientConfig, `${at}.clientConfig`, errors);
  const versions = webhook?.conversionReviewVersions ?? [];
  if (versions.length === 0) {
    errors.push(required(`${at}.conversionReviewVersions`));
    return;
  }
  for (const [i, version] of versions.entries()) {
    const here = `${at}.conversionReviewVersions[${i}]`;
    if (versions.indexOf(version) < i) errors.push(invalid(here, version, 'duplicate version'));
    for (const fault of dnsLabel1035(version)) errors.push(invalid(here, version, fault));
  }
  if (!versions.includes('v1') && !versions.includes('v1beta1')) {
    const detail = 'must include at least one of v1, v1beta1';
    errors.push(invalid(`${at}.conversionReviewVersions`, versions, detail));
  }
}

/** Versions in which objects may be stored must be there to read them. */
export function validateStoredVersions(crd: CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const known = new Set((crd.spec?.versions ?? []).map((v) => v.name));
  for (const [i, name] of (crd.status?.storedVersions ?? []).entries()) {
    if (known.has(name)) continue;
    errors.push(
      invalid(
        `status.storedVersions[${i}]`,
        name,
        `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
      ),
    );
  }
  return errors;
}

/** Whether the definition has been taken into service. */
export const isEstablished = (crd: CustomResourceDefinition): boolean =>
  (crd.status?.conditions ?? []).some((c) => c.type === 'Established' && c.status === 'True');

function immutable(spec: CustomResourceDefinitionSpec, old: CustomResourceDefinition, errors: FieldError[]): void {
  const kept = (field: string, now: unknown, was: unknown) => {
    if (now !== was) errors.push(invalid(field, now, 'field is immutable'));
  };
  kept('spec.group', spec.group, old.spec.group);
  kept('spec.names.plural', spec.names?.plural, old.spec.names?.plural);
  if (!isEstablished(old)) return;
  kept('spec.scope', spec.scope, old.spec.scope);
  kept('spec.names.kind', spec.names?.kind, old.spec.names?.kind);
}
