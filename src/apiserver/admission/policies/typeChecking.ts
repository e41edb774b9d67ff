/**
 * What is doubtful in the expressions of a validating policy, given the kinds that it is about: nothing is refused for
 * it, but its author is told.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
 */
import type {
  ExpressionWarning,
  ValidatingAdmissionPolicy,
} from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import { celTypeOf } from '../../../machinery/cel/schemaTypes.ts';
import { type CelType, DYN } from '../../../machinery/cel/types.ts';
import { apiVersionOf, type Kind } from '../../../machinery/kind.ts';
import type { KindRegistry } from '../../../machinery/kindRegistry.ts';
import { compileExpression, type ExpressionScope } from './expression.ts';

/** Of each rule no more kinds are looked at. */
const MAX_KINDS = 10;

/** The expressions that do not go with the types of the kinds that the policy names. */
export function typeWarnings(policy: ValidatingAdmissionPolicy, kinds: KindRegistry): ExpressionWarning[] {
  const spec = policy.spec ?? {};
  const params = paramType(spec.paramKind, kinds);
  const scopes = kindsOf(spec, kinds).map((kind) => ({ kind, scope: scopeOf(spec, celTypeOf(kind.schema), params) }));
  const warnings: ExpressionWarning[] = [];
  for (const [i, { expression, messageExpression }] of (spec.validations ?? []).entries()) {
    for (const [field, text] of Object.entries({ expression, messageExpression })) {
      if (!text) continue;
      const faults = scopes.flatMap(({ kind, scope }) => {
        const compiled = compileExpression(text, scope);
        return 'fault' in compiled
          ? [`${apiVersionOf(kind)}, Kind=${kind.kind}: ${withoutPrefix(compiled.fault)}\n`]
          : [];
      });
      if (faults.length > 0) warnings.push({ fieldRef: `spec.validations[${i}].${field}`, warning: faults.join('\n') });
    }
  }
  return warnings;
}

const PREFIX = 'compilation failed: ';
const withoutPrefix = (fault: string) => (fault.startsWith(PREFIX) ? fault.slice(PREFIX.length) : fault);

type Spec = NonNullable<ValidatingAdmissionPolicy['spec']>;

/** Only what the rules name exactly; in the order of groups, versions and kinds. */
function kindsOf(spec: Spec, registry: KindRegistry): Kind[] {
  const found = new Set<Kind>();
  for (const { apiGroups = [], apiVersions = [], resources = [] } of spec.matchConstraints?.resourceRules ?? []) {
    if ([...apiGroups, ...apiVersions].some((name) => name.includes('*'))) continue;
    const plurals = resources.filter((name) => !/[*/]/.test(name));
    const named = apiGroups.flatMap((group) =>
      apiVersions.flatMap((version) => plurals.flatMap((plural) => registry.byResource(group, version, plural) ?? [])),
    );
    for (const kind of named.slice(0, MAX_KINDS)) found.add(kind);
  }
  const key = (kind: Kind) => [kind.group, kind.version, kind.kind].join('/');
  return [...found].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}

/** Undefined where the policy has no parameters, or none of a kind that is known. */
function paramType(paramKind: Spec['paramKind'], registry: KindRegistry): CelType | undefined {
  if (paramKind === undefined) return undefined;
  const kind = registry.all().find((k) => k.kind === paramKind.kind && apiVersionOf(k) === paramKind.apiVersion);
  return kind && celTypeOf(kind.schema);
}

/** Each variable has the type that its expression gives, as far as that is known. */
function scopeOf(spec: Spec, object: CelType, params: CelType | undefined): ExpressionScope {
  const variables: Record<string, CelType> = {};
  const scope = (): ExpressionScope => ({
    params: params !== undefined,
    variables: Object.keys(variables),
    types: { object, params: params ?? DYN, variables: { ...variables } },
  });
  for (const { name, expression } of spec.variables ?? []) {
    const compiled = compileExpression(expression, scope());
    variables[name] = 'fault' in compiled ? DYN : compiled.resultType;
  }
  return scope();
}
