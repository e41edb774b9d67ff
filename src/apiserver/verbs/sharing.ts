/**
 * A changed object shares with the old one, which is frozen, what did not change: that is neither copied nor compared
 * nor frozen again. Where something on its way to the store changes such a part after all, the way is gone once more
 * with a copy.
 */
import type { Kind, KubeObject } from '../../machinery/kind.ts';

/** @param attempt does the work, and nothing but a store that may fail at its end */
export async function sharing<T>(attempt: (share: boolean) => Promise<T>): Promise<T> {
  try {
    return await attempt(true);
  } catch (error) {
    if (!isOfFrozen(error)) throw error;
    return attempt(false);
  }
}

/** The old object, if a new one in the version that was asked for may share parts with it. */
export function baseOf(asked: Kind, old: KubeObject | undefined): KubeObject | undefined {
  const isStored = asked.hub === undefined && asked.conversion === undefined;
  return isStored && Object.isFrozen(old) ? old : undefined;
}

/** How the engine says that something frozen was to be changed. */
const OF_FROZEN = /read only property|not extensible|Cannot (?:delete|redefine) property/;

function isOfFrozen(error: unknown): boolean {
  return error instanceof TypeError && OF_FROZEN.test(error.message);
}
