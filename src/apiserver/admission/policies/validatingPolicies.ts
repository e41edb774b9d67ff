/**
 * Validating admission policies: rules in CEL, without a webhook.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/
 */
import {
  type ValidatingAdmissionPolicySpec,
  validatingAdmissionPolicies,
} from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import {
  type ValidatingAdmissionPolicyBindingSpec,
  validatingAdmissionPolicyBindings,
} from '../../../apis/admissionregistration/validatingAdmissionPolicyBinding.ts';
import { loadViews } from '../../verbs/versions.ts';
import { Configured } from '../configured.ts';
import { isExempt, Matcher } from '../matching.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts';
import { denied } from './denial.ts';
import type { EvaluationParts, Programs } from './evaluation.ts';
import { compileBinding, compilePolicy, type InEffect, paramsOf, policiesFor } from './policy.ts';

type Effect = InEffect<ValidatingAdmissionPolicySpec, ValidatingAdmissionPolicyBindingSpec>;
type Evaluation = typeof import('./evaluation.ts');

interface Violation {
  /** which of the policy's validations it was */
  readonly index: number;
  readonly message: string;
  readonly reason: string;
}

const MAX_MESSAGE_BYTES = 5 * 1024;
const MAX_NOTE_LENGTH = 10 * 1024;
const FAILURES = 'validation.policy.admission.k8s.io/validation_failure';

export class ValidatingPolicies implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionPolicy';
  readonly #parts: EvaluationParts;
  readonly #policies;
  readonly #bindings;
  readonly #matcher: Matcher;

  constructor(parts: EvaluationParts) {
    this.#parts = parts;
    this.#policies = new Configured(parts.registry, validatingAdmissionPolicies, compilePolicy);
    this.#bindings = new Configured(parts.registry, validatingAdmissionPolicyBindings, compileBinding);
    this.#matcher = new Matcher(parts.registry);
  }

  async start(): Promise<void> {
    await Promise.all([this.#policies.start(), this.#bindings.start()]);
  }

  stop(): void {
    this.#policies.stop();
    this.#bindings.stop();
  }

  /** A hot path: for every write. */
  validate(request: AdmissionRequest): void | Promise<void> {
    const bindings = this.#bindings.all;
    if (bindings.length === 0 || isExempt(request)) return;
    const effects = policiesFor(this.#policies.all, bindings, this.#matcher, request);
    if (effects.length > 0) return this.#run(effects, request);
  }

  async #run(effects: readonly Effect[], request: AdmissionRequest): Promise<void> {
    const evaluation = await import('./evaluation.ts');
    const failures: object[] = [];
    for (const effect of effects) {
      const { policy, binding } = effect;
      const actions = binding.spec.validationActions ?? [];
      const [first, ...others] = await this.#violations(evaluation, effect, request);
      if (first === undefined) continue;
      if (actions.includes('Warn')) {
        for (const { message } of [first, ...others]) {
          request.ctx?.warn(
            `Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${message}`,
          );
        }
      }
      if (actions.includes('Audit')) {
        for (const { message, index } of [first, ...others]) {
          failures.push({
            message,
            policy: policy.name,
            binding: binding.name,
            expressionIndex: index,
            validationActions: actions,
          });
        }
        request.ctx?.audit?.annotate(FAILURES, JSON.stringify(failures));
      }
      if (actions.includes('Deny')) {
        const head = `ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}' denied request`;
        throw denied(request, `${head}: ${first.message}`, first.reason, first.message);
      }
    }
  }

  async #violations(evaluation: Evaluation, effect: Effect, request: AdmissionRequest): Promise<Violation[]> {
    const { policy, as } = effect;
    const { spec } = policy;
    const found: Violation[] = [];
    const notes = new Map<string, string[]>();
    /** What fails to be decided counts as the policy says. */
    const failed = (message: string, index = 0) => {
      if (spec.failurePolicy !== 'Ignore') found.push({ message, reason: 'Invalid', index });
    };
    policy.programs ??= new evaluation.Programs(spec.paramKind !== undefined, spec.variables ?? []);
    const programs = policy.programs as Programs;
    let params: readonly unknown[];
    try {
      await loadViews(as, request);
      params = await paramsOf(this.#parts.registry, effect, request);
    } catch (error) {
      failed((error as Error).message);
      return found;
    }
    const budget = evaluation.newBudget();
    for (const param of params) {
      const activation = programs.activation(this.#parts, request, as, param, budget);
      try {
        if (!programs.matches(spec.matchConditions ?? [], activation, budget)) continue;
      } catch (error) {
        failed(`failed to evaluate match conditions: ${(error as Error).message}`);
        continue;
      }
      for (const [index, validation] of (spec.validations ?? []).entries()) {
        const { expression } = validation;
        try {
          if (programs.evaluate(expression, activation, budget) === true) continue;
        } catch (error) {
          failed(`expression '${expression.trim()}' resulted in error: ${(error as Error).message}`, index);
          continue;
        }
        let message = validation.message?.trim() || `failed expression: ${expression.trim()}`;
        if (validation.messageExpression) {
          try {
            const said = programs.evaluate(validation.messageExpression, activation, budget);
            if (typeof said === 'string' && isUsable(said)) message = said.trim();
          } catch {
            // The message that was given stands in for one that cannot be made.
          }
        }
        found.push({ message, reason: validation.reason ?? 'Invalid', index });
      }
      for (const { key, valueExpression } of spec.auditAnnotations ?? []) {
        try {
          const value = programs.evaluate(valueExpression, activation, budget);
          if (typeof value === 'string' && value.trim() !== '')
            notes.set(key, [...(notes.get(key) ?? []), value.trim()]);
        } catch (error) {
          failed(`expression '${valueExpression.trim()}' resulted in error: ${(error as Error).message}`);
        }
      }
    }
    for (const [key, values] of notes) {
      request.ctx?.audit?.annotate(`${policy.name}/${key}`, values.join(', ').slice(0, MAX_NOTE_LENGTH));
    }
    return found;
  }
}

const isUsable = (text: string) =>
  text.trim() !== '' && !/[\n\r]/.test(text.trim()) && Buffer.byteLength(text) <= MAX_MESSAGE_BYTES;
