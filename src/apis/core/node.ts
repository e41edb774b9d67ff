import { duplicate, type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { labelValue, qualifiedName } from '../../machinery/names.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import {
  bool,
  type Infer,
  int32,
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
import { isCidr } from '../addresses.ts';
import { TAINT_EFFECTS } from './validation/tolerations.ts';

export const Node = object('io.k8s.api.core.v1.Node', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, NodeSpec),
  status: opt(3, NodeStatus),
}));
export interface Node extends Infer<typeof Node> {}

export const NodeStatus = object('io.k8s.api.core.v1.NodeStatus', () => ({
  capacity: opt(1, map(quantity)),
  allocatable: opt(2, map(quantity)),
  phase: opt(3, str),
  conditions: opt(4, list(NodeCondition, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  addresses: opt(5, list(NodeAddress, { type: 'map', keys: ['type'], patch: 'merge', mergeKey: 'type' })),
  daemonEndpoints: opt(6, NodeDaemonEndpoints, { pointer: false }),
  nodeInfo: opt(7, NodeSystemInfo, { pointer: false }),
  images: opt(8, list(ContainerImage)),
  volumesInUse: opt(9, list(str)),
  volumesAttached: opt(10, list(AttachedVolume)),
  config: opt(11, NodeConfigStatus),
  runtimeHandlers: opt(12, list(NodeRuntimeHandler)),
  features: opt(13, NodeFeatures),
  declaredFeatures: opt(14, list(str)),
}));
export interface NodeStatus extends Infer<typeof NodeStatus> {}

export const AttachedVolume = object('io.k8s.api.core.v1.AttachedVolume', () => ({
  name: req(1, str),
  devicePath: req(2, str),
}));
export interface AttachedVolume extends Infer<typeof AttachedVolume> {}

export const NodeRuntimeHandler = object('io.k8s.api.core.v1.NodeRuntimeHandler', () => ({
  name: opt(1, str),
  features: opt(2, NodeRuntimeHandlerFeatures),
}));
export interface NodeRuntimeHandler extends Infer<typeof NodeRuntimeHandler> {}

export const NodeRuntimeHandlerFeatures = object('io.k8s.api.core.v1.NodeRuntimeHandlerFeatures', () => ({
  recursiveReadOnlyMounts: opt(1, bool),
  userNamespaces: opt(2, bool),
}));
export interface NodeRuntimeHandlerFeatures extends Infer<typeof NodeRuntimeHandlerFeatures> {}

export const NodeSystemInfo = object('io.k8s.api.core.v1.NodeSystemInfo', () => ({
  machineID: req(1, str),
  systemUUID: req(2, str),
  bootID: req(3, str),
  kernelVersion: req(4, str),
  osImage: req(5, str),
  containerRuntimeVersion: req(6, str),
  kubeletVersion: req(7, str),
  kubeProxyVersion: req(8, str),
  operatingSystem: req(9, str),
  architecture: req(10, str),
  swap: opt(11, NodeSwapStatus),
}));
export interface NodeSystemInfo extends Infer<typeof NodeSystemInfo> {}

export const NodeSwapStatus = object('io.k8s.api.core.v1.NodeSwapStatus', () => ({
  capacity: opt(1, int64),
}));
export interface NodeSwapStatus extends Infer<typeof NodeSwapStatus> {}

export const ContainerImage = object('io.k8s.api.core.v1.ContainerImage', () => ({
  names: opt(1, list(str)),
  sizeBytes: opt(2, int64, { pointer: false }),
}));
export interface ContainerImage extends Infer<typeof ContainerImage> {}

export const NodeFeatures = object('io.k8s.api.core.v1.NodeFeatures', () => ({
  supplementalGroupsPolicy: opt(1, bool),
}));
export interface NodeFeatures extends Infer<typeof NodeFeatures> {}

export const NodeDaemonEndpoints = object('io.k8s.api.core.v1.NodeDaemonEndpoints', () => ({
  kubeletEndpoint: opt(1, DaemonEndpoint, { pointer: false }),
}));
export interface NodeDaemonEndpoints extends Infer<typeof NodeDaemonEndpoints> {}

export const DaemonEndpoint = object('io.k8s.api.core.v1.DaemonEndpoint', () => ({
  Port: req(1, int32),
}));
export interface DaemonEndpoint extends Infer<typeof DaemonEndpoint> {}

export const NodeConfigStatus = object('io.k8s.api.core.v1.NodeConfigStatus', () => ({
  assigned: opt(1, NodeConfigSource),
  active: opt(2, NodeConfigSource),
  lastKnownGood: opt(3, NodeConfigSource),
  error: opt(4, str),
}));
export interface NodeConfigStatus extends Infer<typeof NodeConfigStatus> {}

export const NodeCondition = object('io.k8s.api.core.v1.NodeCondition', () => ({
  type: req(1, str),
  status: req(2, str),
  lastHeartbeatTime: opt(3, time),
  lastTransitionTime: opt(4, time),
  reason: opt(5, str),
  message: opt(6, str),
}));
export interface NodeCondition extends Infer<typeof NodeCondition> {}

export const NodeAddress = object('io.k8s.api.core.v1.NodeAddress', () => ({
  type: req(1, str),
  address: req(2, str),
}));
export interface NodeAddress extends Infer<typeof NodeAddress> {}

export const NodeSpec = object('io.k8s.api.core.v1.NodeSpec', () => ({
  podCIDR: opt(1, str),
  externalID: opt(2, str),
  providerID: opt(3, str),
  unschedulable: opt(4, bool, { pointer: false }),
  taints: opt(5, list(Taint)),
  configSource: opt(6, NodeConfigSource),
  podCIDRs: opt(7, list(str, { type: 'set', patch: 'merge' })),
}));
export interface NodeSpec extends Infer<typeof NodeSpec> {}

export const Taint = object('io.k8s.api.core.v1.Taint', () => ({
  key: req(1, str),
  value: opt(2, str),
  effect: req(3, str),
  timeAdded: opt(4, time, { pointer: true }),
}));
export interface Taint extends Infer<typeof Taint> {}

export const NodeConfigSource = object('io.k8s.api.core.v1.NodeConfigSource', () => ({
  configMap: opt(2, ConfigMapNodeConfigSource),
}));
export interface NodeConfigSource extends Infer<typeof NodeConfigSource> {}

export const ConfigMapNodeConfigSource = object('io.k8s.api.core.v1.ConfigMapNodeConfigSource', () => ({
  namespace: req(1, str),
  name: req(2, str),
  uid: opt(3, str),
  resourceVersion: opt(4, str),
  kubeletConfigKey: req(5, str),
}));
export interface ConfigMapNodeConfigSource extends Infer<typeof ConfigMapNodeConfigSource> {}

const ROLE_PREFIX = 'node-role.kubernetes.io/';

/** Nodes: the machines that run pods. */
export const nodes = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  schema: Node,
  subresources: { proxy: { kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] } },
  setDefaults(node) {
    const { spec, status } = node;
    if (status?.capacity !== undefined) status.allocatable ??= { ...status.capacity };
    if (spec === undefined) return;
    if (spec.unschedulable === false) delete spec.unschedulable;
    // `podCIDR` is the older name of the first of `podCIDRs`; a client may know only the one.
    const first = spec.podCIDRs?.[0];
    if (spec.podCIDR && spec.podCIDR !== first) spec.podCIDRs = [spec.podCIDR];
    else if (!spec.podCIDR && first) spec.podCIDR = first;
  },
  validate: validateNode,
  update: {
    prepare(node, old) {
      if (old.status === undefined) delete node.status;
      else node.status = old.status;
    },
    validate(node, old) {
      const errors = validateNode(node);
      for (const field of ['podCIDR', 'providerID'] as const) {
        const was = old.spec?.[field];
        if (was && node.spec?.[field] !== was) errors.push(forbidden(`spec.${field}`, SET_ONCE));
      }
      return errors;
    },
  },
  status: {
    prepare(node, old) {
      node.spec = old.spec ?? {};
    },
    validate: validateNodeStatus,
  },
  columns: [
    NAME_COLUMN,
    { name: 'Status', type: 'string', description: 'Whether the node can run pods.', value: statusText },
    { name: 'Roles', type: 'string', description: 'The roles that its labels give it.', value: rolesText },
    AGE_COLUMN,
    {
      name: 'Version',
      type: 'string',
      description: "The kubelet's version.",
      value: (node) => node.status?.nodeInfo?.kubeletVersion ?? '',
    },
    {
      name: 'Internal-IP',
      type: 'string',
      description: 'Its address within the cluster.',
      priority: 1,
      value: (node) => addressOf(node, 'InternalIP'),
    },
    {
      name: 'External-IP',
      type: 'string',
      description: 'Its address from outside.',
      priority: 1,
      value: (node) => addressOf(node, 'ExternalIP'),
    },
    {
      name: 'OS-Image',
      type: 'string',
      description: 'Its operating system.',
      priority: 1,
      value: (node) => node.status?.nodeInfo?.osImage || '<unknown>',
    },
    {
      name: 'Kernel-Version',
      type: 'string',
      description: 'Its kernel.',
      priority: 1,
      value: (node) => node.status?.nodeInfo?.kernelVersion || '<unknown>',
    },
    {
      name: 'Container-Runtime',
      type: 'string',
      description: 'What runs its containers.',
      priority: 1,
      value: (node) => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>',
    },
  ],
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
});

