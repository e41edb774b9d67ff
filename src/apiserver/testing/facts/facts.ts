/** What Kubernetes 1.36 serves, as facts to compare with: its resources, and the types of their objects. */
import { readFileSync } from 'node:fs';

/** A resource of a stable version. */
export interface ResourceFacts {
  readonly apiVersion: string;
  readonly resource: string;
  readonly kind: string;
  readonly singular: string;
  readonly namespaced: boolean;
  /** in alphabetical order, with blanks between */
  readonly verbs: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** by name: the kind that is sent or answered, then the verbs */
  readonly subresources?: Readonly<Record<string, string>>;
}

/**
 * A type's fields: `wire number[!] type [list or map type] [patch strategy(merge key)]`, where `!` is required, `-`
 * stands for no number, `[x]` for a list and `{x}` for a map. The name '' says that the type itself is atomic.
 */
export type TypeFacts = Readonly<Record<string, string>>;

const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

/** Every resource of the stable versions; the others are off unless they are asked for. */
export const resourceFacts = () => read('resources.json') as readonly ResourceFacts[];

/** Every type that these resources' objects, and what is sent to their subresources, are made of. */
export const typeFacts = () => read('types.json') as Readonly<Record<string, TypeFacts>>;
