import { expect, it } from 'vitest';
import { bytesToFree, imagesToRemove, type KnownImage } from './imagePlan.ts';

const image = (id: string, more: Partial<KnownImage> = {}): KnownImage => ({
  id,
  bytes: 10,
  detectedAt: 0,
  usedAt: 0,
  inUse: false,
  ...more,
});
const limits = { now: 1000, minAgeMs: 100, maxAgeMs: 0, bytes: Number.POSITIVE_INFINITY };

it.each([
  ['all that nobody uses', [image('a'), image('b', { inUse: true })], {}, ['a']],
  ['what was not used for longest first', [image('a', { usedAt: 5 }), image('b', { usedAt: 3 })], { bytes: 10 }, ['b']],
  [
    'as many as are needed',
    [image('a'), image('b', { detectedAt: 1 }), image('c', { detectedAt: 2 })],
    { bytes: 11 },
    ['a', 'b'],
  ],
  ['none that is new', [image('a', { detectedAt: 901 })], {}, []],
  ['none where nothing need be freed', [image('a')], { bytes: 0 }, []],
  [
    'the old ones in any case',
    [image('a', { usedAt: 400 }), image('b', { usedAt: 600 }), image('c', { inUse: true })],
    { bytes: 0, maxAgeMs: 500 },
    ['a'],
  ],
] as const)('%s', (_what, images, more, expected) => {
  expect(imagesToRemove(images, { ...limits, ...more }).map(({ id }) => id)).toEqual(expected);
});

it.each([
  [16, 85, 80, 0],
  [15, 85, 80, 5],
  [0, 85, 80, 20],
  [0, 100, 80, 0],
  [100, 85, 80, 0],
])('with %i %% left (high %i, low %i) %i %% are freed', (left, high, low, expected) => {
  expect(bytesToFree({ available: left * 10, capacity: 1000 }, high, low)).toBe(expected * 10);
});
