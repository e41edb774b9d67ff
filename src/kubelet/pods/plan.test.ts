import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import { isSidecar } from '../../apis/core/podResources.ts';
import { container, observedPod, podOf, run, sandbox } from '../testing/observedPods.ts';
import { FailureBackoff } from './backoff.ts';
import type { ObservedContainer, ObservedPod, ObservedSandbox } from './observed.ts';
import { type Action, type PlanInput, planPod, planTermination } from './plan.ts';

function plan(pod: Pod, observed: ObservedPod | undefined, more: Partial<PlanInput> = {}) {
  return planPod({
    pod,
    observed,
    now: 1_000_000,
    failed: false,
    backoffUntil: () => undefined,
    failedProbe: () => undefined,
    started: () => true,
    applied: (run) => run.resources,
    ...more,
  });
}

/** An action in a word. */
function short(action: Action): string {
  switch (action.action) {
    case 'startContainer':
      return `start ${action.container.name} ${action.restarts}`;
    case 'killContainer':
      return `kill ${action.id} ${action.reason}${action.grace === undefined ? '' : ` ${action.grace}`}`;
    case 'createSandbox':
      return `create ${action.attempt}`;
    default:
      return `${action.action} ${action.id}`;
  }
}

const S = sandbox('s0');
const DEAD = sandbox('s0', { ready: false });
const NEW = sandbox('s1', { attempt: 1 });
const side = container('side', { restartPolicy: 'Always' });
const init = container('init');
const over = { status: { phase: 'Failed' } };
const ranBefore = (exitCode: number | undefined, restartCount = 2) => ({
  status: {
    containerStatuses: [
      {
        name: 'main',
        ready: false,
        image: '',
        imageID: '',
        restartCount,
        containerID: 'containerd://x',
        ...(exitCode === undefined ? {} : { state: { terminated: { exitCode } } }),
      },
    ],
  },
});

