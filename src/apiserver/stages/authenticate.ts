/** Who is it? In-process requests bring their user along. */
import { apiError } from '../../machinery/status.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { RequestContext } from '../context.ts';
import type { ApiServerParts, Stage } from '../stage.ts';
import { ANONYMOUS, authenticated, type User } from '../user.ts';

export function authenticate(parts: ApiServerParts): Stage {
  const next = (ctx: RequestContext, from: number): undefined | Promise<undefined> => {
    for (let i = from; i < parts.authenticators.length; i++) {
      const result = (parts.authenticators[i] as Authenticator)(ctx);
      if (result instanceof Promise) {
        return result.then((user) => (user === undefined ? next(ctx, i + 1) : accept(ctx, user)));
      }
      if (result !== undefined) return accept(ctx, result);
    }
    if (ctx.header('authorization') !== undefined || !parts.anonymous) throw apiError('Unauthorized', 'Unauthorized');
    ctx.user = ANONYMOUS;
    return undefined;
  };
  return (ctx) => (ctx.raw === undefined ? undefined : next(ctx, 0));
}

function accept(ctx: RequestContext, user: User): undefined {
  ctx.user = authenticated(user);
  return undefined;
}
