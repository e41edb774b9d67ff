/** DELETE of all objects that a list with the same query would give. */
import { hubOf, type Kind } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Entry } from '../registry/entry.ts';
import type { ApiServerParts } from '../stage.ts';
import { deleteObject, deleteOptionsOf } from './delete.ts';
import { selectionOf } from './selection.ts';

/** Deletes that are under way at once. */
const WORKERS = 16;

export async function deleteCollectionVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Promise<Answer> {
  const cache = parts.registry.cache(kind);
  await cache.freshen();
  const options = await deleteOptionsOf(ctx);
  const { namespace, matches } = selectionOf(ctx, kind);
  const all = cache.entries(namespace);
  const selected = matches === undefined ? all : all.filter(matches);
  const revision = cache.revision;
  const entries: Entry[] = [];
  const queue = selected.values();
  const worker = async () => {
    for (const { object } of queue) {
      try {
        const deleted = await deleteObject(
          parts,
          ctx,
          hubOf(kind),
          object.metadata.namespace,
          object.metadata.name,
          options,
        );
        entries.push(deleted.entry);
      } catch (error) {
        // Somebody else was faster.
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(WORKERS, selected.length) }, worker));
  return { type: 'list', kind, revision, entries };
}
