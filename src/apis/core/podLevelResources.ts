/**
 * Resources of a pod as a whole.
 * Source: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/#pod-level-resource-specification
 */
import { containerResources } from './podResources.ts';
import type { PodSpec } from './podSpec.ts';

/** What may be asked for by a pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || name.startsWith('hugepages-');
}

/** Requests that are left out follow from the containers' or else from the pod's own limits. */
export function setPodLevelDefaults(spec: PodSpec): void {
  const resources = spec.resources;
  const limits = resources?.limits;
  if (resources === undefined || limits === undefined || Object.keys(limits).length === 0) return;
  const requests = { ...resources.requests };
  const asked = containerResources(spec, 'requests');
  for (const name in asked) {
    if (isPodLevelResource(name) && !name.startsWith('hugepages-')) requests[name] ??= asked[name] as string;
  }
  for (const name in limits) if (isPodLevelResource(name)) requests[name] ??= limits[name] as string;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}
