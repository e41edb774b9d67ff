/**
 * What is wrong with the devices that a claim asks for.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
import { type FieldError, invalid, notSupported, required, tooLong } from '../../machinery/fieldError.ts';
import { dnsLabel } from '../../machinery/names.ts';
import {
  validateClassName,
  validateDriver,
  validateEach,
  validateFullName,
  validateName,
  validateSet,
} from './names.ts';
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  ExactDeviceRequest,
  OpaqueDeviceConfiguration,
} from './resourceClaim.ts';
import { validateToleration } from './tolerations.ts';

const MAX_REQUESTS = 32;
const MAX_CONSTRAINTS = 32;
export const MAX_CONFIGS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_SELECTORS = 32;
const MAX_TOLERATIONS = 16;
const MAX_PARAMETER_BYTES = 10 * 1024;
const MAX_EXPRESSION_BYTES = 10 * 1024;
const MODES = ['All', 'ExactCount'];

export function setClaimDefaults(claim: DeviceClaim | undefined): void {
  for (const request of claim?.requests ?? []) {
    for (const wanted of [request.exactly, ...(request.firstAvailable ?? [])]) {
      if (wanted === undefined) continue;
      wanted.allocationMode ||= 'ExactCount';
      if (wanted.allocationMode === 'ExactCount') wanted.count ||= 1;
      for (const toleration of wanted.tolerations ?? []) toleration.operator ||= 'Equal';
    }
  }
}

/** The names of requests, and of the alternatives within them as `request/alternative`. */
export type RequestNames = ReadonlySet<string>;

export function requestNames(claim: DeviceClaim | undefined): RequestNames {
  const names = new Set<string>();
  for (const request of claim?.requests ?? []) {
    names.add(request.name);
    for (const alternative of request.firstAvailable ?? []) names.add(`${request.name}/${alternative.name}`);
  }
  return names;
}

export function validateDeviceClaim(claim: DeviceClaim, path: string, errors: FieldError[]): void {
  const names = requestNames(claim);
  validateSet(claim.requests, MAX_REQUESTS, `${path}.requests`, errors, (r) => r.name ?? '', validateRequest);
  validateEach(claim.constraints, MAX_CONSTRAINTS, `${path}.constraints`, errors, (constraint, at) =>
    validateConstraint(constraint, names, at, errors),
  );
  validateEach(claim.config, MAX_CONFIGS, `${path}.config`, errors, (config, at) => {
    validateRequestRefs(config.requests, names, `${at}.requests`, errors);
    validateConfiguration(config.opaque, at, errors);
  });
}

function validateRequest(request: DeviceRequest, path: string, errors: FieldError[]): void {
  validateName(request.name, dnsLabel, `${path}.name`, errors);
  const alternatives = request.firstAvailable ?? [];
  const ONE = 'exactly one of `exactly` or `firstAvailable` is required';
  if (request.exactly === undefined && alternatives.length === 0) errors.push(required(path, ONE));
  else if (request.exactly !== undefined && alternatives.length > 0) {
    errors.push(invalid(path, null, `${ONE}, but multiple fields are set`));
  } else if (request.exactly !== undefined) validateWanted(request.exactly, `${path}.exactly`, errors);
  else {
    const key = (a: DeviceSubRequest) => a.name ?? '';
    validateSet(alternatives, MAX_ALTERNATIVES, `${path}.firstAvailable`, errors, key, (alternative, at) => {
      validateName(alternative.name, dnsLabel, `${at}.name`, errors);
      validateWanted(alternative, at, errors);
    });
  }
}

function validateWanted(wanted: ExactDeviceRequest | DeviceSubRequest, path: string, errors: FieldError[]): void {
  validateClassName(wanted.deviceClassName, `${path}.deviceClassName`, errors);
  validateSelectors(wanted.selectors, `${path}.selectors`, errors);
  const { allocationMode = '', count = 0 } = wanted;
  if (!MODES.includes(allocationMode)) errors.push(notSupported(`${path}.allocationMode`, allocationMode, MODES));
  else if (allocationMode === 'All') {
    if (count !== 0) errors.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"));
  } else if (count <= 0) errors.push(invalid(`${path}.count`, count, 'must be greater than zero'));
  validateEach(wanted.tolerations, MAX_TOLERATIONS, `${path}.tolerations`, errors, validateToleration);
}

/** Whether they compile is looked at at admission. */
export function validateSelectors(
  selectors: readonly DeviceSelector[] | undefined,
  path: string,
  errors: FieldError[],
): void {
  validateEach(selectors, MAX_SELECTORS, path, errors, ({ cel }, at) => {
    const bytes = Buffer.byteLength(cel?.expression ?? '');
    if (cel === undefined) errors.push(required(`${at}.cel`));
    else if (bytes > MAX_EXPRESSION_BYTES) errors.push(tooLong(`${at}.cel.expression`, MAX_EXPRESSION_BYTES));
  });
}

function validateConstraint(
  constraint: DeviceConstraint,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateRequestRefs(constraint.requests, names, `${path}.requests`, errors);
  const { matchAttribute, distinctAttribute } = constraint;
  const ONE = 'exactly one of "matchAttribute" or "distinctAttribute" is required';
  if (matchAttribute !== undefined && distinctAttribute !== undefined) {
    errors.push(invalid(path, null, `${ONE}, but multiple fields are set`));
  } else if (matchAttribute !== undefined) validateFullName(matchAttribute, `${path}.matchAttribute`, errors);
  else if (distinctAttribute !== undefined) validateFullName(distinctAttribute, `${path}.distinctAttribute`, errors);
  else errors.push(required(path, ONE));
}

export function validateRequestRefs(
  refs: readonly string[] | undefined,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateSet(refs, MAX_REQUESTS, path, errors, String, (ref, at) => validateRequestRef(ref, names, at, errors));
}

export function validateRequestRef(ref: string, names: RequestNames, path: string, errors: FieldError[]): void {
  const parts = ref.split('/');
  if (parts.length <= 2) for (const part of parts) validateName(part, dnsLabel, path, errors);
  if (names.has(ref)) return;
  const detail =
    "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";
  errors.push(invalid(path, ref, detail));
}

export function validateConfiguration(
  opaque: OpaqueDeviceConfiguration | undefined,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.opaque`;
  if (opaque === undefined) {
    errors.push(required(at));
    return;
  }
  validateDriver(opaque.driver, `${at}.driver`, errors);
  if (opaque.parameters === undefined) errors.push(required(`${at}.parameters`));
  else validateSize(opaque.parameters, `${at}.parameters`, MAX_PARAMETER_BYTES, errors);
}

/** What somebody else understands, within a bound. */
export function validateSize(value: unknown, path: string, max: number, errors: FieldError[]): void {
  if (Buffer.byteLength(JSON.stringify(value)) > max) errors.push(tooLong(path, max));
}
