/**
 * LIST: from the cache, or from the store for a revision in the past.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
import { type Kind, storagePrefix } from '../../machinery/kind.ts';
import { type ApiError, apiError, badRequest } from '../../machinery/status.ts';
import { CompactedError, type KeyValue, prefixEnd } from '../../storage/storage.ts';
import type { Answer, ListAnswer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { Entry } from '../registry/entry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';
import { parseResourceVersion } from './get.ts';
import { assertListOptions, wholeNumberOf } from './listOptions.ts';
import { type Selection, selectionOf } from './selection.ts';

export function listVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Answer | Promise<Answer> {
  const selection = selectionOf(ctx, kind);
  const limit = wholeNumberOf(ctx, 'limit');
  if (limit < 0) throw badRequest('limit must not be negative');
  wholeNumberOf(ctx, 'timeoutSeconds');
  const token = ctx.query.get('continue') ?? '';
  const asked = ctx.query.get('resourceVersion') ?? '';
  const match = ctx.query.get('resourceVersionMatch') ?? '';
  assertListOptions(ctx.query);
  const cache = parts.registry.cache(kind);
  if (token !== '' && asked !== '' && asked !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  if (token !== '') return fromStore(parts, kind, cache, selection, limit, decodeToken(token));
  // With a limit and no word on how it is meant, a revision is taken exactly: pages of it must fit together.
  if (match === 'Exact' || (match === '' && limit > 0 && asked !== '' && asked !== '0')) {
    return fromStore(parts, kind, cache, selection, limit, { revision: parseResourceVersion(asked), after: '' });
  }
  const fresh = cache.freshen();
  const least = asked === '' || asked === '0' ? 0 : parseResourceVersion(asked);
  if (fresh === undefined && cache.revision >= least) return fromCache(kind, cache, selection, limit);
  return (fresh ?? Promise.resolve()).then(async () => {
    await cache.waitFor(least);
    return fromCache(kind, cache, selection, limit);
  });
}

/** @param kind the version that was asked for, where the cache is of the one that is stored */
function fromCache(kind: Kind, cache: WatchCache, selection: Selection, limit: number): ListAnswer {
  const all = cache.entries(selection.namespace);
  const { matches } = selection;
  if (matches === undefined) return page(kind, all, cache.revision, limit, all.length - limit);
  return page(kind, all.filter(matches), cache.revision, limit, undefined);
}

/**
 * The first `limit` entries; where there are more, a token that goes on behind the last.
 * @param remaining how many there are beyond the limit; with a selector that is not said
 */
function page(
  kind: Kind,
  entries: readonly Entry[],
  revision: number,
  limit: number,
  remaining: number | undefined,
): ListAnswer {
  if (limit === 0 || entries.length <= limit) return { type: 'list', kind, revision, entries };
  const shown = entries.slice(0, limit);
  return {
    type: 'list',
    kind,
    revision,
    entries: shown,
    continue: encodeToken({ revision, after: (shown[shown.length - 1] as Entry).key }),
    ...(remaining === undefined ? {} : { remaining }),
  };
}

interface Place {
  readonly revision: number;
  /** the key behind which to go on; '' for the beginning */
  readonly after: string;
}

const TOKEN_VERSION = 'kubets1';

function encodeToken(place: Place): string {
  return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: place.revision, after: place.after })).toString(
    'base64url',
  );
}

/** @throws ApiError BadRequest */
function decodeToken(token: string): Place {
  try {
    const { v, rv, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Record<string, unknown>;
    if (
      v === TOKEN_VERSION &&
      typeof rv === 'number' &&
      Number.isSafeInteger(rv) &&
      rv > 0 &&
      typeof after === 'string'
    )
      return { revision: rv, after };
  } catch {
    // Told below.
  }
  throw badRequest('continue key is not valid');
}

/** A list at a revision of the past, so that pages fit together while writes go on. */
async function fromStore(
  parts: ApiServerParts,
  kind: Kind,
  cache: WatchCache,
  selection: Selection,
  limit: number,
  place: Place,
): Promise<ListAnswer> {
  const { storage } = parts.registry;
  const stored = cache.kind;
  const prefix = selection.prefix ?? storagePrefix(stored);
  if (place.after !== '' && !place.after.startsWith(prefix)) throw badRequest('continue key is not valid');
  const live = await storage.revision();
  if (place.revision > live) await cache.waitFor(place.revision);
  const { matches } = selection;
  const entries: Entry[] = [];
  let after = place.after;
  try {
    for (;;) {
      const { kvs, more, count } = await storage.range({
        key: after === '' ? prefix : behind(after),
        end: prefixEnd(prefix),
        revision: place.revision,
        ...(limit === 0 ? {} : { limit: limit + 1 }),
      });
      const raw = kvs.map((kv) => kv.value);
      const values = (await stored.conversion?.fromStored(raw)) ?? raw;
      for (const [i, { key, modRevision }] of kvs.entries()) {
        // There is one for each.
        const entry = new Entry(stored, key, modRevision, values[i] as Buffer);
        if (matches === undefined || matches(entry)) entries.push(entry);
      }
      // Without a selector a page is one range of the store.
      if (matches === undefined && limit > 0) return page(kind, entries, place.revision, limit, count - limit);
      if (!more || (limit > 0 && entries.length > limit)) return page(kind, entries, place.revision, limit, undefined);
      after = (kvs[kvs.length - 1] as KeyValue).key;
    }
  } catch (error) {
    throw error instanceof CompactedError ? expired(place, live, error.compactRevision) : error;
  }
}

/** The next key in order: nothing lies between a key and the key with a NUL behind it. */
const behind = (key: string) => `${key}\0`;

function expired(place: Place, live: number, compacted: number): ApiError {
  if (place.after === '') return apiError('Expired', `too old resource version: ${place.revision} (${compacted})`);
  const error = apiError(
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. Start a new list without it, or go on with the token in this answer: the rest of the list is then as it is now, and may not fit what was listed before.',
  );
  error.status.metadata.continue = encodeToken({ revision: live, after: place.after });
  return error;
}