const SET_ONCE = 'node updates may not change this once it is set';

function validateNode(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  validateTaints(node.spec?.taints ?? [], errors);
  for (const [i, range] of (node.spec?.podCIDRs ?? []).entries()) {
    if (!isCidr(range)) {
      errors.push(invalid(`spec.podCIDRs[${i}]`, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24)'));
    }
  }
  return errors;
}

function validateTaints(taints: readonly Taint[], errors: FieldError[]): void {
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const at = `spec.taints[${i}]`;
    for (const fault of qualifiedName(taint.key ?? '')) errors.push(invalid(`${at}.key`, taint.key, fault));
    for (const fault of labelValue(taint.value ?? '')) errors.push(invalid(`${at}.value`, taint.value, fault));
    if (!taint.effect) errors.push(required(`${at}.effect`));
    else if (!TAINT_EFFECTS.includes(taint.effect)) {
      errors.push(notSupported(`${at}.effect`, taint.effect, TAINT_EFFECTS));
    }
    const id = `${taint.key}:${taint.effect}`;
    if (seen.has(id)) errors.push(duplicate(at, taint));
    seen.add(id);
  }
}

/** Amounts that are not below nothing, addresses that are there once. */
function validateNodeStatus(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  for (const field of ['capacity', 'allocatable'] as const) {
    const amounts = node.status?.[field];
    for (const name in amounts) {
      if ((parseQuantity(amounts[name] as string)?.nano ?? -1n) < 0n) {
        errors.push(invalid(`status.${field}[${name}]`, amounts[name], 'must be greater than or equal to 0'));
      }
    }
  }
  const seen = new Set<string>();
  for (const [i, { type, address }] of (node.status?.addresses ?? []).entries()) {
    const id = `${type}/${address}`;
    if (seen.has(id)) errors.push(duplicate(`status.addresses[${i}]`, id));
    seen.add(id);
  }
  return errors;
}

function statusText(node: Node): string {
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready');
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady';
  return node.spec?.unschedulable === true ? `${text},SchedulingDisabled` : text;
}

function rolesText(node: Node): string {
  const labels = node.metadata?.labels ?? {};
  const roles = Object.keys(labels)
    .filter((key) => key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
    .map((key) => key.slice(ROLE_PREFIX.length));
  return roles.length === 0 ? '<none>' : roles.sort().join(',');
}

const addressOf = (node: Node, type: string) =>
  node.status?.addresses?.find((a) => a.type === type)?.address ?? '<none>';
