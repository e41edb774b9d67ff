/**
 * Whether a webhook or a policy is for a request.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules
 */
import { namespaces } from '../../apis/core/namespace.ts';
import { hubOf, type Kind, type KubeObject, storagePrefix } from '../../machinery/kind.ts';
import { matchesLabels, type Selector } from '../../machinery/labelSelector.ts';
import { notFound } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionRequest } from './plugin.ts';

/** What rules of webhooks and of policies have in common. */
export interface Rule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  readonly resources?: readonly string[];
  readonly scope?: string;
  readonly resourceNames?: readonly string[];
}

export interface Match {
  readonly rules: readonly Rule[];
  readonly excluded?: readonly Rule[];
  /** whether a rule for another version of the same objects is meant too */
  readonly equivalent: boolean;
  readonly namespaceSelector: Selector;
  readonly objectSelector: Selector;
}

const EXEMPT_GROUP = 'admissionregistration.k8s.io';

/** What configures admission is never admitted by what it configures, or nobody could repair it. */
export function isExempt(request: AdmissionRequest): boolean {
  return request.kind.group === EXEMPT_GROUP;
}

export class Matcher {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** The version of the object that a rule asks for; undefined where none of them is for this request. */
  match(match: Match, request: AdmissionRequest): Kind | undefined {
    if (!this.#namespaceMatches(match.namespaceSelector, request)) return undefined;
    if (!objectMatches(match.objectSelector, request)) return undefined;
    const asked = request.asked ?? request.kind;
    if (match.excluded !== undefined && this.#find(match.excluded, match, request, asked) !== undefined)
      return undefined;
    return this.#find(match.rules, match, request, asked);
  }

  #find(rules: readonly Rule[], match: Match, request: AdmissionRequest, asked: Kind): Kind | undefined {
    for (const rule of rules) if (ruleMatches(rule, request, asked)) return asked;
    if (!match.equivalent) return undefined;
    const hub = hubOf(asked);
    for (const rule of rules) {
      for (const kind of this.#registry.kinds.all()) {
        if (kind !== asked && (hubOf(kind) === hub || areSiblings(asked, kind)) && ruleMatches(rule, request, kind)) {
          return kind;
        }
      }
    }
    return undefined;
  }

  /** @throws ApiError NotFound for a namespace that is not there */
  #namespaceMatches(selector: Selector, request: AdmissionRequest): boolean {
    if (selector.length === 0) return true;
    if (isNamespace(request.kind)) {
      if (request.object !== undefined && request.subresource === '') {
        return matchesLabels(selector, request.object.metadata?.labels);
      }
    } else if (request.namespace === undefined) return true;
    const name = namespaceOf(request);
    const found = this.#registry.cache(namespaces).object(undefined, name);
    if (found === undefined) throw notFound(namespaces, name);
    return matchesLabels(selector, found.metadata.labels);
  }
}

/** Versions of the same objects that somebody else converts. */
function areSiblings(a: Kind, b: Kind): boolean {
  return a.conversion !== undefined && b.conversion !== undefined && storagePrefix(a) === storagePrefix(b);
}

const isNamespace = (kind: Kind) => kind.plural === 'namespaces' && kind.group === '';

/** A namespace itself is in the namespace of its name; what is of the cluster is in ''. */
export function namespaceOf(request: AdmissionRequest): string {
  return isNamespace(request.kind) ? request.name : (request.namespace ?? '');
}

/** One of the old and the new object is enough. */
function objectMatches(selector: Selector, { object, oldObject }: AdmissionRequest): boolean {
  if (selector.length === 0) return true;
  const has = (o: KubeObject | undefined) => o !== undefined && matchesLabels(selector, o.metadata?.labels);
  return has(object) || has(oldObject);
}

function ruleMatches(rule: Rule, request: AdmissionRequest, kind: Kind): boolean {
  return (
    has(rule.operations, request.operation) &&
    has(rule.apiGroups, kind.group) &&
    has(rule.apiVersions, kind.version) &&
    resourceMatches(rule.resources, kind.plural, request.subresource) &&
    scopeMatches(rule.scope, request) &&
    ((rule.resourceNames ?? []).length === 0 || rule.resourceNames?.includes(request.name) === true)
  );
}

const has = (list: readonly string[] | undefined, value: string) =>
  list !== undefined && (list.includes(value) || list.includes('*'));

function resourceMatches(list: readonly string[] | undefined, resource: string, subresource: string): boolean {
  for (const text of list ?? []) {
    const slash = text.indexOf('/');
    const res = slash < 0 ? text : text.slice(0, slash);
    const sub = slash < 0 ? '' : text.slice(slash + 1);
    if ((res === '*' || res === resource) && (sub === '*' || sub === subresource)) return true;
  }
  return false;
}

function scopeMatches(scope: string | undefined, request: AdmissionRequest): boolean {
  const inNamespace = request.namespace !== undefined && !isNamespace(request.kind);
  if (scope === 'Namespaced') return inNamespace;
  if (scope === 'Cluster') return !inNamespace;
  return true;
}
