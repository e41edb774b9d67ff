import { describe, expect, it } from 'vitest';
import type { ServicePort } from '../plan.ts';
import { backends, port } from '../testing/servicePorts.ts';
import { type IpvsMachine, IpvsRules } from './rules.ts';

const OPTIONS = { table: 'kubets9', podCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/16', bridge: 'kubets9' };

/** Remembers what is run. */
function machine(): IpvsMachine & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    nodeIPs: () => ['192.0.2.9'],
    async run(program, args, input = '') {
      ran.push([program, ...args].join(' '), ...input.split('\n').filter((line) => line !== ''));
      if (args.includes('show')) throw new Error('there is no such device');
      return '';
    },
  };
}

const change = (rules: IpvsRules, key: string, ...ports: ServicePort[]) =>
  rules
    .change(new Map([[key, ports.length === 0 ? undefined : ports]]))
    .split('\n')
    .filter((line) => /^(addr|-[AaDd] -[tu])/.test(line));

describe('virtual servers', () => {
  it('are made with their endpoints, at an address of their own and at node ports', () => {
    const rules = new IpvsRules(OPTIONS, 4, machine());
    expect(change(rules, 'a', port({ nodePort: 30080, affinitySeconds: 60 }))).toEqual([
      'addr add 10.96.0.5/32 dev kubets9-ipvs',
      '-A -t 10.96.0.5:80 -s rr -p 60',
      '-a -t 10.96.0.5:80 -r 10.244.0.3:8080 -m -w 1',
      '-a -t 10.96.0.5:80 -r 10.244.0.9:8080 -m -w 1',
      '-A -t 192.0.2.9:30080 -s rr -p 60',
      '-a -t 192.0.2.9:30080 -r 10.244.0.3:8080 -m -w 1',
      '-a -t 192.0.2.9:30080 -r 10.244.0.9:8080 -m -w 1',
    ]);
  });

  it('change no more than what is different', () => {
    const rules = new IpvsRules(OPTIONS, 4, machine());
    change(rules, 'a', port());
    expect(change(rules, 'a', port())).toEqual([]);
    expect(change(rules, 'a', port({ internal: backends('10.244.0.9', '10.244.0.10') }))).toEqual([
      '-a -t 10.96.0.5:80 -r 10.244.0.10:8080 -m -w 1',
      '-d -t 10.96.0.5:80 -r 10.244.0.3:8080',
    ]);
    expect(change(rules, 'a')).toEqual(['addr del 10.96.0.5/32 dev kubets9-ipvs', '-D -t 10.96.0.5:80']);
  });

  it('keep an address that refuses, and a rule that does so', () => {
    const rules = new IpvsRules(OPTIONS, 4, machine());
    const script = rules.change(new Map([['a', [port({ internal: backends() })]]]));
    expect(script).toContain('addr add 10.96.0.5/32');
    expect(script).toMatch(/-I KUBETS9-REFUSED -d 10.96.0.5\/32 .* -j REJECT/);
  });

  it('let clients of some ranges in only', () => {
    const rules = new IpvsRules(OPTIONS, 4, machine());
    const script = rules.change(
      new Map([['a', [port({ balancerIPs: ['192.0.2.3'], sourceRanges: ['10.0.0.0/8', '192.0.2.0/24'] })]]]),
    );
    const [guard] = /KUBETS9-FW-\w+/.exec(script) ?? [];
    expect(script).toContain(
      `-A ${guard} -s 10.0.0.0/8 -j RETURN\n-A ${guard} -s 192.0.2.0/24 -j RETURN\n-A ${guard} -j DROP`,
    );
  });
});

it('a script is handed to the tools that it is for', async () => {
  const own = machine();
  const rules = new IpvsRules(OPTIONS, 4, own);
  await rules.apply(rules.change(new Map([['a', [port()]]])));
  expect(own.ran.filter((line) => !line.startsWith('-') && !/^[*:C]/.test(line))).toEqual([
    'ip -batch -',
    'addr add 10.96.0.5/32 dev kubets9-ipvs',
    'ipvsadm --restore',
    'iptables-restore -w 5 --noflush',
  ]);
});
