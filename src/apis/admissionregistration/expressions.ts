/**
 * What is wrong with conditions and variables of webhooks and policies, but for the expressions themselves: those are
 * compiled at admission, where CEL is loaded when it is first needed.
 */
import { duplicate, type FieldError, invalid, required, tooMany } from '../../machinery/fieldError.ts';
import { qualifiedName } from '../../machinery/names.ts';
import type { MatchCondition, Variable } from './match.ts';

const MAX_MATCH_CONDITIONS = 64;
const IDENTIFIER = /^[_a-zA-Z][_a-zA-Z0-9]*$/;
const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

export function validateMatchConditions(
  conditions: readonly MatchCondition[],
  path: string,
  errors: FieldError[],
): void {
  if (conditions.length > MAX_MATCH_CONDITIONS) errors.push(tooMany(path, conditions.length, MAX_MATCH_CONDITIONS));
  const seen = new Set<string>();
  for (const [i, { name, expression }] of conditions.entries()) {
    const at = `${path}[${i}]`;
    if (!expression?.trim()) errors.push(required(`${at}.expression`));
    if (!name) {
      errors.push(required(`${at}.name`));
      continue;
    }
    for (const fault of qualifiedName(name)) errors.push(invalid(`${at}.name`, name, fault));
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
  }
}

export function validateVariables(variables: readonly Variable[], path: string, errors: FieldError[]): void {
  for (const [i, { name, expression }] of variables.entries()) {
    const at = `${path}[${i}]`;
    if (!name?.trim()) errors.push(required(`${at}.name`, 'name is not specified'));
    else if (!IDENTIFIER.test(name) || RESERVED.has(name)) {
      errors.push(invalid(`${at}.name`, name, 'name is not a valid CEL identifier'));
    }
    if (!expression?.trim()) errors.push(required(`${at}.expression`, 'expression is not specified'));
  }
}
