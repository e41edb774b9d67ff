/**
 * Client certificates: the common name is the user, the organizations are the groups.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#x509-client-certificates
 */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { apiError } from '../../machinery/status.ts';
import type { RequestContext } from '../context.ts';
import { CREDENTIAL_ID, type User } from '../user.ts';
import type { Authenticator } from './authenticator.ts';

/** Whom a connection's certificate names; it never changes. `null`: it has none. */
type Peer = { readonly user: User; readonly chain: readonly string[] } | null | 'untrusted';

/** Longer chains are nobody's. */
const MAX_CHAIN = 10;

/** The server must ask clients for a certificate, and must not refuse those that have none or a bad one. */
export class ClientCertificates {
  readonly #known = new WeakMap<object, Peer>();

  /** Who has a certificate that a CA issued of those in `ca` (PEM), as the certificate names it. */
  authenticator(ca: string): Authenticator {
    const trusted = fingerprintsOf(ca);
    return (ctx) => {
      const peer = this.#peerOf(ctx);
      if (peer === null) return undefined;
      if (peer === 'untrusted' || !isIssuedBy(peer.chain, trusted)) {
        // A token may still be good.
        if (ctx.header('authorization') === undefined) throw apiError('Unauthorized', 'Unauthorized');
        return undefined;
      }
      return peer.user;
    };
  }

  /** The name in a certificate that a CA issued of those in `ca` (PEM); undefined where the client has no such one. */
  nameFrom(ca: string): (ctx: RequestContext) => string | undefined {
    const trusted = fingerprintsOf(ca);
    return (ctx) => {
      const peer = this.#peerOf(ctx);
      return peer === null || peer === 'untrusted' || !isIssuedBy(peer.chain, trusted) ? undefined : peer.user.name;
    };
  }

  #peerOf(ctx: RequestContext): Peer {
    const connection = connectionOf(ctx);
    if (connection === undefined) return null;
    let peer = this.#known.get(connection.key);
    if (peer === undefined) {
      peer = peerOf(connection.socket);
      this.#known.set(connection.key, peer);
    }
    return peer;
  }
}

/** The TLS socket, and what stands for the connection: with HTTP/2 each request has a socket object of its own. */
function connectionOf(ctx: RequestContext): { key: object; socket: TLSSocket } | undefined {
  const req = ctx.raw?.req as { socket: TLSSocket; stream?: { session?: object } } | undefined;
  if (req === undefined) return undefined;
  return { key: req.stream?.session ?? req.socket, socket: req.socket };
}

function peerOf(socket: TLSSocket): Peer {
  if (typeof socket.getPeerCertificate !== 'function') return null;
  const certificate = socket.getPeerCertificate(true);
  const { subject } = certificate;
  if (subject === undefined) return null;
  if (!socket.authorized) return 'untrusted';
  // Node gives a list where a name occurs several times.
  const { CN, O } = subject as { CN?: string | string[]; O?: string | string[] };
  const name = listOf(CN)[0];
  if (name === undefined) return 'untrusted';
  // Which of several certificates of one name it was, as the audit log and `kubectl auth whoami` show it.
  const id = `X509SHA256=${certificate.fingerprint256.replaceAll(':', '').toLowerCase()}`;
  const user = { name, groups: listOf(O), extra: { [CREDENTIAL_ID]: [id] } };
  return { user, chain: issuersOf(certificate) };
}

/** The fingerprints of those who issued it, up to the one whom the server trusts. */
function issuersOf(certificate: DetailedPeerCertificate): string[] {
  const chain: string[] = [];
  let here: DetailedPeerCertificate | undefined = certificate;
  while (here !== undefined && chain.length < MAX_CHAIN) {
    const issuer: DetailedPeerCertificate | undefined = here.issuerCertificate;
    if (issuer === undefined || issuer === here) break;
    chain.push(issuer.fingerprint256);
    here = issuer;
  }
  return chain;
}

const isIssuedBy = (chain: readonly string[], trusted: ReadonlySet<string>) => chain.some((c) => trusted.has(c));

function fingerprintsOf(pem: string): ReadonlySet<string> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return new Set(blocks.map((block) => new X509Certificate(block).fingerprint256));
}

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];
