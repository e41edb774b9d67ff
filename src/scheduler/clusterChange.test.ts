import { expect, it } from 'vitest';
import type { Pod } from '../apis/core/pod.ts';
import { boundPodChanges } from './clusterChange.ts';

const pod = (cpu: string, has: string, labels: Record<string, string> = {}): Pod => ({
  metadata: { name: 'p', labels },
  spec: { containers: [{ name: 'c', image: 'i', resources: { requests: { cpu } } }] },
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'c',
        image: 'i',
        imageID: '',
        ready: true,
        restartCount: 0,
        resources: { requests: { cpu: has } },
      },
    ],
  },
});

it.each<[string, Pod, Pod, string[]]>([
  ['nothing that matters', pod('1', '1'), { ...pod('1', '1'), status: { phase: 'Running' } }, []],
  ['its labels', pod('1', '1'), pod('1', '1', { a: 'b' }), ['podPlaced']],
  ['a wish for less, which it has not given back yet', pod('2', '2'), pod('1', '2'), []],
  ['what it gave back', pod('1', '2'), pod('1', '1'), ['podGone']],
  ['more', pod('1', '1'), pod('2', '1'), ['podGone']],
])('of a bound pod changed: %s', (_what, before, after, changes) => {
  expect(boundPodChanges(after, before)).toEqual(changes);
});
