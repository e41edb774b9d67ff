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

/** What one authorizer says. Without `allowed` it has no opinion, but something to say. */
export interface Opinion {
  readonly allowed: boolean | undefined;
  readonly reason: string;
}

/** An opinion, or undefined where this authorizer has none. */
export interface Authorizer {
  readonly name: string;
  authorize(attributes: Attributes): Opinion | undefined;
}

/** Asks the authorizers in order; nobody's opinion is a no. */
export function authorizeAll(authorizers: readonly Authorizer[], attributes: Attributes): Decision {
  let reasons: string[] | undefined;
  for (const authorizer of authorizers) {
    const opinion = authorizer.authorize(attributes);
    if (opinion === undefined) continue;
    if (opinion.allowed !== undefined) return opinion as Decision;
    reasons ??= [];
    reasons.push(opinion.reason);
  }
  return { allowed: false, reason: reasons?.join('\n') ?? '' };
}
