/** What is wrong with the devices that a driver publishes in a slice. */
import { type FieldError, forbidden, invalid, required, tooLong } from '../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../machinery/names.ts';
import { compareQuantities, quantityOf } from '../../machinery/quantity.ts';
import { validateNodeSelector } from '../core/validation/affinity.ts';
import {
  validateDriver,
  validateEach,
  validateName,
  validatePool,
  validateQualifiedName,
  validateSet,
} from './names.ts';
import type {
  CapacityRequestPolicy,
  CapacityRequestPolicyRange,
  Counter,
  Device,
  DeviceAttribute,
  DeviceCapacity,
  NodeAllocatableResourceMapping,
  ResourceSliceSpec,
} from './resourceSlice.ts';
import { validateBindingConditions, validateTaint } from './tolerations.ts';

const MAX_DEVICES = 128;
/** with taints, counters or lists of values */
const MAX_ADVANCED_DEVICES = 64;
const MAX_ATTRIBUTES_AND_CAPACITIES = 32;
const MAX_ATTRIBUTE_VALUES = 48;
const MAX_COUNTER_SETS = 8;
const MAX_COUNTERS = 32;
const MAX_CONSUMPTIONS = 2;
const MAX_TAINTS = 16;
const MAX_VALUE_BYTES = 64;
const MAX_OPTIONS = 10;
const IMMUTABLE = 'field is immutable';
const SEMVER =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;

type Spec = Partial<ResourceSliceSpec>;

export function validateSlice(spec: Spec, old: Spec | undefined): FieldError[] {
  const errors: FieldError[] = [];
  validateDriver(spec.driver, 'spec.driver', errors);
  validatePool(spec.pool?.name, 'spec.pool.name', errors);
  const { resourceSliceCount = 0, generation = 0 } = spec.pool ?? {};
  if (resourceSliceCount <= 0) {
    errors.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'));
  }
  if (generation < 0) {
    errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  }
  if (old !== undefined) {
    if (spec.pool?.name !== old.pool?.name) errors.push(invalid('spec.pool.name', spec.pool?.name, IMMUTABLE));
    if (spec.driver !== old.driver) errors.push(invalid('spec.driver', spec.driver, IMMUTABLE));
    if (spec.nodeName !== old.nodeName) errors.push(invalid('spec.nodeName', spec.nodeName, IMMUTABLE));
  }
  const fields = validatePlace(spec, 'spec', 'must be either unset or set to a non-empty string', errors);
  if ((spec.nodeSelector?.nodeSelectorTerms ?? []).length !== 1 && spec.nodeSelector !== undefined) {
    const terms = spec.nodeSelector.nodeSelectorTerms ?? [];
    errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, 'must have exactly one node selector term'));
  }
  if (spec.perDeviceNodeSelection === true) fields.push('`perDeviceNodeSelection`');
  else if (spec.perDeviceNodeSelection === false) {
    errors.push(invalid('spec.perDeviceNodeSelection', false, 'must be either unset or set to true'));
  }
  const ONE = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
  if (fields.length === 0) errors.push(required('spec', ONE));
  if (fields.length > 1) {
    errors.push(invalid('spec', `{${fields.join(', ')}}`, `${ONE}, but multiple fields are set`));
  }
  if (spec.sharedCounters !== undefined && spec.devices !== undefined) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  const max = (spec.devices ?? []).some(isAdvanced) ? MAX_ADVANCED_DEVICES : MAX_DEVICES;
  validateSet(
    spec.devices,
    max,
    'spec.devices',
    errors,
    (d) => d.name ?? '',
    (device, path) => validateDevice(device, spec.perDeviceNodeSelection === true, path, errors),
  );
  validateSet(
    spec.sharedCounters,
    MAX_COUNTER_SETS,
    'spec.sharedCounters',
    errors,
    (s) => s.name ?? '',
    (set, path) => {
      if (!set.name) errors.push(required(`${path}.name`));
      else validateName(set.name, dnsLabel, `${path}.name`, errors);
      validateCounters(set.counters, `${path}.counters`, errors);
    },
  );
  return errors;
}

function isAdvanced(device: Device): boolean {
  if ((device.taints ?? []).length > 0 || (device.consumesCounters ?? []).length > 0) return true;
  return Object.values(device.attributes ?? {}).some(
    (a) => (a.bools ?? a.ints ?? a.strings ?? a.versions) !== undefined,
  );
}

interface Place {
  nodeName?: string;
  nodeSelector?: Spec['nodeSelector'];
  allNodes?: boolean;
}

/** Where it can be used. Gives the fields that say so. */
function validatePlace(place: Place, path: string, emptyName: string, errors: FieldError[]): string[] {
  const fields: string[] = [];
  if (place.nodeName === '') errors.push(invalid(`${path}.nodeName`, '', emptyName));
  else if (place.nodeName !== undefined) {
    fields.push('`nodeName`');
    validateName(place.nodeName, dnsSubdomain, `${path}.nodeName`, errors);
  }
  if (place.nodeSelector !== undefined) {
    fields.push('`nodeSelector`');
    validateNodeSelector(place.nodeSelector, `${path}.nodeSelector`, errors);
  }
  if (place.allNodes === true) fields.push('`allNodes`');
  else if (place.allNodes === false) {
    errors.push(invalid(`${path}.allNodes`, false, 'must be either unset or set to true'));
  }
  return fields;
}

