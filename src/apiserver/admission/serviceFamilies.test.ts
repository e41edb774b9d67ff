import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Service, type ServiceSpec, services } from '../../apis/core/service.ts';
import { ipAddresses } from '../../apis/networking/ipAddress.ts';
import { serviceCIDRs } from '../../apis/networking/serviceCIDR.ts';
import { startTestServer, type TestServer } from '../testing/testServer.ts';
import { AddressNumbers } from './addressNumbers.ts';

let dual: TestServer;
let single: TestServer;
beforeAll(async () => {
  [dual, single] = await Promise.all([startTestServer({ serviceCIDRv6: 'fd00:96::/112' }), startTestServer()]);
});
afterAll(() => Promise.all([dual.stop(), single.stop()]));

const V4 = /^10\.96\.\d+\.\d+$/;
const V6 = /^fd00:96::[\da-f]{1,4}$/;
let count = 0;
const service = (spec: Partial<ServiceSpec>): Service => ({
  metadata: { name: `s${count++}`, namespace: 'default' },
  spec: { ports: [{ port: 80 }], selector: { app: 'web' }, ...spec },
});
const shapeOf = ({ spec }: Service) => [
  spec?.ipFamilyPolicy,
  spec?.ipFamilies?.join(),
  spec?.clusterIPs?.map((ip) => (V4.test(ip) ? '4' : V6.test(ip) ? '6' : ip)).join(),
];

describe('families of a service', () => {
  it.each<[Partial<ServiceSpec>, string[], string[] | string]>([
    [{}, ['SingleStack', 'IPv4', '4'], ['SingleStack', 'IPv4', '4']],
    [{ ipFamilyPolicy: 'PreferDualStack' }, ['PreferDualStack', 'IPv4,IPv6', '4,6'], ['PreferDualStack', 'IPv4', '4']],
    [
      { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv6'] },
      ['PreferDualStack', 'IPv6,IPv4', '6,4'],
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    ],
    [
      { ipFamilyPolicy: 'RequireDualStack' },
      ['RequireDualStack', 'IPv4,IPv6', '4,6'],
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    ],
    [{ ipFamilies: ['IPv6'] }, ['SingleStack', 'IPv6', '6'], 'not configured on this cluster'],
    [{ ipFamilies: ['IPv6', 'IPv4'] }, ['RequireDualStack', 'IPv6,IPv4', '6,4'], 'not configured'],
    [{ clusterIP: 'fd00:96::77', clusterIPs: ['fd00:96::77'] }, ['SingleStack', 'IPv6', '6'], 'not in the valid range'],
    [
      { clusterIP: 'None', ipFamilyPolicy: 'PreferDualStack' },
      ['PreferDualStack', 'IPv4,IPv6', 'None'],
      ['PreferDualStack', 'IPv4', 'None'],
    ],
  ])('%j', async (spec, onBoth, onOne) => {
    expect(shapeOf(await dual.client.create(services, service(spec)))).toEqual(onBoth);
    const made = single.client.create(services, service(spec));
    if (typeof onOne === 'string') await expect(made).rejects.toThrow(onOne);
    else expect(shapeOf(await made)).toEqual(onOne);
  });

  it('may grow, and shrink again, and the address is free then', async () => {
    const made = await dual.client.create(services, service({}));
    const { name } = made.metadata;
    const ref = { namespace: 'default', name };
    const [first] = made.spec?.clusterIPs ?? [];
    const to = (ipFamilyPolicy: string) => dual.client.patch(services, ref, 'merge', { spec: { ipFamilyPolicy } });
    const grown = await to('PreferDualStack');
    expect(shapeOf(grown)).toEqual(['PreferDualStack', 'IPv4,IPv6', '4,6']);
    const [kept, second = ''] = grown.spec?.clusterIPs ?? [];
    expect(kept).toBe(first);
    await expect(dual.client.create(services, service({ clusterIP: second }))).rejects.toThrow('already allocated');
    await expect
      .poll(async () => (await dual.client.get(ipAddresses, { name: second })).metadata.labels)
      .toMatchObject({
        'ipaddress.kubernetes.io/ip-family': 'IPv6',
      });
    expect(shapeOf(await to('SingleStack'))).toEqual(['SingleStack', 'IPv4', '4']);
    expect(shapeOf(await dual.client.create(services, service({ clusterIP: second })))[2]).toBe('6');
  });

  it('have a range each', async () => {
    const { spec } = await dual.client.get(serviceCIDRs, { name: 'kubernetes' });
    expect(spec?.cidrs).toEqual(['10.96.0.0/16', 'fd00:96::/112']);
    await expect(dual.client.create(services, service({ clusterIP: 'fd00:97::1' }))).rejects.toThrow(
      'is not in the valid range. The range of valid IPs is 10.96.0.0/16,fd00:96::/112',
    );
  });
});

describe('addresses as numbers', () => {
  it('are the same addresses again, whatever their family', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.ipV4(), fc.ipV6()), { maxLength: 20 }), (texts) => {
        const numbers = new AddressNumbers();
        const known = new Map<number, string>();
        for (const text of texts) {
          const value = numbers.of(text);
          if (value === undefined) continue;
          expect(Number.isSafeInteger(value)).toBe(true);
          const canonical = numbers.text(value);
          expect(numbers.of(canonical)).toBe(value);
          expect(known.get(value) ?? canonical).toBe(canonical);
          known.set(value, canonical);
        }
      }),
    );
  });

  it.each([
    ['10.96.0.0/16', '10.96.0.1', '10.96.255.254'],
    ['fd00:96::/112', 'fd00:96::1', 'fd00:96::ffff'],
    ['fd00:96::/64', 'fd00:96::1', 'fd00:96::ffff:ffff:ffff'],
    ['fd00:96::4/127', 'fd00:96::4', 'fd00:96::5'],
  ])('are those of %s', (cidr, first, last) => {
    const numbers = new AddressNumbers();
    const range = numbers.range(cidr);
    expect([numbers.text(range?.first ?? 0), numbers.text(range?.last ?? 0)]).toEqual([first, last]);
  });
});
