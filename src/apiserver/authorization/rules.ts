/**
 * What a list of policy rules allows, and whether one list grants all that another does.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
 */
import type { PolicyRule } from '../../apis/rbac/rules.ts';
import type { Attributes } from './authorizer.ts';

const ALL = '*';
const NONE: readonly string[] = [];

/** Hot path: runs for every rule of every role of a user. No allocation. */
export function ruleAllows(rule: PolicyRule, a: Attributes): boolean {
  if (!holds(rule.verbs, a.verb)) return false;
  if (!a.isResource) return pathMatches(rule.nonResourceURLs ?? NONE, a.path);
  return (
    holds(rule.apiGroups ?? NONE, a.group) &&
    resourceMatches(rule.resources ?? NONE, a.resource, a.subresource) &&
    nameMatches(rule.resourceNames ?? NONE, a.name)
  );
}

function holds(list: readonly string[], value: string): boolean {
  for (const item of list) if (item === value || item === ALL) return true;
  return false;
}

function resourceMatches(list: readonly string[], resource: string, subresource: string): boolean {
  for (const item of list) {
    if (item === ALL) return true;
    if (subresource === '') {
      if (item === resource) return true;
      continue;
    }
    const slash = item.length - subresource.length - 1;
    if (slash <= 0 || item.charCodeAt(slash) !== 47 /* '/' */ || !item.endsWith(subresource)) continue;
    const before = item.slice(0, slash);
    if (before === resource || before === ALL) return true;
  }
  return false;
}

function nameMatches(list: readonly string[], name: string): boolean {
  return list.length === 0 || list.includes(name);
}

function pathMatches(list: readonly string[], path: string): boolean {
  for (const item of list) {
    if (item === ALL || item === path) return true;
    if (item.endsWith(ALL) && path.startsWith(item.slice(0, -1))) return true;
  }
  return false;
}

/** One verb on one resource of one group (and one name), or on one path. */
interface Grant {
  readonly verb: string;
  readonly group?: string;
  readonly resource?: string;
  readonly name?: string;
  readonly path?: string;
}

/** So much is compared at most: a role may name a thousand verbs on a thousand resources of a thousand groups. */
const MAX_COMPARISONS = 20_000_000;
const MAX_GRANTS = 10_000;

/** The parts of `wanted` that `held` does not grant, one rule each; empty where all is held. */
export function missingRules(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  const missing: PolicyRule[] = [];
  let left = MAX_COMPARISONS;
  let leftGrants = MAX_GRANTS;
  for (const rule of wanted) {
    let granted = false;
    for (const by of held) {
      const cost = comparisonsOf(by, rule);
      left -= Math.min(cost, left);
      if (left === 0) break;
      granted = grantsWhole(by, rule);
      if (granted) break;
    }
    if (granted) continue;
    const grants = grantsOf(rule);
    left -= Math.min(left, grants * held.length);
    leftGrants -= Math.min(leftGrants, grants);
    // What would take too long to take apart is missing as a whole.
    if (left === 0 || leftGrants === 0) {
      missing.push(rule);
      continue;
    }
    for (const grant of breakDown(rule)) {
      if (!held.some((h) => grantsOne(h, grant))) missing.push(asRule(grant));
    }
  }
  return missing;
}

const lengthOf = (list: readonly string[] | undefined) => list?.length ?? 0;

/** How many single grants a rule is taken apart into. */
function grantsOf(rule: PolicyRule): number {
  const { verbs, apiGroups, resources, resourceNames, nonResourceURLs } = rule;
  const names = Math.max(1, lengthOf(resourceNames));
  return lengthOf(verbs) * (lengthOf(apiGroups) * lengthOf(resources) * names + lengthOf(nonResourceURLs));
}

function comparisonsOf(held: PolicyRule, wanted: PolicyRule): number {
  const lists = ['verbs', 'apiGroups', 'resources', 'resourceNames', 'nonResourceURLs'] as const;
  return lists.reduce((sum, list) => sum + lengthOf(held[list]) * lengthOf(wanted[list]), 1);
}

/** Whether one rule grants all of another. */
function grantsWhole(held: PolicyRule, wanted: PolicyRule): boolean {
  const { verbs = NONE, apiGroups = NONE, resources = NONE, resourceNames = NONE, nonResourceURLs = NONE } = wanted;
  const names = held.resourceNames ?? NONE;
  return (
    verbs.every((verb) => holds(held.verbs ?? NONE, verb)) &&
    apiGroups.every((group) => holds(held.apiGroups ?? NONE, group)) &&
    resources.every((resource) => holdsResource(held.resources ?? NONE, resource)) &&
    (names.length === 0 || (resourceNames.length > 0 && resourceNames.every((name) => names.includes(name)))) &&
    nonResourceURLs.every((path) => pathMatches(held.nonResourceURLs ?? NONE, path))
  );
}

function holdsResource(list: readonly string[], wanted: string): boolean {
  const [resource = '', subresource = ''] = wanted.split('/', 2);
  return resourceMatches(list, resource, subresource);
}

function* breakDown(rule: PolicyRule): Iterable<Grant> {
  const names = rule.resourceNames ?? NONE;
  for (const verb of rule.verbs ?? NONE) {
    for (const group of rule.apiGroups ?? NONE) {
      for (const resource of rule.resources ?? NONE) {
        if (names.length === 0) yield { verb, group, resource };
        for (const name of names) yield { verb, group, resource, name };
      }
    }
    for (const path of rule.nonResourceURLs ?? NONE) yield { verb, path };
  }
}

function grantsOne(rule: PolicyRule, grant: Grant): boolean {
  if (!holds(rule.verbs ?? NONE, grant.verb)) return false;
  if (grant.path !== undefined) return pathMatches(rule.nonResourceURLs ?? NONE, grant.path);
  const names = rule.resourceNames ?? NONE;
  return (
    holds(rule.apiGroups ?? NONE, grant.group ?? '') &&
    holdsResource(rule.resources ?? NONE, grant.resource ?? '') &&
    // Rights on some names never cover the right on all of them.
    (names.length === 0 || (grant.name !== undefined && names.includes(grant.name)))
  );
}

function asRule(grant: Grant): PolicyRule {
  if (grant.path !== undefined) return { verbs: [grant.verb], nonResourceURLs: [grant.path] };
  return {
    verbs: [grant.verb],
    apiGroups: [grant.group ?? ''],
    resources: [grant.resource ?? ''],
    ...(grant.name === undefined ? {} : { resourceNames: [grant.name] }),
  };
}

/** A rule on one line, as refusals show it: `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get"]}`. */
export function showRule(rule: PolicyRule): string {
  const parts: string[] = [];
  const part = (label: string, values: readonly string[] | undefined) => {
    if (values?.length) parts.push(`${label}:[${values.map((v) => JSON.stringify(v)).join(' ')}]`);
  };
  part('APIGroups', rule.apiGroups);
  part('Resources', rule.resources);
  part('NonResourceURLs', rule.nonResourceURLs);
  part('ResourceNames', rule.resourceNames);
  part('Verbs', rule.verbs);
  return `{${parts.join(', ')}}`;
}
