/** Cluster administrators may do everything, whatever the roles say, so that nobody can lock them out. */
import { MASTERS_GROUP, type User } from '../user.ts';
import type { Authorizer } from './authorizer.ts';

export const isMaster = (user: User) => user.groups.includes(MASTERS_GROUP);

export const mastersAuthorizer: Authorizer = {
  name: 'SystemMasters',
  authorize: ({ user }) => (isMaster(user) ? { allowed: true, reason: '' } : undefined),
};
