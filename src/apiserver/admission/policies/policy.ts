/** Policies with their bindings: which of them are for a request, and with which parameters. */
import type {
  MatchCondition,
  MatchResources,
  ParamKind,
  ParamRef,
  Variable,
} from '../../../apis/admissionregistration/match.ts';
import { hubOf, type Kind, type KubeObject, type Stored } from '../../../machinery/kind.ts';
import { matchesLabels, type Selector, selectorFrom } from '../../../machinery/labelSelector.ts';
import type { Registry } from '../../registry/registry.ts';
import { fromHub } from '../../verbs/versions.ts';
import { type Match, type Matcher, namespaceOf, type Rule } from '../matching.ts';
import type { AdmissionRequest } from '../plugin.ts';

const NONE: Selector = [];
const EVERYTHING: readonly Rule[] = [
  { operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*/*'], scope: '*' },
];

export interface PolicySpec {
  paramKind?: ParamKind;
  matchConstraints?: MatchResources;
  matchConditions?: MatchCondition[];
  variables?: Variable[];
  failurePolicy?: string;
}

export interface BindingSpec {
  policyName?: string;
  paramRef?: ParamRef;
  matchResources?: MatchResources;
}

export interface CompiledPolicy<S extends PolicySpec> {
  readonly name: string;
  readonly spec: S;
  readonly match: Match;
  /** made when it is first evaluated */
  programs?: unknown;
}

export interface CompiledBinding<B extends BindingSpec> {
  readonly name: string;
  readonly spec: B;
  /** absent: whatever its policy is for */
  readonly match: Match | undefined;
}

export const compilePolicy = <S extends PolicySpec>(policy: { metadata: { name: string }; spec?: S }) => ({
  name: policy.metadata.name,
  spec: (policy.spec ?? {}) as S,
  match: matchOf(policy.spec?.matchConstraints ?? {}, []),
});

export const compileBinding = <B extends BindingSpec>(binding: { metadata: { name: string }; spec?: B }) => ({
  name: binding.metadata.name,
  spec: (binding.spec ?? {}) as B,
  match: binding.spec?.matchResources === undefined ? undefined : matchOf(binding.spec.matchResources, EVERYTHING),
});

function matchOf(match: MatchResources, otherwise: readonly Rule[]): Match {
  const rules = match.resourceRules ?? [];
  return {
    rules: rules.length === 0 ? otherwise : rules,
    excluded: match.excludeResourceRules ?? [],
    equivalent: match.matchPolicy !== 'Exact',
    namespaceSelector: selectorFrom(match.namespaceSelector) ?? NONE,
    objectSelector: selectorFrom(match.objectSelector) ?? NONE,
  };
}

/** A policy in effect for a request. */
export interface InEffect<S extends PolicySpec, B extends BindingSpec> {
  readonly policy: CompiledPolicy<S>;
  readonly binding: CompiledBinding<B>;
  /** the version of the object that the policy looks at */
  readonly as: Kind;
}

/** A hot path: for every write. */
export function policiesFor<S extends PolicySpec, B extends BindingSpec>(
  policies: readonly CompiledPolicy<S>[],
  bindings: readonly CompiledBinding<B>[],
  matcher: Matcher,
  request: AdmissionRequest,
): InEffect<S, B>[] {
  const all: InEffect<S, B>[] = [];
  for (const policy of policies) {
    let as: Kind | undefined;
    for (const binding of bindings) {
      if (binding.spec.policyName !== policy.name) continue;
      as ??= matcher.match(policy.match, request);
      if (as === undefined) break;
      if (binding.match === undefined || matcher.match(binding.match, request) !== undefined) {
        all.push({ policy, binding, as });
      }
    }
  }
  return all;
}

/**
 * The parameters with which a policy is evaluated, each in turn; one undefined where it takes none.
 * @throws Error where there are none and that is not allowed
 */
export async function paramsOf(
  registry: Registry,
  { policy, binding }: InEffect<PolicySpec, BindingSpec>,
  request: AdmissionRequest,
): Promise<readonly unknown[]> {
  const { paramKind } = policy.spec;
  const { paramRef } = binding.spec;
  if (paramKind === undefined || paramRef === undefined) return [undefined];
  const kind = registry.kinds.byKind(paramKind.apiVersion ?? '', paramKind.kind ?? '');
  if (kind === undefined) {
    throw new Error(
      `failed to configure policy: failed to find resource referenced by paramKind: '${paramKind.apiVersion}, Kind=${paramKind.kind}'`,
    );
  }
  const found = await find(registry, kind, paramRef, namespaceOf(request));
  if (found.length > 0 || paramRef.parameterNotFoundAction === 'Allow') return found;
  throw new Error('no params found for policy binding with `Deny` parameterNotFoundAction');
}

async function find(registry: Registry, kind: Kind, ref: ParamRef, requested: string): Promise<KubeObject[]> {
  let namespace: string | undefined;
  if (kind.namespaced) {
    namespace = ref.namespace || requested;
    if (namespace === '')
      throw new Error('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources');
  } else if (ref.namespace) throw new Error('paramRef.namespace must not be provided for a cluster-scoped `paramKind`');
  const cache = registry.cache(hubOf(kind));
  await cache.freshen();
  const view = (object: Stored<KubeObject>) => fromHub(kind, object);
  if (ref.name) {
    const object = cache.object(namespace, ref.name);
    return object === undefined ? [] : [view(object)];
  }
  const selector = selectorFrom(ref.selector) ?? NONE;
  return cache
    .entries(namespace)
    .map((entry) => entry.object)
    .filter((object) => matchesLabels(selector, object.metadata.labels))
    .map(view);
}
