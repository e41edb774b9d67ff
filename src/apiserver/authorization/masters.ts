/** Cluster administrators may do everything, whatever the roles say, so that nobody can lock them out. */
import { MASTERS_GROUP } from '../user.ts';
import type { Authorizer } from './authorizer.ts';

export const mastersAuthorizer: Authorizer = {
  name: 'SystemMasters',
  authorize: ({ user }) => (user.groups.includes(MASTERS_GROUP) ? { allowed: true, reason: '' } : undefined),
};
