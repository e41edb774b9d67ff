import { expect, it } from 'vitest';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { hasDiskLimits, passedDiskLimit } from './localStorage.ts';

const MI = 2 ** 20;
const limited = (limit: string) => container('main', { resources: { limits: { 'ephemeral-storage': limit } } });
const volumes = [{ name: 'cache', emptyDir: { sizeLimit: '1Mi' } }];

it.each([
  ['no limits', {}, 50, 50, undefined],
  ['a volume within its limit', { volumes }, 9, 1, undefined],
  ['a volume beyond it', { volumes }, 0, 1.1, 'Usage of EmptyDir volume "cache" exceeds the limit "1Mi". '],
  ['a container within', { containers: [limited('3Mi')] }, 3, 0, undefined],
  [
    'a container beyond, and with it the pod',
    { containers: [limited('3Mi')] },
    3.1,
    0,
    'Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ',
  ],
  [
    'one container beyond, the pod not',
    { containers: [limited('3Mi'), { ...limited('9Mi'), name: 'idle' }] },
    4,
    0,
    'Container main exceeded its local ephemeral storage limit "3Mi". ',
  ],
  [
    'volumes count for the pod',
    { containers: [limited('3Mi')], volumes: [{ name: 'cache', emptyDir: {} }] },
    2,
    2,
    'Pod ephemeral local storage usage exceeds the total limit of containers 3Mi. ',
  ],
  [
    'volumes in memory do not',
    { containers: [limited('3Mi')], volumes: [{ name: 'cache', emptyDir: { medium: 'Memory' } }] },
    2,
    2,
    undefined,
  ],
] as const)('%s', (_what, spec, written, cached, expected) => {
  const pod = podOf(spec as unknown as PodSpec);
  const files = {
    containers: new Map([['main', { bytes: written * MI, inodes: 1 }]]),
    volumes: new Map([['cache', { bytes: cached * MI, inodes: 1 }]]),
  };
  expect(passedDiskLimit(pod, files)).toBe(expected);
  if (expected !== undefined) expect(hasDiskLimits(pod)).toBe(true);
});
