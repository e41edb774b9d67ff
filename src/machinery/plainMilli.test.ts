import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareQuantities, plainMilli, quantityOf } from './quantity.ts';

const amount = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.bigInt({ min: 0n, max: 10n ** 12n }),
    fc.constantFrom('', 'm', 'k', 'M', 'G', 'T', 'Ki', 'Mi', 'Gi', 'n', 'e3', '.5'),
  )
  .map((parts) => parts.join(''));

describe('plain amounts', () => {
  it('are exact wherever they are taken for plain', () => {
    fc.assert(
      fc.property(amount, (text) => {
        const milli = plainMilli(text);
        if (!Number.isNaN(milli)) expect(BigInt(milli) * 1_000_000n).toBe(quantityOf(text).nano);
      }),
    );
  });

  it('are compared as all others are', () => {
    fc.assert(
      fc.property(amount, amount, (a, b) => {
        const x = quantityOf(a).nano;
        const y = quantityOf(b).nano;
        expect(compareQuantities(a, b)).toBe(x < y ? -1 : x > y ? 1 : 0);
      }),
    );
  });
});
