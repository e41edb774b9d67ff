/** What discovery says of each resource, read off the kinds. */
import { type GroupVersion, hubOf, type Kind, type Verb } from '../../machinery/kind.ts';
import type { KindRegistry } from '../../machinery/kindRegistry.ts';

/** A resource or a subresource. */
export interface DiscoveredResource {
  readonly name: string;
  readonly subresource: string;
  readonly singular: string;
  readonly namespaced: boolean;
  /** of what is sent or answered */
  readonly response: GroupVersion & { readonly kind: string };
  readonly verbs: readonly string[];
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** as which objects are stored; absent for subresources, and for what is never stored */
  readonly stored?: Kind;
}

const STATUS_VERBS: readonly Verb[] = ['get', 'patch', 'update'];

/** In alphabetical order, each resource before its subresources. */
export function resourcesOf(kinds: KindRegistry, gv: GroupVersion): DiscoveredResource[] {
  return kinds
    .all()
    .filter((k) => k.group === gv.group && k.version === gv.version && !k.plural.includes('/'))
    .sort((a, b) => (a.plural < b.plural ? -1 : 1))
    .flatMap((kind) => [main(kind), ...subresources(kind)]);
}

function main(kind: Kind): DiscoveredResource {
  return {
    name: kind.plural,
    subresource: '',
    singular: kind.singular,
    namespaced: kind.namespaced,
    response: { group: kind.group, version: kind.version, kind: kind.kind },
    verbs: [...kind.verbs].sort(),
    shortNames: kind.shortNames,
    categories: kind.categories,
    ...(kind.stored ? { stored: hubOf(kind) } : {}),
  };
}

function subresources(kind: Kind): DiscoveredResource[] {
  const own = { group: kind.group, version: kind.version, kind: kind.kind };
  const found = new Map<string, Pick<DiscoveredResource, 'response' | 'verbs'>>();
  if (kind.status !== undefined) found.set('status', { response: own, verbs: STATUS_VERBS });
  if (kind.scale !== undefined) {
    found.set('scale', { response: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: STATUS_VERBS });
  }
  for (const [name, { group, version, kind: of, verbs }] of Object.entries(kind.subresources ?? {})) {
    const response = { group: group ?? kind.group, version: version ?? kind.version, kind: of };
    found.set(name, { response, verbs: [...verbs].sort() });
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([subresource, rest]) => ({
      name: kind.plural,
      subresource,
      singular: '',
      namespaced: kind.namespaced,
      shortNames: [],
      categories: [],
      ...rest,
    }));
}
