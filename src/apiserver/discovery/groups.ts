/** Which groups there are and in which order, those of other API servers among them. */
import type { GroupVersion } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';
import type { Aggregation } from '../aggregation/aggregation.ts';
import type { RemoteResources } from '../aggregation/remoteDiscovery.ts';

export interface DiscoveredVersion extends GroupVersion {
  /** what another API server has, where it serves the version */
  readonly remote?: RemoteResources;
}

export interface DiscoveredGroup {
  readonly name: string;
  /** the preferred one first */
  readonly versions: readonly DiscoveredVersion[];
}

/** All groups but the core one: by the priority of the group, then by name. */
export function groupsOf(kinds: KindRegistry, aggregation: Aggregation): DiscoveredGroup[] {
  const found = new Map<string, DiscoveredVersion>();
  for (const gv of kinds.groupVersions()) if (gv.group !== '') found.set(`${gv.group}/${gv.version}`, gv);
  for (const api of aggregation.remotes) {
    found.set(api.apiVersion, { ...api.groupVersion, remote: aggregation.resourcesOf(api) });
  }
  const groups = new Map<string, { priority: number; versions: { gv: DiscoveredVersion; priority: number }[] }>();
  for (const gv of found.values()) {
    const { group, version } = aggregation.priorityOf(gv);
    const of = groups.get(gv.group) ?? { priority: 0, versions: [] };
    groups.set(gv.group, of);
    of.priority = Math.max(of.priority, group);
    of.versions.push({ gv, priority: version });
  }
  return [...groups]
    .sort(([a, x], [b, y]) => y.priority - x.priority || (a < b ? -1 : 1))
    .map(([name, { versions }]) => ({
      name,
      versions: versions.sort((a, b) => b.priority - a.priority || byStability(a.gv, b.gv)).map(({ gv }) => gv),
    }));
}

/** v2 before v1 before v1beta2 before v1beta1 before v1alpha1. */
function byStability(a: GroupVersion, b: GroupVersion): number {
  const [x, y] = [rank(a.version), rank(b.version)];
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return (y[i] ?? 0) - (x[i] ?? 0);
  return a.version < b.version ? -1 : 1;
}

function rank(version: string): number[] {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version);
  if (match === null) return [-1, 0, 0];
  return [match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0, Number(match[1]), Number(match[3] ?? 0)];
}
