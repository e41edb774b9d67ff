/** Which groups come first in discovery, and which of their versions: what Kubernetes says of its own. */
import type { GroupVersion } from '../../machinery/kind.ts';

export interface Priority {
  readonly group: number;
  readonly version: number;
}

/** The group that has no API service of its own, and comes first. */
export const REGISTRATION_GROUP = 'apiregistration.k8s.io';
const FIRST: Priority = { group: 20_000, version: 15 };

/** Of groups that custom resources define. */
export const CUSTOM_PRIORITY: Priority = { group: 1_000, version: 100 };

/** Of groups that Kubernetes does not know as its own, such as metrics.k8s.io. */
const OTHER: Priority = { group: 100, version: 100 };

const GROUPS: Readonly<Record<string, number>> = {
  '': 18_000,
  apps: 17_800,
  'events.k8s.io': 17_750,
  'authentication.k8s.io': 17_700,
  'authorization.k8s.io': 17_600,
  autoscaling: 17_500,
  batch: 17_400,
  'certificates.k8s.io': 17_300,
  'networking.k8s.io': 17_200,
  policy: 17_100,
  'rbac.authorization.k8s.io': 17_000,
  'storage.k8s.io': 16_800,
  'apiextensions.k8s.io': 16_700,
  'admissionregistration.k8s.io': 16_700,
  'scheduling.k8s.io': 16_600,
  'coordination.k8s.io': 16_500,
  'node.k8s.io': 16_300,
  'discovery.k8s.io': 16_200,
  'resource.k8s.io': 16_200,
  'flowcontrol.apiserver.k8s.io': 16_100,
};

/** Where a version's priority is not that of its stability. */
const VERSIONS: Readonly<Record<string, number>> = {
  '/v1': 1,
  'autoscaling/v2': 30,
  'autoscaling/v1': 15,
  'flowcontrol.apiserver.k8s.io/v1': 21,
};

/** What a group and version that is served here has where nobody says otherwise. */
export function ownPriority({ group, version }: GroupVersion): Priority {
  if (group === REGISTRATION_GROUP) return FIRST;
  const known = GROUPS[group];
  if (known === undefined) return OTHER;
  return {
    group: known,
    version: VERSIONS[`${group}/${version}`] ?? (version.includes('alpha') ? 1 : version.includes('beta') ? 9 : 15),
  };
}
