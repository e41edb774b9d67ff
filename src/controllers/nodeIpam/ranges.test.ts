import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Node } from '../../apis/core/node.ts';
import type { Stored } from '../../machinery/kind.ts';
import { NodeRanges, planRanges } from './controller.ts';
import { PartedRange } from './ranges.ts';

describe('a range in parts', () => {
  it.each([
    ['10.244.0.0/16', undefined, ['10.244.0.0/24', '10.244.1.0/24']],
    ['100.64.0.0/10', 26, ['100.64.0.0/26', '100.64.0.64/26']],
    ['fd00:10:244::/56', undefined, ['fd00:10:244::/64', 'fd00:10:244:1::/64']],
    ['10.244.7.0/24', undefined, ['10.244.7.0/24', undefined]],
    ['10.244.7.128/25', undefined, ['10.244.7.128/25', undefined]],
  ])('%s /%s', (text, mask, parts) => {
    const range = new PartedRange(text, mask);
    expect([range.allocate(), range.allocate()]).toEqual(parts);
  });

  it('is refused where it cannot be cut so', () => {
    expect(() => new PartedRange('10.0.0.0/4', 24)).toThrow(RangeError);
    expect(() => new PartedRange('fd00::/40')).toThrow(RangeError);
    expect(() => new PartedRange('10.0.0.0/24', 33)).toThrow(RangeError);
    expect(() => new PartedRange('pods')).toThrow(RangeError);
  });

  it('gives no part twice, and each again some day', () => {
    const step = fc.oneof(
      fc.record({ give: fc.constant(true) }),
      fc.record({ back: fc.nat(20) }),
      fc.record({ keep: fc.nat(15) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const range = new PartedRange('10.0.0.0/20');
        const out: string[] = [];
        for (const s of steps) {
          if ('give' in s) {
            const part = range.allocate();
            expect(part === undefined).toBe(out.length === 16);
            if (part === undefined) continue;
            expect(out).not.toContain(part);
            out.push(part);
          } else if ('back' in s) {
            const [part] = out.splice(s.back, 1);
            if (part !== undefined) range.release(part);
          } else {
            const part = `10.0.${s.keep}.0/24`;
            range.occupy(part);
            if (!out.includes(part)) out.push(part);
          }
        }
      }),
    );
  });
});

describe('ranges of nodes', () => {
  const nodeOf = (name: string): Stored<Node> =>
    ({ metadata: { name, uid: name, resourceVersion: '1' } }) as Stored<Node>;

  it('are one of each family, none of services, and taken back', () => {
    const pool = new NodeRanges({ podCIDRs: ['10.0.0.0/22', 'fd00::/62'], serviceCIDRs: ['10.0.1.0/24'] });
    pool.keep('own', ['10.0.0.0/24', 'fd00::/64']);
    expect(pool.give('a')).toEqual(['10.0.2.0/24', 'fd00:0:0:1::/64']);
    expect(pool.give('a')).toEqual(['10.0.2.0/24', 'fd00:0:0:1::/64']);
    expect(pool.give('b')).toEqual(['10.0.3.0/24', 'fd00:0:0:2::/64']);
    expect(pool.give('c')).toBeUndefined();
    pool.takeBack('own');
    // What was given of the one family while the other was used up is there still.
    expect(pool.give('c')).toEqual(['10.0.0.0/24', 'fd00:0:0:3::/64']);
  });

  it('are written to the node, or it is told that there are none', () => {
    expect(planRanges(nodeOf('a'), ['10.0.2.0/24', 'fd00::/64']).actions).toMatchObject([
      { verb: 'patch', patch: { spec: { podCIDR: '10.0.2.0/24', podCIDRs: ['10.0.2.0/24', 'fd00::/64'] } } },
    ]);
    expect(planRanges(nodeOf('a'), undefined).actions).toMatchObject([{ verb: 'event', reason: 'CIDRNotAvailable' }]);
  });
});
