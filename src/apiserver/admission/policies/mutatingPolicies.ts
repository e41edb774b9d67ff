/**
 * Mutating admission policies: changes in CEL, without a webhook.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
import {
  type MutatingAdmissionPolicySpec,
  type Mutation,
  mutatingAdmissionPolicies,
} from '../../../apis/admissionregistration/mutatingAdmissionPolicy.ts';
import {
  type MutatingAdmissionPolicyBindingSpec,
  mutatingAdmissionPolicyBindings,
} from '../../../apis/admissionregistration/mutatingAdmissionPolicyBinding.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { KubeObject } from '../../../machinery/kind.ts';
import { applyJsonPatch } from '../../../machinery/patch/json.ts';
import { isObject } from '../../../machinery/patch/merge.ts';
import type { JsonValue } from '../../../machinery/schema/types.ts';
import { fromHub, loadViews, withConversions } from '../../verbs/versions.ts';
import { Configured } from '../configured.ts';
import { isExempt, Matcher } from '../matching.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts';
import { replaceObject } from '../webhooks/changes.ts';
import { applyConfiguration } from './applyConfiguration.ts';
import { denied } from './denial.ts';
import type { EvaluationParts, Programs } from './evaluation.ts';
import { compileBinding, compilePolicy, type InEffect, paramsOf, policiesFor } from './policy.ts';

type Effect = InEffect<MutatingAdmissionPolicySpec, MutatingAdmissionPolicyBindingSpec>;

export class MutatingPolicies implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionPolicy';
  readonly #parts: EvaluationParts;
  readonly #clock: Clock;
  readonly #policies;
  readonly #bindings;
  readonly #matcher: Matcher;

  constructor(parts: EvaluationParts, clock: Clock) {
    this.#parts = parts;
    this.#clock = clock;
    this.#policies = new Configured(parts.registry, mutatingAdmissionPolicies, compilePolicy);
    this.#bindings = new Configured(parts.registry, mutatingAdmissionPolicyBindings, compileBinding);
    this.#matcher = new Matcher(parts.registry);
  }

  async start(): Promise<void> {
    await Promise.all([this.#policies.start(), this.#bindings.start()]);
  }

  stop(): void {
    this.#policies.stop();
    this.#bindings.stop();
  }

  /** For when webhooks have changed the object: those that want to see that. */
  readonly again: AdmissionPlugin = {
    name: 'MutatingAdmissionPolicy',
    mutate: (request) => {
      const effects = this.#for(request).filter(isReinvoked);
      if (effects.length > 0) return this.#apply(effects, request).then(() => {});
    },
  };

  /** A hot path: for every write. */
  mutate(request: AdmissionRequest): void | Promise<void> {
    const effects = this.#for(request);
    if (effects.length > 0) return this.#run(effects, request);
  }

  #for(request: AdmissionRequest): Effect[] {
    const bindings = this.#bindings.all;
    if (bindings.length === 0 || isExempt(request)) return [];
    if (request.operation === 'DELETE' || request.operation === 'CONNECT' || request.object === undefined) return [];
    return policiesFor(this.#policies.all, bindings, this.#matcher, request);
  }

  async #run(effects: readonly Effect[], request: AdmissionRequest): Promise<void> {
    const lastChange = await this.#apply(effects, request);
    const again = effects.filter((effect, i) => i < lastChange && isReinvoked(effect));
    if (again.length > 0) await this.#apply(again, request);
  }

  /** The place of the last one that changed the object; -1 for none. */
  async #apply(effects: readonly Effect[], request: AdmissionRequest): Promise<number> {
    let last = -1;
    for (const [i, effect] of effects.entries()) if (await this.#applyOne(effect, request)) last = i;
    return last;
  }

  async #applyOne(effect: Effect, request: AdmissionRequest): Promise<boolean> {
    const { policy, binding } = effect;
    let changed = false;
    try {
      const evaluation = await import('./evaluation.ts');
      policy.programs ??= new evaluation.Programs(policy.spec.paramKind !== undefined, policy.spec.variables ?? []);
      const programs = policy.programs as Programs;
      const budget = evaluation.newBudget();
      for (const param of await paramsOf(this.#parts.registry, effect, request)) {
        await loadViews(effect.as, request);
        const first = programs.activation(this.#parts, request, effect.as, param, budget);
        if (!programs.matches(policy.spec.matchConditions ?? [], first, budget)) continue;
        for (const mutation of policy.spec.mutations ?? []) {
          // Each sees what the one before it made, and variables anew.
          await loadViews(effect.as, request);
          const activation = programs.activation(this.#parts, request, effect.as, param, budget);
          const value = evaluation.jsonOf(programs.evaluate(expressionOf(mutation), activation, budget));
          const next = mutated(mutation, effect, request, value);
          const replace = () => replaceObject(request, effect.as, next, this.#clock.now());
          if (await withConversions(effect.as, replace)) changed = true;
        }
      }
    } catch (error) {
      if (policy.spec.failurePolicy === 'Ignore') return changed;
      const why = (error as Error).message;
      const head = `MutatingAdmissionPolicy '${policy.name}' with binding '${binding.name}' denied request`;
      throw denied(request, `${head}: ${why}`, 'Invalid', why);
    }
    return changed;
  }
}

const isReinvoked = ({ policy }: Effect) => policy.spec.reinvocationPolicy === 'IfNeeded';

const expressionOf = (mutation: Mutation) => (mutation.jsonPatch ?? mutation.applyConfiguration)?.expression ?? '';

/** @throws Error, ApiError where the result of the expression cannot be applied */
function mutated(mutation: Mutation, { as }: Effect, request: AdmissionRequest, value: unknown): unknown {
  const object = fromHub(as, request.object as KubeObject);
  if (mutation.patchType === 'JSONPatch') return applyJsonPatch(object as unknown as JsonValue, value);
  if (!isObject(value)) throw new Error('an apply configuration must be an Object');
  for (const field of ['apiVersion', 'kind'] as const) {
    if (value[field] !== undefined && value[field] !== object[field]) {
      throw new Error(`an apply configuration may not change ${field}`);
    }
  }
  const meta = value.metadata;
  for (const field of ['name', 'namespace'] as const) {
    if (isObject(meta) && meta[field] !== undefined && meta[field] !== object.metadata?.[field]) {
      throw new Error(`an apply configuration may not change metadata.${field}`);
    }
  }
  return applyConfiguration(as.schema, object, value);
}
