/**
 * What objects count for in resource quotas. Pure.
 * Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/
 */
import type { Kind, KubeObject } from '../../machinery/kind.ts';
import { addQuantities } from '../../machinery/quantity.ts';
import type { PersistentVolumeClaim } from './persistentVolumeClaim.ts';
import type { Pod } from './pod.ts';
import { containerResources, heldSpec, type ResourceList } from './podResources.ts';
import { qosClassOf } from './qos.ts';
import type { ResourceQuota } from './resourceQuota.ts';
import type { Service } from './service.ts';

/** What a quota may say of what pods compute with. */
export const COMPUTE_RESOURCES: ReadonlySet<string> = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
]);

/** Kinds of the core group that may be counted by their bare names. */
const COUNTED: ReadonlySet<string> = new Set([
  'configmaps',
  'persistentvolumeclaims',
  'pods',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'services',
]);

/** The name under which objects of any kind are counted: `count/deployments.apps`. */
export function countName({ group, plural }: Pick<Kind, 'group' | 'plural'>): string {
  return group === '' ? `count/${plural}` : `count/${plural}.${group}`;
}

/** How much of what an object takes. */
export function usageOf(kind: Pick<Kind, 'group' | 'plural'>, object: KubeObject): ResourceList {
  const usage: ResourceList = { [countName(kind)]: '1' };
  if (kind.group !== '' || !COUNTED.has(kind.plural)) return usage;
  if (kind.plural === 'pods') return { ...usage, ...podUsage(object as Pod) };
  usage[kind.plural] = '1';
  if (kind.plural === 'services') Object.assign(usage, serviceUsage(object as Service));
  if (kind.plural === 'persistentvolumeclaims') Object.assign(usage, claimUsage(object as PersistentVolumeClaim));
  return usage;
}

/** A pod that is over takes nothing any more. */
function podUsage(pod: Pod): ResourceList {
  const phase = pod.status?.phase;
  if (phase === 'Succeeded' || phase === 'Failed') return {};
  const spec = pod.spec ?? { containers: [] };
  const usage: ResourceList = { pods: '1' };
  const requests = { ...containerResources(heldSpec(pod), 'requests'), ...spec.resources?.requests };
  const limits = { ...containerResources(spec, 'limits'), ...spec.resources?.limits };
  for (const [name, amount] of Object.entries(requests)) {
    usage[`requests.${name}`] = amount;
    if (COMPUTE_RESOURCES.has(name) || name.startsWith('hugepages-')) usage[name] = amount;
  }
  for (const [name, amount] of Object.entries(limits)) usage[`limits.${name}`] = amount;
  return usage;
}

function serviceUsage({ spec }: Service): ResourceList {
  const ports = spec?.ports ?? [];
  const opened = spec?.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts === false;
  const nodePorts = opened ? ports.filter((p) => p.nodePort).length : ports.length;
  switch (spec?.type) {
    case 'NodePort':
      return { 'services.nodeports': String(nodePorts), 'services.loadbalancers': '0' };
    case 'LoadBalancer':
      return { 'services.nodeports': String(nodePorts), 'services.loadbalancers': '1' };
    default:
      return { 'services.nodeports': '0', 'services.loadbalancers': '0' };
  }
}

function claimUsage({ spec, metadata }: PersistentVolumeClaim): ResourceList {
  const storage = spec?.resources?.requests?.storage ?? '0';
  const name = spec?.storageClassName ?? metadata?.annotations?.['volume.beta.kubernetes.io/storage-class'];
  const usage: ResourceList = { 'requests.storage': storage };
  if (name) {
    usage[`${name}.storageclass.storage.k8s.io/requests.storage`] = storage;
    usage[`${name}.storageclass.storage.k8s.io/persistentvolumeclaims`] = '1';
  }
  return usage;
}

/** Whether a quota counts an object: each of its scopes must fit. */
export function isInScope({ spec }: ResourceQuota, kind: Pick<Kind, 'group' | 'plural'>, object: KubeObject): boolean {
  const scopes = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists', values: [] as string[] }));
  const all = [...scopes, ...(spec?.scopeSelector?.matchExpressions ?? [])];
  if (all.length === 0) return true;
  if (kind.group !== '' || kind.plural !== 'pods') return false;
  const pod = object as Pod;
  return all.every(({ scopeName, operator, values = [] }) => fits(pod, scopeName, operator, values));
}

function fits({ spec }: Pod, scope: string, operator: string, values: readonly string[]): boolean {
  const found = (holds: boolean) => (operator === 'DoesNotExist' ? !holds : holds);
  switch (scope) {
    case 'Terminating':
      return found(spec?.activeDeadlineSeconds !== undefined);
    case 'NotTerminating':
      return found(spec?.activeDeadlineSeconds === undefined);
    case 'BestEffort':
      return found(qosClassOf(spec ?? { containers: [] }) === 'BestEffort');
    case 'NotBestEffort':
      return found(qosClassOf(spec ?? { containers: [] }) !== 'BestEffort');
    case 'PriorityClass': {
      const name = spec?.priorityClassName ?? '';
      if (operator === 'In') return values.includes(name);
      if (operator === 'NotIn') return !values.includes(name);
      return found(name !== '');
    }
    case 'CrossNamespacePodAffinity': {
      const terms = [spec?.affinity?.podAffinity, spec?.affinity?.podAntiAffinity].flatMap((pods) => [
        ...(pods?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
        ...(pods?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((p) => p.podAffinityTerm),
      ]);
      return found(terms.some((t) => (t?.namespaces ?? []).length > 0 || t?.namespaceSelector !== undefined));
    }
    default:
      return false;
  }
}

/** The sum of what objects take, of what is named; nothing of a name is `0`. */
export function sumOf(names: readonly string[], usages: readonly Readonly<ResourceList>[]): ResourceList {
  return Object.fromEntries(
    names.map((name) => [
      name,
      usages.reduce((sum, usage) => (usage[name] === undefined ? sum : addQuantities(sum, usage[name])), '0'),
    ]),
  );
}
