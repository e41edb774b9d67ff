/** A bound on what is under way at once, shared fairly, so that a flood is answered with 429 and not with a crash. */
import { isStream } from '../longRunning.ts';
import type { ApiServerParts, Stage } from '../stage.ts';

/** Requests from within the process are not counted: what they do is bounded by the parts that make them. */
export function flowControl({ flowControl: control }: Pick<ApiServerParts, 'flowControl'>): Stage {
  if (control === undefined) return () => undefined;
  return (ctx) => {
    const res = ctx.raw?.res;
    if (res === undefined || isStream(ctx)) return undefined;
    const classified = control.classify(ctx.user, ctx.info);
    ctx.flowHeaders = classified.headers;
    if (classified.level.exempt) return undefined;
    const seated = () => {
      // A watch needs its seat only to start.
      if (ctx.info.verb === 'watch') control.leave(classified);
      else if (res.destroyed) control.leave(classified);
      else res.once('close', () => control.leave(classified));
      return undefined;
    };
    const waiting = control.enter(classified, () => ctx.signal);
    return waiting === undefined ? seated() : waiting.then(seated);
  };
}
