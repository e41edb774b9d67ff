import { expect, test } from 'vitest';
import { SeededRandom } from '../../lib/random.ts';
import { formatIp, parseIp, parseIpRange } from './ipRange.ts';
import { Reservations } from './reservations.ts';

const make = (first: number, last: number) =>
  new Reservations([{ first, last }], { share: 16, most: 256 }, new SeededRandom(1));

test('each number has one owner, and the start of the range comes last', () => {
  const r = make(1, 64);
  const chosen: number[] = [];
  for (let i = 0; i < 64; i++) {
    const value = r.choose() as number;
    expect(r.take(value, `owner-${i}`)).toBe(true);
    chosen.push(value);
  }
  expect(new Set(chosen).size).toBe(64);
  expect(chosen.slice(0, 48).every((v) => v > 16)).toBe(true);
  expect(r.choose()).toBeUndefined();
  r.settle('owner-3', []);
  expect(r.choose()).toBe(chosen[3]);
});

test('a number is taken once, and settling frees what an owner does not hold any more', () => {
  const r = make(1, 64);
  expect(r.take(5, 'a')).toBe(true);
  expect(r.take(5, 'a')).toBe(true);
  expect(r.take(5, 'b')).toBe(false);
  r.take(6, 'a');
  r.settle('a', [6]);
  expect(r.take(5, 'b')).toBe(true);
  expect(r.isFreeFor(6, 'b')).toBe(false);
});

test('ranges of addresses', () => {
  const range = parseIpRange('10.96.0.0/16');
  expect([formatIp(range.first), formatIp(range.last)]).toEqual(['10.96.0.1', '10.96.255.254']);
  expect(parseIp('10.96.0.256')).toBeUndefined();
  expect(parseIp('10.096.0.1')).toBeUndefined();
  expect(formatIp(parseIp('255.255.255.255') as number)).toBe('255.255.255.255');
  for (const bad of ['10.0.0.0', '10.0.0.0/31', 'x/16', '10.0.0.0/1'])
    expect(() => parseIpRange(bad)).toThrow(RangeError);
});
