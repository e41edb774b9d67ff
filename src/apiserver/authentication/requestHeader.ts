/**
 * A proxy that has found out who asks, and says so in headers. It is believed because of its own certificate.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#authenticating-proxy
 */
import { HEADER_NAMES } from '../aggregation/identityHeaders.ts';
import type { RequestContext } from '../context.ts';
import type { Authenticator } from './authenticator.ts';

const USER = HEADER_NAMES.username.toLowerCase();
const UID = HEADER_NAMES.uid.toLowerCase();
const GROUP = HEADER_NAMES.group.toLowerCase();
const EXTRA = HEADER_NAMES.extraPrefix.toLowerCase();

/**
 * @param proxyOf the name of the proxy that has the connection; undefined for everybody else
 * @param allowed the names of proxies that are believed
 */
export function requestHeaderAuthenticator(
  proxyOf: (ctx: RequestContext) => string | undefined,
  allowed: ReadonlySet<string>,
): Authenticator {
  return (ctx) => {
    if (ctx.header(USER) === undefined) return undefined;
    const proxy = proxyOf(ctx);
    if (proxy === undefined || !allowed.has(proxy)) return undefined;
    const headers = ctx.raw?.req.headersDistinct ?? {};
    const valuesOf = (name: string) => (headers[name] ?? []).map(textOf).filter((value) => value !== '');
    const [name] = valuesOf(USER);
    if (name === undefined) return undefined;
    const [uid] = valuesOf(UID);
    const extra: Record<string, string[]> = {};
    for (const header of Object.keys(headers)) {
      if (header.startsWith(EXTRA)) extra[unescaped(header.slice(EXTRA.length))] = valuesOf(header);
    }
    return {
      name,
      groups: valuesOf(GROUP),
      ...(uid === undefined ? {} : { uid }),
      ...(Object.keys(extra).length === 0 ? {} : { extra }),
    };
  };
}

/** Headers are bytes; those of names are UTF-8. */
const textOf = (value: string) => Buffer.from(value, 'latin1').toString('utf8');

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
