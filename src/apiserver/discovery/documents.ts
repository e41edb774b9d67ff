/**
 * The discovery documents: each group version by itself, and all of them in one.
 * Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api
 */
import { createHash } from 'node:crypto';
import { apiVersionOf, type GroupVersion, type Kind } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';
import type { DiscoveredGroup } from './groups.ts';
import { type DiscoveredResource, resourcesOf } from './resources.ts';

const CORE: GroupVersion = { group: '', version: 'v1' };
export const CORE_GROUP: DiscoveredGroup = { name: '', versions: [CORE] };

/** /api */
export function coreVersions(serverAddress: string) {
  return {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
  };
}

const versionEntry = (gv: GroupVersion) => ({ groupVersion: apiVersionOf(gv), version: gv.version });

/** /apis */
export function groupList(groups: readonly DiscoveredGroup[]) {
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map(({ name, versions }) => groupEntry(name, versions)),
  };
}

function groupEntry(name: string, versions: readonly GroupVersion[]) {
  const [preferred = CORE] = versions;
  return { name, versions: versions.map(versionEntry), preferredVersion: versionEntry(preferred) };
}

/** /apis/<group>; undefined for a group that is not served */
export function oneGroup(groups: readonly DiscoveredGroup[], group: string) {
  const found = groups.find((g) => g.name === group);
  return found === undefined ? undefined : { kind: 'APIGroup', apiVersion: 'v1', ...groupEntry(group, found.versions) };
}

/** /api/v1 and /apis/<group>/<version> */
export function resourceList(kinds: KindRegistry, gv: GroupVersion) {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(gv),
    resources: resourcesOf(kinds, gv).map((r) => resourceEntry(gv, r)),
  };
}

function resourceEntry(gv: GroupVersion, r: DiscoveredResource) {
  const foreign = r.response.group !== gv.group || r.response.version !== gv.version;
  return {
    name: r.subresource === '' ? r.name : `${r.name}/${r.subresource}`,
    singularName: r.singular,
    namespaced: r.namespaced,
    ...(foreign ? { group: r.response.group, version: r.response.version } : {}),
    kind: r.response.kind,
    verbs: r.verbs,
    ...(r.shortNames.length === 0 ? {} : { shortNames: r.shortNames }),
    ...(r.categories.length === 0 ? {} : { categories: r.categories }),
    ...(r.stored === undefined ? {} : { storageVersionHash: storageVersionHash(r.stored) }),
  };
}

/** Tells when what is stored of a kind changes its version, to those who would store it anew. */
function storageVersionHash({ group, version, kind }: Kind): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

/** All groups and resources in one document (apidiscovery.k8s.io/v2). */
export function aggregated(kinds: KindRegistry, groups: readonly DiscoveredGroup[], apiVersion: string) {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: { ...(name === '' ? {} : { name }), creationTimestamp: null },
      versions: versions.map((gv) => ({
        version: gv.version,
        ...(gv.remote ?? { resources: aggregatedResources(resourcesOf(kinds, gv)), freshness: 'Current' }),
      })),
    })),
  };
}

function aggregatedResources(resources: readonly DiscoveredResource[]) {
  return resources
    .filter((r) => r.subresource === '')
    .map((r) => {
      const below = resources.filter((s) => s.subresource !== '' && s.name === r.name);
      return {
        resource: r.name,
        responseKind: responseKind(r),
        scope: r.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: r.singular,
        verbs: r.verbs,
        ...(r.shortNames.length === 0 ? {} : { shortNames: r.shortNames }),
        ...(r.categories.length === 0 ? {} : { categories: r.categories }),
        ...(below.length === 0
          ? {}
          : {
              subresources: below.map((s) => ({
                subresource: s.subresource,
                responseKind: responseKind(s),
                verbs: s.verbs,
              })),
            }),
      };
    });
}

const responseKind = ({ response: { group, version, kind } }: DiscoveredResource) => ({ group, version, kind });
