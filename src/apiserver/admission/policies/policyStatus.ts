/** Tells in the status of validating policies what is doubtful in their expressions, once for each that is written. */
import {
  type ValidatingAdmissionPolicy,
  validatingAdmissionPolicies,
} from '../../../apis/admissionregistration/validatingAdmissionPolicy.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Logger } from '../../../lib/log.ts';
import type { Stored } from '../../../machinery/kind.ts';
import { isApiError } from '../../../machinery/status.ts';
import type { Registry } from '../../registry/registry.ts';

const RETRY_MS = 1_000;

export interface PolicyStatusOptions {
  readonly registry: Registry;
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
}

export class PolicyStatus {
  readonly #options: PolicyStatusOptions;
  readonly #stop = new AbortController();
  readonly #underWay = new Set<string>();
  #unlisten: (() => void) | undefined;

  constructor(options: PolicyStatusOptions) {
    this.#options = options;
  }

  /** @throws what the store throws */
  async start(): Promise<void> {
    const cache = this.#options.registry.cache(validatingAdmissionPolicies);
    await cache.start();
    if (this.#stop.signal.aborted) return;
    this.#unlisten?.();
    this.#unlisten = cache.listen({
      onEvent: ({ type, entry }) => {
        if (type !== 'DELETED') this.#seen(entry.object as Stored<ValidatingAdmissionPolicy>);
      },
      onEnd: () => this.#again(() => this.start()),
    });
    for (const policy of cache.objects()) this.#seen(policy);
  }

  stop(): void {
    this.#stop.abort();
    this.#unlisten?.();
  }

  #seen({ metadata, status }: Stored<ValidatingAdmissionPolicy>): void {
    if ((metadata.generation ?? 0) <= (status?.observedGeneration ?? 0) || this.#underWay.has(metadata.name)) return;
    this.#underWay.add(metadata.name);
    this.#again(() => this.#check(metadata.name));
  }

  async #check(name: string): Promise<void> {
    const { registry, client } = this.#options;
    const { typeWarnings } = await import('./typeChecking.ts');
    const policy = registry.cache(validatingAdmissionPolicies).object(undefined, name);
    this.#underWay.delete(name);
    if (policy === undefined) return;
    const warnings = typeWarnings(policy, registry.kinds);
    const status = {
      ...policy.status,
      observedGeneration: policy.metadata.generation ?? 0,
      typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings },
    };
    await client.update(
      validatingAdmissionPolicies,
      { ...policy, status },
      { subresource: 'status', signal: this.#stop.signal },
    );
  }

  /** Does it, later again where it fails; what changed or went meanwhile is told of by the next event. */
  #again(work: () => Promise<void>): void {
    const { clock, log } = this.#options;
    const { signal } = this.#stop;
    if (signal.aborted) return;
    work().catch((err: unknown) => {
      if (signal.aborted || isApiError(err, 'NotFound') || isApiError(err, 'Conflict')) return;
      log.warn('cannot check the types of a policy', { err });
      clock.after(RETRY_MS, () => this.#again(work));
    });
  }
}
