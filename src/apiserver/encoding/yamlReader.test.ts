/** Texts that would stop the server while it reads them. */
import { expect, test } from 'vitest';
import { YamlReader } from './yamlReader.ts';

const bodyOf = async (text: string, reader = new YamlReader()) => (await reader.read(Buffer.from(text))).value;

test('small and large texts are read alike', async () => {
  for (const lines of [3, 3000]) {
    const text = Array.from({ length: lines }, (_, i) => `k${i}: [${i}, 9007199254740993, "x", null]`).join('\n');
    const value = (await bodyOf(`${text}\n__proto__: {a: b}\n`)) as Record<string, unknown>;
    expect(Object.keys(value)).toHaveLength(lines + 1);
    expect(value.k2).toEqual([2, 9007199254740993n, 'x', null]);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  }
  await expect(bodyOf(`${'a: b\n'.repeat(3000)}c: ]`)).rejects.toThrow('line 3001');
});

test.each([
  ['a key within a key within a key', `${'{'.repeat(200)}a${'}'.repeat(200)}`, 'a key is no text'],
  ['the same, written otherwise', `${'? '.repeat(200)}a`, 'a key is no text'],
  ['lists without end', '['.repeat(100_000), /too much|too long|stack|deep/],
])('%s: refused', async (_what, text, why) => {
  await expect(bodyOf(text, new YamlReader({ timeMs: 5_000 }))).rejects.toThrow(why);
});

test('what takes for ever ends in time, and the thread that answers is free meanwhile', async () => {
  // Each alias is looked for from the beginning.
  const groups = Array.from({ length: 2000 }, (_, i) => `- &a${i} x\n${`- *a${i}\n`.repeat(50)}`);
  let free = 0;
  const beat = setInterval(() => free++, 10);
  try {
    await expect(bodyOf(groups.join(''), new YamlReader({ timeMs: 700 }))).rejects.toThrow('it takes too long to read');
  } finally {
    clearInterval(beat);
  }
  expect(free).toBeGreaterThan(10);
});

test('no more is read at once than the machine can bear', async () => {
  const reader = new YamlReader({ waiting: 2 });
  const text = 'a: b\n'.repeat(3000);
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => bodyOf(text, reader)));
  const refused = results.filter((r) => r.status === 'rejected');
  expect(refused).toHaveLength(2);
  for (const { reason } of refused) expect(reason).toMatchObject({ code: 429 });
  expect(await bodyOf(text, reader)).toEqual({ a: 'b' });
});
