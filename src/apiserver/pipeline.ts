/** The way of a request, in the order in which it passes. */
import type { Answer } from './answer.ts';
import type { RequestContext } from './context.ts';
import { withDeadline } from './deadline.ts';
import { observed } from './observed.ts';
import type { ApiServerParts, Stage } from './stage.ts';
import { audit } from './stages/audit.ts';
import { authenticate } from './stages/authenticate.ts';
import { authorize } from './stages/authorize.ts';
import { dispatch } from './stages/dispatch.ts';
import { flowControl } from './stages/flowControl.ts';
import { impersonate } from './stages/impersonate.ts';
import { route } from './stages/route.ts';

/**
 * `connection.ts` comes before these and `encoding/` after them. Within `dispatch`, the verbs of
 * `verbs/` go on: decode, default, admit, validate, store.
 */
export const STAGES: readonly ((parts: ApiServerParts) => Stage)[] = [
  route,
  authenticate,
  audit,
  impersonate,
  flowControl,
  authorize,
  dispatch,
];

export type Pipeline = (ctx: RequestContext) => Answer | Promise<Answer>;

/** Joins the stages; what runs at once is answered at once. `from` is the first stage to run. */
export function createPipeline(parts: ApiServerParts): Pipeline {
  const stages = STAGES.map((stage) => stage(parts));
  const run = (ctx: RequestContext, from: number): Answer | Promise<Answer> => {
    for (let i = from; i < stages.length; i++) {
      const result = (stages[i] as Stage)(ctx);
      if (result instanceof Promise) return result.then((answer) => answer ?? run(ctx, i + 1));
      if (result !== undefined) return result;
    }
    throw new Error('the last stage answers every request');
  };
  return observed(parts, (ctx) => {
    const answer = run(ctx, 0);
    return answer instanceof Promise ? withDeadline(parts.clock, ctx, answer) : answer;
  });
}
