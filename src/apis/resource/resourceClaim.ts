import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { Condition, ObjectMeta } from '../../machinery/meta.ts';
import {
  bool,
  type Infer,
  int64,
  list,
  map,
  object,
  opt,
  quantity,
  rawObject,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { NodeSelector } from '../core/affinity.ts';
import { keepSpec } from '../statusRules.ts';
import { validateClaimStatus } from './claimStatusValidation.ts';
import { setClaimDefaults, validateDeviceClaim } from './claimValidation.ts';

export const ResourceClaim = object('io.k8s.api.resource.v1.ResourceClaim', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, ResourceClaimSpec),
  status: opt(3, ResourceClaimStatus),
}));
export interface ResourceClaim extends Infer<typeof ResourceClaim> {}

export const ResourceClaimStatus = object('io.k8s.api.resource.v1.ResourceClaimStatus', () => ({
  allocation: opt(1, AllocationResult, { doc: 'The devices that were found; absent until then.' }),
  reservedFor: opt(
    2,
    list(ResourceClaimConsumerReference, { type: 'map', keys: ['uid'], patch: 'merge', mergeKey: 'uid' }),
  ),
  devices: opt(4, list(AllocatedDeviceStatus, { type: 'map', keys: ['driver', 'device', 'pool', 'shareID'] })),
}));
export interface ResourceClaimStatus extends Infer<typeof ResourceClaimStatus> {}

export const ResourceClaimConsumerReference = object('io.k8s.api.resource.v1.ResourceClaimConsumerReference', () => ({
  apiGroup: opt(1, str),
  resource: req(3, str),
  name: req(4, str),
  uid: req(5, str),
}));
export interface ResourceClaimConsumerReference extends Infer<typeof ResourceClaimConsumerReference> {}

export const AllocatedDeviceStatus = object('io.k8s.api.resource.v1.AllocatedDeviceStatus', () => ({
  driver: req(1, str),
  pool: req(2, str),
  device: req(3, str),
  conditions: opt(4, list(Condition, { type: 'map', keys: ['type'] })),
  data: opt(5, rawObject),
  networkData: opt(6, NetworkDeviceData),
  shareID: opt(7, str, { pointer: true }),
}));
export interface AllocatedDeviceStatus extends Infer<typeof AllocatedDeviceStatus> {}

export const NetworkDeviceData = object('io.k8s.api.resource.v1.NetworkDeviceData', () => ({
  interfaceName: opt(1, str),
  ips: opt(2, list(str)),
  hardwareAddress: opt(3, str),
}));
export interface NetworkDeviceData extends Infer<typeof NetworkDeviceData> {}

export const AllocationResult = object('io.k8s.api.resource.v1.AllocationResult', () => ({
  devices: opt(1, DeviceAllocationResult, { pointer: false }),
  nodeSelector: opt(3, NodeSelector),
  allocationTimestamp: opt(5, time, { pointer: true }),
}));
export interface AllocationResult extends Infer<typeof AllocationResult> {}

export const DeviceAllocationResult = object('io.k8s.api.resource.v1.DeviceAllocationResult', () => ({
  results: opt(1, list(DeviceRequestAllocationResult)),
  config: opt(2, list(DeviceAllocationConfiguration)),
}));
export interface DeviceAllocationResult extends Infer<typeof DeviceAllocationResult> {}

export const DeviceRequestAllocationResult = object('io.k8s.api.resource.v1.DeviceRequestAllocationResult', () => ({
  request: req(1, str),
  driver: req(2, str),
  pool: req(3, str),
  device: req(4, str),
  adminAccess: opt(5, bool, { doc: 'For looking after devices that others use.' }),
  tolerations: opt(6, list(DeviceToleration)),
  bindingConditions: opt(7, list(str)),
  bindingFailureConditions: opt(8, list(str)),
  shareID: opt(9, str, { pointer: true }),
  consumedCapacity: opt(10, map(quantity)),
}));
export interface DeviceRequestAllocationResult extends Infer<typeof DeviceRequestAllocationResult> {}

export const DeviceAllocationConfiguration = object('io.k8s.api.resource.v1.DeviceAllocationConfiguration', () => ({
  source: req(1, str),
  requests: opt(2, list(str)),
  opaque: opt(undefined, OpaqueDeviceConfiguration),
}));
export interface DeviceAllocationConfiguration extends Infer<typeof DeviceAllocationConfiguration> {}

export const ResourceClaimSpec = object('io.k8s.api.resource.v1.ResourceClaimSpec', () => ({
  devices: opt(1, DeviceClaim, { pointer: false }),
}));
export interface ResourceClaimSpec extends Infer<typeof ResourceClaimSpec> {}

export const DeviceClaim = object('io.k8s.api.resource.v1.DeviceClaim', () => ({
  requests: opt(1, list(DeviceRequest), { doc: 'The devices that are asked for.' }),
  constraints: opt(2, list(DeviceConstraint), { doc: 'What devices of several requests must have in common, or not.' }),
  config: opt(3, list(DeviceClaimConfiguration)),
}));
export interface DeviceClaim extends Infer<typeof DeviceClaim> {}

