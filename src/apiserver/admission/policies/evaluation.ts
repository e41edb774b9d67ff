/** One policy, or one webhook's conditions, evaluated for one request. Imported when first needed. */
import type { MatchCondition, Variable } from '../../../apis/admissionregistration/match.ts';
import { namespaces } from '../../../apis/core/namespace.ts';
import { type CelProgram, STEPS_PER_OBJECT } from '../../../machinery/cel/compile.ts';
import type { Budget } from '../../../machinery/cel/overload.ts';
import { LazyObject, toJson, type Value } from '../../../machinery/cel/value.ts';
import type { Kind } from '../../../machinery/kind.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { Registry } from '../../registry/registry.ts';
import { fromHub } from '../../verbs/versions.ts';
import { namespaceOf } from '../matching.ts';
import type { AdmissionRequest } from '../plugin.ts';
import { requestFacts } from '../webhooks/review.ts';
import { authorizerValue } from './authorizerLibrary.ts';
import { compileExpression, type ExpressionScope } from './expression.ts';

export interface EvaluationParts {
  readonly registry: Registry;
  readonly authorizers: readonly Authorizer[];
}

/** The programs of one policy, by their text. What does not compile any more fails when it is evaluated. */
export class Programs {
  readonly #scope: ExpressionScope;
  readonly #variables: ReadonlyMap<string, string>;
  readonly #programs = new Map<string, CelProgram | { readonly fault: string }>();

  constructor(params: boolean, variables: readonly Variable[]) {
    this.#scope = { params, variables: variables.map((v) => v.name) };
    this.#variables = new Map(variables.map((v) => [v.name, v.expression]));
  }

  /** @throws Error where it does not compile or fails */
  evaluate(expression: string, activation: Record<string, unknown>, budget: Budget): Value {
    let program = this.#programs.get(expression);
    if (program === undefined) {
      program = compileExpression(expression, this.#scope);
      this.#programs.set(expression, program);
    }
    if ('fault' in program) throw new Error(program.fault);
    return program.evaluate(activation, budget);
  }

  /** What expressions may name. `variables` are evaluated when they are first asked for. */
  activation(parts: EvaluationParts, request: AdmissionRequest, as: Kind, params: unknown, budget: Budget) {
    const names: Record<string, unknown> = {
      ...activationOf(parts, request, as),
      // Absent parameters are null, not an unknown name.
      params: () => params ?? null,
    };
    names.variables = new LazyObject((name) => {
      const expression = this.#variables.get(name);
      return expression === undefined ? undefined : this.evaluate(expression, names, budget);
    });
    return names;
  }

  /** Whether all conditions hold; one that does not is enough, whatever the others do. @throws Error */
  matches(conditions: readonly MatchCondition[], activation: Record<string, unknown>, budget: Budget): boolean {
    let failure: unknown;
    for (const { expression, name } of conditions) {
      try {
        const value = this.evaluate(expression.trim(), activation, budget);
        if (value === false) return false;
        if (value !== true) failure ??= new Error(`condition ${JSON.stringify(name)} did not give a bool`);
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
    return true;
  }
}

/** What an expression gave, as JSON. */
export const jsonOf = (value: Value): unknown => toJson(value);

export const newBudget = (): Budget => ({ left: STEPS_PER_OBJECT });

function activationOf({ registry, authorizers }: EvaluationParts, request: AdmissionRequest, as: Kind) {
  const namespace = namespaceOf(request);
  return {
    object: () => (request.object === undefined ? null : fromHub(as, request.object)),
    oldObject: () => (request.oldObject === undefined ? null : fromHub(as, request.oldObject)),
    request: () => requestFacts(request, as),
    namespaceObject: () =>
      namespace === '' ? null : (registry.cache(namespaces).object(undefined, namespace) ?? null),
    authorizer: () =>
      authorizerValue(authorizers, request.user, {
        group: as.group,
        version: as.version,
        resource: as.plural,
        subresource: request.subresource,
        namespace,
        name: request.name,
      }),
  };
}
