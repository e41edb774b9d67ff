import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalAddress, contains, formatCidr, parseCidr } from './cidr.ts';

describe('addresses', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['2001:DB8::', '2001:db8::'],
    ['::ffff:1.2.3.4', undefined],
    ['64:ff9b::1.2.3.4', '64:ff9b::102:304'],
    ['1.2.3', undefined],
    ['01.2.3.4', undefined],
  ])('%s', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  it('of eight groups keep their value', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const canonical = canonicalAddress(text);
        if (canonical !== undefined) expect(canonicalAddress(canonical)).toBe(canonical);
      }),
    );
  });
});

describe('ranges', () => {
  it.each([
    ['10.1.2.3/8', '10.0.0.0/8', true],
    ['10.0.0.0/8', '10.0.0.0/8', false],
    ['0.0.0.0/0', '0.0.0.0/0', false],
    ['2001:db8::1/32', '2001:db8::/32', true],
  ])('%s', (text, canonical, loose) => {
    const cidr = parseCidr(text);
    expect(cidr && formatCidr(cidr)).toBe(canonical);
    expect(cidr?.loose).toBe(loose);
  });

  it.each(['', '/', '10.0.0.0', '10.0.0.0/', '10.0.0.0/33', '10.0.0.0/08', 'fd00::/129', 'x/8'])(
    '%s is none',
    (text) => {
      expect(parseCidr(text)).toBeUndefined();
    },
  );

  it('lie within others of their family', () => {
    const within = (outer: string, inner: string) => {
      const [a, b] = [parseCidr(outer), parseCidr(inner)];
      return a !== undefined && b !== undefined && contains(a, b);
    };
    expect(within('10.0.0.0/8', '10.1.0.0/16')).toBe(true);
    expect(within('10.0.0.0/8', '11.0.0.0/16')).toBe(false);
    expect(within('10.1.0.0/16', '10.0.0.0/8')).toBe(false);
    expect(within('::/0', '10.0.0.0/8')).toBe(false);
    expect(within('0.0.0.0/0', '255.0.0.0/8')).toBe(true);
  });
});
