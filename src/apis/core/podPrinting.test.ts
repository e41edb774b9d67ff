import { describe, expect, it } from 'vitest';
import { formatTime } from '../../machinery/time.ts';
import type { Pod } from './pod.ts';
import { podReady, podRestarts, podStatusText } from './podPrinting.ts';

const NOW = Date.UTC(2026, 0, 1);
const minutesAgo = (minutes: number) => formatTime(NOW - minutes * 60_000);

const running = (name: string, more: object = {}) => ({
  name,
  ready: true,
  restartCount: 0,
  started: true,
  state: { running: { startedAt: minutesAgo(9) } },
  ...more,
});
const ended = (name: string, terminated: object) => ({ name, ready: false, restartCount: 0, state: { terminated } });
const waiting = (name: string, reason?: string) => ({
  name,
  ready: false,
  restartCount: 0,
  state: { waiting: { reason } },
});
const named = (...names: string[]) => names.map((name) => ({ name, image: 'x' }));
const sidecar = (name: string) => ({ name, image: 'x', restartPolicy: 'Always' });

/** [what, spec, status, metadata, READY, STATUS, RESTARTS] */
const TABLE: [string, object, object, object, string, string, string][] = [
  ['new', { containers: named('a') }, { phase: 'Pending' }, {}, '0/1', 'Pending', '0'],
  [
    'gated',
    { containers: named('a') },
    { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] },
    {},
    '0/1',
    'SchedulingGated',
    '0',
  ],
  [
    'running',
    { containers: named('a', 'b') },
    { phase: 'Running', containerStatuses: [running('a'), running('b')] },
    {},
    '2/2',
    'Running',
    '0',
  ],
  [
    'being made',
    { containers: named('a') },
    { phase: 'Pending', containerStatuses: [waiting('a', 'ContainerCreating')] },
    {},
    '0/1',
    'ContainerCreating',
    '0',
  ],
  [
    'crashing',
    { containers: named('a', 'b') },
    {
      phase: 'Running',
      containerStatuses: [
        {
          ...waiting('a', 'CrashLoopBackOff'),
          restartCount: 3,
          lastState: { terminated: { exitCode: 1, finishedAt: minutesAgo(2) } },
        },
        running('b'),
      ],
    },
    {},
    '1/2',
    'CrashLoopBackOff',
    '3 (2m ago)',
  ],
  [
    'killed for its memory',
    { containers: named('a') },
    { phase: 'Failed', containerStatuses: [ended('a', { exitCode: 137, reason: 'OOMKilled' })] },
    {},
    '0/1',
    'OOMKilled',
    '0',
  ],
  [
    'ended by a code',
    { containers: named('a') },
    { phase: 'Failed', containerStatuses: [ended('a', { exitCode: 2 })] },
    {},
    '0/1',
    'ExitCode:2',
    '0',
  ],
  [
    'ended by a signal',
    { containers: named('a') },
    { phase: 'Failed', containerStatuses: [ended('a', { exitCode: 137, signal: 9 })] },
    {},
    '0/1',
    'Signal:9',
    '0',
  ],
  [
    'over',
    { containers: named('a') },
    { phase: 'Succeeded', containerStatuses: [ended('a', { exitCode: 0, reason: 'Completed' })] },
    {},
    '0/1',
    'Completed',
    '0',
  ],
  [
    'over in one part',
    { containers: named('a', 'b') },
    {
      phase: 'Running',
      conditions: [{ type: 'Ready', status: 'True' }],
      containerStatuses: [ended('a', { exitCode: 0, reason: 'Completed' }), running('b')],
    },
    {},
    '1/2',
    'Running',
    '0',
  ],
  [
    'over in one part, and not ready',
    { containers: named('a', 'b') },
    { phase: 'Running', containerStatuses: [ended('a', { exitCode: 0, reason: 'Completed' }), running('b')] },
    {},
    '1/2',
    'NotReady',
    '0',
  ],
  ['evicted', { containers: named('a') }, { phase: 'Failed', reason: 'Evicted' }, {}, '0/1', 'Evicted', '0'],
  [
    'going',
    { containers: named('a') },
    { phase: 'Running', containerStatuses: [running('a')] },
    { deletionTimestamp: minutesAgo(0) },
    '1/1',
    'Terminating',
    '0',
  ],
  [
    'lost',
    { containers: named('a') },
    { phase: 'Running', reason: 'NodeLost' },
    { deletionTimestamp: minutesAgo(0) },
    '0/1',
    'Unknown',
    '0',
  ],
  [
    'initialising',
    { containers: named('a'), initContainers: named('i', 'j') },
    {
      phase: 'Pending',
      initContainerStatuses: [ended('i', { exitCode: 0 }), running('j')],
      containerStatuses: [waiting('a', 'PodInitializing')],
    },
    {},
    '0/1',
    'Init:1/2',
    '0',
  ],
  [
    'failing to initialise',
    { containers: named('a'), initContainers: named('i') },
    {
      phase: 'Pending',
      initContainerStatuses: [
        {
          ...waiting('i', 'CrashLoopBackOff'),
          restartCount: 4,
          lastState: { terminated: { exitCode: 1, finishedAt: minutesAgo(1) } },
        },
      ],
      containerStatuses: [waiting('a', 'PodInitializing')],
    },
    {},
    '0/1',
    'Init:CrashLoopBackOff',
    '4 (60s ago)',
  ],
  [
    'failed to initialise',
    { containers: named('a'), initContainers: named('i') },
    { phase: 'Failed', initContainerStatuses: [ended('i', { exitCode: 3 })] },
    {},
    '0/1',
    'Init:ExitCode:3',
    '0',
  ],
  [
    'with a sidecar',
    { containers: named('a'), initContainers: [sidecar('s'), ...named('i')] },
    {
      phase: 'Running',
      conditions: [{ type: 'Initialized', status: 'True' }],
      initContainerStatuses: [running('s', { restartCount: 1 }), { ...ended('i', { exitCode: 0 }), restartCount: 5 }],
      containerStatuses: [running('a')],
    },
    {},
    '2/2',
    'Running',
    '1',
  ],
];

describe('kubectl get pods', () => {
  it.each(TABLE)('a pod that is %s', (_what, spec, status, metadata, ready, text, restarts) => {
    const pod = { metadata, spec, status } as Pod;
    expect([podReady(pod), podStatusText(pod), podRestarts(pod, NOW)]).toEqual([ready, text, restarts]);
  });
});
