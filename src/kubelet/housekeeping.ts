/** What keeps a node fit for pods: evictions, images that nobody uses, logs that grow. */
import type { Pod } from '../apis/core/pod.ts';
import type { Clock } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import type { Logger } from '../lib/log.ts';
import { fullImageName } from '../machinery/imageName.ts';
import { wholeValue } from '../machinery/quantity.ts';
import type { KubeletConfiguration } from './config/configuration.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { Evictor } from './eviction/evictor.ts';
import { measurePods } from './eviction/measure.ts';
import { ImageCollector } from './images/imageCollector.ts';
import { startLogRotation } from './logs/rotation.ts';
import type { Machine } from './machine/machine.ts';
import type { ObservedPod, RuntimeObserver } from './pods/observed.ts';
import type { NodeReading } from './stats/reading.ts';
import type { Failure } from './status/podStatus.ts';

export interface HousekeepingOptions {
  readonly configuration: KubeletConfiguration;
  readonly runtime: ContainerRuntime;
  readonly machine: Machine;
  readonly observer: RuntimeObserver;
  readonly podLogsDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  statistics(): Promise<NodeReading>;
  /** Pods that have their place here. */
  pods(): readonly Pod[];
  /** Ends a pod. */
  fail(uid: string, failure: Failure, graceSeconds: number): void;
  /** Looks at the runtime now. */
  look(): Promise<void>;
  /** Says something of the node in an event. */
  warn(reason: string, message: string): void;
  /** A pod goes because of this. */
  onEvicted(signal: string): void;
  /** The node's conditions are others than before. */
  onConditions(): void;
}

/** So long a pod that was evicted is waited for, and so often it is looked for. */
const GONE_WITHIN_MS = 30_000;
const TIDY_EVERY_MS = 10_000;
const GONE_LOOK_MS = 100;

export class Housekeeping {
  readonly evictor: Evictor;
  readonly #o: HousekeepingOptions;
  readonly #images: ImageCollector;
  #imagesDir: string | undefined;

  /** @throws Error where the configuration makes no sense */
  constructor(options: HousekeepingOptions) {
    this.#o = options;
    const { machine, statistics } = options;
    this.#images = new ImageCollector({
      ...options,
      used: () => this.#usedImages(),
      disk: async () => (await this.#observe()).get('imagefs.available'),
      onShortage: (message) => options.warn('FreeDiskSpaceFailed', message),
    });
    this.evictor = new Evictor({
      ...options,
      observe: () => this.#observe(),
      measure: (pods) => measurePods(pods, machine, statistics),
      evict: (pod, failure, grace) => this.#evict(pod, failure, grace),
      reclaimDisk: () => this.#reclaimDisk(),
    });
  }

  /** Runs until the signal ends it. */
  async run(): Promise<void> {
    const { configuration, clock } = this.#o;
    if (!this.#o.machine.hasFiles) return;
    startLogRotation({
      ...this.#o,
      maxBytes: wholeValue(configuration.containerLogMaxSize),
      maxFiles: configuration.containerLogMaxFiles,
      lookEveryMs: parseDuration(configuration.containerLogMonitorInterval) ?? 0,
      clock,
    });
    await Promise.all([this.evictor.run(), this.#images.run(), this.#tidy()]);
  }

  async #tidy(): Promise<void> {
    const { machine, runtime, clock, log, signal } = this.#o;
    for (;;) {
      await clock.sleep(TIDY_EVERY_MS, signal);
      try {
        await machine.shareOut(this.#o.pods());
        await machine.tidy(runtime);
      } catch (err) {
        if (!signal.aborted) log.warn('the node could not be tidied', { err });
      }
    }
  }

  async #observe() {
    const { runtime, machine } = this.#o;
    if (this.#imagesDir === undefined) {
      const { image_filesystems: found = [] } = await runtime.call('imageFsInfo', {}).catch(() => ({
        image_filesystems: [],
      }));
      this.#imagesDir = found[0]?.fs_id?.mountpoint;
    }
    return machine.observe(this.#imagesDir);
  }

  /** What no pod needs: containers that have ended, and with them the last use of their images. */
  async #reclaimDisk(): Promise<void> {
    const { observer, runtime, log, look, pods } = this.#o;
    const active = new Set(pods().map((pod) => pod.metadata?.uid));
    for (const id of deadContainers(observer.all(), (uid) => active.has(uid))) {
      await runtime.call('removeContainer', { container_id: id }).catch((err: unknown) => {
        log.warn('a container that has ended could not be removed', { err, container: id });
      });
    }
    await look();
    await this.#images.removeUnused();
  }

  #usedImages(): ReadonlySet<string> {
    const used = new Set<string>();
    for (const { containers } of this.#o.observer.all()) {
      for (const { status } of containers) {
        for (const name of [status.image_ref, status.image?.image]) if (name) used.add(name);
      }
    }
    for (const { spec } of this.#o.pods()) {
      for (const { image } of spec?.volumes ?? []) if (image?.reference) used.add(fullImageName(image.reference));
    }
    return used;
  }

  async #evict(pod: Pod, failure: Failure, graceSeconds: number): Promise<void> {
    const { fail, clock, observer, signal, look } = this.#o;
    const uid = pod.metadata?.uid ?? '';
    fail(uid, failure, graceSeconds);
    const until = clock.monotonic() + graceSeconds * 1000 + GONE_WITHIN_MS;
    while (clock.monotonic() < until && !signal.aborted) {
      if (!(observer.get(uid)?.containers ?? []).some((c) => c.state === 'running')) return;
      await clock.sleep(GONE_LOOK_MS, signal);
      await look();
    }
  }
}

/** Those that have ended, but for the newest run of each in pods that go on: what becomes of that is decided by it. */
export function deadContainers(pods: Iterable<ObservedPod>, isActive: (uid: string) => boolean): string[] {
  return [...pods].flatMap(({ uid, containers }) => {
    const newest = new Set<string>();
    return containers.flatMap(({ id, name, state }) => {
      const isNewest = !newest.has(name);
      newest.add(name);
      return state === 'exited' && !(isNewest && isActive(uid)) ? [id] : [];
    });
  });
}
