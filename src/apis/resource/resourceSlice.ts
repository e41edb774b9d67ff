import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import {
  bool,
  type Infer,
  int64,
  list,
  map,
  object,
  opt,
  quantity,
  req,
  str,
  time,
} from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { NodeSelector } from '../core/affinity.ts';
import { validateSlice } from './sliceValidation.ts';

export const ResourceSlice = object('io.k8s.api.resource.v1.ResourceSlice', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, ResourceSliceSpec),
}));
export interface ResourceSlice extends Infer<typeof ResourceSlice> {}

export const ResourceSliceSpec = object('io.k8s.api.resource.v1.ResourceSliceSpec', () => ({
  driver: req(1, str, { doc: 'The driver that publishes the devices.' }),
  pool: req(2, ResourcePool, { doc: 'The pool that the slice is a part of.' }),
  nodeName: opt(3, str, { pointer: true }),
  nodeSelector: opt(4, NodeSelector),
  allNodes: opt(5, bool),
  devices: opt(6, list(Device), { doc: 'The devices.' }),
  perDeviceNodeSelection: opt(7, bool),
  sharedCounters: opt(8, list(CounterSet)),
}));
export interface ResourceSliceSpec extends Infer<typeof ResourceSliceSpec> {}

export const CounterSet = object('io.k8s.api.resource.v1.CounterSet', () => ({
  name: req(1, str),
  counters: req(2, map(Counter)),
}));
export interface CounterSet extends Infer<typeof CounterSet> {}

export const ResourcePool = object('io.k8s.api.resource.v1.ResourcePool', () => ({
  name: req(1, str),
  generation: req(2, int64),
  resourceSliceCount: req(3, int64),
}));
export interface ResourcePool extends Infer<typeof ResourcePool> {}

export const Device = object('io.k8s.api.resource.v1.Device', () => ({
  name: req(1, str),
  attributes: opt(2, map(DeviceAttribute)),
  capacity: opt(3, map(DeviceCapacity)),
  consumesCounters: opt(4, list(DeviceCounterConsumption)),
  nodeName: opt(5, str, { pointer: true }),
  nodeSelector: opt(6, NodeSelector),
  allNodes: opt(7, bool),
  taints: opt(8, list(DeviceTaint)),
  bindsToNode: opt(9, bool),
  bindingConditions: opt(10, list(str)),
  bindingFailureConditions: opt(11, list(str)),
  allowMultipleAllocations: opt(12, bool),
  nodeAllocatableResourceMappings: opt(13, map(NodeAllocatableResourceMapping)),
}));
export interface Device extends Infer<typeof Device> {}

export const DeviceTaint = object('io.k8s.api.resource.v1.DeviceTaint', () => ({
  key: req(1, str),
  value: opt(2, str),
  effect: req(3, str),
  timeAdded: opt(4, time, { pointer: true }),
}));
export interface DeviceTaint extends Infer<typeof DeviceTaint> {}

export const NodeAllocatableResourceMapping = object('io.k8s.api.resource.v1.NodeAllocatableResourceMapping', () => ({
  capacityKey: opt(1, str, { pointer: true }),
  allocationMultiplier: opt(2, quantity),
}));
export interface NodeAllocatableResourceMapping extends Infer<typeof NodeAllocatableResourceMapping> {}

export const DeviceCounterConsumption = object('io.k8s.api.resource.v1.DeviceCounterConsumption', () => ({
  counterSet: req(1, str),
  counters: req(2, map(Counter)),
}));
export interface DeviceCounterConsumption extends Infer<typeof DeviceCounterConsumption> {}

export const Counter = object('io.k8s.api.resource.v1.Counter', () => ({
  value: req(1, quantity),
}));
export interface Counter extends Infer<typeof Counter> {}

export const DeviceCapacity = object('io.k8s.api.resource.v1.DeviceCapacity', () => ({
  value: req(1, quantity),
  requestPolicy: opt(2, CapacityRequestPolicy),
}));
export interface DeviceCapacity extends Infer<typeof DeviceCapacity> {}

export const CapacityRequestPolicy = object('io.k8s.api.resource.v1.CapacityRequestPolicy', () => ({
  default: opt(1, quantity),
  validValues: opt(3, list(quantity)),
  validRange: opt(4, CapacityRequestPolicyRange),
}));
export interface CapacityRequestPolicy extends Infer<typeof CapacityRequestPolicy> {}

export const CapacityRequestPolicyRange = object('io.k8s.api.resource.v1.CapacityRequestPolicyRange', () => ({
  min: req(1, quantity, { pointer: true }),
  max: opt(2, quantity),
  step: opt(3, quantity),
}));
export interface CapacityRequestPolicyRange extends Infer<typeof CapacityRequestPolicyRange> {}

export const DeviceAttribute = object('io.k8s.api.resource.v1.DeviceAttribute', () => ({
  int: opt(2, int64),
  bool: opt(3, bool),
  string: opt(4, str, { pointer: true }),
  version: opt(5, str, { pointer: true }),
  ints: opt(6, list(int64)),
  bools: opt(7, list(bool)),
  strings: opt(8, list(str)),
  versions: opt(9, list(str)),
}));
export interface DeviceAttribute extends Infer<typeof DeviceAttribute> {}

/** Slices: the devices that a driver has, in pools. */
export const resourceSlices = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  schema: ResourceSlice,
  namespaced: false,
  hasGeneration: true,
  validate: (slice) => validateSlice(slice.spec ?? {}, undefined),
  update: { validate: (slice, old) => validateSlice(slice.spec ?? {}, old.spec ?? {}) },
  columns: [
    NAME_COLUMN,
    {
      name: 'Node',
      type: 'string',
      description: 'The node that its devices belong to, if they belong to one.',
      value: ({ spec }) => spec?.nodeName ?? '',
    },
    {
      name: 'Driver',
      type: 'string',
      description: 'The driver that publishes it.',
      value: ({ spec }) => spec?.driver ?? '',
    },
    {
      name: 'Pool',
      type: 'string',
      description: 'The pool that it is a part of.',
      value: ({ spec }) => spec?.pool?.name ?? '',
    },
    AGE_COLUMN,
  ],
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.driver': ({ spec }) => spec?.driver ?? '',
  },
});