function validateDevice(device: Device, perDevice: boolean, path: string, errors: FieldError[]): void {
  validateName(device.name, dnsLabel, `${path}.name`, errors);
  const attributes = Object.entries(device.attributes ?? {});
  const capacities = Object.entries(device.capacity ?? {});
  const count = attributes.length + capacities.length;
  if (count > MAX_ATTRIBUTES_AND_CAPACITIES) {
    const detail = `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES_AND_CAPACITIES}`;
    errors.push(invalid(path, count, detail));
  }
  const values = attributes.reduce((sum, [, a]) => sum + valueCount(a), 0);
  if (values > MAX_ATTRIBUTE_VALUES) {
    errors.push(invalid(path, values, `the total number of attribute values must not exceed ${MAX_ATTRIBUTE_VALUES}`));
  }
  for (const [name, attribute] of attributes) {
    validateQualifiedName(name, `${path}.attributes`, errors);
    validateAttribute(attribute, `${path}.attributes[${name}]`, errors);
  }
  for (const [name, capacity] of capacities) {
    validateQualifiedName(name, `${path}.capacity`, errors);
    validateCapacity(capacity, device.allowMultipleAllocations === true, `${path}.capacity[${name}]`, errors);
  }
  validateEach(device.taints, MAX_TAINTS, `${path}.taints`, errors, validateTaint);
  const key = (c: { counterSet?: string }) => c.counterSet ?? '';
  validateSet(device.consumesCounters, MAX_CONSUMPTIONS, `${path}.consumesCounters`, errors, key, (consumption, at) => {
    if (!consumption.counterSet) errors.push(required(`${at}.counterSet`));
    else validateName(consumption.counterSet, dnsLabel, `${at}.counterSet`, errors);
    validateCounters(consumption.counters, `${at}.counters`, errors);
  });
  validateDevicePlace(device, perDevice, path, errors);
  validateBindingConditions(device.bindingConditions, device.bindingFailureConditions, path, errors);
  for (const [name, mapping] of Object.entries(device.nodeAllocatableResourceMappings ?? {})) {
    validateMapping(name, mapping, device, `${path}.nodeAllocatableResourceMappings[${name}]`, errors);
  }
}

function validateDevicePlace(device: Device, perDevice: boolean, path: string, errors: FieldError[]): void {
  if (!perDevice) {
    if (device.nodeName === undefined && device.nodeSelector === undefined && device.allNodes === undefined) return;
    const detail =
      '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
    errors.push(invalid(path, null, detail));
    return;
  }
  const fields = validatePlace(device, path, 'must not be empty', errors);
  const ONE =
    'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  if (fields.length === 0) errors.push(required(path, ONE));
  if (fields.length > 1) errors.push(invalid(path, `{${fields.join(', ')}}`, ONE));
}

const LISTS = ['bools', 'ints', 'strings', 'versions'] as const;

/** Each item of a list is a value. */
function valueCount(attribute: DeviceAttribute): number {
  return LISTS.reduce((sum, field) => sum + (attribute[field]?.length ?? 0), 0) || 1;
}

function validateAttribute(attribute: DeviceAttribute, path: string, errors: FieldError[]): void {
  if (Object.keys(attribute).length !== 1) errors.push(invalid(path, attribute, 'exactly one value must be specified'));
  if (attribute.string !== undefined) validateText(attribute.string, `${path}.string`, errors);
  if (attribute.version !== undefined) validateVersion(attribute.version, `${path}.version`, errors);
  for (const field of LISTS) {
    if (attribute[field]?.length === 0) errors.push(invalid(`${path}.${field}`, [], 'must not be empty if specified'));
  }
  for (const [i, text] of (attribute.strings ?? []).entries()) validateText(text, `${path}.strings[${i}]`, errors);
  for (const [i, text] of (attribute.versions ?? []).entries()) validateVersion(text, `${path}.versions[${i}]`, errors);
}

function validateText(text: string, path: string, errors: FieldError[]): void {
  if (Buffer.byteLength(text) > MAX_VALUE_BYTES) errors.push(tooLong(path, MAX_VALUE_BYTES));
}

function validateVersion(text: string, path: string, errors: FieldError[]): void {
  if (Buffer.byteLength(text) > MAX_VALUE_BYTES) errors.push(tooLong(path, MAX_VALUE_BYTES));
  else if (!SEMVER.test(text)) {
    errors.push(invalid(path, text, 'must be a string compatible with semver.org spec 2.0.0'));
  }
}

function validateCounters(
  counters: Readonly<Record<string, Counter>> | undefined,
  path: string,
  errors: FieldError[],
): void {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) errors.push(required(path));
  if (names.length > MAX_COUNTERS) {
    errors.push({
      type: 'FieldValueTooMany',
      field: path,
      value: names.length,
      detail: `must have at most ${MAX_COUNTERS} items`,
    });
  } else for (const name of names) validateName(name, dnsLabel, path, errors);
}

