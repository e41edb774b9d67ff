/** What is wrong with the CEL expressions of webhooks and policies. */
import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from '../../machinery/fieldError.ts';
import { qualifiedName } from '../../machinery/names.ts';
import type { MatchCondition, Variable } from './match.ts';

const MAX_MATCH_CONDITIONS = 64;
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** What an expression may name besides `object`, `oldObject`, `request` and `namespaceObject`. */
export interface ExpressionScope {
  readonly params: boolean;
  /** the names of `variables` */
  readonly variables: readonly string[];
}

/**
 * Checks one expression, which is not empty.
 * @param _types what it may give
 */
export function validateExpression(
  _expression: string,
  _scope: ExpressionScope,
  path: string,
  errors: FieldError[],
  _types: readonly string[],
): void {
  errors.push(forbidden(path, 'this server cannot evaluate CEL expressions'));
}

export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  scope: ExpressionScope,
  path: string,
  errors: FieldError[],
): void {
  if (conditions.length > MAX_MATCH_CONDITIONS) errors.push(tooMany(path, conditions.length, MAX_MATCH_CONDITIONS));
  const seen = new Set<string>();
  for (const [i, { name, expression }] of conditions.entries()) {
    const at = `${path}[${i}]`;
    if (!expression?.trim()) errors.push(required(`${at}.expression`));
    else validateExpression(expression.trim(), scope, `${at}.expression`, errors, ['bool']);
    if (!name) {
      errors.push(required(`${at}.name`));
      continue;
    }
    for (const fault of qualifiedName(name)) errors.push(invalid(`${at}.name`, name, fault));
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
  }
}

/** @returns their names. A variable may use those before it. */
export function validateVariables(
  variables: readonly Variable[],
  params: boolean,
  path: string,
  errors: FieldError[],
): string[] {
  const names: string[] = [];
  for (const [i, { name, expression }] of variables.entries()) {
    const at = `${path}[${i}]`;
    if (!name?.trim()) errors.push(required(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
      errors.push(invalid(`${at}.name`, name, 'name is not a valid CEL identifier'));
    }
    if (!expression?.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
    else validateExpression(expression, { params, variables: names.slice() }, `${at}.expression`, errors, []);
    if (name) names.push(name);
  }
  return names;
}
