/** The pods of a stateful set: their names, and what of them follows from those. */

import type { ControllerRevision } from '../../apis/apps/controllerRevision.ts';
import { type StatefulSet, statefulSets } from '../../apis/apps/statefulSet.ts';
import type { PersistentVolumeClaim } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import type { Stored } from '../../machinery/kind.ts';
import { controllerReference } from '../../machinery/ownerReferences.ts';
import { nameOf, REVISION_LABEL, templateOf } from '../revisions.ts';

export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
const POD_INDEX_LABEL = 'apps.kubernetes.io/pod-index';

/** The ordinal of a pod that has a name of this set's; undefined for another. */
export function ordinalOf(set: { readonly metadata: { readonly name: string } }, podName: string): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const rest = podName.startsWith(prefix) ? podName.slice(prefix.length) : '';
  return /^(0|[1-9]\d{0,9})$/.test(rest) ? Number(rest) : undefined;
}

export const podNameOf = (set: Stored<StatefulSet>, ordinal: number) => `${set.metadata.name}-${ordinal}`;

export const firstOrdinal = (set: StatefulSet) => set.spec?.ordinals?.start ?? 0;

/** The pod of an ordinal, of a revision's template. */
export function podOf(set: Stored<StatefulSet>, revision: ControllerRevision, ordinal: number): Pod {
  const template = templateOf(revision);
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const pod: Pod = {
    metadata: {
      namespace: set.metadata.namespace ?? '',
      ...(labels === undefined ? {} : { labels: { ...labels } }),
      ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
      ...(finalizers === undefined ? {} : { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(set, statefulSets)],
    },
    spec: { ...(template.spec ?? { containers: [] }) },
  };
  const named = withIdentity(set, pod, ordinal);
  const { hostname: _hostname, subdomain: _subdomain, ...spec } = named.spec ?? { containers: [] };
  return {
    ...named,
    metadata: { ...named.metadata, labels: { ...named.metadata?.labels, [REVISION_LABEL]: nameOf(revision) } },
    spec: { ...spec, hostname: podNameOf(set, ordinal), ...subdomainOf(set) },
  };
}

const subdomainOf = ({ spec }: StatefulSet) => (spec?.serviceName ? { subdomain: spec.serviceName } : {});

/** The pod with its name, its labels and its claims, whatever it had of them. */
export function withIdentity(set: Stored<StatefulSet>, pod: Pod, ordinal: number): Pod {
  const name = podNameOf(set, ordinal);
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      name,
      labels: { ...pod.metadata?.labels, [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal) },
    },
    spec: { ...(pod.spec ?? { containers: [] }), ...volumesOf(set, pod, ordinal) },
  };
}

/** The volumes of the template, those of the claims in place of any of the same name. */
function volumesOf(set: Stored<StatefulSet>, pod: Pod, ordinal: number): { volumes?: Volume[] } {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const claimed = new Set(templates.map((t) => t.metadata?.name ?? ''));
  const others = (pod.spec?.volumes ?? []).filter((v) => !claimed.has(v.name));
  const mine = templates.map((template) => ({
    name: template.metadata?.name ?? '',
    persistentVolumeClaim: { claimName: claimNameOf(template, podNameOf(set, ordinal)) },
  }));
  return others.length + mine.length === 0 ? {} : { volumes: [...mine, ...others] };
}

/** Whether a pod still has the name, labels and claims that its ordinal gives it. */
export function hasIdentity(set: Stored<StatefulSet>, pod: Stored<Pod>, ordinal: number): boolean {
  const labels = pod.metadata.labels ?? {};
  if (labels[POD_NAME_LABEL] !== pod.metadata.name || labels[POD_INDEX_LABEL] !== String(ordinal)) return false;
  const volumes = new Map((pod.spec?.volumes ?? []).map((v) => [v.name, v.persistentVolumeClaim?.claimName]));
  return (set.spec?.volumeClaimTemplates ?? []).every(
    (template) => volumes.get(template.metadata?.name ?? '') === claimNameOf(template, pod.metadata.name),
  );
}

export function claimNameOf(template: PersistentVolumeClaim, podName: string): string {
  return `${template.metadata?.name ?? ''}-${podName}`;
}