const cases: readonly [string, Pod, ObservedPod | undefined, readonly string[]][] = [
  ['nothing is there', podOf({}), undefined, ['create 0']],
  ['a sandbox', podOf({}), observedPod([S]), ['start main 0']],
  ['all runs', podOf({}), observedPod([S], run('main')), []],
  ['it ended, Always', podOf({}), observedPod([S], run('main', { exit: 0 })), ['start main 1']],
  [
    'it failed, OnFailure',
    podOf({ restartPolicy: 'OnFailure' }),
    observedPod([S], run('main', { exit: 1 })),
    ['start main 1'],
  ],
  [
    'it succeeded, OnFailure',
    podOf({ restartPolicy: 'OnFailure' }),
    observedPod([S], run('main', { exit: 0 })),
    ['stopSandbox s0'],
  ],
  [
    'it failed, Never',
    podOf({ restartPolicy: 'Never' }),
    observedPod([S], run('main', { exit: 1 })),
    ['stopSandbox s0'],
  ],
  ['finished, wound down', podOf({ restartPolicy: 'Never' }), observedPod([DEAD], run('main', { exit: 1 })), []],
  [
    'one of two ended, Never',
    podOf({ restartPolicy: 'Never', containers: [container('main'), container('other')] }),
    observedPod([S], run('main', { exit: 1 }), run('other')),
    [],
  ],
  ['another image', podOf({}), observedPod([S], run('main', { image: 'old' })), ['kill main-0 SpecChanged']],
  ['another image, ended', podOf({}), observedPod([S], run('main', { image: 'old', exit: 137 })), ['start main 1']],
  [
    'made and never started',
    podOf({}),
    observedPod([S], run('main', { state: 'created' })),
    ['removeContainer main-0', 'start main 0'],
  ],
  [
    'the runtime cannot tell',
    podOf({}),
    observedPod([S], run('main', { state: 'unknown' })),
    ['removeContainer main-0', 'start main 1'],
  ],

  [
    'the sandbox died',
    podOf({}),
    observedPod([DEAD], run('main')),
    ['kill main-0 SandboxChanged', 'stopSandbox s0', 'create 1'],
  ],
  ['a new sandbox, Always', podOf({}), observedPod([NEW, DEAD], run('main', { exit: 137 })), ['start main 1']],
  ['the sandbox died, Never', podOf({ restartPolicy: 'Never' }), observedPod([DEAD], run('main', { exit: 137 })), []],
  [
    'the sandbox died, OnFailure, one had succeeded',
    podOf({ restartPolicy: 'OnFailure', containers: [container('main'), container('done')] }),
    observedPod([NEW, DEAD], run('main', { exit: 137 }), run('done', { exit: 0 })),
    ['start main 1'],
  ],
  [
    'an old sandbox that nothing is kept of',
    podOf({}),
    observedPod([NEW, DEAD], run('main', { sandbox: 's1' })),
    ['removeSandbox s0'],
  ],
  [
    'an old sandbox of which a dead container is kept',
    podOf({}),
    observedPod([NEW, DEAD], run('main', { sandbox: 's1', restarts: 1 }), run('main', { exit: 137 })),
    [],
  ],
  [
    'many dead containers',
    podOf({}),
    observedPod([S], run('main', { restarts: 3 }), ...[2, 1, 0].map((restarts) => run('main', { restarts, exit: 1 }))),
    ['removeContainer main-1', 'removeContainer main-0'],
  ],

  ['an init container first', podOf({ initContainers: [init] }), observedPod([S]), ['start init 0']],
  ['an init container runs', podOf({ initContainers: [init] }), observedPod([S], run('init')), []],
  [
    'an init container is done',
    podOf({ initContainers: [init] }),
    observedPod([S], run('init', { exit: 0 })),
    ['start main 0'],
  ],
  [
    'an init container failed',
    podOf({ initContainers: [init] }),
    observedPod([S], run('init', { exit: 1 })),
    ['start init 1'],
  ],
  [
    'an init container failed, Never',
    podOf({ initContainers: [init], restartPolicy: 'Never' }),
    observedPod([S], run('init', { exit: 1 })),
    ['stopSandbox s0'],
  ],
  [
    'init containers again in a new sandbox',
    podOf({ initContainers: [init] }),
    observedPod([NEW, DEAD], run('main', { exit: 1 }), run('init', { exit: 0 })),
    ['start init 1'],
  ],
  [
    'an init container that was removed long ago',
    podOf({ initContainers: [init] }),
    observedPod([S], run('main', { exit: 1 })),
    ['start main 1'],
  ],
  ['a sidecar first', podOf({ initContainers: [side, init] }), observedPod([S]), ['start side 0']],
  ['a sidecar has started', podOf({ initContainers: [side, init] }), observedPod([S], run('side')), ['start init 0']],
  [
    'a sidecar died',
    podOf({ initContainers: [side] }),
    observedPod([S], run('main'), run('side', { exit: 0 })),
    ['start side 1'],
  ],
  [
    'a sidecar outlives',
    podOf({ initContainers: [side], restartPolicy: 'Never' }),
    observedPod([S], run('main', { exit: 0 }), run('side')),
    ['kill side-0 Finished'],
  ],

  ['the API knows it as ended', podOf({}, over), observedPod([S], run('main')), ['kill main-0 Finished']],
  ['the API knows it as ended, nothing is there', podOf({}, over), undefined, []],
  ['the runtime lost it, Always', podOf({}, ranBefore(undefined)), observedPod([S]), ['start main 3']],
  ['the runtime lost it, Never', podOf({ restartPolicy: 'Never' }, ranBefore(undefined)), undefined, []],
  ['the runtime lost it, it had succeeded', podOf({ restartPolicy: 'OnFailure' }, ranBefore(0)), undefined, []],
  [
    'the runtime lost it, OnFailure',
    podOf({ restartPolicy: 'OnFailure' }, ranBefore(undefined)),
    undefined,
    ['create 0'],
  ],
  [
    'a rule restarts what the policy would not',
    podOf({
      restartPolicy: 'Never',
      containers: [
        container('main', {
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        }),
      ],
    }),
    observedPod([S], run('main', { exit: 42 })),
    ['start main 1'],
  ],
];

