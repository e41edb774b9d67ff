/** How it is found out who asks. */
import type { RequestContext } from '../context.ts';
import type { User } from '../user.ts';

/**
 * The user, or undefined where this authenticator has nothing to say.
 * @throws ApiError Unauthorized for credentials that are wrong
 */
export type Authenticator = (ctx: RequestContext) => User | undefined | Promise<User | undefined>;