export const DeviceRequest = object('io.k8s.api.resource.v1.DeviceRequest', () => ({
  name: req(1, str),
  exactly: opt(2, ExactDeviceRequest, { doc: 'Devices of one class; not together with firstAvailable.' }),
  firstAvailable: opt(3, list(DeviceSubRequest), { doc: 'Alternatives, the best first.' }),
}));
export interface DeviceRequest extends Infer<typeof DeviceRequest> {}

export const DeviceSubRequest = object('io.k8s.api.resource.v1.DeviceSubRequest', () => ({
  name: req(1, str),
  deviceClassName: req(2, str),
  selectors: opt(3, list(DeviceSelector)),
  allocationMode: opt(4, str),
  count: opt(5, int64, { pointer: false }),
  tolerations: opt(6, list(DeviceToleration)),
  capacity: opt(7, CapacityRequirements),
}));
export interface DeviceSubRequest extends Infer<typeof DeviceSubRequest> {}

export const ExactDeviceRequest = object('io.k8s.api.resource.v1.ExactDeviceRequest', () => ({
  deviceClassName: req(1, str),
  selectors: opt(2, list(DeviceSelector)),
  allocationMode: opt(3, str),
  count: opt(4, int64, { pointer: false }),
  adminAccess: opt(5, bool),
  tolerations: opt(6, list(DeviceToleration)),
  capacity: opt(7, CapacityRequirements),
}));
export interface ExactDeviceRequest extends Infer<typeof ExactDeviceRequest> {}

export const DeviceToleration = object('io.k8s.api.resource.v1.DeviceToleration', () => ({
  key: opt(1, str),
  operator: opt(2, str),
  value: opt(3, str),
  effect: opt(4, str),
  tolerationSeconds: opt(5, int64),
}));
export interface DeviceToleration extends Infer<typeof DeviceToleration> {}

export const DeviceSelector = object('io.k8s.api.resource.v1.DeviceSelector', () => ({
  cel: opt(1, CELDeviceSelector),
}));
export interface DeviceSelector extends Infer<typeof DeviceSelector> {}

export const CELDeviceSelector = object('io.k8s.api.resource.v1.CELDeviceSelector', () => ({
  expression: req(1, str),
}));
export interface CELDeviceSelector extends Infer<typeof CELDeviceSelector> {}

export const CapacityRequirements = object('io.k8s.api.resource.v1.CapacityRequirements', () => ({
  requests: opt(1, map(quantity)),
}));
export interface CapacityRequirements extends Infer<typeof CapacityRequirements> {}

export const DeviceConstraint = object('io.k8s.api.resource.v1.DeviceConstraint', () => ({
  requests: opt(1, list(str)),
  matchAttribute: opt(2, str, { pointer: true, doc: 'All devices must have the same value of this attribute.' }),
  distinctAttribute: opt(3, str, { pointer: true, doc: 'All devices must have different values of this attribute.' }),
}));
export interface DeviceConstraint extends Infer<typeof DeviceConstraint> {}

export const DeviceClaimConfiguration = object('io.k8s.api.resource.v1.DeviceClaimConfiguration', () => ({
  requests: opt(1, list(str)),
  opaque: opt(undefined, OpaqueDeviceConfiguration),
}));
export interface DeviceClaimConfiguration extends Infer<typeof DeviceClaimConfiguration> {}

export const OpaqueDeviceConfiguration = object('io.k8s.api.resource.v1.OpaqueDeviceConfiguration', () => ({
  driver: req(1, str),
  parameters: req(2, rawObject),
}));
export interface OpaqueDeviceConfiguration extends Infer<typeof OpaqueDeviceConfiguration> {}

/** Claims: devices that a pod asks for, and those that it got. */
export const resourceClaims = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  schema: ResourceClaim,
  setDefaults(claim) {
    setClaimDefaults(claim.spec?.devices);
  },
  prepareForCreate(claim) {
    delete claim.status;
  },
  validate(claim) {
    const errors: FieldError[] = [];
    if (claim.spec?.devices !== undefined) validateDeviceClaim(claim.spec.devices, 'spec.devices', errors);
    return errors;
  },
  update: {
    prepare(claim, old) {
      if (old.status === undefined) delete claim.status;
      else claim.status = old.status;
    },
    validate(claim, old) {
      if (semanticEqual(ResourceClaimSpec, claim.spec, old.spec)) return [];
      return [invalid('spec', claim.spec, 'field is immutable')];
    },
  },
  status: {
    prepare: keepSpec,
    validate: (claim, old) =>
      validateClaimStatus(
        claim,
        old,
        semanticEqual(AllocationResult, claim.status?.allocation, old.status?.allocation),
      ),
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'State',
      type: 'string',
      description: 'Whether devices are allocated and reserved for somebody.',
      value: stateOf,
    },
    AGE_COLUMN,
  ],
});

function stateOf({ metadata, status }: ResourceClaim): string {
  const deleted = metadata?.deletionTimestamp !== undefined;
  const words = deleted ? ['deleted'] : [];
  if (status?.allocation === undefined) {
    if (!deleted) words.push('pending');
  } else {
    words.push('allocated');
    if ((status.reservedFor ?? []).length > 0) words.push('reserved');
  }
  return words.join(',');
}
