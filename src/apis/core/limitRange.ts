import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { compareQuantities, milliValue } from '../../machinery/quantity.ts';
import { type Infer, list, map, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';

export const LimitRange = object('io.k8s.api.core.v1.LimitRange', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, LimitRangeSpec),
}));
export interface LimitRange extends Infer<typeof LimitRange> {}

export const LimitRangeSpec = object('io.k8s.api.core.v1.LimitRangeSpec', () => ({
  limits: req(1, list(LimitRangeItem)),
}));
export interface LimitRangeSpec extends Infer<typeof LimitRangeSpec> {}

export const LimitRangeItem = object('io.k8s.api.core.v1.LimitRangeItem', () => ({
  type: req(1, str),
  max: opt(2, map(quantity)),
  min: opt(3, map(quantity)),
  default: opt(4, map(quantity)),
  defaultRequest: opt(5, map(quantity)),
  maxLimitRequestRatio: opt(6, map(quantity)),
}));
export interface LimitRangeItem extends Infer<typeof LimitRangeItem> {}

const TYPES = ['Pod', 'Container', 'PersistentVolumeClaim'];

/** Limit ranges: what a pod, a container or a claim of a namespace may have, and what it has where it says nothing. */
export const limitRanges = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  schema: LimitRange,
  shortNames: ['limits'],
  setDefaults({ spec }) {
    for (const limit of spec?.limits ?? []) {
      if (limit.type !== 'Container') continue;
      // Each of the values stands for those that are not said.
      limit.default = { ...limit.max, ...limit.default };
      limit.defaultRequest = { ...limit.min, ...limit.default, ...limit.defaultRequest };
      for (const map of ['default', 'defaultRequest'] as const) {
        if (Object.keys(limit[map] ?? {}).length === 0) delete limit[map];
      }
    }
  },
  validate: validateLimitRange,
  update: { validate: validateLimitRange },
  columns: [
    NAME_COLUMN,
    {
      name: 'Created At',
      type: 'date',
      description: 'When it was made.',
      value: ({ metadata }) => metadata?.creationTimestamp ?? '<unknown>',
    },
  ],
});

function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, limit] of (spec?.limits ?? []).entries()) {
    const path = `spec.limits[${i}]`;
    const { type = '' }: Partial<LimitRangeItem> = limit;
    if (!TYPES.includes(type) && !type.includes('/')) errors.push(notSupported(`${path}.type`, type, TYPES));
    if (seen.has(type)) errors.push(duplicate(`${path}.type`, type));
    seen.add(type);
    if (type === 'Pod') {
      for (const field of ['default', 'defaultRequest'] as const) {
        const given = Object.keys(limit[field] ?? {}).length > 0;
        if (given) errors.push(forbidden(`${path}.${field}`, "may not be specified when `type` is 'Pod'"));
      }
    }
    if (type === 'PersistentVolumeClaim' && limit.min?.storage === undefined && limit.max?.storage === undefined) {
      const detail = 'either minimum or maximum storage value is required, but neither was provided';
      errors.push(required(`${path}.limits`, detail));
    }
    validateItem(limit, path, errors);
  }
  return errors;
}

/** Containers and pods have a few resources, and those of others, whose names have a slash. */
function isKnown(type: string | undefined, name: string): boolean {
  if (name.includes('/') || (type !== 'Container' && type !== 'Pod')) return true;
  return ['cpu', 'memory', 'ephemeral-storage'].includes(name) || name.startsWith('hugepages-');
}

function validateItem(limit: LimitRangeItem, path: string, errors: FieldError[]): void {
  const { min = {}, max = {}, default: preset = {}, defaultRequest = {}, maxLimitRequestRatio: ratios = {} } = limit;
  const order = (field: string, name: string, less: string | undefined, more: string | undefined, what: string) => {
    if (less !== undefined && more !== undefined && compareQuantities(less, more) > 0) {
      errors.push(
        invalid(`${path}.${field}[${name}]`, less, `${field} value ${less} is greater than ${what} value ${more}`),
      );
    }
  };
  for (const name of new Set([min, max, preset, defaultRequest, ratios].flatMap((map) => Object.keys(map)))) {
    const misnamed = qualifiedName(name);
    const unknown = misnamed.length === 0 && !isKnown(limit.type, name);
    const faults = unknown ? ['must be a standard resource for containers'] : misnamed;
    for (const fault of faults) errors.push(invalid(`${path}[${name}]`, name, fault));
    if (faults.length > 0) continue;
    order('min', name, min[name], max[name], 'max');
    order('default', name, preset[name], max[name], 'max');
    order(
      'defaultRequest',
      name,
      defaultRequest[name],
      preset[name] ?? max[name],
      preset[name] === undefined ? 'max' : 'default',
    );
    order('min', name, min[name], defaultRequest[name], 'default request');
    order('min', name, min[name], preset[name], 'default');
    const ratio = ratios[name];
    if (ratio === undefined) continue;
    if (compareQuantities(ratio, 1) < 0) {
      errors.push(invalid(`${path}.maxLimitRequestRatio[${name}]`, ratio, `ratio ${ratio} is less than 1`));
    }
    const [least, most] = [min[name], max[name]];
    if (least === undefined || most === undefined || milliValue(least) === 0) continue;
    if (milliValue(ratio) / 1000 > milliValue(most) / milliValue(least)) {
      const detail = `ratio ${ratio} is greater than max/min = ${(milliValue(most) / milliValue(least)).toFixed(6)}`;
      errors.push(invalid(`${path}.maxLimitRequestRatio[${name}]`, ratio, detail));
    }
  }
}
