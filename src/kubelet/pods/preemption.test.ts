import { expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { createAdmission } from './admission.ts';
import { preemptionVictims } from './preemption.ts';

const STATIC = { 'kubernetes.io/config.source': 'file' };
const pod = (
  name: string,
  cpu: string | undefined,
  more: { limit?: boolean; priority?: number; own?: boolean } = {},
): Pod => {
  const amounts = cpu === undefined ? undefined : { cpu, memory: '1Mi' };
  return {
    metadata: { name, ...(more.own === true ? { annotations: STATIC } : {}) },
    spec: {
      ...(more.priority === undefined ? {} : { priority: more.priority }),
      containers: [
        {
          name: 'c',
          ...(amounts === undefined
            ? {}
            : { resources: { requests: amounts, ...(more.limit === true ? { limits: amounts } : {}) } }),
        },
      ],
    },
  };
};

const CRITICAL = 2_000_000_000;
const admission = createAdmission(() => ({ cpu: '4', memory: '1Gi', pods: '10' }));
function victims(preemptor: Pod, others: readonly Pod[]): string[] | undefined {
  const missing = admission.missing(preemptor, others);
  return preemptionVictims(preemptor, others, missing)?.map((p) => p.metadata?.name ?? '');
}

it.each<[string, Pod, Pod[], string[] | undefined]>([
  [
    'a static pod drives off the one that is enough',
    pod('s', '1', { own: true }),
    [pod('a', '3'), pod('b', '1')],
    ['b'],
  ],
  [
    'those of a lower class first',
    pod('s', '2', { own: true }),
    [pod('a', '2', { limit: true }), pod('b', '2')],
    ['b'],
  ],
  [
    'of a higher class only what is needed besides',
    pod('s', '3', { own: true }),
    [pod('a', '1', { limit: true }), pod('b', '1', { limit: true }), pod('c', '2')],
    ['c', 'a'],
  ],
  ['never another static pod of its priority', pod('s', '2', { own: true }), [pod('a', '4', { own: true })], undefined],
  [
    'a critical one those of less priority',
    pod('s', '2', { priority: CRITICAL }),
    [pod('a', '4', { priority: 5 })],
    ['a'],
  ],
  ['not where all would not be enough', pod('s', '5', { own: true }), [pod('a', '1')], undefined],
  ['nobody for a pod like any other', pod('s', '2', { priority: 7 }), [pod('a', '4')], undefined],
])('%s', (_what, preemptor, others, expected) => {
  expect(victims(preemptor, others)).toEqual(expected);
});

it('makes room where there are too many pods', () => {
  const many = Array.from({ length: 10 }, (_, i) => pod(`p${i}`, undefined));
  expect(victims(pod('s', '1', { own: true }), many)).toHaveLength(1);
});
