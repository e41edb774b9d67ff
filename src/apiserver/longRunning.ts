/** Requests that last as long as their client wants: nothing bounds their time, and they hold no seat. */
import type { RequestContext } from './context.ts';

const STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

/** A stream to or from a pod, a service or a node. */
export function isStream({ info }: Pick<RequestContext, 'info'>): boolean {
  return STREAMS.has(info.subresource);
}

/** A stream, or a watch. */
export function isLongRunning(ctx: Pick<RequestContext, 'info'>): boolean {
  return ctx.info.verb === 'watch' || isStream(ctx);
}
