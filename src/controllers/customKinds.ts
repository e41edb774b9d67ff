/**
 * The kinds that CustomResourceDefinitions bring, for controllers that look after objects of every kind: they come, change
 * and go while the controllers run. What their objects look like is not known here, and need not be.
 */
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from '../apis/apiextensions/customResourceDefinition.ts';
import { plainFields } from '../apis/apiextensions/jsonPath.ts';
import { apiVersionOf, defineKind, type Kind, type KubeObject, type Stored } from '../machinery/kind.ts';
import { ObjectMeta } from '../machinery/meta.ts';
import { object, opt } from '../machinery/schema/types.ts';
import type { ControllerContext } from './context.ts';

const AnyCustomResource = object('CustomResource', () => ({ metadata: opt(undefined, ObjectMeta) }));

/** Hears of kinds, at once of those that there are. */
export interface CustomKindsHandler {
  onAdd(kind: Kind): void;
  /** @param objects as they were known last; @param moved they live on as those of another kind, which follows */
  onRemove?(kind: Kind, objects: readonly Stored<KubeObject>[], moved: boolean): void;
}

interface Known {
  /** in the version in which its objects are followed */
  readonly kind: Kind;
  /** `example.com/v1/Widget` of all versions that are served */
  names: readonly string[];
  /** where its objects say how many pods they are to have; absent: they do not scale */
  replicas: readonly string[] | undefined;
}

export class CustomKinds {
  /** Resolves when those are known that there were at the start. */
  readonly synced: Promise<void>;
  readonly #context: ControllerContext;
  /** by the definition's name */
  readonly #known = new Map<string, Known>();
  readonly #byName = new Map<string, Kind>();
  readonly #handlers: CustomKindsHandler[] = [];

  constructor(context: ControllerContext) {
    this.#context = context;
    const informer = context.informers.of(customResourceDefinitions);
    this.synced = informer.synced;
    informer.handle({
      onAdd: (definition) => this.#seen(definition),
      onUpdate: (definition) => this.#seen(definition),
      onDelete: ({ metadata }) => this.#remove(metadata.name, false),
    });
  }

  all(): Kind[] {
    return [...this.#known.values()].map(({ kind }) => kind);
  }

  /** The kind that is meant, in the version in which it is followed here. */
  byKind(apiVersion: string, kind: string): Kind | undefined {
    return this.#byName.get(`${apiVersion}/${kind}`);
  }

  /** How many pods an object is to have, as its scale says; undefined where its kind has none. */
  replicasOf(kind: Kind, object: KubeObject): number | undefined {
    const path = [...this.#known.values()].find((known) => known.kind === kind)?.replicas;
    if (path === undefined) return undefined;
    let here: unknown = object;
    for (const name of path) {
      here =
        typeof here === 'object' && here !== null && Object.hasOwn(here, name) ? Reflect.get(here, name) : undefined;
    }
    return typeof here === 'number' ? here : 0;
  }

  handle(handler: CustomKindsHandler): void {
    this.#handlers.push(handler);
    for (const kind of this.all()) handler.onAdd(kind);
  }

  #seen(definition: Stored<CustomResourceDefinition>): void {
    const { name } = definition.metadata;
    const found = kindOf(definition);
    const known = this.#known.get(name);
    if (found === undefined) {
      // Nobody can ask for its objects, but they are there.
      if (known !== undefined) this.#remove(name, true);
      return;
    }
    if (known !== undefined && isSame(known.kind, found.kind)) {
      for (const each of known.names) this.#byName.delete(each);
      known.names = found.names;
      known.replicas = found.replicas;
      for (const each of known.names) this.#byName.set(each, known.kind);
      return;
    }
    if (known !== undefined) this.#remove(name, true);
    this.#known.set(name, found);
    this.#context.informers.mayGo(found.kind);
    for (const each of found.names) this.#byName.set(each, found.kind);
    for (const handler of this.#handlers) handler.onAdd(found.kind);
  }

  #remove(name: string, moved: boolean): void {
    const known = this.#known.get(name);
    if (known === undefined) return;
    this.#known.delete(name);
    const { informers } = this.#context;
    const objects = informers.of(known.kind).list();
    for (const handler of this.#handlers) handler.onRemove?.(known.kind, objects, moved);
    // Those who hear of the end of an object may still ask of what kind it was.
    for (const each of known.names) this.#byName.delete(each);
    informers.drop(known.kind);
  }
}

/** Undefined where none of its versions is served. */
function kindOf({ spec, status }: Stored<CustomResourceDefinition>): Known | undefined {
  if (!status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')) return undefined;
  const served = spec.versions.filter((v) => v.served);
  const followed = served.find((v) => v.storage) ?? served[0];
  if (followed === undefined) return undefined;
  const version = followed.name;
  const { scale } = followed.subresources ?? {};
  const { kind: own, plural } = { ...spec.names, ...status.acceptedNames };
  const kind = defineKind<KubeObject>({
    group: spec.group,
    version,
    kind: own,
    plural,
    namespaced: spec.scope === 'Namespaced',
    schema: AnyCustomResource,
  });
  return {
    kind,
    names: served.map((v) => `${apiVersionOf({ group: spec.group, version: v.name })}/${own}`),
    replicas: scale === undefined ? undefined : plainFields(scale.specReplicasPath),
  };
}

function isSame(a: Kind, b: Kind): boolean {
  return a.version === b.version && a.kind === b.kind && a.plural === b.plural && a.namespaced === b.namespaced;
}
