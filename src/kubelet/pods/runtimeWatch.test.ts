import { afterEach, beforeEach, expect, it } from 'vitest';
import { VirtualClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { CONTAINER_STATE } from '../cri/messages.ts';
import { type ContainerRuntime, GRPC, RuntimeError } from '../cri/runtime.ts';
import { fakeRuntime, runningContainer } from '../testing/fakeRuntime.ts';
import { RuntimeObserver } from './observed.ts';
import { RuntimeWatch } from './runtimeWatch.ts';

let clock: VirtualClock;
let stop: AbortController;
beforeEach(() => {
  clock = new VirtualClock();
  stop = new AbortController();
});
afterEach(() => stop.abort(new Error('over')));

/** A runtime with one container, of which the test says what it does. */
function setUp() {
  let state: number = CONTAINER_STATE.running;
  let down = false;
  let looks = 0;
  let onEvent: (exited: string | undefined) => void = () => {};
  let onEnd = () => {};
  const answers = runningContainer({ uid: 'u', name: 'p', namespace: 'default', container: 'main' });
  const status = { id: 'c1', exit_code: 0, labels: { 'io.kubernetes.pod.uid': 'u' } };
  const calls = fakeRuntime({
    ...answers,
    listContainers: () => {
      looks++;
      if (down) throw new RuntimeError(GRPC.unavailable, 'down');
      return { containers: [{ ...status, state, pod_sandbox_id: 's1' }] };
    },
    containerStatus: () => ({ status: { ...status, state } }),
  });
  const runtime: ContainerRuntime = {
    ...calls,
    subscribe(event, end) {
      onEvent = event;
      onEnd = end;
    },
  };
  const observer = new RuntimeObserver(runtime, clock, silentLogger);
  const changes: string[][] = [];
  const watch = new RuntimeWatch({
    runtime,
    observer,
    clock,
    log: silentLogger,
    signal: stop.signal,
    onChange: (uids) => changes.push([...uids]),
  });
  watch.start();
  return {
    watch,
    observer,
    changes,
    looks: () => looks,
    event: (exited?: string) => onEvent(exited),
    end: () => onEnd(),
    exit: () => {
      state = CONTAINER_STATE.exited;
    },
    setDown: (is: boolean) => {
      down = is;
    },
  };
}

it('looks at start, then only now and then', async () => {
  const { watch, changes, looks } = setUp();
  await clock.advance(0);
  await watch.first;
  expect(changes).toEqual([['u']]);
  await clock.advance(30_000);
  expect(looks()).toBe(4);
});

it('looks once for events that come together', async () => {
  const { looks, event } = setUp();
  await clock.advance(0);
  for (let i = 0; i < 10; i++) event();
  await clock.advance(100);
  expect(looks()).toBe(2);
});

it('looks until the runtime has taken note of an exit, and no longer', async () => {
  const { observer, looks, event, exit, changes } = setUp();
  await clock.advance(0);
  event('c1');
  await clock.advance(100);
  expect(looks()).toBeGreaterThan(3);
  exit();
  await clock.advance(50);
  expect(observer.get('u')?.containers[0]?.state).toBe('exited');
  expect(changes.at(-1)).toEqual(['u']);
  const then = looks();
  await clock.advance(1000);
  expect(looks()).toBe(then);
  event('unheard-of');
  await clock.advance(1000);
  expect(looks()).toBe(then + 1);
});

it('goes on when the runtime was away', async () => {
  const { looks, setDown, end, exit, changes } = setUp();
  await clock.advance(0);
  setDown(true);
  end();
  await clock.advance(10_000);
  setDown(false);
  exit();
  end();
  const before = looks();
  await clock.advance(2_000);
  expect(looks()).toBeGreaterThan(before);
  expect(changes.slice(1)).toContainEqual(['u']);
});

it('shares a look among those who ask while one is under way', async () => {
  const { watch, looks } = setUp();
  await clock.advance(0);
  await Promise.all([watch.look(), watch.look(), watch.look()]);
  expect(looks()).toBe(3);
});
