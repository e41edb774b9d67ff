/**
 * Bearer tokens: in the Authorization header, or, from browsers, in the list of WebSocket protocols.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#putting-a-bearer-token-in-a-request
 */
import { apiError } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';
import type { User } from '../user.ts';
import type { Authenticator } from './authenticator.ts';
import { InvalidTokenError, type ServiceAccountTokens } from './serviceAccountTokens.ts';

const PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.';

/** @throws ApiError Unauthorized for a token that nobody knows */
export function bearerTokenAuthenticator(tokens: ServiceAccountTokens): Authenticator {
  return (ctx) => {
    const token = bearerToken(ctx);
    if (token === undefined) return undefined;
    try {
      const verdict = tokens.verify(token);
      return verdict instanceof Promise ? verdict.then((v) => v.user, refuse) : verdict.user;
    } catch (e) {
      return refuse(e);
    }
  };
}

function refuse(e: unknown): User {
  if (e instanceof InvalidTokenError) throw apiError('Unauthorized', 'Unauthorized');
  throw e;
}

/** The token that a request carries, if any. */
export function bearerToken(ctx: RequestContext): string | undefined {
  const header = ctx.header('authorization');
  if (header !== undefined) return /^bearer +(\S+) *$/i.exec(header)?.[1];
  if (ctx.header('upgrade')?.toLowerCase() !== 'websocket') return undefined;
  for (const protocol of (ctx.header('sec-websocket-protocol') ?? '').split(',')) {
    const name = protocol.trim();
    if (isTokenProtocol(name)) return Buffer.from(name.slice(PROTOCOL_PREFIX.length), 'base64url').toString();
  }
  return undefined;
}

/** Whether what is offered as a WebSocket protocol is a token. */
export const isTokenProtocol = (name: string) => name.startsWith(PROTOCOL_PREFIX);

/** The protocols that a client offers, without the one that carries its token: that is for nobody else to see. */
export function withoutToken(protocols: string): string {
  return protocols
    .split(',')
    .map((p) => p.trim())
    .filter((p) => p !== '' && !isTokenProtocol(p))
    .join(', ');
}
