import { expect, it } from 'vitest';
import { percentOf, scaledValue } from './intOrString.ts';

it.each([
  [3, 10, 'up', 3],
  ['25%', 10, 'up', 3],
  ['25%', 10, 'down', 2],
  ['0%', 10, 'up', 0],
  ['100%', 7, 'down', 7],
  ['150%', 4, 'up', 6],
  // 0.07 * 100 is a little more than 7 in floating point.
  ['7%', 100, 'up', 7],
] as const)('%j of %d rounded %s is %d', (value, total, round, expected) => {
  expect(scaledValue(value, total, round)).toBe(expected);
});

it.each(['25', '%', '2.5%', '-1%', 'a%', ''])('%j is no percentage', (text) => {
  expect(percentOf(text)).toBeUndefined();
  expect(scaledValue(text, 10, 'up')).toBeNaN();
});
