/**
 * Ends the pods of a node that shuts down, before the machine ends them.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#graceful-node-shutdown
 */
import type { Pod } from '../../apis/core/pod.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { Logger } from '../../lib/log.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { RuntimeObserver } from '../pods/observed.ts';
import { BY_KUBELET } from '../status/podConditions.ts';
import type { Failure } from '../status/podStatus.ts';
import { Logind } from './logind.ts';
import { type ShutdownGroup, shutdownGroups } from './plan.ts';

export interface NodeShutdownOptions {
  readonly configuration: Pick<KubeletConfiguration, 'shutdownGracePeriod' | 'shutdownGracePeriodCriticalPods'>;
  readonly observer: RuntimeObserver;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Pods that have their place here. */
  pods(): readonly Pod[];
  /** Ends a pod. */
  fail(uid: string, failure: Failure, graceSeconds: number): void;
  /** Looks at the runtime now. */
  look(): Promise<void>;
  /** The node is Ready no more, or again. */
  onChange(): void;
}

const TERMINATED: Failure = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  disruption: BY_KUBELET,
};
const LOOK_EVERY_MS = 200;

export class NodeShutdown {
  readonly #o: NodeShutdownOptions;
  readonly #seconds: number;
  readonly #criticalSeconds: number;
  #active = false;

  constructor(options: NodeShutdownOptions) {
    this.#o = options;
    const { shutdownGracePeriod, shutdownGracePeriodCriticalPods } = options.configuration;
    this.#seconds = (parseDuration(shutdownGracePeriod) ?? 0) / 1000;
    this.#criticalSeconds = (parseDuration(shutdownGracePeriodCriticalPods) ?? 0) / 1000;
  }

  /** Why the node is not Ready. */
  get problem(): string | undefined {
    return this.#active ? 'node is shutting down' : undefined;
  }

  /** Why no pod is taken any more. */
  refusal(): Failure | undefined {
    if (!this.#active) return undefined;
    return { reason: 'NodeShutdown', message: 'Pod was rejected as the node is shutting down.' };
  }

  /** Heeds shutdowns until the signal, where a time is set aside for them. */
  start(): void {
    const { signal, log } = this.#o;
    if (this.#seconds <= 0 || signal.aborted) return;
    const logind = new Logind({
      signal,
      onShutdown: (active) => void this.#shutDown(active, logind),
      onAbsent: (err) => log.warn('nobody can tell of a shutdown of the machine', { err }),
    });
    logind.start();
  }

  async #shutDown(active: boolean, logind: Logind): Promise<void> {
    const { log, pods, onChange, signal } = this.#o;
    if (active === this.#active) return;
    this.#active = active;
    log.info(active ? 'the node shuts down' : 'the node does not shut down after all');
    onChange();
    if (!active) {
      logind.hold();
      return;
    }
    try {
      for (const group of shutdownGroups(pods(), this.#seconds, this.#criticalSeconds)) await this.#end(group);
    } catch (err) {
      if (!signal.aborted) log.error('the pods of the node could not be ended', { err });
    } finally {
      logind.release();
    }
  }

  async #end({ seconds, pods }: ShutdownGroup): Promise<void> {
    const { fail, clock, look, signal } = this.#o;
    for (const { pod, graceSeconds } of pods) fail(pod.metadata?.uid ?? '', TERMINATED, graceSeconds);
    const until = clock.monotonic() + seconds * 1000;
    while (clock.monotonic() < until && pods.some(({ pod }) => this.#runs(pod))) {
      await clock.sleep(LOOK_EVERY_MS, signal);
      await look();
    }
  }

  #runs(pod: Pod): boolean {
    const { containers = [] } = this.#o.observer.get(pod.metadata?.uid ?? '') ?? {};
    return containers.some((c) => c.state === 'running');
  }
}
