/**
 * Acting as somebody else, for those who may.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
import { apiError, badRequest } from '../../machinery/status.ts';
import { type Attributes, authorizeAll } from '../authorization/authorizer.ts';
import type { RequestContext } from '../context.ts';
import type { ApiServerParts, Stage } from '../stage.ts';
import { ANONYMOUS, authenticated, type User } from '../user.ts';

const EXTRA_PREFIX = 'impersonate-extra-';

export function impersonate(parts: ApiServerParts): Stage {
  return (ctx) => {
    if (ctx.raw === undefined) return undefined;
    const name = ctx.header('impersonate-user');
    const uid = ctx.header('impersonate-uid');
    const groups = listOf(ctx.header('impersonate-group'));
    const extra = extraOf(ctx);
    if (name === undefined) {
      if (uid !== undefined || groups.length > 0 || extra.size > 0) {
        throw badRequest('requested impersonation of groups, uid or extra without a user to impersonate');
      }
      return undefined;
    }
    const check = (resource: string, group: string, what: string, subresource = '', namespace = '') => {
      const attributes: Attributes = {
        user: ctx.user,
        verb: 'impersonate',
        isResource: true,
        group,
        version: 'v1',
        resource,
        subresource,
        namespace,
        name: what,
        path: '',
      };
      if (!authorizeAll(parts.authorizers, attributes).allowed) {
        throw apiError(
          'Forbidden',
          `${resource} ${JSON.stringify(what)} is forbidden: User ${JSON.stringify(ctx.user.name)} cannot impersonate resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)} at the cluster scope`,
        );
      }
    };
    const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name);
    if (account !== null) check('serviceaccounts', '', account[2] as string, '', account[1] as string);
    else check('users', '', name);
    for (const group of groups) check('groups', '', group);
    if (uid !== undefined) check('uids', 'authentication.k8s.io', uid);
    for (const [key, values] of extra)
      for (const value of values) check('userextras', 'authentication.k8s.io', value, key);

    const user: User = {
      name,
      groups:
        account !== null && groups.length === 0
          ? ['system:serviceaccounts', `system:serviceaccounts:${account[1]}`]
          : groups,
      ...(uid === undefined ? {} : { uid }),
      ...(extra.size === 0 ? {} : { extra: Object.fromEntries(extra) }),
    };
    ctx.user = name === ANONYMOUS.name ? ANONYMOUS : authenticated(user);
    ctx.audit?.impersonated(ctx.user);
    return undefined;
  };
}

const listOf = (header: string | undefined) => (header === undefined ? [] : header.split(',').map((g) => g.trim()));

function extraOf(ctx: RequestContext): Map<string, string[]> {
  const extra = new Map<string, string[]>();
  for (const [name, value] of Object.entries(ctx.raw?.req.headers ?? {})) {
    if (!name.startsWith(EXTRA_PREFIX) || value === undefined) continue;
    extra.set(unescaped(name.slice(EXTRA_PREFIX.length)), listOf(String(value)));
  }
  return extra;
}

/** Escapes in the key of an extra are undone; what is none of them stays as it is. */
function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