function validateCapacity(capacity: DeviceCapacity, shared: boolean, path: string, errors: FieldError[]): void {
  const policy = capacity.requestPolicy;
  const at = `${path}.requestPolicy`;
  if (policy === undefined) return;
  if (!shared) errors.push(forbidden(at, 'allowMultipleAllocations must be true'));
  else if ((policy.validValues ?? []).length > 0 && policy.validRange !== undefined) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    errors.push(forbidden(at, detail));
  } else validatePolicy(policy, capacity.value ?? '0', at, errors);
}

function validatePolicy(policy: CapacityRequestPolicy, max: string, path: string, errors: FieldError[]): void {
  const field = (policy.validValues ?? []).length > 0 ? 'validValues' : 'validRange';
  if (policy[field] === undefined) return;
  if (policy.default === undefined) {
    errors.push(required(`${path}.default`, `required when ${field} is defined`));
  } else if (policy.validRange !== undefined) {
    validateRange(policy.validRange, policy.default, max, `${path}.validRange`, errors);
  } else validateOptions(policy.validValues ?? [], policy.default, max, `${path}.validValues`, errors);
}

function validateOptions(
  options: readonly string[],
  chosen: string,
  max: string,
  path: string,
  errors: FieldError[],
): void {
  for (const [i, option] of options.entries()) {
    const before = options[i - 1];
    if (before !== undefined && compareQuantities(before, option) > 0) {
      errors.push(invalid(`${path}[${i}]`, option, 'values must be sorted in ascending order'));
    }
  }
  validateSet(
    options,
    MAX_OPTIONS,
    path,
    errors,
    (o) => String(quantityOf(o).nano),
    (option, at) => {
      if (compareQuantities(option, max) <= 0) return;
      errors.push(invalid(at, option, `option is larger than capacity value: ${max}`));
    },
  );
  if (!options.some((o) => compareQuantities(o, chosen) === 0)) {
    errors.push(invalid(path, chosen, 'default value is not valid according to the requestPolicy'));
  }
}

function validateRange(
  range: CapacityRequestPolicyRange,
  chosen: string,
  capacity: string,
  path: string,
  errors: FieldError[],
): void {
  const { min, max, step } = range;
  if (min === undefined) {
    errors.push(required(`${path}.min`, 'required when validRange is defined'));
    return;
  }
  const larger = (a: string, b: string) => compareQuantities(a, b) > 0;
  if (larger(min, capacity)) errors.push(invalid(`${path}.min`, min, `min is larger than capacity value: ${capacity}`));
  if (larger(min, chosen)) errors.push(invalid(`${path}.default`, chosen, `default is less than min: ${min}`));
  if (max !== undefined) {
    if (larger(min, max)) errors.push(invalid(`${path}.max`, min, `min is larger than max: ${max}`));
    if (larger(max, capacity))
      errors.push(invalid(`${path}.max`, max, `max is larger than capacity value: ${capacity}`));
    if (larger(chosen, max)) errors.push(invalid(`${path}.default`, chosen, `default is more than max: ${max}`));
  }
  if (step === undefined) return;
  const size = quantityOf(step).nano;
  const start = quantityOf(min).nano;
  if (size <= 0n) {
    errors.push(invalid(`${path}.step`, step, 'must be greater than zero'));
    return;
  }
  if (start + size > quantityOf(capacity).nano) {
    errors.push(invalid(`${path}.step`, step, `one step from ${min} is larger than capacity value: ${capacity}`));
  }
  for (const value of max === undefined ? [chosen] : [chosen, max]) {
    if ((quantityOf(value).nano - start) % size === 0n) continue;
    errors.push(invalid(`${path}.step`, value, `value is not a multiple of a given step (${step}) from (${min})`));
  }
}

const NODE_RESOURCES = /^(cpu|memory|ephemeral-storage|hugepages-.+)$/;

function validateMapping(
  name: string,
  mapping: NodeAllocatableResourceMapping,
  device: Device,
  path: string,
  errors: FieldError[],
): void {
  if (qualifiedName(name).length > 0 || !NODE_RESOURCES.test(name)) {
    errors.push(invalid(path, name, 'must be a node allocatable resource name'));
  }
  const { capacityKey, allocationMultiplier } = mapping;
  if (capacityKey === undefined && allocationMultiplier === undefined) {
    errors.push(required(path, 'at least one of capacityKey or allocationMultiplier must be set'));
  }
  if (capacityKey === '') errors.push(invalid(`${path}.capacityKey`, '', 'capacityKey must not be an empty string'));
  else if (capacityKey !== undefined && !Object.hasOwn(device.capacity ?? {}, capacityKey)) {
    errors.push({ type: 'FieldValueNotFound', field: `${path}.capacityKey`, value: capacityKey, detail: '' });
  }
  if (allocationMultiplier !== undefined && quantityOf(allocationMultiplier).nano <= 0n) {
    errors.push(invalid(`${path}.allocationMultiplier`, allocationMultiplier, 'must be positive'));
  }
}
