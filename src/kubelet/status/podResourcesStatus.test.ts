import { expect, it } from 'vitest';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { podResourcesStatus } from './podResourcesStatus.ts';

const container = (name: string, resources: Container['resources'] = {}): Container => ({
  name,
  image: 'i',
  resources,
});
const told = (spec: Partial<PodSpec>, status: Pod['status'] = {}, failed = false) =>
  podResourcesStatus({ metadata: { name: 'p' }, spec: { containers: [], ...spec }, status }, failed);
const some = { requests: { cpu: '1' }, limits: { cpu: '2' } };

it.each<[string, Partial<PodSpec>, object]>([
  ['of one that asks for nothing', { containers: [container('a')] }, { resources: {} }],
  [
    'sums up its containers',
    { containers: [container('a', some), container('b', some)] },
    { allocatedResources: { cpu: '2' }, resources: { requests: { cpu: '2' }, limits: { cpu: '4' } } },
  ],
  [
    'has no limit where one container has none',
    { containers: [container('a', some), container('b')] },
    { allocatedResources: { cpu: '1' }, resources: { requests: { cpu: '1' } } },
  ],
  [
    'is what it says of itself, and what it costs besides',
    {
      containers: [container('a')],
      resources: { requests: { cpu: '3' }, limits: { cpu: '3' } },
      overhead: { cpu: '1', memory: '1Mi' },
    },
    {
      allocatedResources: { cpu: '4', memory: '1Mi' },
      resources: { requests: { cpu: '4', memory: '1Mi' }, limits: { cpu: '4' } },
    },
  ],
])('%s', (_what, spec, expected) => {
  expect(told(spec)).toEqual(expected);
});

it('keeps what it has where it cannot be given what it was granted', () => {
  const before = { resources: { requests: { cpu: '1' } } };
  expect(told({ containers: [container('a', some)] }, before, true)).toEqual({
    allocatedResources: { cpu: '1' },
    resources: before.resources,
  });
});
