import { expect, it } from 'vitest';
import { VirtualClock } from './clock.ts';
import { WakeableSleep } from './wakeableSleep.ts';

function begun(ms: number) {
  const clock = new VirtualClock();
  const stop = new AbortController();
  const wait = new WakeableSleep();
  const state = { done: false };
  const start = () =>
    wait.sleep(clock, ms, stop.signal).then(() => {
      state.done = true;
    });
  return { clock, stop, wait, state, start };
}

it('takes its time', async () => {
  const { clock, state, start } = begun(1000);
  const waiting = start();
  await clock.advance(999);
  expect(state.done).toBe(false);
  await clock.advance(1);
  await waiting;
  expect(state.done).toBe(true);
});

it('ends with news, and the next one takes its time again', async () => {
  const { clock, wait, state, start } = begun(1000);
  const waiting = start();
  wait.wake();
  await waiting;
  state.done = false;
  const next = start();
  await clock.advance(999);
  expect(state.done).toBe(false);
  await clock.advance(1);
  await next;
});

it('does not begin where there was news before', async () => {
  const { wait, state, start } = begun(1000);
  wait.wake();
  await start();
  expect(state.done).toBe(true);
});

it('ends with its signal', async () => {
  const { stop, start } = begun(1000);
  const waiting = start();
  stop.abort(new Error('over'));
  await expect(waiting).rejects.toThrow('over');
  await expect(start()).rejects.toThrow('over');
});
