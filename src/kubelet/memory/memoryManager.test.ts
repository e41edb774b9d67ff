import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { silentLogger } from '../../lib/log.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { MemoryManager, readMemoryNodes } from './memoryManager.ts';

const GI = 2 ** 30;
let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-numa-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Two nodes of 8 GiB, of which 1 GiB of the first is reserved. */
const manager = (reserved = '1Gi') =>
  new MemoryManager({
    configuration: {
      reservedMemory: [{ numaNode: 0, limits: { memory: reserved } }],
      systemReserved: { memory: '924Mi' },
      kubeReserved: {},
      evictionHard: { 'memory.available': '100Mi' },
    },
    stateFile: join(dir, 'state'),
    nodes: [
      { id: 0, bytes: 8 * GI },
      { id: 1, bytes: 8 * GI },
    ],
    log: silentLogger,
  });
const sized = (name: string, memory: string) => container(name, { resources: { limits: { cpu: '1', memory } } });
const withRequests = (c: ReturnType<typeof sized>) => ({
  ...c,
  resources: { ...c.resources, ...(c.resources?.limits === undefined ? {} : { requests: c.resources.limits }) },
});
const pod = (uid: string, memory: string, init?: string): Pod =>
  podOf(
    {
      containers: [withRequests(sized('main', memory))],
      ...(init === undefined ? {} : { initContainers: [withRequests(sized('first', init))] }),
    },
    { metadata: { name: uid, uid } },
  );
const nodesOf = async (memory: MemoryManager, of: Pod) =>
  (await memory.grants(of, of.spec?.containers[0] ?? container('none'))).memoryNodes;

it('gives memory of one node where one is enough', async () => {
  const memory = manager();
  const [a, b, c] = [pod('a', '6Gi'), pod('b', '6Gi'), pod('c', '3Gi')];
  expect(await memory.allocate(a, [])).toBeUndefined();
  expect(await nodesOf(memory, a)).toBe('0');
  expect(await memory.allocate(b, [a])).toBeUndefined();
  expect(await nodesOf(memory, b)).toBe('1');
  expect(await memory.allocate(c, [a, b])).toBeUndefined();
  expect(await nodesOf(memory, c)).toBe('0-1');
  expect(await memory.allocate(pod('d', '1Gi'), [a, b, c])).toMatchObject({ reason: 'UnexpectedAdmissionError' });
  // Another kubelet knows who has what, and what pods had that are gone is free.
  const next = manager();
  expect(await nodesOf(next, b)).toBe('1');
  expect(await next.allocate(pod('d', '1Gi'), [a, c])).toBeUndefined();
});

it('lets containers have what init containers had', async () => {
  const memory = manager();
  expect(await memory.allocate(pod('a', '6Gi', '7Gi'), [])).toBeUndefined();
  expect(await memory.allocate(pod('b', '8Gi'), [pod('a', '6Gi', '7Gi')])).toBeUndefined();
});

it('leaves others alone', async () => {
  const memory = manager();
  const burstable = podOf({ containers: [sized('main', '1Gi'), container('side')] });
  expect(await memory.allocate(burstable, [])).toBeUndefined();
  expect(await nodesOf(memory, burstable)).toBeUndefined();
});

it('must have reserved on the nodes what is reserved in all', () => {
  expect(() => manager('2Gi')).toThrow('does not equal');
});

it('reads the nodes of a machine', () => {
  expect(readMemoryNodes(5, join(dir, 'none'))).toEqual([{ id: 0, bytes: 5 }]);
  writeFileSync(join(dir, 'has_memory'), '0,2\n');
  for (const id of [0, 2]) {
    mkdirSync(join(dir, `node${id}`));
    writeFileSync(
      join(dir, `node${id}/meminfo`),
      `Node ${id} MemTotal:       ${id + 1} kB\nNode ${id} MemFree: 1 kB\n`,
    );
  }
  expect(readMemoryNodes(5, dir)).toEqual([
    { id: 0, bytes: 1024 },
    { id: 2, bytes: 3072 },
  ]);
});
