import { expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { pods } from '../../apis/core/pod.ts';
import type { PodStatus } from '../../apis/core/podStatus.ts';
import type { Client } from '../../client/client.ts';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { strategicMergePatch } from '../../machinery/patch/strategic.ts';
import { apiError } from '../../machinery/status.ts';
import { podOf } from '../testing/observedPods.ts';
import { statusPatch } from './statusPatch.ts';
import { StatusWriter } from './statusWriter.ts';

const before: PodStatus = {
  phase: 'Pending',
  reason: 'Old',
  podIP: '10.0.0.1',
  podIPs: [{ ip: '10.0.0.1' }],
  conditions: [
    { type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [a]' },
    { type: 'example.com/other', status: 'True' },
  ],
};
const after: PodStatus = {
  phase: 'Running',
  podIP: '10.0.0.2',
  podIPs: [{ ip: '10.0.0.2' }],
  conditions: [{ type: 'Ready', status: 'True' }],
};

it('leaves nothing of the old status behind but what others wrote', () => {
  const pod = podOf({}, { status: before });
  const patch = JSON.parse(JSON.stringify({ status: statusPatch(before, after) }));
  const patched = strategicMergePatch(pods.schema, JSON.parse(JSON.stringify(pod)), patch) as Pod;
  expect(patched.status).toEqual({
    ...after,
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'example.com/other', status: 'True' },
    ],
  });
});

function setUp(patch: (status: PodStatus) => Promise<void>, uid = 'u') {
  const written: unknown[] = [];
  const client = {
    async patch(_kind: unknown, _ref: unknown, _type: unknown, body: { status: PodStatus }) {
      await patch(body.status);
      written.push(body.status.phase);
      return { metadata: { resourceVersion: String(written.length) } };
    },
    get: async () => ({ metadata: { uid } }),
  } as unknown as Client;
  const clock = new VirtualClock();
  const stop = new AbortController();
  return { written, clock, stop, writer: new StatusWriter(client, clock, silentLogger, stop.signal) };
}

it('writes the newest of what follows at once, and each only once', async () => {
  const { written, writer, clock } = setUp(async () => {});
  const pod = podOf({});
  for (const phase of ['A', 'B', 'B']) writer.set(pod, { phase });
  await Promise.all([writer.flushed('u'), clock.advance(10)]);
  expect(written).toEqual(['B']);
  writer.set(pod, { phase: 'B' });
  await Promise.all([writer.flushed('u'), clock.advance(10)]);
  expect(written).toEqual(['B']);
  writer.set(pod, { phase: 'C' });
  await Promise.all([writer.flushed('u'), clock.advance(10)]);
  expect(written).toEqual(['B', 'C']);
  expect(writer.latest({ ...pod, status: { conditions: [{ type: 'x', status: 'True' }] } })).toEqual({
    phase: 'C',
    conditions: [{ type: 'x', status: 'True' }],
  });
});

it('writes again after a failure', async () => {
  let failures = 3;
  const { written, writer, clock } = setUp(async () => {
    if (failures-- > 0) throw failures === 1 ? apiError('Conflict', 'again') : new Error('no answer');
  });
  writer.set(podOf({}), { phase: 'A' });
  await clock.advance(1000);
  writer.set(podOf({}), { phase: 'B' });
  await clock.advance(5000);
  await writer.flushed('u');
  expect(written).toEqual(['B']);
});

it('sets right what others made of it, after a while, and leaves alone what is not its own', async () => {
  const { written, writer, clock } = setUp(async () => {});
  const said: PodStatus = { phase: 'Running', podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] };
  writer.set(podOf({}), said);
  await Promise.all([writer.flushed('u'), clock.advance(10)]);
  const seen = (resourceVersion: string, status: PodStatus) =>
    writer.set(podOf({}, { metadata: { uid: 'u', resourceVersion }, status }), said);
  const conditions = [...(said.conditions ?? []), { type: 'example.com/other', status: 'True' }];
  // What is old, and what others add.
  seen('0', { phase: 'Pending' });
  seen('2', { ...said, conditions, nominatedNodeName: 'n' });
  await clock.advance(60_000);
  expect(written).toEqual(['Running']);
  seen('3', { ...said, phase: 'Failed' });
  await clock.advance(9_000);
  expect(written).toEqual(['Running']);
  await clock.advance(2_000);
  expect(written).toEqual(['Running', 'Running']);
  // Somebody else has set it right by himself.
  seen('4', { ...said, conditions: [{ type: 'Ready', status: 'False' }] });
  seen('5', said);
  await clock.advance(60_000);
  expect(written).toHaveLength(2);
});

it('gives up where the pod is another one', async () => {
  const conflict = async () => {
    throw apiError('Conflict', 'the uid differs');
  };
  const { written, writer, clock } = setUp(conflict, 'other');
  writer.set(podOf({}), { phase: 'A' });
  await Promise.all([writer.flushed('u'), clock.advance(10)]);
  expect(written).toEqual([]);
});
