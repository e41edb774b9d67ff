/** All kinds that an API server serves, found by any of their names. They may come and go while it runs. */
import { apiVersionOf, type GroupVersion, type Kind } from './kind.ts';

export class KindRegistry {
  readonly #byResource = new Map<string, Kind>();
  readonly #byKind = new Map<string, Kind>();
  #revision = 0;

  /** @throws Error where two kinds claim one name: a mistake in the program */
  constructor(kinds: readonly Kind[] = []) {
    for (const kind of kinds) this.add(kind);
  }

  /** Rises with each change: what was made of all kinds is to be made again. */
  get revision(): number {
    return this.#revision;
  }

  add(kind: Kind): void {
    const resource = resourceKey(kind.group, kind.version, kind.plural);
    if (this.#byResource.has(resource)) throw new Error(`the resource ${resource} is there twice`);
    this.#byResource.set(resource, kind);
    this.#byKind.set(`${apiVersionOf(kind)}/${kind.kind}`, kind);
    this.#revision++;
  }

  remove(kind: Kind): void {
    const resource = resourceKey(kind.group, kind.version, kind.plural);
    if (this.#byResource.get(resource) === kind) this.#byResource.delete(resource);
    const name = `${apiVersionOf(kind)}/${kind.kind}`;
    if (this.#byKind.get(name) === kind) this.#byKind.delete(name);
    this.#revision++;
  }

  byResource(group: string, version: string, plural: string): Kind | undefined {
    return this.#byResource.get(resourceKey(group, version, plural));
  }

  /** @param apiVersion `apps/v1`, `v1` */
  byKind(apiVersion: string, kind: string): Kind | undefined {
    return this.#byKind.get(`${apiVersion}/${kind}`);
  }

  all(): readonly Kind[] {
    return [...this.#byResource.values()];
  }

  /** Each group and version that is served, in the order in which they were added. */
  groupVersions(): readonly GroupVersion[] {
    const seen = new Map<string, GroupVersion>();
    for (const kind of this.#byResource.values()) {
      seen.set(apiVersionOf(kind), { group: kind.group, version: kind.version });
    }
    return [...seen.values()];
  }
}

const resourceKey = (group: string, version: string, plural: string) => `${group}/${version}/${plural}`;
