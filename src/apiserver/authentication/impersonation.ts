/**
 * Acting as somebody else: the ways of it that rights can be given for. The narrow ones come first: each allows a few
 * verbs on a few resources, as one sort of user; the oldest way allows to be somebody, whatever is then done.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/user-impersonation/
 */
import { dnsSubdomain } from '../../machinery/names.ts';
import { type ApiError, isApiError } from '../../machinery/status.ts';
import { type Attributes, type Authorizer, authorizeAll } from '../authorization/authorizer.ts';
import { forbidden } from '../stages/authorize.ts';
import { ANONYMOUS, AUTHENTICATED_GROUP, MASTERS_GROUP, type User } from '../user.ts';

const NODE_PREFIX = 'system:node:';
const NODE_GROUP = 'system:nodes';
const UNAUTHENTICATED_GROUP = 'system:unauthenticated';
const NODE_OF_ACCOUNT = 'authentication.kubernetes.io/node-name';
const NODE_KEYS = 'authentication.kubernetes.io/associated-node-keys';
const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;
/** From so many groups or values on, the right to all of them is asked for first. */
const MANY = 4;
const AUTHENTICATION = 'authentication.k8s.io';

/** Who is wanted, as the request says. */
export interface WantedUser {
  readonly name: string;
  readonly uid: string;
  readonly groups: readonly string[];
  readonly extra: ReadonlyMap<string, readonly string[]>;
}

export interface Impersonated {
  readonly user: User;
  /** the verb that allowed it, where that is one of the narrow ways */
  readonly constraint?: string;
}

interface Mode {
  readonly name: string;
  /** whether the wanted user is of the sort that this way is for */
  isFor(wanted: WantedUser, asking: User): boolean;
}

/** The narrow ways, in the order in which they are tried. */
const MODES: readonly Mode[] = [
  {
    name: 'associated-node',
    isFor: (wanted, asking) =>
      isOnlyNamed(wanted) &&
      SERVICE_ACCOUNT.test(asking.name) &&
      nodeOf(wanted.name) !== undefined &&
      asking.extra?.[NODE_OF_ACCOUNT]?.length === 1 &&
      asking.extra[NODE_OF_ACCOUNT][0] === nodeOf(wanted.name),
  },
  { name: 'arbitrary-node', isFor: (wanted) => isOnlyNamed(wanted) && nodeOf(wanted.name) !== undefined },
  { name: 'serviceaccount', isFor: (wanted) => isOnlyNamed(wanted) && SERVICE_ACCOUNT.test(wanted.name) },
  { name: 'user-info', isFor: ({ name }) => nodeOf(name) === undefined && !SERVICE_ACCOUNT.test(name) },
];

/**
 * The user that a request is made as from here on.
 * @param attributes the request, as the user who makes it
 * @throws ApiError Forbidden, of the first way that is for such a user
 */
export function impersonated(
  authorizers: readonly Authorizer[],
  wanted: WantedUser,
  attributes: Attributes,
): Impersonated {
  let first: ApiError | undefined;
  const attempt = (run: () => Impersonated): Impersonated | undefined => {
    try {
      return run();
    } catch (error) {
      if (!isApiError(error)) throw error;
      first ??= error;
      return undefined;
    }
  };
  for (const mode of MODES) {
    if (!mode.isFor(wanted, attributes.user)) continue;
    const found = attempt(() => narrowly(authorizers, mode.name, wanted, attributes));
    if (found !== undefined) return found;
  }
  const found = attempt(() => ({ user: asUser(authorizers, 'impersonate', wanted, attributes.user) }));
  if (found !== undefined) return found;
  throw first;
}

function narrowly(
  authorizers: readonly Authorizer[],
  mode: string,
  wanted: WantedUser,
  attributes: Attributes,
): Impersonated {
  // Which node it is goes without saying: the account's token does.
  const asking = mode === 'associated-node' ? withoutExtra(attributes.user) : attributes.user;
  assertAllowed(authorizers, { ...attributes, user: asking, verb: `impersonate-on:${mode}:${attributes.verb}` });
  const constraint = `impersonate:${mode}`;
  return { user: asUser(authorizers, constraint, wanted, asking), constraint };
}

