import { describe, expect, test } from 'vitest';
import type { StorageConversion } from '../../machinery/kind.ts';
import type { KeyValue, StorageEvent } from '../../storage/storage.ts';
import { ConversionQueue } from './conversionQueue.ts';

/** An event whose value says whether it must be converted: in capitals it needs not. */
const event = (value: string): StorageEvent => ({
  type: 'put',
  kv: { key: value, value: Buffer.from(value) } as KeyValue,
  previous: undefined,
});

interface Call {
  readonly stored: readonly string[];
  answer(): void;
  refuse(): void;
}

function start(onApply: (queue: ConversionQueue, value: string) => void = () => {}) {
  const calls: Call[] = [];
  const told: string[] = [];
  let failed = 0;
  const conversion = {
    fromStored(all: readonly Buffer[]) {
      const stored = all.map(String);
      if (stored.every((s) => s === s.toUpperCase())) return undefined;
      return new Promise<Buffer[]>((resolve, reject) => {
        const answer = () => resolve(stored.map((s) => Buffer.from(s.toUpperCase())));
        calls.push({ stored, answer, refuse: () => reject(new Error('no')) });
      });
    },
  } as Partial<StorageConversion> as StorageConversion;
  const queue: ConversionQueue = new ConversionQueue({
    conversion,
    apply(events, at) {
      told.push(`${events.map((e) => String(e.kv.value)).join('')}@${at}`);
      for (const e of events) onApply(queue, String(e.kv.value));
    },
    fail() {
      failed++;
    },
  });
  return { queue, calls, told, failures: () => failed };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('events', () => {
  test('that are as they should be come at once', () => {
    const { queue, told } = start();
    queue.push([event('A'), event('B')], 1);
    queue.push([], 2);
    expect(told).toEqual(['AB@1', '@2']);
    expect(queue.busy).toBe(false);
  });

  test('wait for those before them, and are converted together', async () => {
    const { queue, told, calls } = start();
    queue.push([event('a')], 1);
    queue.push([event('B')], 2);
    queue.push([], 3);
    queue.push([event('c'), event('D')], 4);
    queue.push([event('e')], 5);
    expect(told).toEqual([]);
    expect(queue.busy).toBe(true);
    calls[0]?.answer();
    await settled();
    expect(told).toEqual(['A@1']);
    expect(calls.map((c) => c.stored)).toEqual([['a'], ['B', 'c', 'D', 'e']]);
    calls[1]?.answer();
    await settled();
    expect(told).toEqual(['A@1', 'B@2', '@3', 'CD@4', 'E@5']);
    expect(queue.busy).toBe(false);
  });

  test('that come while others are told come after them', () => {
    const { queue, told } = start((q, value) => {
      if (value === 'A') q.push([event('Z')], 9);
    });
    queue.push([event('A'), event('B')], 1);
    expect(told).toEqual(['AB@1', 'Z@9']);
  });

  test('end with the first that cannot be converted, or when nobody wants them', async () => {
    const one = start();
    one.queue.push([event('a')], 1);
    one.queue.push([event('B')], 2);
    one.calls[0]?.refuse();
    await settled();
    one.queue.push([event('C')], 3);
    expect(one.told).toEqual([]);
    expect(one.failures()).toBe(1);
    const two = start();
    two.queue.push([event('a')], 1);
    two.queue.stop();
    two.calls[0]?.answer();
    await settled();
    expect(two.told).toEqual([]);
    expect(two.failures()).toBe(0);
  });
});
