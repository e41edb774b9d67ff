/** How it is decided who may do what. */
import type { User } from '../user.ts';

/** What is to be done, as rules see it. */
export interface Attributes {
  readonly user: User;
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  /** '' for cluster scope and for all namespaces */
  readonly namespace: string;
  readonly name: string;
  /** for what is no resource */
  readonly path: string;
  /** of a list or watch, as the client wrote it */
  readonly fieldSelector?: string;
}

export interface Decision {
  readonly allowed: boolean;
  readonly reason: string;
}

/** A decision, or undefined where this authorizer has no opinion. */
export interface Authorizer {
  readonly name: string;
  authorize(attributes: Attributes): Decision | undefined;
}

/** Asks the authorizers in order; nobody's opinion is a no. */
export function authorizeAll(authorizers: readonly Authorizer[], attributes: Attributes): Decision {
  for (const authorizer of authorizers) {
    const decision = authorizer.authorize(attributes);
    if (decision !== undefined) return decision;
  }
  return { allowed: false, reason: '' };
}
