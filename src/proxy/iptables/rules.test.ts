/** Scripts, as text and as the kernel takes them, in a network namespace of the test's own. */
import { spawn, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServicePort } from '../plan.ts';
import { backends, historiesOf, port } from '../testing/servicePorts.ts';
import { IptablesRules } from './rules.ts';

const OPTIONS = { table: 'kubets-test', podCIDR: '10.244.0.0/16', serviceCIDR: '10.96.0.0/16', bridge: 'kubets0' };

const changed = (rules: IptablesRules, key: string, ...ports: ServicePort[]) =>
  rules.change(new Map([[key, ports.length === 0 ? undefined : ports]]));

const OPTIONS_V6 = { table: 'kubets-test', podCIDR: 'fd00:10:244::/56', serviceCIDR: 'fd00:10:96::/112' };

describe('a script', () => {
  it('sends clients to each endpoint with the same chance', () => {
    const script = changed(
      new IptablesRules(OPTIONS),
      'a',
      port({ internal: backends('10.244.0.1', '10.244.0.2', '10.244.0.3') }),
    );
    expect(script.match(/--probability [0-9.]+/g)).toEqual([
      '--probability 0.3333333333',
      '--probability 0.5000000000',
    ]);
    expect(script.match(/-j DNAT --to-destination \S+/g)).toHaveLength(3);
    expect(script).toMatch(/-I KUBETS-TEST-SERVICES -d 10.96.0.5\/32 -p tcp -m tcp --dport 80 .* -j KUBETS-TEST-SVC-/);
  });

  it('refuses where nothing is behind a service, and drops what may not leave the node', () => {
    const script = changed(
      new IptablesRules(OPTIONS),
      'a',
      port({ internal: { to: 'refuse' }, external: { to: 'drop' }, nodePort: 30080 }),
    );
    expect(script).toMatch(/-I KUBETS-TEST-REFUSED -d 10.96.0.5\/32 .* -j REJECT/);
    expect(script).toMatch(/-I KUBETS-TEST-REFUSED -m addrtype --dst-type LOCAL .*--dport 30080 .* -j DROP/);
    expect(script).not.toContain('*nat');
  });

  it('remembers clients where they are to stay', () => {
    const script = changed(new IptablesRules(OPTIONS), 'a', port({ affinitySeconds: 60 }));
    expect(script.match(/--rcheck --seconds 60/g)).toHaveLength(2);
  });

  it('lets clients of some ranges in only', () => {
    const script = changed(
      new IptablesRules(OPTIONS),
      'a',
      port({ balancerIPs: ['192.0.2.3'], sourceRanges: ['10.0.0.0/8'] }),
    );
    expect(script).toMatch(/-I KUBETS-TEST-SERVICES -s 10.0.0.0\/8 -d 192.0.2.3\/32 .* -j KUBETS-TEST-EXT-/);
    expect(script).toMatch(/-I KUBETS-TEST-REFUSED -d 192.0.2.3\/32 .* -j DROP/);
  });

  it('changes no more than what is different', () => {
    const rules = new IptablesRules(OPTIONS);
    changed(rules, 'a', port());
    expect(changed(rules, 'a', port())).toBe('');
    const script = changed(rules, 'a', port({ internal: backends('10.244.0.3', '10.244.0.10') }));
    expect(script).not.toContain('SERVICES');
    expect(script.match(/^:/gm)).toHaveLength(2);
    expect(script.match(/^-X /gm)).toHaveLength(1);
  });
});

describe('in the kernel', () => {
  it.each([4, 6] as const)(
    'differences lead to what all rules anew say; in the end nothing is left: IPv%d',
    async (family) => {
      const options = family === 4 ? OPTIONS : OPTIONS_V6;
      await fc.assert(
        fc.asyncProperty(historiesOf(family), async (steps) => {
          await inNamespace(async (run) => {
            const rules = new IptablesRules(options, family, run);
            await rules.replaceAll();
            for (const { service, ports } of steps) {
              const script = rules.change(new Map([[service, ports]]));
              if (script !== '') await rules.apply(script);
            }
            const after = await listed(run, family);
            await rules.replaceAll();
            expect(await listed(run, family)).toEqual(after);
            // One that knows of no services takes away what the one before it left.
            const next = new IptablesRules(options, family, run);
            await next.replaceAll();
            expect((await listed(run, family)).filter((line) => /-(SVC|SEP|EXT)-/.test(line))).toEqual([]);
            await next.remove();
            expect((await listed(run, family)).filter((line) => line.includes('KUBETS'))).toEqual([]);
          });
        }),
        { numRuns: 8 },
      );
    },
    120_000,
  );
});

type Run = (program: string, args: readonly string[], input?: string) => Promise<string>;

/** A network namespace that lives as long as a process. */
async function inNamespace(test: (run: Run) => Promise<void>): Promise<void> {
  const holder = spawn('unshare', ['-n', 'sh', '-c', 'echo ready; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    await test(async (program, args, input = '') => {
      const result = spawnSync('nsenter', ['-t', String(holder.pid), '-n', program, ...args], {
        encoding: 'utf8',
        input,
      });
      if (result.status !== 0) throw new Error(`${program}: ${result.stderr}\n${input}`);
      return result.stdout;
    });
  } finally {
    holder.kill('SIGKILL');
  }
}

/** All rules; those that stand in no order, sorted. */
async function listed(run: Run, family: 4 | 6): Promise<string[]> {
  const all: string[] = [];
  for (const table of ['filter', 'nat'])
    all.push(...(await run(family === 4 ? 'iptables' : 'ip6tables', ['-t', table, '-S'])).split('\n'));
  const isShared = (line: string) =>
    /^-A \S+-(SERVICES|NODE-PORTS|REFUSED) /.test(line) && !line.endsWith('-NODE-PORTS');
  return [
    ...all.filter((line) => !isShared(line) && !line.startsWith('-N ')),
    ...all.filter(isShared).sort(),
    ...all.filter((line) => line.startsWith('-N ')).sort(),
  ].sort((a, b) => Number(isShared(a)) - Number(isShared(b)));
}
