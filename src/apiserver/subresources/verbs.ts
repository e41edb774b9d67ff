/** Guards for handlers of subresources. */
import { apiError } from '../../machinery/status.ts';
import type { Handler } from '../stage.ts';

/** The handler for these verbs only. @throws ApiError MethodNotAllowed for others */
export function allowing(verbs: readonly string[], handler: Handler): Handler {
  return (ctx) => {
    if (!verbs.includes(ctx.info.verb)) {
      throw apiError('MethodNotAllowed', 'the server does not allow this method on the requested resource');
    }
    return handler(ctx);
  };
}
