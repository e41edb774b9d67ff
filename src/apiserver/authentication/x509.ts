/**
 * Client certificates: the common name is the user, the organizations are the groups.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
import type { TLSSocket } from 'node:tls';
import { apiError } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';
import type { User } from '../user.ts';
import type { Authenticator } from './authenticator.ts';

/** A connection's user never changes: `null` for a connection without a certificate. */
type Known = User | null | 'untrusted';

/** The server must ask clients for a certificate, and must not refuse those that have none or a bad one. */
export function x509Authenticator(): Authenticator {
  const known = new WeakMap<object, Known>();
  return (ctx) => {
    const connection = connectionOf(ctx);
    if (connection === undefined) return undefined;
    let user = known.get(connection.key);
    if (user === undefined) {
      user = userOf(connection.socket);
      known.set(connection.key, user);
    }
    if (user === 'untrusted') {
      // A token may still be good.
      if (ctx.header('authorization') === undefined) throw apiError('Unauthorized', 'Unauthorized');
      return undefined;
    }
    return user ?? undefined;
  };
}

/** The TLS socket, and what stands for the connection: with HTTP/2 each request has a socket object of its own. */
function connectionOf(ctx: RequestContext): { key: object; socket: TLSSocket } | undefined {
  const req = ctx.raw?.req as { socket: TLSSocket; stream?: { session?: object } } | undefined;
  if (req === undefined) return undefined;
  return { key: req.stream?.session ?? req.socket, socket: req.socket };
}

function userOf(socket: TLSSocket): Known {
  if (typeof socket.getPeerCertificate !== 'function') return null;
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return null;
  if (!socket.authorized) return 'untrusted';
  // Node gives a list where a name occurs several times.
  const { CN, O } = subject as { CN?: string | string[]; O?: string | string[] };
  const name = listOf(CN)[0];
  return name === undefined ? 'untrusted' : { name, groups: listOf(O) };
}

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
