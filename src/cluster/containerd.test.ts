import { expect, it } from 'vitest';
import { mayLowerOomScore } from './containerd.ts';

it.each([
  ['all of them', '000001ffffffffff', true],
  ['all but one', '000001fffeffffff', false],
  ['none', '0000000000000000', false],
])('capabilities: %s', (_what, effective, expected) => {
  const status = `Name:\tnode\nCapInh:\t0000000000000000\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t0\n`;
  expect(mayLowerOomScore(status)).toBe(expected);
});
