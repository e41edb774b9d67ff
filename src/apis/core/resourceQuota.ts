import { type FieldError, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { compareQuantities, milliValue } from '../../machinery/quantity.ts';
import { type Infer, list, map, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { keepSpec } from '../statusRules.ts';
import { COMPUTE_RESOURCES } from './quotaUsage.ts';

export const ResourceQuota = object('io.k8s.api.core.v1.ResourceQuota', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, ResourceQuotaSpec),
  status: opt(3, ResourceQuotaStatus),
}));
export interface ResourceQuota extends Infer<typeof ResourceQuota> {}

export const ResourceQuotaStatus = object('io.k8s.api.core.v1.ResourceQuotaStatus', () => ({
  hard: opt(1, map(quantity)),
  used: opt(2, map(quantity)),
}));
export interface ResourceQuotaStatus extends Infer<typeof ResourceQuotaStatus> {}

export const ResourceQuotaSpec = object('io.k8s.api.core.v1.ResourceQuotaSpec', () => ({
  hard: opt(1, map(quantity)),
  scopes: opt(2, list(str)),
  scopeSelector: opt(3, ScopeSelector),
}));
export interface ResourceQuotaSpec extends Infer<typeof ResourceQuotaSpec> {}

export const ScopeSelector = object(
  'io.k8s.api.core.v1.ScopeSelector',
  () => ({
    matchExpressions: opt(1, list(ScopedResourceSelectorRequirement)),
  }),
  { atomic: true },
);
export interface ScopeSelector extends Infer<typeof ScopeSelector> {}

export const ScopedResourceSelectorRequirement = object('io.k8s.api.core.v1.ScopedResourceSelectorRequirement', () => ({
  scopeName: req(1, str),
  operator: req(2, str),
  values: opt(3, list(str)),
}));
export interface ScopedResourceSelectorRequirement extends Infer<typeof ScopedResourceSelectorRequirement> {}

/** What a quota counts. */
const COUNTED: ReadonlySet<string> = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
]);
/** What a quota adds up. Names with a slash are those of others, and of counts of any kind. */
const MEASURED =
  /^(?:(?:(?:requests|limits)\.)?(?:cpu|memory|ephemeral-storage)|requests\.storage|(?:requests\.)?hugepages-.+)$/;
const SCOPES = [
  'Terminating',
  'NotTerminating',
  'BestEffort',
  'NotBestEffort',
  'PriorityClass',
  'CrossNamespacePodAffinity',
  'VolumeAttributesClass',
];
const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'];
const OPPOSITES = [
  ['Terminating', 'NotTerminating'],
  ['BestEffort', 'NotBestEffort'],
] as const;

/** Resource quotas: how much all objects of a namespace may have together. */
export const resourceQuotas = defineKind<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  plural: 'resourcequotas',
  schema: ResourceQuota,
  shortNames: ['quota'],
  prepareForCreate(quota) {
    quota.status = {};
  },
  validate: validateQuota,
  update: {
    prepare(quota, old) {
      if (old.status === undefined) delete quota.status;
      else quota.status = old.status;
    },
    validate(quota, old) {
      const errors = validateQuota(quota);
      for (const field of ['scopes', 'scopeSelector'] as const) {
        const { type } = ResourceQuotaSpec.fields[field];
        const value = quota.spec?.[field];
        if (!semanticEqual(type, value, old.spec?.[field])) {
          errors.push(invalid(`spec.${field}`, value, 'field is immutable'));
        }
      }
      return errors;
    },
  },
  status: {
    prepare: keepSpec,
    validate({ status }) {
      const errors: FieldError[] = [];
      validateAmounts(status?.hard, 'status.hard', errors);
      validateAmounts(status?.used, 'status.used', errors);
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Request',
      type: 'string',
      description: 'What of it is used, and how much there is.',
      value: (quota) => shown(quota, (name) => !name.startsWith('limits.')),
    },
    {
      name: 'Limit',
      type: 'string',
      description: 'What of the limits is used, and how much there is.',
      value: (quota) => shown(quota, (name) => name.startsWith('limits.')),
    },
    AGE_COLUMN,
  ],
});

function shown({ spec, status }: ResourceQuota, which: (name: string) => boolean): string {
  return Object.entries(status?.hard ?? spec?.hard ?? {})
    .filter(([name]) => which(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status?.used?.[name] ?? '0'}/${hard}`)
    .join(', ');
}

function validateQuota({ spec }: ResourceQuota): FieldError[] {
  const errors: FieldError[] = [];
  validateAmounts(spec?.hard, 'spec.hard', errors);
  const names = Object.keys(spec?.hard ?? {});
  const scopes = spec?.scopes ?? [];
  for (const scope of scopes) validateScope(scope, names, 'spec.scopes', errors);
  for (const [a, b] of OPPOSITES) {
    if (scopes.includes(a) && scopes.includes(b)) errors.push(invalid('spec.scopes', scopes, 'conflicting scopes'));
  }
  for (const [i, { scopeName, operator, values = [] }] of (spec?.scopeSelector?.matchExpressions ?? []).entries()) {
    const path = `spec.scopeSelector.matchExpressions[${i}]`;
    validateScope(scopeName, names, `${path}.scopeName`, errors);
    if (!OPERATORS.includes(operator)) errors.push(notSupported(`${path}.operator`, operator, OPERATORS));
    const isList = operator === 'In' || operator === 'NotIn';
    if (isList && values.length === 0) {
      errors.push(
        required(`${path}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"),
      );
    }
    if (!isList && values.length > 0) {
      errors.push(
        invalid(
          `${path}.values`,
          values,
          "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector",
        ),
      );
    }
    if (isList && scopeName !== 'PriorityClass' && scopeName !== 'VolumeAttributesClass') {
      errors.push(
        invalid(
          `${path}.operator`,
          operator,
          "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      );
    }
  }
  return errors;
}

function validateScope(scope: string, names: readonly string[], path: string, errors: FieldError[]): void {
  if (!SCOPES.includes(scope)) {
    errors.push(invalid(path, scope, 'unsupported scope'));
    return;
  }
  const fits = (name: string) =>
    scope === 'VolumeAttributesClass'
      ? name === 'persistentvolumeclaims' || name === 'requests.storage'
      : name === 'pods' || (scope !== 'BestEffort' && COMPUTE_RESOURCES.has(name));
  for (const name of names) {
    if (!fits(name)) errors.push(invalid(path, scope, `unsupported scope applied to resource ${name}`));
  }
}

/** Things that are there or not, and resources of others. */
function isWhole(name: string): boolean {
  return COUNTED.has(name) || (name.includes('/') && !name.includes('kubernetes.io/') && !name.startsWith('requests.'));
}

function validateAmounts(
  amounts: Readonly<Record<string, string>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  for (const [name, amount] of Object.entries(amounts ?? {})) {
    const at = `${path}[${name}]`;
    for (const fault of qualifiedName(name)) errors.push(invalid(at, name, fault));
    if (!name.includes('/') && !COUNTED.has(name) && !MEASURED.test(name)) {
      errors.push(invalid(at, name, 'must be a standard resource for quota'));
    }
    if (compareQuantities(amount, 0) < 0) errors.push(invalid(at, amount, 'must be greater than or equal to 0'));
    else if (isWhole(name) && milliValue(amount) % 1000 !== 0) errors.push(invalid(at, amount, 'must be an integer'));
  }
}
