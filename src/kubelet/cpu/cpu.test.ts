import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { silentLogger } from '../../lib/log.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { CpuManager } from './cpuManager.ts';
import { formatCpus, parseCpus } from './cpuSet.ts';
import { type Cpu, takeCpus } from './topology.ts';

/** Two sockets of two cores of two threads, numbered as Intel does it. */
const MACHINE: Cpu[] = Array.from({ length: 8 }, (_, id) => ({ id, core: id % 4, socket: Math.floor((id % 4) / 2) }));

describe('lists of CPUs', () => {
  it.each([
    ['', []],
    ['3', [3]],
    ['0-2,5', [0, 1, 2, 5]],
    ['5,0-1,1', [0, 1, 5]],
  ] as const)('%j', (text, cpus) => {
    expect(parseCpus(text)).toEqual(cpus);
  });

  it.each(['a', '3-1', '1-', '-1', '0-99999', ',', '1 2'])('refuses %j', (text) => {
    expect(() => parseCpus(text)).toThrow('is no list of CPUs');
  });

  it('are read as they are written', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(64)), (cpus) => {
        expect(parseCpus(formatCpus(cpus))).toEqual([...cpus].sort((a, b) => a - b));
      }),
    );
  });
});

describe('takeCpus', () => {
  it.each([
    ['a whole socket', [0, 1, 2, 3, 4, 5, 6, 7], 4, [0, 1, 4, 5]],
    ['a whole core', [0, 1, 2, 3, 4, 5, 6, 7], 2, [0, 4]],
    ['a core that others use, so that whole ones stay', [0, 1, 4, 5, 6], 1, [6]],
    ['a core and what is left of another', [1, 3, 5, 6], 3, [1, 5, 6]],
    ['too many', [1, 2], 3, undefined],
  ] as const)('%s', (_what, free, count, expected) => {
    expect(takeCpus(MACHINE, free, count)).toEqual(expected);
  });

  it('takes as many as are asked for, of those that are free', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(7)), fc.nat(8), (free, count) => {
        const taken = takeCpus(MACHINE, free, count);
        if (count > free.length) expect(taken).toBeUndefined();
        else expect(new Set(taken).size === count && taken?.every((id) => free.includes(id))).toBe(true);
      }),
    );
  });
});

describe('CpuManager', () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kubets-cpu-'));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const manager = (reservedSystemCPUs = '0') =>
    new CpuManager({
      configuration: { reservedSystemCPUs, systemReserved: {}, kubeReserved: {} },
      stateFile: join(dir, 'state'),
      topology: MACHINE,
      log: silentLogger,
    });
  const pod = (uid: string, cpu: string, requests = cpu): Pod =>
    podOf(
      {
        containers: [
          container('main', {
            resources: { limits: { cpu, memory: '1Gi' }, requests: { cpu: requests, memory: '1Gi' } },
          }),
        ],
      },
      { metadata: { name: uid, uid } },
    );

  it('gives whole CPUs to guaranteed pods, and takes them back', async () => {
    const cpus = manager();
    const [a, b] = [pod('a', '2'), pod('b', '4')];
    expect(await cpus.allocate(a, [])).toBeUndefined();
    expect(cpus.cpusOf('a', 'main')).toBe('1,5');
    expect(await cpus.allocate(b, [a])).toBeUndefined();
    expect(cpus.cpusOf('b', 'main')).toBe('2-3,6-7');
    expect(cpus.shared()).toBe('0,4');
    expect(await cpus.allocate(pod('c', '3'), [a, b])).toMatchObject({
      reason: 'UnexpectedAdmissionError',
      message: expect.stringContaining('requested=3, available=1'),
    });
    // Another kubelet knows who has what.
    expect(manager().cpusOf('a', 'main')).toBe('1,5');
    expect(await cpus.allocate(pod('c', '3'), [b])).toBeUndefined();
  });

  it.each([
    ['parts of one', pod('a', '1500m')],
    ['more limits than requests', pod('a', '2', '1')],
  ])('shares the others among those that ask for %s', async (_what, asked) => {
    const cpus = manager();
    await cpus.allocate(asked, []);
    expect(cpus.cpusOf('a', 'main')).toBe('0-7');
  });

  it('must keep something for the system', () => {
    expect(() => manager('')).toThrow('greater than zero');
  });
});
