import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  bytesQuantity,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  milliValue,
  parseQuantity,
  quantityOf,
  wholeValue,
} from './quantity.ts';

describe('the canonical form', () => {
  it.each([
    ['0', '0'],
    ['0.0', '0'],
    ['-0', '0'],
    ['0Mi', '0'],
    ['1', '1'],
    [' 1 ', '1'],
    ['+5', '5'],
    ['.5', '500m'],
    ['1.', '1'],
    ['0.1', '100m'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['3072Mi', '3Gi'],
    ['3072', '3072'],
    ['1024', '1024'],
    ['1024Ki', '1Mi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['0.0005Ki', '512m'],
    ['1000k', '1M'],
    ['1500k', '1500k'],
    ['1e3', '1e3'],
    ['1E3', '1e3'],
    ['1e4', '10e3'],
    ['12e-1', '1200e-3'],
    ['1e21', '1e21'],
    ['1E', '1E'],
    ['1Ei', '1Ei'],
    ['8Ei', '9223372036854775807'],
    ['-128Mi', '-128Mi'],
    ['0.1n', '1n'],
    ['-0.1n', '-1n'],
    ['1.0000000001', '1000000001n'],
    ['5u', '5u'],
  ])('of %j is %j', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
    expect(canonicalQuantity(canonicalQuantity(text))).toBe(canonical);
  });

  it('of a number is that of its digits', () => expect(canonicalQuantity(0.25)).toBe('250m'));
});

it.each(['', '.', 'm', '1e', '1mm', '1 Mi', '1mi', '--1', '0x10', 'NaN', '1e999', '1,5', '1'.repeat(65)])(
  'refuses %j',
  (text) => {
    expect(parseQuantity(text)).toBeUndefined();
    expect(() => quantityOf(text)).toThrow(TypeError);
    expect(canonicalQuantity(text)).toBe(text);
  },
);

describe('values', () => {
  it('are rounded up', () => {
    expect(milliValue('1')).toBe(1000);
    expect(milliValue('100u')).toBe(1);
    expect(milliValue('-1500u')).toBe(-1);
    expect(wholeValue('1Gi')).toBe(2 ** 30);
    expect(wholeValue('1500m')).toBe(2);
    expect(bytesQuantity(1536 * 2 ** 20)).toBe('1536Mi');
  });

  it('are compared and added exactly, whatever their format', () => {
    expect(compareQuantities('1000m', '1')).toBe(0);
    expect(compareQuantities('1Ki', '1k')).toBe(1);
    expect(compareQuantities('-1', '1n')).toBe(-1);
    expect(addQuantities('100m', '900m')).toBe('1');
    expect(addQuantities('512Mi', '0.5Gi')).toBe('1Gi');
    expect(addQuantities('0', '64Mi')).toBe('64Mi');
  });
});

const amounts = fc.record({
  nano: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  format: fc.constantFrom('DecimalSI', 'BinarySI', 'DecimalExponent'),
} as const);

it('keeps every amount exact through its text', () => {
  fc.assert(
    fc.property(amounts, (amount) => {
      const text = formatQuantity(amount);
      expect(quantityOf(text).nano).toBe(amount.nano);
      expect(canonicalQuantity(text)).toBe(text);
    }),
  );
});

it('adds as integers do, and orders sums as their parts', () => {
  fc.assert(
    fc.property(amounts, amounts, (a, b) => {
      const [x, y] = [formatQuantity(a), formatQuantity(b)];
      expect(quantityOf(addQuantities(x, y)).nano).toBe(a.nano + b.nano);
      expect(compareQuantities(addQuantities(x, y), x)).toBe(Number(b.nano > 0n) - Number(b.nano < 0n));
    }),
  );
});

it('never throws on any text', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseQuantity(text)));
  fc.assert(fc.property(fc.stringMatching(/^[-+0-9.eEnumkKMGTPi]{1,12}$/), (text) => void canonicalQuantity(text)));
});
