/**
 * Label selectors: parsed from a query (`app=web,tier in (a, b),!old`) or from a LabelSelector.
 *
 * Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
 */
import { type FieldError, invalid, notSupported, required } from './fieldError.ts';
import type { LabelSelector } from './meta.ts';
import { labelValue, qualifiedName } from './names.ts';

export type Labels = Readonly<Record<string, string>>;

type Operator = 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  readonly values: readonly string[];
}

/** All must hold; none means everything matches. */
export type Selector = readonly Requirement[];

export class SelectorSyntaxError extends Error {
  override readonly name = 'SelectorSyntaxError';
}

const EMPTY: Labels = {};

/** What Gt and Lt compare. */
const INTEGER = /^[-+]?\d+$/;

export function matchesLabels(selector: Selector, labels: Labels | undefined = EMPTY): boolean {
  for (const requirement of selector) if (!holds(requirement, labels)) return false;
  return true;
}

/** Whether one requirement holds. */
function holds(r: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, r.key) ? labels[r.key] : undefined;
  switch (r.operator) {
    case 'In':
      return value !== undefined && r.values.includes(value);
    case 'NotIn':
      return value === undefined || !r.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && INTEGER.test(value) && Number(value) > Number(r.values[0]);
    case 'Lt':
      return value !== undefined && INTEGER.test(value) && Number(value) < Number(r.values[0]);
  }
}

/** An absent selector matches nothing (undefined); an empty one everything. */
export function selectorFrom(selector: LabelSelector | undefined): Selector | undefined {
  if (selector === undefined) return undefined;
  const requirements: Requirement[] = selectorFromMap(selector.matchLabels).slice();
  for (const e of selector.matchExpressions ?? []) {
    requirements.push({ key: e.key, operator: e.operator as Operator, values: e.values ?? [] });
  }
  return requirements;
}

export function selectorFromMap(labels: Labels | undefined): Selector {
  return Object.entries(labels ?? EMPTY).map(([key, value]) => ({ key, operator: 'In', values: [value] }));
}

/** The form that a query carries, e.g. for the scale subresource, with keys in order. */
export function formatSelector(selector: Selector): string {
  return [...selector]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(formatRequirement)
    .join(',');
}

function formatRequirement({ key, operator, values }: Requirement): string {
  const [first = ''] = values;
  const list = `(${[...values].sort().join(',')})`;
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${first}` : `${key} in ${list}`;
    case 'NotIn':
      return values.length === 1 ? `${key}!=${first}` : `${key} notin ${list}`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
    case 'Gt':
      return `${key}>${first}`;
    case 'Lt':
      return `${key}<${first}`;
  }
}

const TOKEN = /\s*(!=|==|=|!|>|<|\(|\)|,|[^\s!=<>(),]+)/gy;

/** Parses a query's labelSelector. @throws SelectorSyntaxError */
export function parseLabelSelector(text: string): Selector {
  const tokens = tokenize(text);
  const requirements: Requirement[] = [];
  let at = 0;
  const peek = () => tokens[at];
  const next = () => tokens[at++];
  const fail = (what: string): never => {
    throw new SelectorSyntaxError(`unable to parse requirement: ${what}`);
  };
  while (peek() !== undefined) {
    if (requirements.length > 0) {
      if (next() !== ',') fail(`found '${tokens[at - 1]}', expected: ',' or the end`);
    }
    let negated = false;
    if (peek() === '!') {
      next();
      negated = true;
    }
    const key = next();
    if (key === undefined || isPunctuation(key)) fail(`found '${key ?? ''}', expected: identifier`);
    const name = key as string;
    const faults = qualifiedName(name);
    if (faults.length > 0) fail(`key: Invalid value: ${JSON.stringify(name)}: ${faults.join('; ')}`);
    const operator = peek();
    if (operator === undefined || operator === ',') {
      requirements.push({ key: name, operator: negated ? 'DoesNotExist' : 'Exists', values: [] });
      continue;
    }
    if (negated) fail(`found '${operator}', expected: ',' or the end`);
    next();
    if (operator === 'in' || operator === 'notin') {
      if (next() !== '(') fail(`found '${tokens[at - 1] ?? ''}', expected: '('`);
      const values = parseValues();
      requirements.push({ key: name, operator: operator === 'in' ? 'In' : 'NotIn', values });
      continue;
    }
    if (!['=', '==', '!=', '<', '>'].includes(operator))
      fail(`found '${operator}', expected: in, notin, =, ==, !=, <, >`);
    const value = peek() === undefined || isPunctuation(peek() as string) ? '' : (next() as string);
    if (operator === '<' || operator === '>') {
      if (!INTEGER.test(value))
        fail(
          `values[0]: Invalid value: ${JSON.stringify(value)}: for 'Gt', 'Lt' operators, the value must be an integer`,
        );
      requirements.push({ key: name, operator: operator === '>' ? 'Gt' : 'Lt', values: [value] });
    } else {
      checkValue(value);
      requirements.push({ key: name, operator: operator === '!=' ? 'NotIn' : 'In', values: [value] });
    }
  }
  return requirements;

  function parseValues(): string[] {
    const values: string[] = [];
    let expectValue = true;
    for (;;) {
      const token = next();
      if (token === undefined) return fail("found '', expected: ',' or ')'");
      if (token === ')') {
        if (expectValue) values.push('');
        return values;
      }
      if (token === ',') {
        if (expectValue) values.push('');
        expectValue = true;
      } else if (expectValue && !isPunctuation(token)) {
        checkValue(token);
        values.push(token);
        expectValue = false;
      } else fail(`found '${token}', expected: ',' or ')'`);
    }
  }

  function checkValue(value: string): void {
    const faults = labelValue(value);
    if (faults.length > 0) fail(`values[0][${value}]: Invalid value: ${JSON.stringify(value)}: ${faults.join('; ')}`);
  }
}

const isPunctuation = (token: string) => /^(!=|==|=|!|>|<|\(|\)|,)$/.test(token);

function tokenize(text: string): string[] {
  const tokens: string[] = [];
  TOKEN.lastIndex = 0;
  const trimmed = text.trimEnd();
  while (TOKEN.lastIndex < trimmed.length) {
    const at = TOKEN.lastIndex;
    const m = TOKEN.exec(trimmed);
    if (m === null) throw new SelectorSyntaxError(`unable to parse requirement at character ${at}`);
    tokens.push(m[1] as string);
  }
  return tokens;
}

/** Validates a LabelSelector that is part of an object. */
export function validateLabelSelector(selector: LabelSelector, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    for (const fault of qualifiedName(key)) errors.push(invalid(`${path}.matchLabels`, key, fault));
    for (const fault of labelValue(value)) errors.push(invalid(`${path}.matchLabels`, value, fault));
  }
  for (const [i, e] of (selector.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${i}]`;
    for (const fault of qualifiedName(e.key ?? '')) errors.push(invalid(`${at}.key`, e.key, fault));
    const count = e.values?.length ?? 0;
    switch (e.operator) {
      case 'In':
      case 'NotIn':
        if (count === 0) errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (count > 0) {
          errors.push({
            type: 'FieldValueForbidden',
            field: `${at}.values`,
            detail: "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          });
        }
        break;
      default:
        errors.push(notSupported(`${at}.operator`, e.operator, ['In', 'NotIn', 'Exists', 'DoesNotExist']));
    }
    for (const [j, value] of (e.values ?? []).entries()) {
      for (const fault of labelValue(value)) errors.push(invalid(`${at}.values[${j}]`, value, fault));
    }
  }
  return errors;
}
