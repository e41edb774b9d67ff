import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock.ts';
import { WorkQueue } from './workQueue.ts';

function setUp(workers = 1) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const started: string[] = [];
  const open = new Map<string, { done: () => void; fail: () => void }>();
  const errors: string[] = [];
  let manual = false;
  const queue = new WorkQueue({
    clock,
    workers,
    signal: stop.signal,
    work(key) {
      started.push(key);
      if (!manual) return Promise.resolve();
      return new Promise<void>((resolve, reject) =>
        open.set(key, { done: resolve, fail: () => reject(new Error('no')) }),
      );
    },
    onError: (key) => errors.push(key),
  });
  return {
    clock,
    stop,
    started,
    errors,
    queue,
    open,
    byHand() {
      manual = true;
    },
    finish: async (key: string, how: 'done' | 'fail' = 'done') => {
      open.get(key)?.[how]();
      await clock.advance(0);
    },
  };
}

describe('a work queue', () => {
  it('works on a key once, however often it was added', async () => {
    const { queue, clock, started } = setUp();
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    await clock.advance(0);
    expect(started).toEqual(['a', 'b']);
  });

  it('never works on a key twice at once, and again when it was added meanwhile', async () => {
    const { queue, clock, started, byHand, finish } = setUp(3);
    byHand();
    queue.add('a');
    await clock.advance(0);
    queue.add('a');
    queue.add('a');
    await clock.advance(0);
    expect(started).toEqual(['a']);
    await finish('a');
    expect(started).toEqual(['a', 'a']);
    await finish('a');
    expect(started).toEqual(['a', 'a']);
  });

  it('works on no more keys at once than it has workers', async () => {
    const { queue, clock, started, byHand, finish } = setUp(2);
    byHand();
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await clock.advance(0);
    expect(started).toEqual(['a', 'b']);
    expect(queue.length).toBe(1);
    await finish('a');
    expect(started).toEqual(['a', 'b', 'c']);
  });

  it('takes up a failed key later, each time twice as late, until it goes well', async () => {
    const { queue, clock, started, errors, byHand, finish } = setUp();
    byHand();
    queue.add('a');
    await clock.advance(0);
    for (const wait of [5, 10, 20, 40]) {
      const before = started.length;
      await finish('a', 'fail');
      await clock.advance(wait - 1);
      expect(started).toHaveLength(before);
      await clock.advance(1);
      expect(started).toHaveLength(before + 1);
    }
    expect(errors).toHaveLength(4);
    await finish('a');
    queue.add('a');
    await clock.advance(0);
    await finish('a', 'fail');
    await clock.advance(5);
    expect(started).toHaveLength(7);
  });

  it('adds later, at the earliest of several times', async () => {
    const { queue, clock, started } = setUp();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 300);
    queue.addAfter('a', 500);
    await clock.advance(299);
    expect(started).toEqual([]);
    await clock.advance(1);
    expect(started).toEqual(['a']);
    await clock.advance(2000);
    expect(started).toEqual(['a']);
  });

  it('works through many keys', async () => {
    const { queue, clock, started } = setUp(4);
    for (let i = 0; i < 1000; i++) queue.add(`k${i}`);
    while (started.length < 1000) await clock.advance(0);
    expect(new Set(started).size).toBe(1000);
    expect(queue.length).toBe(0);
  });

  it('begins nothing once it is stopped', async () => {
    const { queue, clock, started, stop } = setUp();
    queue.addAfter('a', 10);
    queue.add('b');
    stop.abort();
    queue.add('c');
    await clock.advance(100);
    expect(started).toEqual([]);
  });
});
