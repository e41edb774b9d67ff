/**
 * What a pod can be told of itself.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/downward-api/
 */
import type { Pod } from '../../apis/core/pod.ts';
import { containersOf } from '../../apis/core/podContainers.ts';
import type { ResourceFieldSelector } from '../../apis/core/volumes.ts';
import { quantityOf } from '../../machinery/quantity.ts';

/** The value of a field by its path; undefined for one that cannot be asked for. */
export function downwardField(pod: Pod, path: string): string | undefined {
  const meta = pod.metadata ?? {};
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (keyed !== null) return meta[keyed[1] as 'labels' | 'annotations']?.[keyed[2] as string] ?? '';
  switch (path) {
    case 'metadata.name':
      return meta.name ?? '';
    case 'metadata.namespace':
      return meta.namespace ?? '';
    case 'metadata.uid':
      return meta.uid ?? '';
    case 'metadata.labels':
      return formatMap(meta.labels);
    case 'metadata.annotations':
      return formatMap(meta.annotations);
    case 'spec.nodeName':
      return pod.spec?.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec?.serviceAccountName ?? '';
    case 'status.hostIP':
      return pod.status?.hostIP ?? '';
    case 'status.hostIPs':
      return (pod.status?.hostIPs ?? []).map((h) => h.ip).join(',');
    case 'status.podIP':
      return pod.status?.podIP ?? '';
    case 'status.podIPs':
      return (pod.status?.podIPs ?? []).map((p) => p.ip).join(',');
    default:
      return undefined;
  }
}

function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${JSON.stringify(map?.[key])}`)
    .join('\n');
}

/** Of these a container may have as much as there is: without a limit of its own its pod's counts, or else the node's. */
const OVERCOMMITTED = ['cpu', 'memory', 'ephemeral-storage'];

/** A request or limit in units of the divisor, rounded up. */
export function downwardResource(
  pod: Pod,
  ref: ResourceFieldSelector,
  containerName: string,
  allocatable: Readonly<Record<string, string>>,
): string {
  const name = ref.containerName || containerName;
  const container = containersOf(pod.spec ?? { containers: [] }).find((c) => c.name === name);
  const dot = ref.resource.indexOf('.');
  const kind = ref.resource.slice(0, dot) as 'requests' | 'limits';
  const resource = ref.resource.slice(dot + 1);
  const known = [container?.resources?.[kind]?.[resource]];
  if (kind === 'limits' && OVERCOMMITTED.includes(resource))
    known.push(pod.spec?.resources?.limits?.[resource], allocatable[resource]);
  const nano = known.map((quantity) => quantityOf(quantity ?? '0').nano).find((amount) => amount > 0n) ?? 0n;
  const divisor = quantityOf(ref.divisor === undefined || ref.divisor === '0' ? '1' : ref.divisor).nano;
  return String((nano + divisor - 1n) / divisor);
}
