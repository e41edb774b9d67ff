/**
 * Who decides, in which order.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authorization/#using-flags-for-your-authorization-module
 */
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import type { User } from '../user.ts';
import { Abac } from './abac.ts';
import type { Authorizer } from './authorizer.ts';
import { isMaster, mastersAuthorizer } from './masters.ts';
import type { NodeAuthorizer } from './node.ts';
import type { Rbac } from './rbac.ts';

export const AUTHORIZATION_MODES = ['Node', 'RBAC', 'ABAC', 'AlwaysAllow', 'AlwaysDeny'] as const;
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number];

export interface AuthorizationOptions {
  /** in the order in which they are asked */
  readonly modes: readonly AuthorizationMode[];
  /** for ABAC: JSON, an object in a line */
  readonly policyFile?: string;
}

export const DEFAULT_AUTHORIZATION: AuthorizationOptions = { modes: ['Node', 'RBAC'] };

/** Modes that make no sense together; the message is one line for a person. */
export class AuthorizationModeError extends Error {
  override readonly name = 'AuthorizationModeError';
}

/** An authorizer that can say what it would allow. */
export interface RuleResolver {
  rulesFor(user: User, namespace: string): PolicyRule[];
}

export interface Authorization {
  readonly authorizers: readonly Authorizer[];
  readonly resolvers: readonly RuleResolver[];
}

/** Reads `RBAC,ABAC`. @throws AuthorizationModeError */
export function parseAuthorizationModes(text: string): AuthorizationMode[] {
  return text.split(',').map((word) => {
    const mode = AUTHORIZATION_MODES.find((known) => known === word.trim());
    if (mode !== undefined) return mode;
    const hint = word.trim() === 'Webhook' ? 'authorization by webhook is not there' : 'there is no such mode';
    throw new AuthorizationModeError(
      `authorization mode ${JSON.stringify(word)}: ${hint}; choose among ${AUTHORIZATION_MODES.join(', ')}`,
    );
  });
}

/** @throws AuthorizationModeError, AbacPolicyError */
export async function abacOf({ modes, policyFile }: AuthorizationOptions): Promise<Abac | undefined> {
  if (modes.length === 0) throw new AuthorizationModeError('at least one authorization mode must be chosen');
  if (new Set(modes).size < modes.length) throw new AuthorizationModeError('an authorization mode is named twice');
  if (modes.includes('ABAC')) {
    if (policyFile === undefined) throw new AuthorizationModeError('the authorization mode ABAC needs a policy file');
    return Abac.open(policyFile);
  }
  if (policyFile !== undefined) {
    throw new AuthorizationModeError('an authorization policy file is only for the authorization mode ABAC');
  }
  return undefined;
}

/** Cluster administrators come first: nothing locks them out. */
export function authorizationOf(
  { modes }: AuthorizationOptions,
  { rbac, node, abac }: { readonly rbac: Rbac; readonly node: NodeAuthorizer; readonly abac?: Abac | undefined },
): Authorization {
  const authorizers: Authorizer[] = [mastersAuthorizer];
  // RBAC says of administrators what they may: a binding of theirs is always there.
  const resolvers: RuleResolver[] = modes.includes('RBAC') ? [] : [mastersRules];
  for (const mode of modes) {
    switch (mode) {
      case 'Node':
        authorizers.push(node);
        break;
      case 'RBAC':
        authorizers.push(rbac);
        resolvers.push(rbac);
        break;
      case 'ABAC':
        if (abac !== undefined) {
          authorizers.push(abac);
          resolvers.push(abac);
        }
        break;
      case 'AlwaysAllow':
        authorizers.push({ name: mode, authorize: () => ({ allowed: true, reason: '' }) });
        resolvers.push({ rulesFor: () => ALL });
        break;
      case 'AlwaysDeny':
        authorizers.push({
          name: mode,
          authorize: () => ({ allowed: undefined, reason: 'Everything is forbidden.' }),
        });
        break;
    }
  }
  return { authorizers, resolvers };
}

const ALL: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

const mastersRules: RuleResolver = {
  rulesFor: (user) => (isMaster(user) ? ALL : []),
};
