import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../lib/clock.ts';
import { SchedulingQueue } from './schedulingQueue.ts';
import { type PodOptions, pod } from './testing/objects.ts';

function setUp() {
  const clock = new VirtualClock();
  let woken = 0;
  const queue = new SchedulingQueue(clock, () => woken++);
  const add = (name: string, priority = 0, more: PodOptions = {}) =>
    queue.set(pod(name, { ...more, spec: { priority, ...more.spec } }));
  /** takes one and says its name */
  const take = () => queue.take()?.info.name;
  /** takes one that fits nowhere */
  const refuse = (...by: string[]) => {
    const queued = queue.take();
    if (queued === undefined) throw new Error('nothing waits');
    queue.failed(queued, new Set(by));
    return queued.info.name;
  };
  return { clock, queue, add, take, refuse, woken: () => woken };
}

describe('the scheduling queue', () => {
  it('gives pods by priority, then by time', async () => {
    const { clock, add, take } = setUp();
    for (const [name, priority] of [
      ['a', 1],
      ['b', 5],
      ['c', 1],
      ['d', 5],
      ['e', 9],
    ] as const) {
      add(name, priority);
      await clock.advance(1);
    }
    expect([take(), take(), take(), take(), take(), take()]).toEqual(['e', 'b', 'd', 'a', 'c', undefined]);
  });

  it('forgets deleted pods, also while they are in flight', () => {
    const { queue, add, take } = setUp();
    add('a');
    add('b');
    queue.delete('uid-a');
    const inFlight = queue.take();
    expect(inFlight?.info.name).toBe('b');
    queue.delete('uid-b');
    if (inFlight !== undefined) queue.failed(inFlight, new Set(['NodeResourcesFit']));
    queue.clusterChanged(['nodeAdded']);
    expect(take()).toBeUndefined();
    expect(queue.size).toBe(0);
  });

  it('keeps pods at their gates', () => {
    const { queue, add, take } = setUp();
    add('a', 0, { spec: { schedulingGates: [{ name: 'wait' }] } });
    queue.clusterChanged(['nodeAdded']);
    expect(take()).toBeUndefined();
    add('a');
    expect(take()).toBe('a');
  });

  it('tries again only after a change that may help', () => {
    const { queue, add, take, refuse } = setUp();
    add('big');
    expect(refuse('NodeResourcesFit')).toBe('big');
    queue.clusterChanged(['nodeTaints', 'nodeLabels', 'podPlaced']);
    expect(take()).toBeUndefined();
    queue.clusterChanged(['podGone']);
    expect(take()).toBe('big');
  });

  it('tries again when the pod itself changes, but not when only its status does', () => {
    const { add, take, refuse } = setUp();
    add('a');
    refuse('NodeAffinity');
    add('a', 0, { status: { phase: 'Pending', message: 'waiting' } });
    expect(take()).toBeUndefined();
    add('a', 0, { spec: { tolerations: [{ operator: 'Exists' }] } });
    expect(take()).toBe('a');
  });

  it('prefers pods that do not back off', () => {
    const { queue, add, take, refuse } = setUp();
    add('old', 9);
    refuse('NodeResourcesFit');
    queue.clusterChanged(['podGone']);
    add('new', 0);
    expect([take(), take()]).toEqual(['new', 'old']);
  });

  it('backs off after failures: 1 s, 2 s, … 10 s', async () => {
    const { clock, add, take, refuse, woken } = setUp();
    add('a');
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      expect(refuse()).toBe('a');
      await clock.advance(seconds * 1000 - 1);
      expect(take()).toBeUndefined();
      const before = woken();
      await clock.advance(1);
      expect(woken()).toBeGreaterThan(before);
    }
    expect(take()).toBe('a');
  });

  it('tries everything again after five minutes', async () => {
    const { clock, add, take, refuse } = setUp();
    add('a');
    refuse('NodeName');
    await clock.advance(5 * 60_000 - 1);
    expect(take()).toBeUndefined();
    await clock.advance(1);
    expect(take()).toBe('a');
  });
});
