import { expect, it } from 'vitest';
import { SeededRandom } from '../lib/random.ts';
import { generateName, randomSuffix, safeEncode } from './generateName.ts';

const random = new SeededRandom(1);

it('adds five letters that make no word', () => {
  expect(generateName('web-', random)).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  expect(randomSuffix(random, 10)).toHaveLength(10);
});

it('keeps the whole within a DNS label', () => {
  const name = generateName('a'.repeat(100), random);
  expect(name).toHaveLength(63);
  expect(name.startsWith('a'.repeat(58))).toBe(true);
});

it('encodes a hash in the same letters, always alike', () => {
  expect(safeEncode('0123456789abcdef')).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{16}$/);
  expect(safeEncode('123')).toBe(safeEncode('123'));
});
