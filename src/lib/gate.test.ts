import { expect, it } from 'vitest';
import { Gate } from './gate.ts';

it('lets so many through at once, the others in order, and goes on where one fails', async () => {
  const gate = new Gate(2);
  const ends: (() => void)[] = [];
  const begun: number[] = [];
  const all = [0, 1, 2, 3].map((i) =>
    gate.pass(async () => {
      begun.push(i);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (i === 0) throw new Error('it failed');
    }),
  );
  const outcomes = Promise.allSettled(all);
  expect([begun, gate.waiting, gate.isOpen]).toEqual([[0, 1], 2, false]);
  for (let i = 0; i < 4; i++) {
    ends[i]?.();
    await all[i]?.catch(() => {});
    // Who leaves hands the place on: nobody who comes now is before those in line.
    expect(gate.isOpen).toBe(i >= 2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun.length).toBe(Math.min(4, i + 3));
  }
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
});
