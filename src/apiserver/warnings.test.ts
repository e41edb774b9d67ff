import { expect, test } from 'vitest';
import { warningHeaders } from './warnings.ts';

test.each([
  { texts: ['a'], shown: ['299 - "a"'] },
  { texts: ['a', 'b', 'a'], shown: ['299 - "a"', '299 - "b"'] },
  { texts: ['say "é"\n'], shown: ['299 - "say \\"??"'.replace('??"', '?\\"?"')] },
])('are told as headers: $texts', ({ texts, shown }) => {
  expect(warningHeaders(texts)).toEqual(shown);
});

test('fit into a header, however many and long they are', () => {
  const one = warningHeaders(['x'.repeat(2_000_000)]);
  expect(one).toEqual([`299 - "${'x'.repeat(256)}"`]);
  const many = warningHeaders(Array.from({ length: 250_000 }, (_, i) => `unknown field "u${i}"`));
  expect(many[0]).toBe('299 - "unknown field \\"u0\\""');
  expect(many.join('').length).toBeLessThan(16 << 10);
  expect(many.length).toBeGreaterThan(100);
});
