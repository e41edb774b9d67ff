/**
 * Which names a listener and a route have in common, and which of several names fits a request best. Pure.
 * A wildcard stands for one label or more.
 * Source: https://gateway-api.sigs.k8s.io/reference/spec/#httproutespec
 */

/** '' stands for all names. Undefined where there is none in common. */
export function commonHostname(a: string, b: string): string | undefined {
  if (a === '' || a === b) return b;
  if (b === '') return a;
  if (isBelow(b, a)) return b;
  return isBelow(a, b) ? a : undefined;
}

/** The names under which a route is reached on a listener; empty where it is not. */
export function commonHostnames(listener: string | undefined, route: readonly string[] | undefined): string[] {
  const names = (route ?? []).length === 0 ? [''] : (route ?? []);
  const common = names.map((name) => commonHostname((listener ?? '').toLowerCase(), name.toLowerCase()));
  return [...new Set(common.filter((name) => name !== undefined))];
}

/** Under what a name may be found, the best first: itself, wildcards from the longest on, all names. */
export function* candidatesFor(name: string): Generator<string> {
  yield name;
  for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) yield `*${name.slice(dot)}`;
  yield '';
}

/** As a request says it: without a port, in lower case. */
export const nameOf = (host: string) => host.replace(/:\d+$/, '').toLowerCase();

/** Whether all that `name` stands for is among what the wildcard stands for. */
function isBelow(name: string, wildcard: string): boolean {
  return wildcard.startsWith('*.') && name.endsWith(wildcard.slice(1)) && name !== wildcard;
}
