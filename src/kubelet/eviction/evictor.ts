/**
 * Looks at what the node has left, says so in its conditions, and lets pods go where it is too little, or where a
 * pod has passed its own limits of the disk.
 */
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import { isTolerated } from '../../apis/core/tolerations.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { Logger } from '../../lib/log.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import { BY_KUBELET } from '../status/podConditions.ts';
import type { Failure } from '../status/podStatus.ts';
import { hasDiskLimits, type PodFiles, passedDiskLimit, totalOf } from './localStorage.ts';
import { type ContainerUse, evictionMessage } from './messages.ts';
import { isPassed, NO_PRESSURE, type Observations, pressureAfter } from './pressure.ts';
import { isCriticalPod, type PodUsage, rankPods } from './ranking.ts';
import { type PressureCondition, SIGNALS, type Threshold, thresholdsOf } from './thresholds.ts';

/** What a pod uses, as far as an eviction needs to know. */
export interface PodMeasures {
  readonly memoryBytes: number;
  readonly processes: number;
  readonly files: PodFiles;
  readonly containers: readonly ContainerUse[];
}

export interface EvictorOptions {
  readonly configuration: KubeletConfiguration;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  observe(): Promise<Observations>;
  /** Pods that have their place here and are not over. */
  pods(): readonly Pod[];
  /** Of these pods, by uid; those of which nothing can be told are left out. */
  measure(pods: readonly Pod[]): Promise<ReadonlyMap<string, PodMeasures>>;
  /** Ends a pod; resolves when it is gone from here, or takes too long. */
  evict(pod: Pod, failure: Failure, graceSeconds: number): Promise<void>;
  /** Frees of the disk what no pod needs. */
  reclaimDisk(): Promise<void>;
  /** A pod goes because of this: a signal, or a limit of its own. */
  onEvicted(signal: string): void;
  /** The node's conditions are others than before. */
  onConditions(): void;
}

const LOOK_EVERY_MS = 10_000;
/** A pod that goes at once has so long, in seconds. */
const AT_ONCE_S = 1;

export class Evictor {
  readonly #o: EvictorOptions;
  readonly #thresholds: readonly Threshold[];
  readonly #transitionMs: number;
  #state = NO_PRESSURE;

  /** @throws Error for thresholds that are none */
  constructor(options: EvictorOptions) {
    this.#o = options;
    this.#thresholds = thresholdsOf(options.configuration);
    this.#transitionMs = parseDuration(options.configuration.evictionPressureTransitionPeriod) ?? 0;
  }

  get conditions(): ReadonlySet<PressureCondition> {
    return this.#state.conditions;
  }

  /** Why a new pod is not taken while the node is short of something. */
  refusal(pod: Pod): Failure | undefined {
    const { conditions } = this.#state;
    if (conditions.size === 0 || isCriticalPod(pod)) return undefined;
    if (conditions.size === 1 && conditions.has('MemoryPressure') && bearsMemoryPressure(pod)) return undefined;
    return { reason: 'Evicted', message: `The node had condition: [${[...conditions].join(' ')}]. ` };
  }

  /** Looks now and then until the signal. */
  async run(): Promise<void> {
    const { clock, signal, log } = this.#o;
    for (;;) {
      let evicted = false;
      try {
        evicted = await this.look();
      } catch (err) {
        if (signal.aborted) return;
        log.warn('what the node has left could not be told', { err });
      }
      if (signal.aborted) return;
      // Where one pod went, another may have to go at once.
      if (!evicted) await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** Looks once; true where a pod had to go. */
  async look(): Promise<boolean> {
    const { clock } = this.#o;
    const before = this.#state;
    const observations = await this.#o.observe();
    this.#state = pressureAfter(before, this.#thresholds, observations, clock.monotonic(), this.#transitionMs);
    if (!sameSet(before.conditions, this.#state.conditions)) this.#o.onConditions();
    if (await this.#evictGreedy()) return true;
    const [urgent] = this.#state.urgent;
    return urgent === undefined ? false : this.#evictFor(urgent, observations);
  }

  /** Pods that passed their own limits. */
  async #evictGreedy(): Promise<boolean> {
    const limited = this.#o.pods().filter(hasDiskLimits);
    if (limited.length === 0) return false;
    const measures = await this.#o.measure(limited);
    const going: Promise<void>[] = [];
    for (const pod of limited) {
      const files = measures.get(pod.metadata?.uid ?? '')?.files;
      const message = files === undefined ? undefined : passedDiskLimit(pod, files);
      if (message === undefined || isCriticalPod(pod)) continue;
      this.#o.onEvicted(message.includes('EmptyDir') ? 'emptydirfs.limit' : 'ephemeralpodfs.limit');
      going.push(this.#evict(pod, message, AT_ONCE_S));
    }
    await Promise.all(going);
    return going.length > 0;
  }

  async #evictFor(threshold: Threshold, before: Observations): Promise<boolean> {
    const { log, configuration } = this.#o;
    let observations = before;
    if (SIGNALS[threshold.signal].condition === 'DiskPressure') {
      await this.#o.reclaimDisk();
      observations = await this.#o.observe();
      if (!isPassed(threshold, observations, true)) return false;
    }
    const pods = this.#o.pods();
    const measures = await this.#o.measure(pods);
    const usageOf = (pod: Pod): PodUsage | undefined => {
      const measured = measures.get(pod.metadata?.uid ?? '');
      if (measured === undefined) return undefined;
      const { bytes: diskBytes, inodes } = totalOf(pod, measured.files);
      return { memoryBytes: measured.memoryBytes, processes: measured.processes, diskBytes, inodes };
    };
    const ranked = rankPods(
      pods.map((pod) => ({ pod, usage: usageOf(pod) })),
      threshold.signal,
    );
    const victim = ranked.find(({ pod }) => !isCriticalPod(pod))?.pod;
    if (victim === undefined) {
      log.warn('the node is short of something, and there is no pod that could go', { signal: threshold.signal });
      return false;
    }
    const used = measures.get(victim.metadata?.uid ?? '')?.containers ?? [];
    const message = evictionMessage(threshold, observations.get(threshold.signal), victim, used);
    const own = victim.spec?.terminationGracePeriodSeconds ?? configuration.evictionMaxPodGracePeriod;
    const grace = threshold.hard ? AT_ONCE_S : Math.min(own, configuration.evictionMaxPodGracePeriod);
    this.#o.onEvicted(threshold.signal);
    await this.#evict(victim, message, grace);
    return true;
  }

  #evict(pod: Pod, message: string, grace: number): Promise<void> {
    const { name, namespace } = pod.metadata ?? {};
    this.#o.log.info('a pod is evicted', { pod: name, namespace, message });
    return this.#o.evict(pod, { reason: 'Evicted', message, disruption: BY_KUBELET }, grace);
  }
}

/** What asked for memory has it; best effort must say that it can do without. */
function bearsMemoryPressure({ spec = { containers: [] } }: Pod): boolean {
  const taint = { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' };
  return qosClassOf(spec) !== 'BestEffort' || isTolerated(spec.tolerations, taint);
}

function sameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one));
}
