/** Who asks. */
export interface User {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra?: Readonly<Record<string, readonly string[]>>;
}

export const ANONYMOUS: User = { name: 'system:anonymous', groups: ['system:unauthenticated'] };

/** The extra that says by which credential a user showed who it is. */
export const CREDENTIAL_ID = 'authentication.kubernetes.io/credential-id';

/** What every user that was authenticated belongs to. */
export const AUTHENTICATED_GROUP = 'system:authenticated';

/** What may do everything; RBAC binds it so, and nothing can take it away. */
export const MASTERS_GROUP = 'system:masters';

/** A user with the group of the authenticated. */
export function authenticated(user: User): User {
  return user.groups.includes(AUTHENTICATED_GROUP) ? user : { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] };
}
