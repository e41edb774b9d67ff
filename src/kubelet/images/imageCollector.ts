/** Removes images that nobody uses when their disk fills, or when they are old. */
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { Logger } from '../../lib/log.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { bytesToFree, imagesToRemove, type KnownImage } from './imagePlan.ts';

export interface ImageCollectorOptions {
  readonly runtime: ContainerRuntime;
  readonly configuration: KubeletConfiguration;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The ids of images that containers were made of, be they dead. */
  used(): ReadonlySet<string>;
  /** What the disk of the images has left; undefined where that cannot be told. */
  disk(): Promise<{ readonly available: number; readonly capacity: number } | undefined>;
  /** Not enough could be freed. */
  onShortage(message: string): void;
}

const LOOK_EVERY_MS = 5 * 60_000;
/** What sandboxes are made of. */
const PAUSE = /(^|\/)pause(:|@|$)/;

export class ImageCollector {
  readonly #o: ImageCollectorOptions;
  readonly #minAgeMs: number;
  readonly #maxAgeMs: number;
  readonly #seen = new Map<string, { readonly detectedAt: number; readonly usedAt: number }>();
  readonly #startedAt: number;

  constructor(options: ImageCollectorOptions) {
    this.#o = options;
    this.#startedAt = options.clock.now();
    this.#minAgeMs = parseDuration(options.configuration.imageMinimumGCAge) ?? 0;
    this.#maxAgeMs = parseDuration(options.configuration.imageMaximumGCAge) ?? 0;
  }

  /** Looks now and then until the signal. */
  async run(): Promise<void> {
    const { clock, signal, log } = this.#o;
    for (;;) {
      await this.collect().catch((err: unknown) => {
        if (!signal.aborted) log.warn('unused images could not be removed', { err });
      });
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  }

  /** Looks once. @throws RuntimeError */
  async collect(): Promise<void> {
    const { configuration, disk, onShortage } = this.#o;
    const left = await disk();
    const { imageGCHighThresholdPercent: high, imageGCLowThresholdPercent: low } = configuration;
    const bytes = left === undefined ? 0 : bytesToFree(left, high, low);
    const freed = await this.#free(bytes);
    if (freed < bytes) {
      const found = `Attempted to free ${Math.ceil(bytes)} bytes, but only found ${freed} bytes eligible to free.`;
      onShortage(`Failed to garbage collect required amount of images. ${found}`);
    }
  }

  /** Removes all that nobody uses. @throws RuntimeError */
  async removeUnused(): Promise<void> {
    await this.#free(Number.POSITIVE_INFINITY);
  }

  async #free(bytes: number): Promise<number> {
    const { clock, runtime, log } = this.#o;
    const images = await this.#known();
    // Ages count from when this kubelet began to look: what was used before it did is not known.
    const maxAgeMs = clock.now() - this.#startedAt > this.#maxAgeMs ? this.#maxAgeMs : 0;
    let freed = 0;
    for (const image of imagesToRemove(images, { now: clock.now(), minAgeMs: this.#minAgeMs, maxAgeMs, bytes })) {
      log.info('an unused image is removed', { image: image.id, bytes: image.bytes });
      try {
        await runtime.call('removeImage', { image: { image: image.id } });
        this.#seen.delete(image.id);
        freed += image.bytes;
      } catch (err) {
        log.warn('an unused image could not be removed', { err, image: image.id });
      }
    }
    return freed;
  }

  async #known(): Promise<KnownImage[]> {
    const { runtime, clock, used } = this.#o;
    const now = clock.now();
    const { images = [] } = await runtime.call('listImages', {});
    const inUse = used();
    const known = images.map((image) => {
      const id = image.id ?? '';
      const names = [...(image.repo_tags ?? []), ...(image.repo_digests ?? [])];
      const isUsed = inUse.has(id) || names.some((name) => inUse.has(name));
      const before = this.#seen.get(id);
      const seen = { detectedAt: before?.detectedAt ?? now, usedAt: isUsed ? now : (before?.usedAt ?? 0) };
      this.#seen.set(id, seen);
      const stays = isUsed || image.pinned === true || names.some((name) => PAUSE.test(name));
      return { id, bytes: image.size ?? 0, ...seen, inUse: stays };
    });
    const there = new Set(known.map(({ id }) => id));
    for (const id of this.#seen.keys()) if (!there.has(id)) this.#seen.delete(id);
    return known;
  }
}
