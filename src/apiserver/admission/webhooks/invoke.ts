/** One webhook, asked about one request. */
import type { Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Random } from '../../../lib/random.ts';
import { stringifyExactJson } from '../../../machinery/exactJson.ts';
import type { Kind } from '../../../machinery/kind.ts';
import { apiError, badRequest, forbiddenRequest } from '../../../machinery/status.ts';
import type { Authorizer } from '../../authorization/authorizer.ts';
import type { Registry } from '../../registry/registry.ts';
import { loadViews, withConversions } from '../../verbs/versions.ts';
import { isExempt, Matcher } from '../matching.ts';
import type { AdmissionRequest } from '../plugin.ts';
import { WebhookCaller } from './call.ts';
import { denial, reviewOf, type Verdict, verdictOf } from './review.ts';
import type { Webhook } from './webhook.ts';

export interface WebhookOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly authorizers: readonly Authorizer[];
}

export class Invoker {
  readonly #options: WebhookOptions;
  readonly #random: Random;
  readonly #log: Logger;
  readonly #caller: WebhookCaller;
  readonly #matcher: Matcher;

  constructor(options: WebhookOptions) {
    const { registry, clock, random, log } = options;
    this.#options = options;
    this.#random = random;
    this.#log = log;
    this.#caller = new WebhookCaller(registry, clock, random);
    this.#matcher = new Matcher(registry);
  }

  stop(): void {
    this.#caller.stop();
  }

  /** The version of the object that the webhook wants to see; undefined where it is not for this request. */
  wants(webhook: Webhook, request: AdmissionRequest): Kind | undefined {
    return isExempt(request) ? undefined : this.#matcher.match(webhook.match, request);
  }

  /**
   * What it says; undefined where it cannot be reached and that does not matter.
   * @throws ApiError where it refuses, or cannot be reached
   */
  async ask(webhook: Webhook, request: AdmissionRequest, as: Kind, mutating: boolean): Promise<Verdict | undefined> {
    if (webhook.conditions.length > 0 && !(await this.#conditionsHold(webhook, request, as))) return undefined;
    if (request.dryRun && !webhook.dryRun) {
      throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`);
    }
    let verdict: Verdict;
    try {
      verdict = await this.#call(webhook, request, as, mutating);
    } catch (error) {
      const why = `failed calling webhook ${JSON.stringify(webhook.name)}: ${(error as Error).message}`;
      if (!webhook.ignoreFailure) {
        throw apiError('InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
      }
      this.#log.warn('a webhook failed and is ignored', { webhook: webhook.name, error: (error as Error).message });
      return undefined;
    }
    for (const warning of verdict.warnings ?? []) request.ctx?.warn(warning);
    if (!verdict.allowed) throw denial(webhook, verdict.result);
    return verdict;
  }

  /** @throws ApiError Forbidden where that cannot be said, and the webhook matters */
  async #conditionsHold(webhook: Webhook, request: AdmissionRequest, as: Kind): Promise<boolean> {
    const evaluation = await import('../policies/evaluation.ts');
    webhook.programs ??= new evaluation.Programs(false, []);
    const programs = webhook.programs as InstanceType<typeof evaluation.Programs>;
    const budget = evaluation.newBudget();
    try {
      await loadViews(as, request);
      const activation = programs.activation(this.#options, request, as, undefined, budget);
      return programs.matches(webhook.conditions, activation, budget);
    } catch (error) {
      if (webhook.ignoreFailure) return false;
      throw forbiddenRequest(request.asked ?? request.kind, request.name, (error as Error).message);
    }
  }

  async #call(webhook: Webhook, request: AdmissionRequest, as: Kind, mutating: boolean): Promise<Verdict> {
    const uid = this.#random.uuid();
    let body: string;
    try {
      body = await this.#caller.call({
        client: webhook.client,
        body: stringifyExactJson(await withConversions(as, () => reviewOf(request, webhook, as, uid))),
        timeoutSeconds: webhook.timeoutSeconds,
        ...(request.ctx === undefined ? {} : { signal: request.ctx.signal }),
      });
    } catch (error) {
      throw new Error(`failed to call webhook: ${(error as Error).message}`);
    }
    try {
      return verdictOf(body, webhook, uid, mutating);
    } catch (error) {
      throw new Error(`received invalid webhook response: ${(error as Error).message}`);
    }
  }
}
