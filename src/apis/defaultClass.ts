/** Classes of which one can be the default: storage, ingress, volume attributes. */
import type { Column, KubeObject } from '../machinery/kind.ts';
import { NAME_COLUMN } from '../machinery/table.ts';

/** Makes a test for whether a class is marked as the default, by any of these annotations. */
export function isDefaultClass(annotations: readonly string[]): (object: KubeObject) => boolean {
  return (object) => annotations.some((name) => object.metadata?.annotations?.[name] === 'true');
}

/** The name, marked where it is the default's. */
export function nameColumn(isDefault: (object: KubeObject) => boolean): Column<KubeObject> {
  return {
    ...NAME_COLUMN,
    value: (object) => `${object.metadata?.name ?? ''}${isDefault(object) ? ' (default)' : ''}`,
  };
}

/** The default among the classes: of several, the newest; of those made at once, the first by name. */
export function defaultOf<T extends KubeObject>(
  classes: Iterable<T>,
  isDefault: (object: KubeObject) => boolean,
): T | undefined {
  let best: T | undefined;
  for (const candidate of classes) {
    if (isDefault(candidate) && (best === undefined || precedes(candidate, best))) best = candidate;
  }
  return best;
}

function precedes(a: KubeObject, b: KubeObject): boolean {
  const [x, y] = [a.metadata?.creationTimestamp ?? '', b.metadata?.creationTimestamp ?? ''];
  return x === y ? (a.metadata?.name ?? '') < (b.metadata?.name ?? '') : x > y;
}
