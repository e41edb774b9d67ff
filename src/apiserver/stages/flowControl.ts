/** A bound on what is under way at once, so that a flood is answered with 429 and not with a crash. */
import { apiError } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';
import type { Stage } from '../stage.ts';
import { MASTERS_GROUP } from '../user.ts';

/** Requests from outside that may be under way at once; watches and streams do not count. */
const MAX_IN_FLIGHT = 1000;
const RETRY_AFTER_SECONDS = 1;

const LONG_RUNNING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward', 'proxy', 'log']);

/** What lasts as long as its client wants. */
export function isLongRunning(ctx: RequestContext): boolean {
  return ctx.info.verb === 'watch' || LONG_RUNNING.has(ctx.info.subresource);
}

export function flowControl(): Stage {
  let inFlight = 0;
  return (ctx) => {
    const res = ctx.raw?.res;
    if (res === undefined || isLongRunning(ctx)) return undefined;
    if (inFlight >= MAX_IN_FLIGHT && !ctx.user.groups.includes(MASTERS_GROUP)) {
      throw apiError('TooManyRequests', 'Too many requests, please try again later.', {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      });
    }
    inFlight++;
    res.once('close', () => {
      inFlight--;
    });
    return undefined;
  };
}
