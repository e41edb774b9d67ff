import { describe, expect, it } from 'vitest';
import type { Pod } from './pod.ts';
import { containerResources, heldSpec } from './podResources.ts';
import type { PodSpec } from './podSpec.ts';

const asks = (cpu: string, more: object = {}) => ({ name: 'c', resources: { requests: { cpu } }, ...more });
const sidecar = (cpu: string) => asks(cpu, { restartPolicy: 'Always' });

describe('what the containers of a pod ask for together', () => {
  it.each<[string, object[], object[], string]>([
    ['the sum', [asks('1'), asks('500m')], [], '1500m'],
    ['an init container that needs more', [asks('1')], [asks('2')], '2'],
    ['an init container that needs less', [asks('3')], [asks('2')], '3'],
    ['a sidecar runs along', [asks('1')], [sidecar('1')], '2'],
    ['a sidecar beside a later init container', [asks('1')], [sidecar('1'), asks('2')], '3'],
    ['a sidecar after an init container', [asks('1')], [asks('2'), sidecar('500m')], '2'],
  ])('%s', (_what, containers, initContainers, cpu) => {
    expect(containerResources({ containers, initContainers } as PodSpec, 'requests')).toEqual({ cpu });
  });
});

describe('what counts for a pod whose resources change', () => {
  const pod = (wished: string, has: string | undefined, granted?: string, pending?: string): Pod => ({
    spec: { containers: [asks(wished)], initContainers: [asks('5')] },
    status: {
      containerStatuses: [
        {
          name: 'c',
          image: 'i',
          imageID: '',
          ready: true,
          restartCount: 0,
          ...(has === undefined ? {} : { resources: { requests: { cpu: has } } }),
          ...(granted === undefined ? {} : { allocatedResources: { cpu: granted } }),
        },
      ],
      ...(pending === undefined ? {} : { conditions: [{ type: 'PodResizePending', status: 'True', reason: pending }] }),
    },
  });
  it.each<[string, Pod, string]>([
    ['nothing is told of it', pod('1', undefined), '1'],
    ['it has what it wishes for', pod('1', '1', '1'), '1'],
    ['it gets more', pod('2', '1', '2'), '2'],
    ['it gets less', pod('1', '2', '1'), '2'],
    ['it was granted the most', pod('1', '1', '3'), '3'],
    ['it waits', pod('4', '1', '1', 'Deferred'), '4'],
    ['it waits in vain', pod('4', '1', '2', 'Infeasible'), '2'],
  ])('%s', (_what, of, cpu) => {
    expect(heldSpec(of).containers[0]?.resources?.requests).toEqual({ cpu });
    expect(heldSpec(of).initContainers).toBe(of.spec?.initContainers);
  });

  it('is its spec itself where that says all', () => {
    for (const same of [pod('1', undefined), pod('1', '1000m', '1')]) expect(heldSpec(same)).toBe(same.spec);
    expect(heldSpec({})).toEqual({ containers: [] });
  });
});
