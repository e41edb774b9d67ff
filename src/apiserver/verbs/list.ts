/**
 * LIST: from the cache, or from the store for a revision in the past.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
import { type Kind, storagePrefix } from '../../machinery/kind.ts';
import { apiError, badRequest } from '../../machinery/status.ts';
import { CompactedError, prefixEnd } from '../../storage/storage.ts';
import type { Answer, ListAnswer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { Entry } from '../registry/entry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';
import { parseResourceVersion } from './get.ts';
import { type Selection, selectionOf } from './selection.ts';

export function listVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Answer | Promise<Answer> {
  const selection = selectionOf(ctx, kind);
  const limit = numberOf(ctx, 'limit');
  const token = ctx.query.get('continue') ?? '';
  const asked = ctx.query.get('resourceVersion') ?? '';
  const match = ctx.query.get('resourceVersionMatch') ?? '';
  checkMatch(asked, match, token, limit);
  const cache = parts.registry.cache(kind);
  if (token !== '') return fromStore(parts, cache, selection, limit, decodeToken(token));
  if (match === 'Exact') {
    return fromStore(parts, cache, selection, limit, { revision: parseResourceVersion(asked), after: '' });
  }
  const fresh = cache.freshen();
  const least = asked === '' || asked === '0' ? 0 : parseResourceVersion(asked);
  if (fresh === undefined && cache.revision >= least) return fromCache(cache, selection, limit);
  return (fresh ?? Promise.resolve()).then(async () => {
    await cache.waitFor(least);
    return fromCache(cache, selection, limit);
  });
}

function checkMatch(asked: string, match: string, token: string, limit: number): void {
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    throw badRequest(`resourceVersionMatch: Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`);
  }
  if (token !== '') {
    if (match !== '') throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided');
    if (asked !== '' && asked !== '0') throw badRequest('specifying resource version is not allowed when using continue');
    return;
  }
  if (match !== '' && asked === '') {
    throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided');
  }
  if (match === 'Exact' && asked === '0') {
    throw badRequest('resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"');
  }
  if (limit < 0) throw badRequest('limit must not be negative');
}

function numberOf(ctx: RequestContext, name: string): number {
  const text = ctx.query.get(name) ?? '';
  if (text === '') return 0;
  const value = Number(text);
  if (!Number.isInteger(value)) throw badRequest(`${name}: must be a whole number`);
  return value;
}

function fromCache(cache: WatchCache, selection: Selection, limit: number): ListAnswer {
  const all = cache.entries(selection.namespace);
  const { matches } = selection;
  const entries = matches === undefined ? all : all.filter(matches);
  return page(cache.kind, entries, cache.revision, limit, selection.matches !== undefined);
}

/** The first `limit` entries; where there are more, a token that goes on behind the last. */
function page(kind: Kind, entries: readonly Entry[], revision: number, limit: number, selective: boolean): ListAnswer {
  if (limit === 0 || entries.length <= limit) return { type: 'list', kind, revision, entries };
  const shown = entries.slice(0, limit);
  return {
    type: 'list',
    kind,
    revision,
    entries: shown,
    continue: encodeToken({ revision, after: (shown[shown.length - 1] as Entry).key }),
    // With a selector the server does not say how many are left.
    ...(selective ? {} : { remaining: entries.length - limit }),
  };
}

interface Place {
  readonly revision: number;
  /** the key behind which to go on; '' for the beginning */
  readonly after: string;
}

const TOKEN_VERSION = 'kubets1';

function encodeToken(place: Place): string {
  return Buffer.from(JSON.stringify({ v: TOKEN_VERSION, rv: place.revision, after: place.after })).toString('base64url');
}

/** @throws ApiError BadRequest */
function decodeToken(token: string): Place {
  try {
    const { v, rv, after } = JSON.parse(Buffer.from(token, 'base64url').toString('utf8')) as Record<string, unknown>;
    if (v === TOKEN_VERSION && typeof rv === 'number' && Number.isInteger(rv) && typeof after === 'string') return { revision: rv, after };
  } catch {
    // Told below.
  }
  throw badRequest('continue key is not valid');
}

/** A list at a revision of the past, so that pages fit together while writes go on. */
async function fromStore(
  parts: ApiServerParts,
  cache: WatchCache,
  selection: Selection,
  limit: number,
  place: Place,
): Promise<ListAnswer> {
  const { kind } = cache;
  const prefix = kind.namespaced && selection.namespace !== undefined ? `${storagePrefix(kind)}${selection.namespace}/` : storagePrefix(kind);
  if (place.after !== '' && !place.after.startsWith(prefix)) throw badRequest('continue key is not valid');
  // The next key in order: nothing lies between a key and the key with a NUL behind it.
  const key = place.after === '' ? prefix : `${place.after}\0`;
  const live = await parts.registry.storage.revision();
  if (place.revision > live) await cache.waitFor(place.revision);
  try {
    const { kvs } = await parts.registry.storage.range({ key, end: prefixEnd(prefix), revision: place.revision });
    const entries = kvs.map((kv) => new Entry(kind, kv.key, kv.modRevision, kv.value));
    const { matches } = selection;
    return page(kind, matches === undefined ? entries : entries.filter(matches), place.revision, limit, matches !== undefined);
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
    const expired = apiError('Expired', place.after === '' ? `too old resource version: ${place.revision} (${error.compactRevision})` : 'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.');
    if (place.after !== '') {
      // The rest of the list as it is now, for a client that would rather go on.
      Object.assign(expired.status.metadata, { continue: encodeToken({ revision: live, after: place.after }) });
    }
    throw expired;
  }
}