describe('the plan of a pod', () => {
  it.each(cases)('%s', (_what, pod, observed, actions) => {
    expect(plan(pod, observed).actions.map(short)).toEqual(actions);
  });

  it('waits between restarts', () => {
    const pod = podOf({});
    const observed = observedPod([S], run('main', { exit: 1, restarts: 1, finishedAt: 995_000 }));
    const waits = plan(pod, observed, { backoffUntil: (_name, at) => at + 10_000 });
    expect(waits.actions).toEqual([]);
    expect(waits.lookAgainAt).toBe(1_005_000);
    expect(waits.waiting.get('main')).toEqual({
      reason: 'CrashLoopBackOff',
      message: 'back-off 10s restarting failed container=main pod=p_default(u)',
    });
    // It ended because it is to have other resources: that is no failure.
    const resized = plan(pod, observed, { backoffUntil: (_name, at) => at + 10_000, resizedAway: () => true });
    expect(resized.waiting.get('main')?.reason).not.toBe('CrashLoopBackOff');
    expect(resized.actions.map(short)).toContainEqual(expect.stringMatching(/^start main/));
    expect(plan(pod, observed, { backoffUntil: (_name, at) => at + 5_000 }).actions.map(short)).toEqual([
      'start main 2',
    ]);
  });

  it('takes away runs of a container beside its newest one', () => {
    const observed = observedPod([S], run('main', { restarts: 1 }), run('main', { restarts: 0 }));
    expect(plan(podOf({}), observed).actions.map(short)).toEqual(['removeContainer main-0']);
  });

  it('kills what a probe says is dead, with the grace of the probe', () => {
    const main = container('main', { livenessProbe: { terminationGracePeriodSeconds: 3 } });
    const pod = podOf({ containers: [main] });
    const { actions } = plan(pod, observedPod([S], run('main')), { failedProbe: () => 'liveness' });
    expect(actions.map(short)).toEqual(['kill main-0 Unhealthy 3']);
    expect(actions[0]).toMatchObject({ message: 'Container main failed liveness probe, will be restarted' });
  });

  it('holds what follows until a sidecar has started', () => {
    const held = plan(podOf({ initContainers: [side, init] }), observedPod([S], run('side')), { started: () => false });
    expect(held.actions).toEqual([]);
    expect([...held.waiting]).toEqual([
      ['init', { reason: 'PodInitializing', message: '' }],
      ['main', { reason: 'PodInitializing', message: '' }],
    ]);
  });

  it('ends a pod that runs too long', () => {
    const pod = podOf({ activeDeadlineSeconds: 100 }, { status: { startTime: new Date(950_000).toISOString() } });
    const observed = observedPod([S], run('main'));
    expect(plan(pod, observed)).toMatchObject({ actions: [], lookAgainAt: 1_050_000 });
    const late = plan(pod, observed, { now: 1_050_000 });
    expect(late).toMatchObject({ finished: true, pastDeadline: true });
    expect(late.actions.map(short)).toEqual(['kill main-0 DeadlineExceeded']);
  });

  it('ends one sidecar after the other, the one that was started last first', () => {
    const pod = podOf({ initContainers: [side, container('second', { restartPolicy: 'Always' })] });
    const all = observedPod([S], run('main', { exit: 0 }), run('side'), run('second'));
    expect(planTermination(pod, all, 30).map(short)).toEqual(['kill second-0 PodDeleted 30']);
    const left = observedPod([S], run('main', { exit: 0 }), run('side'), run('second', { exit: 0 }));
    expect(planTermination(pod, left, 30).map(short)).toEqual(['kill side-0 PodDeleted 30']);
  });

  it('ends sidecars after the others, then the sandbox', () => {
    const pod = podOf({ initContainers: [side] });
    const steps = [
      observedPod([S], run('main'), run('side')),
      observedPod([S], run('main', { exit: 0 }), run('side')),
      observedPod([S], run('main', { exit: 0 }), run('side', { exit: 0 })),
      observedPod([DEAD], run('main', { exit: 0 }), run('side', { exit: 0 })),
    ];
    expect(steps.map((o) => planTermination(pod, o, 7).map(short))).toEqual([
      ['kill main-0 PodDeleted 7'],
      ['kill side-0 PodDeleted 7'],
      ['stopSandbox s0'],
      [],
    ]);
  });
});

it('has nothing to wait for where a container never started', () => {
  const observed = observedPod([S], run('main', { state: 'created' }));
  expect(planTermination(podOf({}), observed, 7).map(short)).toEqual(['stopSandbox s0']);
  expect(plan(podOf({}, over), observed).actions.map(short)).toEqual(['stopSandbox s0']);
});

/** A runtime in memory that does what plans say, and in which containers end as they like. */
class Model {
  sandboxes: ObservedSandbox[] = [];
  containers: ObservedContainer[] = [];
  now = 1_000_000;
  readonly #pod: Pod;

  constructor(pod: Pod) {
    this.#pod = pod;
  }

  get observed(): ObservedPod {
    return observedPod([...this.sandboxes], ...this.containers);
  }

  end(which: number, exit: number): void {
    const running = this.containers.filter((c) => c.state === 'running');
    const ended = running[which % Math.max(1, running.length)];
    if (ended !== undefined) this.#replace(ended, exit);
  }

  killSandbox(): void {
    this.sandboxes = this.sandboxes.map((s) => ({ ...s, ready: false }));
    for (const c of this.containers) if (c.state === 'running') this.#replace(c, 137);
  }

