/** Scripts, as text and as the kernel takes them, in a network namespace of the test's own. */
import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ServicePort } from '../plan.ts';
import { backends, historiesOf, port } from '../testing/servicePorts.ts';
import { objectsOf } from './objects.ts';
import { Table } from './table.ts';

const OPTIONS = { table: 'kubets-test', podCIDR: '10.244.0.0/24', serviceCIDR: '10.96.0.0/16', bridge: 'kubets0' };

const changed = (table: Table, key: string, ...ports: ServicePort[]) =>
  table.change(new Map([[key, objectsOf(ports)]]));

const OPTIONS_V6 = { table: 'kubets-test', podCIDR: 'fd00:10:244::/56', serviceCIDR: 'fd00:10:96::/112' };

describe('a table', () => {
  it('replaces what there is as a whole, so that no stale rule is left', () => {
    const lines = new Table(OPTIONS).whole().split('\n');
    expect(lines.slice(0, 3)).toEqual([
      'add table ip kubets-test',
      'delete table ip kubets-test',
      'table ip kubets-test {',
    ]);
  });

  it('picks among the endpoints, and refuses where there are none', () => {
    const table = new Table(OPTIONS);
    changed(table, 'a', port({ nodePort: 30080 }));
    changed(table, 'b', port({ name: 'default/empty:', clusterIPs: ['10.96.0.6'], internal: backends() }));
    const text = table.whole();
    expect(text).toContain('10.96.0.5 . tcp . 80 : goto cluster-pick-2');
    expect(text).toContain('meta mark set numgen random mod 2 goto go');
    expect(text).toContain('10.96.0.5 . tcp . 80 . 0 : 10.244.0.3 . 8080');
    expect(text).toContain('10.96.0.5 . tcp . 80 . 1 : 10.244.0.9 . 8080');
    expect(text).toContain('tcp . 30080 : goto node-masquerade-pick-2');
    expect(text).toContain('10.244.0.3 . 10.244.0.3');
    expect(text).toContain('refused { 10.96.0.6 . tcp . 80 }');
    expect(text).toContain('cluster-ips { 10.96.0.5, 10.96.0.6 }');
  });

  it('changes no more than what is different', () => {
    const table = new Table(OPTIONS);
    changed(table, 'a', port());
    changed(table, 'b', port({ name: 'default/other:', clusterIPs: ['10.96.0.7'] }));
    expect(changed(table, 'a', port())).toBe('');
    const script = changed(table, 'a', port({ internal: backends('10.244.0.3', '10.244.0.10') }));
    expect(script.trim().split('\n')).toEqual(
      [
        'delete element ip kubets-test targets { 10.96.0.5 . tcp . 80 . 1 }',
        'add element ip kubets-test hairpins { 10.244.0.10 . 10.244.0.10 }',
        'add element ip kubets-test targets { 10.96.0.5 . tcp . 80 . 1 : 10.244.0.10 . 8080 }',
      ].sort((a, b) => (a < b ? 1 : -1)),
    );
  });

  it('lets the first of two services have an address', () => {
    const table = new Table(OPTIONS);
    changed(table, 'a', port());
    expect(
      changed(table, 'b', port({ name: 'default/thief:', internal: backends('10.244.0.66', '10.244.0.67') })),
    ).not.toContain('targets');
    expect(changed(table, 'a')).toContain('10.96.0.5 . tcp . 80 . 0 : 10.244.0.66 . 8080');
  });
});

describe('in the kernel', () => {
  it.each([4, 6] as const)('differences, one after the other, lead to what the whole table says: IPv%d', (family) => {
    fc.assert(
      fc.property(historiesOf(family), (steps) => {
        const table = new Table(family === 4 ? OPTIONS : OPTIONS_V6, family);
        const scripts = [table.whole()];
        for (const { service, ports } of steps) {
          scripts.push(table.change(new Map([[service, ports && objectsOf(ports)]])));
        }
        expect(listed(scripts)).toEqual(listed([table.whole()]));
      }),
      { numRuns: 15 },
    );
  });
});

/** Runs scripts in a new network namespace, and returns what is there then, in an order of its own. */
function listed(scripts: readonly string[]): string[] {
  const commands = scripts.map((_, i) => `nft -f <(printf %s "$S${i}") || exit 9`);
  const env = Object.fromEntries(scripts.map((script, i) => [`S${i}`, script]));
  const result = spawnSync('unshare', ['-n', 'bash', '-c', [...commands, 'nft --json list ruleset'].join('\n')], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  if (result.status !== 0) throw new Error(`${result.stderr}\n${scripts.join('\n')}`);
  const { nftables } = JSON.parse(result.stdout) as { nftables: Record<string, Record<string, unknown>>[] };
  const used = JSON.stringify(nftables);
  return (
    nftables
      .map((object) =>
        JSON.stringify(object, (key, value) => (key === 'handle' ? undefined : sortedElements(key, value))),
      )
      // A chain that picks stays when nobody needs it any more.
      .filter((text) => !text.includes('metainfo') && !isIdle(text, used))
      .sort()
  );
}

const sortedElements = (key: string, value: unknown) =>
  key === 'elem' && Array.isArray(value) ? value.map((v) => JSON.stringify(v)).sort() : value;

function isIdle(text: string, used: string): boolean {
  const name = /"(?:name|chain)":"((?:node-)?(?:cluster|keep|masquerade)-pick-\d+)"/.exec(text)?.[1];
  return name !== undefined && !used.includes(`"target":"${name}"`);
}
