/** GET of one object. A hot path: it answers at once from the cache. */
import type { Kind } from '../../machinery/kind.ts';
import { badRequest, notFound } from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { ApiServerParts } from '../stage.ts';

export function getVerb(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Answer | Promise<Answer> {
  const cache = parts.registry.cache(kind);
  const asked = ctx.query.get('resourceVersion') ?? '';
  const fresh = asked === '0' && cache.ready ? undefined : cache.freshen();
  const waiting = asked === '' || asked === '0' ? fresh : notOlderThan(cache, fresh, asked);
  return waiting === undefined ? answer(cache, ctx, kind) : waiting.then(() => answer(cache, ctx, kind));
}

function answer(cache: WatchCache, ctx: RequestContext, kind: Kind): Answer {
  const { info } = ctx;
  const entry = cache.get(info.namespace, info.name);
  if (entry === undefined) throw notFound(kind, info.name);
  return { type: 'entry', status: 200, kind, entry };
}

async function notOlderThan(cache: WatchCache, fresh: Promise<void> | undefined, asked: string): Promise<void> {
  await fresh;
  await cache.waitFor(parseResourceVersion(asked));
}

/** @throws ApiError BadRequest for what is no resourceVersion */
export function parseResourceVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
  return Number(text);
}
