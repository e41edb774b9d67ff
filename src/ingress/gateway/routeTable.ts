/**
 * From the routes of a listener to the rule that a request falls under. Pure.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule (the order in which matches are preferred)
 */
import { compileRegularExpression } from '../../machinery/regularExpression.ts';
import type { Asked } from '../decision.ts';
import { candidatesFor, nameOf } from './hostnames.ts';
import type { HTTPRoute, RouteMatch, RouteRule, ValueMatch } from './kinds.ts';

/** A route and the names under which it is reached. */
export interface AttachedRoute {
  readonly route: HTTPRoute;
  readonly hostnames: readonly string[];
}

/** What was found: the rule, and the part of the path that made it fit. */
export interface Found {
  readonly namespace: string;
  readonly rule: RouteRule;
  /** '' where it was no prefix */
  readonly prefix: string;
}

interface Entry extends Found {
  readonly rank: readonly number[];
  matches(path: string, query: URLSearchParams, asked: Asked): boolean;
}

const EVERYTHING: RouteMatch = { path: { type: 'PathPrefix', value: '/' } };

export class RouteTable {
  readonly #hosts = new Map<string, Entry[]>();

  /** @param routes the older ones win where two want the same */
  constructor(routes: readonly AttachedRoute[]) {
    for (const { route, hostnames } of [...routes].sort((a, b) => (ageOf(a.route) < ageOf(b.route) ? -1 : 1))) {
      const entries = (route.spec.rules ?? []).flatMap((rule) => entriesOf(route, rule));
      for (const name of hostnames) this.#hosts.set(name, [...(this.#hosts.get(name) ?? []), ...entries]);
    }
    // Sorting is stable: of equal ones the older route stays first, and of one route the first rule.
    for (const entries of this.#hosts.values()) entries.sort(byRank);
  }

  find(asked: Asked): Found | undefined {
    const { path, query } = partsOf(asked.url);
    for (const candidate of candidatesFor(nameOf(asked.host))) {
      const entries = this.#hosts.get(candidate);
      if (entries !== undefined) return entries.find((entry) => entry.matches(path, query, asked));
    }
    return undefined;
  }
}

export function partsOf(url: string): { path: string; query: URLSearchParams; search: string } {
  const at = url.indexOf('?');
  const search = at === -1 ? '' : url.slice(at);
  return { path: at === -1 ? url : url.slice(0, at), query: new URLSearchParams(search), search };
}

function entriesOf({ metadata }: HTTPRoute, rule: RouteRule): Entry[] {
  const matches = (rule.matches ?? []).length === 0 ? [EVERYTHING] : (rule.matches ?? []);
  return matches.map((match) => {
    const { type = 'PathPrefix', value = '/' } = match.path ?? {};
    const fits = pathTest(type, value);
    const headers = (match.headers ?? []).map((one) => valueTest(one, one.name.toLowerCase()));
    const params = (match.queryParams ?? []).map((one) => valueTest(one, one.name));
    return {
      namespace: metadata?.namespace ?? '',
      rule,
      prefix: type === 'PathPrefix' ? value : '',
      rank: [type === 'Exact' ? 1 : 0, value.length, match.method === undefined ? 0 : 1, headers.length, params.length],
      matches: (path, query, asked) =>
        fits(path) &&
        (match.method === undefined || match.method === asked.method) &&
        headers.every(({ name, test }) => test(textOf(asked.headers[name]))) &&
        params.every(({ name, test }) => test(query.get(name) ?? undefined)),
    };
  });
}

function pathTest(type: string, value: string): (path: string) => boolean {
  if (type === 'Exact') return (path) => path === value;
  if (type === 'RegularExpression') {
    const test = wholeTest(value);
    return (path) => test(path);
  }
  // Prefixes are compared part by part, so a slash at the end says nothing.
  const prefix = value.replace(/\/+$/, '');
  return (path) => prefix === '' || path === prefix || path.startsWith(`${prefix}/`);
}

function valueTest({ type = 'Exact', value }: ValueMatch, name: string) {
  const whole = type === 'RegularExpression' ? wholeTest(value) : (text: string) => text === value;
  return { name, test: (text: string | undefined) => text !== undefined && whole(text) };
}

/** What is no expression fits nothing. */
function wholeTest(pattern: string): (text: string) => boolean {
  try {
    const compiled = compileRegularExpression(pattern);
    return (text) => compiled.matches(text);
  } catch {
    return () => false;
  }
}

const textOf = (value: string | readonly string[] | undefined) =>
  typeof value === 'string' || value === undefined ? value : value.join(', ');

function byRank(a: Entry, b: Entry): number {
  for (const [i, own] of a.rank.entries()) {
    const other = b.rank[i] ?? 0;
    if (own !== other) return other - own;
  }
  return 0;
}

const ageOf = ({ metadata }: HTTPRoute) => `${metadata?.creationTimestamp} ${metadata?.namespace}/${metadata?.name}`;
