/** What is wrong with the status of a claim: what was allocated, for whom, and how its devices do. */
import { isIP } from 'node:net';
import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { dnsLabel } from '../../machinery/names.ts';
import { validateConditions } from '../conditions.ts';
import { validateNodeSelector } from '../core/validation/affinity.ts';
import {
  MAX_CONFIGS,
  type RequestNames,
  requestNames,
  validateConfiguration,
  validateRequestRef,
  validateRequestRefs,
  validateSize,
} from './claimValidation.ts';
import { validateDriver, validateEach, validateName, validatePool, validateSet, validateUid } from './names.ts';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
} from './resourceClaim.ts';
import { validateBindingConditions, validateToleration } from './tolerations.ts';

const MAX_RESERVED = 256;
const MAX_RESULTS = 32;
const MAX_CONDITIONS = 8;
const MAX_DATA_BYTES = 10 * 1024;
const MAX_IPS = 16;
const MAX_INTERFACE_NAME = 256;
const MAX_HARDWARE_ADDRESS = 128;

/** @param sameAllocation whether both have the same allocation: what is allocated does not change */
export function validateClaimStatus(claim: ResourceClaim, old: ResourceClaim, sameAllocation: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const status = claim.status ?? {};
  const before = old.status ?? {};
  validateSet(
    status.reservedFor,
    MAX_RESERVED,
    'status.reservedFor',
    errors,
    (c) => c.uid ?? '',
    (consumer, path) => {
      for (const field of ['resource', 'name', 'uid'] as const) {
        if (!consumer[field]) errors.push(required(`${path}.${field}`));
      }
    },
  );
  const allocated = new Set((status.allocation?.devices?.results ?? []).map(deviceKey));
  validateSet(status.devices, Number.POSITIVE_INFINITY, 'status.devices', errors, deviceKey, (device, path) =>
    validateDeviceStatus(device, allocated, path, errors),
  );
  if ((status.reservedFor ?? []).length > 0) {
    if (status.allocation === undefined) {
      errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'));
    } else if (claim.metadata?.deletionTimestamp !== undefined) {
      const known = before.reservedFor ?? [];
      if (status.reservedFor?.some((c) => !known.some((k) => jsonEqual(k, c)))) {
        const detail = 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
        errors.push(forbidden('status.reservedFor', detail));
      }
    }
  }
  if (status.allocation === undefined) return errors;
  if (before.allocation === undefined) {
    validateAllocation(status.allocation, requestNames(claim.spec?.devices), 'status.allocation', errors);
  } else if (!sameAllocation) {
    errors.push(invalid('status.allocation', status.allocation, 'field is immutable'));
  }
  return errors;
}

/** One device, or one share of it. */
function deviceKey({ driver, pool, device, shareID }: DeviceRequestAllocationResult | AllocatedDeviceStatus): string {
  const whole = `${driver ?? ''}/${pool ?? ''}/${device ?? ''}`;
  return shareID === undefined ? whole : `${whole}/${shareID}`;
}

function validateAllocation(
  allocation: AllocationResult,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  const at = `${path}.devices`;
  validateEach(allocation.devices?.results, MAX_RESULTS, `${at}.results`, errors, (result, p) =>
    validateResult(result, names, p, errors),
  );
  validateEach(allocation.devices?.config, 2 * MAX_CONFIGS, `${at}.config`, errors, (config, p) => {
    const sources = ['FromClaim', 'FromClass'];
    if (!config.source) errors.push(required(`${p}.source`));
    else if (!sources.includes(config.source)) errors.push(notSupported(`${p}.source`, config.source, sources));
    validateRequestRefs(config.requests, names, `${p}.requests`, errors);
    validateConfiguration(config.opaque, p, errors);
  });
  if (allocation.nodeSelector !== undefined) {
    validateNodeSelector(allocation.nodeSelector, `${path}.nodeSelector`, errors);
  }
}

function validateResult(
  result: DeviceRequestAllocationResult,
  names: RequestNames,
  path: string,
  errors: FieldError[],
): void {
  validateRequestRef(result.request ?? '', names, `${path}.request`, errors);
  validateDriver(result.driver, `${path}.driver`, errors);
  validatePool(result.pool, `${path}.pool`, errors);
  validateName(result.device, dnsLabel, `${path}.device`, errors);
  validateBindingConditions(result.bindingConditions, result.bindingFailureConditions, path, errors);
  for (const [i, toleration] of (result.tolerations ?? []).entries()) {
    validateToleration(toleration, `${path}.tolerations[${i}]`, errors);
  }
  if (result.shareID !== undefined) validateUid(result.shareID, `${path}.shareID`, errors);
}

function validateDeviceStatus(
  device: AllocatedDeviceStatus,
  allocated: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  validateDriver(device.driver, `${path}.driver`, errors);
  validatePool(device.pool, `${path}.pool`, errors);
  validateName(device.device, dnsLabel, `${path}.device`, errors);
  if (device.shareID !== undefined) validateUid(device.shareID, `${path}.shareID`, errors);
  const key = deviceKey(device);
  if (!allocated.has(key)) errors.push(invalid(path, key, 'must be an allocated device in the claim'));
  const conditions = device.conditions ?? [];
  if (conditions.length > MAX_CONDITIONS) {
    errors.push(tooMany(`${path}.conditions`, conditions.length, MAX_CONDITIONS));
  }
  validateConditions(conditions, `${path}.conditions`, errors);
  if (device.data !== undefined) validateSize(device.data, `${path}.data`, MAX_DATA_BYTES, errors);
  if (device.networkData !== undefined) validateNetworkData(device.networkData, `${path}.networkData`, errors);
}

function validateNetworkData(data: NetworkDeviceData, path: string, errors: FieldError[]): void {
  if (Buffer.byteLength(data.interfaceName ?? '') > MAX_INTERFACE_NAME) {
    errors.push(tooLong(`${path}.interfaceName`, MAX_INTERFACE_NAME));
  }
  if (Buffer.byteLength(data.hardwareAddress ?? '') > MAX_HARDWARE_ADDRESS) {
    errors.push(tooLong(`${path}.hardwareAddress`, MAX_HARDWARE_ADDRESS));
  }
  validateSet(data.ips, MAX_IPS, `${path}.ips`, errors, String, (text, at) => {
    if (isInterfaceAddress(text)) return;
    errors.push(invalid(at, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'));
  });
}

/** An address and the length of its network, in canonical form. */
function isInterfaceAddress(text: string): boolean {
  const slash = text.indexOf('/');
  const family = slash < 0 ? 0 : isIP(text.slice(0, slash));
  const bits = text.slice(slash + 1);
  return family !== 0 && /^(0|[1-9][0-9]{0,2})$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}
