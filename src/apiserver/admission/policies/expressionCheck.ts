/** Refuses webhooks and policies with expressions that do not compile. CEL is loaded when the first of them comes. */
import type { MatchCondition, Variable } from '../../../apis/admissionregistration/match.ts';
import type { MutatingAdmissionPolicy } from '../../../apis/admissionregistration/mutatingAdmissionPolicy.ts';
import type { ValidatingAdmissionPolicy } from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import { type FieldError, invalid } from '../../../machinery/fieldError.ts';
import type { KubeObject } from '../../../machinery/kind.ts';
import { invalidObject } from '../../../machinery/status.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import type { ExpressionScope } from './expression.ts';

const GROUP = 'admissionregistration.k8s.io';

interface Expression {
  readonly path: string;
  readonly text: string;
  readonly scope: ExpressionScope;
  readonly wanted?: 'bool' | 'string';
}

export const expressionCheck: AdmissionPlugin = {
  name: 'ExpressionCheck',
  resources: new Set(
    [
      'validatingwebhookconfigurations',
      'mutatingwebhookconfigurations',
      'validatingadmissionpolicies',
      'mutatingadmissionpolicies',
    ].map((plural) => `${GROUP}/${plural}`),
  ),
  validate({ object, kind, name, subresource }) {
    if (object === undefined || subresource !== '') return;
    const expressions = expressionsOf(object, kind.plural);
    if (expressions.length === 0) return;
    return faultsOf(expressions).then((errors) => {
      if (errors.length > 0) throw invalidObject(kind, name, errors);
    });
  },
};

async function faultsOf(expressions: readonly Expression[]): Promise<FieldError[]> {
  const { compileExpression } = await import('./expression.ts');
  const { BOOL, STRING } = await import('../../../machinery/cel/types.ts');
  const types = { bool: BOOL, string: STRING };
  const errors: FieldError[] = [];
  for (const { path, text, scope, wanted } of expressions) {
    const compiled = compileExpression(text, scope, wanted === undefined ? undefined : types[wanted]);
    if ('fault' in compiled) errors.push(invalid(path, text, compiled.fault));
  }
  return errors;
}

function expressionsOf(object: KubeObject, plural: string): Expression[] {
  if (plural.endsWith('webhookconfigurations')) {
    const { webhooks = [] } = object as { webhooks?: readonly { matchConditions?: MatchCondition[] }[] };
    const scope = { params: false, variables: [] };
    return webhooks.flatMap((w, i) => conditions(w.matchConditions, `webhooks[${i}].matchConditions`, scope));
  }
  if (plural === 'validatingadmissionpolicies') {
    const spec = (object as ValidatingAdmissionPolicy).spec ?? {};
    const { all, scope } = shared(spec);
    for (const [i, v] of (spec.validations ?? []).entries()) {
      const path = `spec.validations[${i}]`;
      all.push({ path: `${path}.expression`, text: v.expression, scope, wanted: 'bool' });
      if (v.messageExpression) {
        all.push({ path: `${path}.messageExpression`, text: v.messageExpression, scope, wanted: 'string' });
      }
    }
    for (const [i, a] of (spec.auditAnnotations ?? []).entries()) {
      all.push({ path: `spec.auditAnnotations[${i}].valueExpression`, text: a.valueExpression, scope });
    }
    return all;
  }
  const spec = (object as MutatingAdmissionPolicy).spec ?? {};
  const { all, scope } = shared(spec);
  for (const [i, m] of (spec.mutations ?? []).entries()) {
    for (const field of ['applyConfiguration', 'jsonPatch'] as const) {
      const text = m[field]?.expression;
      if (text !== undefined) all.push({ path: `spec.mutations[${i}].${field}.expression`, text, scope });
    }
  }
  return all;
}

interface Head {
  paramKind?: unknown;
  matchConditions?: MatchCondition[];
  variables?: Variable[];
}

function shared(spec: Head): { all: Expression[]; scope: ExpressionScope } {
  const params = spec.paramKind !== undefined;
  const variables = (spec.variables ?? []).map((v) => v.name);
  const all = conditions(spec.matchConditions, 'spec.matchConditions', { params, variables: [] });
  for (const [i, { expression }] of (spec.variables ?? []).entries()) {
    // A variable may use those before it.
    const scope = { params, variables: variables.slice(0, i) };
    all.push({ path: `spec.variables[${i}].expression`, text: expression, scope });
  }
  return { all, scope: { params, variables } };
}

function conditions(list: readonly MatchCondition[] | undefined, path: string, scope: ExpressionScope): Expression[] {
  return (list ?? []).map(({ expression }, i) => ({
    path: `${path}[${i}].expression`,
    text: expression.trim(),
    scope,
    wanted: 'bool',
  }));
}
