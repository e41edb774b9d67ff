/**
 * Validating webhooks: all at once; one that refuses is enough.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#validatingadmissionwebhook
 */
import { validatingWebhookConfigurations } from '../../../apis/admissionregistration/validatingWebhookConfiguration.ts';
import { Configured } from '../configured.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../plugin.ts';
import { Invoker, type WebhookOptions } from './invoke.ts';
import { compileWebhooks } from './webhook.ts';

export class ValidatingWebhooks implements AdmissionPlugin {
  readonly name = 'ValidatingAdmissionWebhook';
  readonly #configured;
  readonly #invoker: Invoker;

  constructor(options: WebhookOptions) {
    this.#configured = new Configured(options.registry, validatingWebhookConfigurations, compileWebhooks);
    this.#invoker = new Invoker(options);
  }

  start(): Promise<void> {
    return this.#configured.start();
  }

  stop(): void {
    this.#configured.stop();
    this.#invoker.stop();
  }

  /** A hot path: for every write. */
  validate(request: AdmissionRequest): void | Promise<void> {
    const calls: Promise<unknown>[] = [];
    for (const webhooks of this.#configured.all) {
      for (const webhook of webhooks) {
        const as = this.#invoker.wants(webhook, request);
        if (as !== undefined) calls.push(this.#invoker.ask(webhook, request, as, false));
      }
    }
    if (calls.length === 0) return;
    return firstFailure(calls);
  }
}

/** Waits for all, then fails as the first of them in order did. */
async function firstFailure(calls: readonly Promise<unknown>[]): Promise<void> {
  for (const result of await Promise.allSettled(calls)) if (result.status === 'rejected') throw result.reason;
}
