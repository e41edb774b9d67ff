/** What is wrong with a job's policies on the failure of pods and on its own success. */
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../machinery/fieldError.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { validateNotNegative } from '../apps/validation.ts';
import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
  SuccessPolicy,
  SuccessPolicyRule,
} from './job.ts';
import { countOf, IndexesError, parseIndexes } from './jobIndexes.ts';

const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;
const MOST_PATTERNS = 20;
const LONGEST_INDEXES = 64 * 1024;
const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const OPERATORS = ['In', 'NotIn'];
const STATUSES = ['False', 'True', 'Unknown'];

/** A word that must be there and one of a few. */
function validateWord(word: string | undefined, words: readonly string[], path: string, errors: FieldError[]): void {
  if (!word) errors.push(required(path, `valid values: ${JSON.stringify(words)}`));
  else if (!words.includes(word)) errors.push(notSupported(path, word, words));
}

export function validatePodFailurePolicy(
  policy: PodFailurePolicy,
  spec: Partial<JobSpec>,
  path: string,
  errors: FieldError[],
): void {
  const rules = policy.rules ?? [];
  if (rules.length > MOST_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MOST_RULES));
  const { containers = [], initContainers = [] } = spec.template?.spec ?? {};
  const names = new Set([...containers, ...initContainers].map((container) => container.name));
  for (const [i, rule] of rules.entries()) validateFailureRule(rule, spec, names, `${path}.rules[${i}]`, errors);
}

function validateFailureRule(
  rule: PodFailurePolicyRule,
  spec: Partial<JobSpec>,
  containers: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
    errors.push(invalid(`${path}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'));
  } else validateWord(rule.action, ACTIONS, `${path}.action`, errors);
  const { onExitCodes, onPodConditions = [] } = rule;
  if (onExitCodes !== undefined) validateExitCodes(onExitCodes, containers, `${path}.onExitCodes`, errors);
  validateConditionPatterns(onPodConditions, `${path}.onPodConditions`, errors);
  if (onExitCodes !== undefined && onPodConditions.length > 0) {
    errors.push(invalid(path, rule, 'specifying both OnExitCodes and OnPodConditions is not supported'));
  }
  if (onExitCodes === undefined && onPodConditions.length === 0) {
    errors.push(invalid(path, rule, 'specifying one of OnExitCodes and OnPodConditions is required'));
  }
}

function validateConditionPatterns(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: string,
  errors: FieldError[],
): void {
  if (patterns.length > MOST_PATTERNS) errors.push(tooMany(path, patterns.length, MOST_PATTERNS));
  for (const [i, { type = '', status }] of patterns.entries()) {
    for (const fault of qualifiedName(type)) errors.push(invalid(`${path}[${i}].type`, type, fault));
    validateWord(status, STATUSES, `${path}[${i}].status`, errors);
  }
}

function validateExitCodes(
  codes: PodFailurePolicyOnExitCodesRequirement,
  containers: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  validateWord(codes.operator, OPERATORS, `${path}.operator`, errors);
  if (codes.containerName !== undefined && !containers.has(codes.containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${path}.containerName`, codes.containerName, detail));
  }
  const values = codes.values ?? [];
  if (values.length === 0) errors.push(invalid(`${path}.values`, values, 'at least one value is required'));
  else if (values.length > MOST_EXIT_CODES) errors.push(tooMany(`${path}.values`, values.length, MOST_EXIT_CODES));
  const seen = new Set<number>();
  for (const [i, value] of values.entries()) {
    const at = `${path}.values[${i}]`;
    if (codes.operator === 'In' && value === 0) errors.push(invalid(at, value, 'must not be 0 for the In operator'));
    if (seen.has(value)) errors.push(duplicate(at, value));
    seen.add(value);
  }
  if (values.some((value, i) => i > 0 && (values[i - 1] as number) > value)) {
    errors.push(invalid(`${path}.values`, values, 'must be ordered'));
  }
}

export function validateSuccessPolicy(
  policy: SuccessPolicy,
  completions: number,
  path: string,
  errors: FieldError[],
): void {
  const rules = policy.rules ?? [];
  if (rules.length === 0) {
    errors.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'));
  }
  if (rules.length > MOST_RULES) errors.push(tooMany(`${path}.rules`, rules.length, MOST_RULES));
  for (const [i, rule] of rules.entries()) validateSuccessRule(rule, completions, `${path}.rules[${i}]`, errors);
}

function validateSuccessRule(rule: SuccessPolicyRule, completions: number, path: string, errors: FieldError[]): void {
  const { succeededIndexes: indexes, succeededCount: count } = rule;
  if (indexes === undefined && count === undefined) {
    errors.push(required(path, 'at least one of succeededCount or succeededIndexes must be specified'));
  }
  let total = 0;
  if (indexes !== undefined) {
    const at = `${path}.succeededIndexes`;
    if (Buffer.byteLength(indexes) > LONGEST_INDEXES) errors.push(tooLong(at, LONGEST_INDEXES));
    try {
      total = countOf(parseIndexes(indexes, completions));
    } catch (error) {
      if (!(error instanceof IndexesError)) throw error;
      errors.push(invalid(at, indexes, `error parsing succeededIndexes: ${error.message}`));
    }
  }
  if (count === undefined) return;
  const at = `${path}.succeededCount`;
  validateNotNegative(count, at, errors);
  if (count > completions) {
    const detail = `must be less than or equal to ${completions} (the number of specified completions)`;
    errors.push(invalid(at, count, detail));
  }
  if (indexes !== undefined && count > total) {
    const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
    errors.push(invalid(at, count, detail));
  }
}
