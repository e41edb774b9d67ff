import { expect, it } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { exposition } from '../../lib/exposition.ts';
import type { Machine } from '../machine/machine.ts';
import { podOf } from '../testing/observedPods.ts';
import { volumeFamilies } from './volumeMetrics.ts';
import { VolumeReadings } from './volumeReadings.ts';

const USE = {
  name: 'data',
  claim: 'disk',
  capacityBytes: 100,
  availableBytes: 60,
  usedBytes: 40,
  inodes: 10,
  inodesFree: 7,
  inodesUsed: 3,
};

it('looks at each pod once a minute, and waits for none that does not answer', async () => {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const machine = {
    volumeUses(pod: { metadata?: { uid?: string } }) {
      asked.push(pod.metadata?.uid ?? '');
      return pod.metadata?.uid === 'stuck' ? new Promise(() => {}) : Promise.resolve([USE]);
    },
  } as unknown as Machine;
  const readings = new VolumeReadings(machine, clock);
  const pod = (uid: string) => podOf({}, { metadata: { name: uid, namespace: 'shop', uid } });
  const read = async (...uids: string[]) => {
    const reading = readings.of(uids.map(pod));
    await clock.advance(3_000);
    return (await reading).map((r) => r.podUid);
  };
  expect(await read('a', 'stuck')).toEqual(['a']);
  expect(await read('a', 'b')).toEqual(['a', 'b']);
  expect(asked).toEqual(['a', 'stuck', 'b']);
  await clock.advance(60_000);
  expect(await read('b')).toEqual(['b']);
  expect(asked).toEqual(['a', 'stuck', 'b', 'b']);
});

it('tells of the volumes of claims, each once', () => {
  const reading = (pod: string) => ({ ...USE, namespace: 'shop', pod, podUid: pod });
  const { claim: _none, ...scratch } = reading('c');
  const text = exposition(volumeFamilies([reading('a'), reading('b'), scratch]));
  expect(text).toContain('kubelet_volume_stats_used_bytes{namespace="shop",persistentvolumeclaim="disk"} 40\n');
  expect(text.match(/^kubelet_volume_stats_/gm)).toHaveLength(6);
});
