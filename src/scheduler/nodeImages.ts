/** Which images nodes have, and how many nodes have an image. */
import type { Node } from '../apis/core/node.ts';

const sizes = new WeakMap<Node, ReadonlyMap<string, number>>();

/** The images that a node has, by each of their names, with their sizes in bytes. */
export function imagesOf(node: Node): ReadonlyMap<string, number> {
  let known = sizes.get(node);
  if (known === undefined) {
    const images = node.status?.images ?? [];
    known = new Map(images.flatMap(({ names = [], sizeBytes = 0 }) => names.map((name) => [name, sizeBytes] as const)));
    sizes.set(node, known);
  }
  return known;
}

/** Counts nodes by image, as nodes come, change and go. */
export class ImageCounts {
  readonly #counts = new Map<string, number>();

  get byImage(): ReadonlyMap<string, number> {
    return this.#counts;
  }

  replace(before: Node | undefined, after: Node | undefined): void {
    if (after !== undefined) for (const name of imagesOf(after).keys()) this.#add(name, 1);
    if (before !== undefined) for (const name of imagesOf(before).keys()) this.#add(name, -1);
  }

  #add(name: string, change: number): void {
    const count = (this.#counts.get(name) ?? 0) + change;
    if (count === 0) this.#counts.delete(name);
    else this.#counts.set(name, count);
  }
}
