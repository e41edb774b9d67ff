import { expect, it } from 'vitest';
import { deadContainers } from './housekeeping.ts';
import { observedPod, run, sandbox } from './testing/observedPods.ts';

it('keeps what runs, and of what goes on the newest run', () => {
  const pod = observedPod(
    [sandbox('s0')],
    run('main', { restarts: 2, exit: 1 }),
    run('main', { restarts: 1, exit: 1 }),
    run('main', { restarts: 0, exit: 1 }),
    run('side'),
    run('made', { state: 'created' }),
  );
  expect(deadContainers([pod], () => true)).toEqual(['main-1', 'main-0']);
  expect(deadContainers([pod], () => false)).toEqual(['main-2', 'main-1', 'main-0']);
});