  #replace(old: ObservedContainer, exit: number): void {
    const options = { sandbox: old.sandboxId, restarts: old.restarts, exit, finishedAt: this.now };
    this.containers = this.containers.map((c) => (c === old ? run(old.name, options) : c));
  }

  do(action: Action): void {
    switch (action.action) {
      case 'createSandbox': {
        const { attempt } = action;
        expect(this.sandboxes.some((s) => s.ready || s.attempt >= attempt)).toBe(false);
        this.sandboxes = [sandbox(`s${attempt}`, { attempt, createdAt: this.now }), ...this.sandboxes];
        return;
      }
      case 'startContainer': {
        const { name } = action.container;
        const current = this.sandboxes.find((s) => s.ready);
        expect(current).toBeDefined();
        expect(this.containers.filter((c) => c.name === name && c.state === 'running')).toEqual([]);
        // Its restart count is the container's name in the runtime: it must be new.
        expect(this.containers.some((c) => c.name === name && c.restarts >= action.restarts)).toBe(false);
        this.#checkOrder(name, current?.id ?? '');
        this.containers = [run(name, { sandbox: current?.id ?? '', restarts: action.restarts }), ...this.containers];
        return;
      }
      case 'killContainer': {
        const killed = this.containers.find((c) => c.id === action.id);
        if (killed?.state === 'running') this.#replace(killed, 137);
        return;
      }
      case 'removeContainer':
        this.containers = this.containers.filter((c) => c.id !== action.id);
        return;
      case 'stopSandbox':
        this.sandboxes = this.sandboxes.map((s) => (s.id === action.id ? { ...s, ready: false } : s));
        return;
      case 'removeSandbox':
        expect(this.containers.some((c) => c.sandboxId === action.id)).toBe(false);
        this.sandboxes = this.sandboxes.filter((s) => s.id !== action.id);
    }
  }

  /** What must have been before, in the same sandbox, before a container may start. */
  #checkOrder(name: string, sandboxId: string): void {
    const { initContainers = [], containers } = this.#pod.spec ?? { containers: [] };
    const here = (n: string) => this.containers.find((c) => c.name === n && c.sandboxId === sandboxId);
    if (containers.some((c) => here(c.name) !== undefined)) return;
    for (const before of initContainers) {
      if (before.name === name) return;
      const found = here(before.name);
      if (isSidecar(before)) expect(found).toBeDefined();
      else expect(found?.status.exit_code).toBe(0);
    }
  }
}

const exits = fc.constantFrom(0, 1);
const disturbance = fc.oneof(
  { weight: 5, arbitrary: fc.record({ end: fc.nat(5), exit: exits }) },
  { weight: 1, arbitrary: fc.constant('sandbox' as const) },
  { weight: 1, arbitrary: fc.constant('time' as const) },
);
const somePods = fc
  .record({
    restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
    mains: fc.integer({ min: 1, max: 3 }),
    inits: fc.array(fc.boolean(), { maxLength: 3 }),
  })
  .map(({ restartPolicy, mains, inits }) =>
    podOf({
      restartPolicy,
      containers: Array.from({ length: mains }, (_, i) => container(`main${i}`)),
      initContainers: inits.map((sidecar, i) => container(`init${i}`, sidecar ? { restartPolicy: 'Always' } : {})),
    }),
  );

it('comes to rest whatever happens, and never breaks the rules of restarts and order', () => {
  fc.assert(
    fc.property(somePods, fc.array(disturbance, { maxLength: 30 }), (pod, disturbances) => {
      const model = new Model(pod);
      const backoff = new FailureBackoff();
      const settle = () => {
        for (let step = 0; ; step++) {
          const next = plan(pod, model.observed, {
            now: model.now,
            backoffUntil: (name, at) => backoff.until(name, at),
          });
          if (next.actions.length === 0) return next;
          for (const action of next.actions) model.do(action);
          expect(step).toBeLessThan(20);
        }
      };
      let finished = settle().finished;
      for (const what of disturbances) {
        model.now += 1000;
        if (what === 'sandbox') model.killSandbox();
        else if (what === 'time') model.now += 15 * 60_000;
        else model.end(what.end, what.exit);
        const now = settle();
        // What is over stays over.
        if (finished) expect(now.finished).toBe(true);
        finished = now.finished;
        expect(model.sandboxes.filter((s) => s.ready)).toHaveLength(finished ? 0 : 1);
      }
      if (pod.spec?.restartPolicy === 'Always') expect(finished).toBe(false);
    }),
    { numRuns: 500 },
  );
});