/** Asks for the right to each thing that is wanted of the user. @throws ApiError Forbidden */
function asUser(authorizers: readonly Authorizer[], verb: string, wanted: WantedUser, asking: User): User {
  const narrow = verb !== 'impersonate';
  const ask = (resource: string, group: string, name: string, more: Partial<Attributes> = {}) =>
    assertAllowed(authorizers, attributesFor(asking, verb, resource, group, name, more));
  const refuse = (resource: string, group: string, name: string, why: string): never => {
    throw forbidden(attributesFor(asking, verb, resource, group, name), why);
  };
  const named = narrow ? AUTHENTICATION : '';
  const node = narrow ? nodeOf(wanted.name) : undefined;
  const account = SERVICE_ACCOUNT.exec(wanted.name);
  let groups = [...wanted.groups];
  if (node !== undefined) {
    ask('nodes', named, verb === 'impersonate:associated-node' ? '*' : node);
    groups = [NODE_GROUP];
  } else if (account !== null) {
    // Both groups are there in every match.
    const [, namespace, name] = account as unknown as [string, string, string];
    ask('serviceaccounts', named, name, { namespace });
    if (groups.length === 0) groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  } else ask('users', named, wanted.name);

  if (wanted.uid !== '') ask('uids', AUTHENTICATION, wanted.uid);
  if (narrow && wanted.groups.includes('')) {
    refuse('groups', named, '', 'impersonating the empty string group is not allowed');
  }
  if (narrow && wanted.groups.includes(MASTERS_GROUP)) {
    refuse('groups', named, MASTERS_GROUP, 'impersonating the system:masters group is not allowed');
  }
  const all = (resource: string, group: string, more: Partial<Attributes> = {}) =>
    authorizeAll(authorizers, attributesFor(asking, verb, resource, group, '*', more)).allowed;
  if (!(narrow && wanted.groups.length >= MANY && all('groups', named))) {
    for (const group of wanted.groups) ask('groups', named, group);
  }
  const fault = narrow ? extraFault(wanted.extra) : undefined;
  if (fault !== undefined) refuse('userextras', AUTHENTICATION, '', fault);
  const count = [...wanted.extra.values()].reduce((sum, values) => sum + values.length, 0);
  if (
    !(narrow && Math.max(count, wanted.extra.size) >= MANY && all('userextras', AUTHENTICATION, { subresource: '*' }))
  ) {
    for (const [key, values] of wanted.extra) {
      for (const value of values) ask('userextras', AUTHENTICATION, value, { subresource: key });
    }
  }
  return {
    name: wanted.name,
    groups: withOwnGroup(wanted.name, groups),
    ...(wanted.uid === '' ? {} : { uid: wanted.uid }),
    ...(wanted.extra.size === 0 ? {} : { extra: Object.fromEntries(wanted.extra) }),
  };
}

function attributesFor(
  user: User,
  verb: string,
  resource: string,
  group: string,
  name: string,
  more: Partial<Attributes> = {},
): Attributes {
  return {
    user,
    verb,
    isResource: true,
    group,
    version: 'v1',
    resource,
    subresource: '',
    namespace: '',
    name,
    path: '',
    ...more,
  };
}

/** @throws ApiError Forbidden */
function assertAllowed(authorizers: readonly Authorizer[], attributes: Attributes): void {
  const { allowed, reason } = authorizeAll(authorizers, attributes);
  if (!allowed) throw forbidden(attributes, reason);
}

/** Who is not said to be unknown counts as known. */
function withOwnGroup(name: string, groups: readonly string[]): readonly string[] {
  const own = name === ANONYMOUS.name ? UNAUTHENTICATED_GROUP : AUTHENTICATED_GROUP;
  return groups.includes(own) || groups.includes(UNAUTHENTICATED_GROUP) ? groups : [...groups, own];
}

const isOnlyNamed = ({ uid, groups, extra }: WantedUser) => uid === '' && groups.length === 0 && extra.size === 0;

function nodeOf(username: string): string | undefined {
  if (!username.startsWith(NODE_PREFIX)) return undefined;
  const name = username.slice(NODE_PREFIX.length);
  return dnsSubdomain(name).length === 0 ? name : undefined;
}

function withoutExtra(user: User): User {
  return { ...user, extra: { [NODE_KEYS]: Object.keys(user.extra ?? {}).sort() } };
}

function extraFault(extra: ReadonlyMap<string, readonly string[]>): string | undefined {
  for (const [key, values] of extra) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const slash = key.indexOf('/');
    if (slash < 0 || slash === key.length - 1 || dnsSubdomain(key.slice(0, slash)).length > 0) {
      return `impersonating an invalid key in extra is not allowed: ${JSON.stringify(key)} must be a domain-prefixed path (such as "acme.io/foo")`;
    }
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}
