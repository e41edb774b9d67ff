import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineSplitter } from './lines.ts';
import { TransportError } from './transport.ts';

it('finds the same lines however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.array(fc.nat(200)), (texts, cuts) => {
      const lines = texts.map((t) => t.replaceAll('\n', ' '));
      const bytes = Buffer.from(lines.map((l) => `${l}\n`).join(''));
      const found: string[] = [];
      const splitter = new LineSplitter((line) => found.push(line));
      const at = [0, ...cuts.map((c) => Math.min(c, bytes.length)).sort((a, b) => a - b), bytes.length];
      for (let i = 1; i < at.length; i++) splitter.push(bytes.subarray(at[i - 1], at[i]));
      expect(found).toEqual(lines.filter((l) => l !== ''));
    }),
  );
});

it('refuses a line without end', () => {
  const splitter = new LineSplitter(() => {});
  const chunk = Buffer.alloc(1 << 20, 0x61);
  expect(() => {
    for (let i = 0; i < 20; i++) splitter.push(chunk);
  }).toThrow(TransportError);
});
