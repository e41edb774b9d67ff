/**
 * Mutating webhooks: one after the other, each sees what those before it made of the object.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#mutatingadmissionwebhook
 */

import { mutatingWebhookConfigurations } from '../../../apis/admissionregistration/mutatingWebhookConfiguration.ts';
import type { Clock } from '../../../lib/clock.ts';
import { cloneJson } from '../../../machinery/clone.ts';
import { jsonEqual } from '../../../machinery/jsonEqual.ts';
import type { Kind } from '../../../machinery/kind.ts';
import { applyJsonPatch } from '../../../machinery/patch/json.ts';
import type { JsonValue } from '../../../machinery/schema/types.ts';
import { apiError } from '../../../machinery/status.ts';
import { fromHub, loadViews, withConversions } from '../../verbs/versions.ts';
import { Configured } from '../configured.ts';
import { type AdmissionPlugin, type AdmissionRequest, admit } from '../plugin.ts';
import { replaceObject } from './changes.ts';
import { Invoker, type WebhookOptions } from './invoke.ts';
import { compileWebhooks, type Webhook } from './webhook.ts';

export class MutatingWebhooks implements AdmissionPlugin {
  readonly name = 'MutatingAdmissionWebhook';
  readonly #configured;
  readonly #invoker: Invoker;
  readonly #others: readonly AdmissionPlugin[];
  readonly #clock: Clock;

  /** @param others plugins that see the object once more where webhooks have changed it */
  constructor(options: WebhookOptions, others: readonly AdmissionPlugin[]) {
    this.#configured = new Configured(options.registry, mutatingWebhookConfigurations, compileWebhooks);
    this.#invoker = new Invoker(options);
    this.#others = others;
    this.#clock = options.clock;
  }

  start(): Promise<void> {
    return this.#configured.start();
  }

  stop(): void {
    this.#configured.stop();
    this.#invoker.stop();
  }

  /** A hot path: for every write. */
  mutate(request: AdmissionRequest): void | Promise<void> {
    const all = this.#configured.all;
    if (all.length === 0) return;
    const webhooks = all.flat();
    // Labels that a webhook sets may make another one match: that is seen when its turn comes.
    if (webhooks.some((webhook) => mayWant(this.#invoker, webhook, request))) return this.#run(webhooks, request);
  }

  async #run(webhooks: readonly Webhook[], request: AdmissionRequest): Promise<void> {
    const again: { webhook: Webhook; changedAfter: boolean }[] = [];
    let changed = false;
    for (const webhook of webhooks) {
      const as = this.#invoker.wants(webhook, request);
      if (as === undefined) continue;
      if (await this.#apply(webhook, request, as)) {
        changed = true;
        for (const earlier of again) earlier.changedAfter = true;
      }
      if (webhook.reinvoked) again.push({ webhook, changedAfter: false });
    }
    if (!changed) return;
    const before = cloneJson(request.object);
    await admit(this.#others, 'mutate', request);
    let others = !jsonEqual(before, request.object);
    for (const { webhook, changedAfter } of again) {
      if (!changedAfter && !others) continue;
      const as = this.#invoker.wants(webhook, request);
      if (as !== undefined && (await this.#apply(webhook, request, as))) others = true;
    }
  }

  /** Whether it has changed the object. */
  async #apply(webhook: Webhook, request: AdmissionRequest, as: Kind): Promise<boolean> {
    const verdict = await this.#invoker.ask(webhook, request, as, true);
    if (verdict?.patch === undefined) return false;
    if (request.object === undefined || request.operation === 'CONNECT') {
      const why = `admission webhook ${JSON.stringify(webhook.name)} attempted to modify the object, which is not supported for this operation`;
      throw apiError('InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
    }
    let patched: JsonValue;
    await loadViews(as, request);
    try {
      patched = applyJsonPatch(fromHub(as, request.object) as unknown as JsonValue, verdict.patch);
    } catch (error) {
      const why = (error as Error).message;
      throw apiError('InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
    }
    return withConversions(as, () => replaceObject(request, as, patched, this.#clock.now()));
  }
}

function mayWant(invoker: Invoker, webhook: Webhook, request: AdmissionRequest): boolean {
  const { match } = webhook;
  const anyObject =
    match.objectSelector.length === 0 ? webhook : { ...webhook, match: { ...match, objectSelector: [] } };
  return invoker.wants(anyObject, request) !== undefined;
}
