/**
 * Which images go. Pure.
 * Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/#container-image-garbage-collection
 */

export interface KnownImage {
  readonly id: string;
  readonly bytes: number;
  /** when it was seen first, and when a container of it was seen last, in ms; 0: never */
  readonly detectedAt: number;
  readonly usedAt: number;
  /** Somebody uses it, or it must stay. */
  readonly inUse: boolean;
}

export interface ImageLimits {
  readonly now: number;
  /** younger ones stay */
  readonly minAgeMs: number;
  /** unused for longer, they go in any case; 0: they do not */
  readonly maxAgeMs: number;
  /** how much is to be freed */
  readonly bytes: number;
}

/** Those that were not used for the longest time first, until there is enough. */
export function imagesToRemove(images: readonly KnownImage[], limits: ImageLimits): KnownImage[] {
  const { now, minAgeMs, maxAgeMs } = limits;
  const unused = images
    .filter((image) => !image.inUse)
    .sort((a, b) => a.usedAt - b.usedAt || a.detectedAt - b.detectedAt);
  const going: KnownImage[] = [];
  let freed = 0;
  for (const image of unused) {
    const isOld = maxAgeMs > 0 && now - Math.max(image.usedAt, image.detectedAt) > maxAgeMs;
    const isWanted = freed < limits.bytes && now - image.detectedAt >= minAgeMs;
    if (!isOld && !isWanted) continue;
    going.push(image);
    freed += image.bytes;
  }
  return going;
}

/** How much must go so that no more of a disk is used than it should be; 0 below the high mark. */
export function bytesToFree(
  disk: { readonly available: number; readonly capacity: number },
  highPercent: number,
  lowPercent: number,
): number {
  const { available, capacity } = disk;
  if (capacity <= 0) return 0;
  const used = 100 - Math.floor((available * 100) / capacity);
  // 100: never, however full it is.
  if (highPercent >= 100 || used < highPercent) return 0;
  return Math.max(0, (capacity * (100 - lowPercent)) / 100 - available);
}
