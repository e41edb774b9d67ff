import { describe, expect, it } from 'vitest';
import type { Node } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import type { Client } from '../client/client.ts';
import { apiError } from '../machinery/status.ts';
import type { Action } from './action.ts';
import { isOutOfService, surplus, unlessThere } from './podGarbageCollector.ts';
import { TinyWorld } from './testing/objects.ts';

describe('finished pods', () => {
  it('go when they are too many: evicted ones first, then the oldest', () => {
    const world = new TinyWorld();
    const put = (name: string, day: number, status: Pod['status']) =>
      world.put<Pod>(pods, {
        metadata: { name, creationTimestamp: `2026-01-0${day}T00:00:00Z` },
        ...(status && { status }),
      });
    const all = [
      put('old', 1, { phase: 'Succeeded' }),
      put('new', 5, { phase: 'Failed' }),
      put('evicted', 4, { phase: 'Failed', reason: 'Evicted' }),
      put('running', 1, { phase: 'Running' }),
    ];
    expect(surplus(all, 1).map((pod) => pod.metadata.name)).toEqual(['evicted', 'old']);
    expect(surplus(all, 3)).toEqual([]);
  });
});

it('removes nothing where the server has the node, or does not say', async () => {
  const actions: Action[] = [{ verb: 'event', regarding: {}, type: 'Normal', reason: 'R', message: 'm' }];
  const signal = new AbortController().signal;
  const asked = (get: () => Promise<unknown>) =>
    unlessThere({ get } as unknown as Pick<Client, 'get'>, 'n', actions).run(signal);
  expect(await asked(async () => ({ metadata: { name: 'n' } }))).toEqual([]);
  expect(await asked(() => Promise.reject(apiError('NotFound', 'no such node')))).toEqual(actions);
  await expect(asked(() => Promise.reject(new Error('no answer')))).rejects.toThrow('no answer');
});

it.each([
  ['True', true, false],
  ['Unknown', true, true],
  ['False', false, false],
])('a node that is Ready %s, tainted %s: out of service %s', (status, tainted, out) => {
  const taints = tainted ? [{ key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }] : [];
  const node: Node = { spec: { taints }, status: { conditions: [{ type: 'Ready', status }] } };
  expect(isOutOfService(node)).toBe(out);
});
