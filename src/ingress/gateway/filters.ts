/**
 * What the filters of a rule make of a request. Pure.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/#httproutefilter
 */
import type { Asked, Redirect } from '../decision.ts';
import type { HeaderChange } from '../headers.ts';
import { nameOf } from './hostnames.ts';
import type { HeaderFilter, PathModifier, RouteFilter } from './kinds.ts';
import { type Found, partsOf } from './routeTable.ts';

/** What is done here. A rule with another filter is refused as a whole: its effect must not be missing. */
export const SUPPORTED_FILTERS: readonly string[] = [
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestMirror',
  'RequestRedirect',
  'URLRewrite',
];

const DEFAULT_PORTS = { http: 80, https: 443 } as const;

export function headerChanges(filters: readonly RouteFilter[], which: 'request' | 'response'): HeaderChange[] {
  return filters.flatMap((filter) => {
    const change = which === 'request' ? filter.requestHeaderModifier : filter.responseHeaderModifier;
    return change === undefined ? [] : changeOf(change);
  });
}

function changeOf({ set = [], add = [], remove = [] }: HeaderFilter): HeaderChange {
  const lower = (headers: readonly { name: string; value: string }[]) =>
    headers.map(({ name, value }) => ({ name: name.toLowerCase(), value }));
  return { set: lower(set), add: lower(add), remove: remove.map((name) => name.toLowerCase()) };
}

/** Undefined where the rule sends nobody elsewhere. @param port of the listener */
export function redirectOf({ rule, prefix }: Found, asked: Asked, port: number): Redirect | undefined {
  const filter = rule.filters?.find(({ requestRedirect }) => requestRedirect !== undefined)?.requestRedirect;
  if (filter === undefined) return undefined;
  const scheme = filter.scheme ?? asked.protocol;
  const usual = DEFAULT_PORTS[scheme === 'https' ? 'https' : 'http'];
  // Another scheme has its own usual port; else the client stays on the port where it is.
  const to = filter.port ?? (filter.scheme === undefined ? port : usual);
  const host = `${filter.hostname ?? nameOf(asked.host)}${to === usual ? '' : `:${to}`}`;
  const location = `${scheme}://${host}${changedUrl(asked.url, prefix, filter.path)}`;
  return { to: 'redirect', status: filter.statusCode ?? 302, location };
}

/** How the backend is asked. */
export function rewriteOf({ rule, prefix }: Found, asked: Asked): { url?: string; host?: string } {
  const filter = rule.filters?.find(({ urlRewrite }) => urlRewrite !== undefined)?.urlRewrite;
  return {
    ...(filter?.hostname === undefined ? {} : { host: filter.hostname }),
    ...(filter?.path === undefined ? {} : { url: changedUrl(asked.url, prefix, filter.path) }),
  };
}

function changedUrl(url: string, prefix: string, change: PathModifier | undefined): string {
  const { path, search } = partsOf(url);
  if (change?.type === 'ReplaceFullPath') return `${change.replaceFullPath ?? '/'}${search}`;
  if (change?.type !== 'ReplacePrefixMatch') return url;
  const rest = path.slice(prefix.replace(/\/+$/, '').length);
  const changed = `${(change.replacePrefixMatch ?? '').replace(/\/+$/, '')}${rest}`;
  return `${changed.startsWith('/') ? changed : `/${changed}`}${search}`;
}
