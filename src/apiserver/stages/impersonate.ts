/**
 * Acting as somebody else, for those who may.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
import { badRequest } from '../../machinery/status.ts';
import { impersonated, type WantedUser } from '../authentication/impersonation.ts';
import type { RequestContext } from '../context.ts';
import type { ApiServerParts, Stage } from '../stage.ts';
import { attributesOf } from './authorize.ts';

const PREFIX = 'impersonate-';
const EXTRA_PREFIX = 'impersonate-extra-';

export function impersonate(parts: ApiServerParts): Stage {
  return (ctx) => {
    const wanted = wantedUser(ctx);
    if (wanted === undefined) return undefined;
    const { user, constraint } = impersonated(parts.authorizers, wanted, attributesOf(ctx));
    ctx.user = user;
    ctx.audit?.impersonated(user, constraint);
    return undefined;
  };
}

/**
 * Undefined for nearly all requests. Where somebody is wanted, the headers are taken off the request: what it is passed
 * on to must not follow them once more.
 * @throws ApiError BadRequest
 */
function wantedUser(ctx: RequestContext): WantedUser | undefined {
  const { req } = ctx.raw ?? {};
  if (req === undefined) return undefined;
  let any = false;
  for (const name in req.headers) if (name.startsWith(PREFIX)) any = true;
  if (!any) return undefined;
  let name = '';
  let uid = '';
  const groups: string[] = [];
  const extra = new Map<string, string[]>();
  // One by one: joined as usual, a group with a comma would become two.
  for (let i = 0; i + 1 < req.rawHeaders.length; i += 2) {
    const header = (req.rawHeaders[i] as string).toLowerCase();
    const value = req.rawHeaders[i + 1] as string;
    if (header === 'impersonate-user') name ||= value;
    else if (header === 'impersonate-uid') uid ||= value;
    else if (header === 'impersonate-group') groups.push(value);
    else if (header.startsWith(EXTRA_PREFIX)) {
      const key = unescaped(header.slice(EXTRA_PREFIX.length));
      extra.set(key, [...(extra.get(key) ?? []), value]);
    }
  }
  for (const header of Object.keys(req.headers)) if (header.startsWith(PREFIX)) delete req.headers[header];
  if (name !== '') return { name, uid, groups, extra };
  if (uid === '' && groups.length === 0 && extra.size === 0) return undefined;
  throw badRequest('requested impersonation of groups, uid or extra without impersonating a user name');
}

/** Escapes in the key of an extra are undone; what is none of them stays as it is. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
