/** Objects of one kind by namespace and name, and by any other value that they are looked up by. */
import type { KubeObject, Stored } from '../machinery/kind.ts';

/** The values under which an object is found in an index. */
export type IndexFunction<T extends KubeObject> = (object: Stored<T>) => readonly string[];

interface Index<T extends KubeObject> {
  readonly valuesOf: IndexFunction<T>;
  readonly keys: Map<string, Set<string>>;
}

/** `namespace/name`, or the name alone for an object without a namespace. */
export function keyOf(object: { readonly metadata?: { readonly namespace?: string; readonly name?: string } }): string {
  return refKey(object.metadata?.namespace, object.metadata?.name ?? '');
}

export function refKey(namespace: string | undefined, name: string): string {
  return namespace ? `${namespace}/${name}` : name;
}

const byNamespace = (object: KubeObject) => [object.metadata?.namespace ?? ''];

/** What an informer has seen; the objects are shared and frozen. */
export class Store<T extends KubeObject> {
  readonly #objects = new Map<string, Stored<T>>();
  readonly #indexes = new Map<string, Index<T>>();
  readonly #namespaces: Index<T> = { valuesOf: byNamespace, keys: new Map() };

  get size(): number {
    return this.#objects.size;
  }

  get(namespace: string | undefined, name: string): Stored<T> | undefined {
    return this.#objects.get(refKey(namespace, name));
  }

  byKey(key: string): Stored<T> | undefined {
    return this.#objects.get(key);
  }

  /** @param namespace absent: of all namespaces */
  list(namespace?: string): Stored<T>[] {
    if (namespace === undefined) return [...this.#objects.values()];
    return this.#collect(this.#namespaces, namespace);
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  /** Lets objects be found by other values. Adding an index of the same name again changes nothing. */
  addIndex(name: string, valuesOf: IndexFunction<T>): void {
    if (this.#indexes.has(name)) return;
    const index: Index<T> = { valuesOf, keys: new Map() };
    this.#indexes.set(name, index);
    for (const [key, object] of this.#objects) enter(index, key, object);
  }

  /** @throws Error where there is no such index: a mistake in the program */
  byIndex(name: string, value: string): Stored<T>[] {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`there is no index ${name}`);
    return this.#collect(index, value);
  }

  #collect(index: Index<T>, value: string): Stored<T>[] {
    const found: Stored<T>[] = [];
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object !== undefined) found.push(object);
    }
    return found;
  }

  /** Puts an object in; returns the one that was there. */
  set(key: string, object: Stored<T>): Stored<T> | undefined {
    const old = this.#objects.get(key);
    this.#objects.set(key, object);
    for (const index of this.#all()) {
      if (old !== undefined) leave(index, key, old);
      enter(index, key, object);
    }
    return old;
  }

  /** Takes an object out and returns it. */
  delete(key: string): Stored<T> | undefined {
    const old = this.#objects.get(key);
    if (old === undefined) return undefined;
    this.#objects.delete(key);
    for (const index of this.#all()) leave(index, key, old);
    return old;
  }

  *#all(): Iterable<Index<T>> {
    yield this.#namespaces;
    yield* this.#indexes.values();
  }
}

function enter<T extends KubeObject>(index: Index<T>, key: string, object: Stored<T>): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keys.get(value);
    if (keys === undefined) index.keys.set(value, new Set([key]));
    else keys.add(key);
  }
}

function leave<T extends KubeObject>(index: Index<T>, key: string, object: Stored<T>): void {
  for (const value of index.valuesOf(object)) {
    const keys = index.keys.get(value);
    keys?.delete(key);
    if (keys?.size === 0) index.keys.delete(value);
  }
}
