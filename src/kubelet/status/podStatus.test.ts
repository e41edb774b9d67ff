import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodStatus } from '../../apis/core/podStatus.ts';
import type { ObservedPod } from '../pods/observed.ts';
import type { Waiting } from '../pods/plan.ts';
import { container, observedPod, podOf, run, sandbox } from '../testing/observedPods.ts';
import { podStatusOf, type StatusInput } from './podStatus.ts';

const S = sandbox('s0');
const DEAD = sandbox('s0', { ready: false });
const NOW = Date.UTC(2026, 0, 2);

function statusOf(
  pod: Pod,
  observed: ObservedPod | undefined,
  waiting: Record<string, string> = {},
  more: Partial<StatusInput> = {},
): PodStatus {
  return podStatusOf({
    pod,
    observed,
    waiting: new Map(
      Object.entries(waiting).map(([name, reason]): [string, Waiting] => [name, { reason, message: '' }]),
    ),
    hostIPs: ['192.168.0.1'],
    now: NOW,
    ending: false,
    ready: () => true,
    started: () => true,
    applied: (run) => run.resources,
    terminationMessage: () => '',
    ...more,
  });
}

const conditionsOf = (status: PodStatus) =>
  Object.fromEntries(
    (status.conditions ?? []).map((c) => [c.type, c.reason === undefined ? c.status : `${c.status} ${c.reason}`]),
  );

const init = container('init');
const side = container('side', { restartPolicy: 'Always' });
const never = podOf({ restartPolicy: 'Never' });
const two = { containers: [container('main'), container('other')] };

const phases: readonly [string, Pod, ObservedPod | undefined, Record<string, string>, string][] = [
  ['nothing yet', podOf({}), undefined, { main: 'ContainerCreating' }, 'Pending'],
  ['all runs', podOf({}), observedPod([S], run('main')), {}, 'Running'],
  ['one still starts', podOf(two), observedPod([S], run('main')), { other: 'ContainerCreating' }, 'Pending'],
  [
    'it waits to start again',
    podOf({}),
    observedPod([S], run('main', { exit: 1 })),
    { main: 'CrashLoopBackOff' },
    'Running',
  ],
  ['it ended, Always', podOf({}), observedPod([S], run('main', { exit: 0 })), {}, 'Running'],
  ['it succeeded', never, observedPod([S], run('main', { exit: 0 })), {}, 'Succeeded'],
  ['it failed', never, observedPod([S], run('main', { exit: 1 })), {}, 'Failed'],
  [
    'one runs, one failed',
    podOf({ ...two, restartPolicy: 'Never' }),
    observedPod([S], run('main'), run('other', { exit: 1 })),
    {},
    'Running',
  ],
  [
    'one failed, one succeeded',
    podOf({ ...two, restartPolicy: 'Never' }),
    observedPod([S], run('main', { exit: 0 }), run('other', { exit: 1 })),
    {},
    'Failed',
  ],
  [
    'it initialises',
    podOf({ initContainers: [init] }),
    observedPod([S], run('init')),
    { main: 'PodInitializing' },
    'Pending',
  ],
  [
    'it is initialised',
    podOf({ initContainers: [init] }),
    observedPod([S], run('main'), run('init', { exit: 0 })),
    {},
    'Running',
  ],
  [
    'an init container fails again',
    podOf({ initContainers: [init] }),
    observedPod([S], run('init', { exit: 1 })),
    { init: 'CrashLoopBackOff', main: 'PodInitializing' },
    'Pending',
  ],
  [
    'an init container failed, Never',
    podOf({ initContainers: [init], restartPolicy: 'Never' }),
    observedPod([DEAD], run('init', { exit: 1 })),
    {},
    'Failed',
  ],
  [
    'only the sidecar runs',
    podOf({ initContainers: [side], restartPolicy: 'Never' }),
    observedPod([S], run('main', { exit: 0 }), run('side')),
    {},
    'Running',
  ],
  [
    'the sidecar ended, too',
    podOf({ initContainers: [side], restartPolicy: 'Never' }),
    observedPod([S], run('main', { exit: 0 }), run('side', { exit: 137 })),
    {},
    'Succeeded',
  ],
  [
    'only the sidecar runs yet',
    podOf({ initContainers: [side] }),
    observedPod([S], run('side')),
    { main: 'PodInitializing' },
    'Pending',
  ],
];

describe('the status of a pod', () => {
  it.each(phases)('phase: %s', (_what, pod, observed, waiting, phase) => {
    expect(statusOf(pod, observed, waiting).phase).toBe(phase);
  });

  it('of a pod that runs', () => {
    const main = container('main', {
      resources: { requests: { cpu: '1' }, limits: { cpu: '2' } },
      volumeMounts: [
        { name: 'v', mountPath: '/v' },
        { name: 'w', mountPath: '/w', readOnly: true },
      ],
    });
    const observed = observedPod(
      [S],
      run('main', { restarts: 2, status: { started_at: NOW * 1e6 } }),
      run('main', { exit: 3, restarts: 1 }),
    );
    const status = statusOf(podOf({ containers: [main] }), observed);
    expect(status).toMatchObject({
      podIP: '10.0.0.5',
      podIPs: [{ ip: '10.0.0.5' }],
      hostIP: '192.168.0.1',
      hostIPs: [{ ip: '192.168.0.1' }],
      startTime: '2026-01-02T00:00:00Z',
      qosClass: 'Burstable',
      observedGeneration: 1,
    });
    expect(status.containerStatuses).toEqual([
      {
        name: 'main',
        state: { running: { startedAt: '2026-01-02T00:00:00Z' } },
        lastState: {
          terminated: {
            exitCode: 3,
            reason: 'Error',
            startedAt: '1970-01-01T00:00:00Z',
            finishedAt: '1970-01-01T00:00:00Z',
            containerID: 'containerd://main-1',
          },
        },
        ready: true,
        started: true,
        restartCount: 2,
        image: 'docker.io/library/busybox:latest',
        imageID: 'sha256:1',
        containerID: 'containerd://main-2',
        allocatedResources: { cpu: '1' },
        resources: { requests: { cpu: '1' }, limits: { cpu: '2' } },
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'w', mountPath: '/w', readOnly: true, recursiveReadOnly: 'Disabled' },
        ],
      },
    ]);
    expect(conditionsOf(status)).toEqual({
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      Ready: 'True',
      ContainersReady: 'True',
      PodScheduled: 'True',
    });
  });

  it('tells what is not ready, and why', () => {
    const pod = podOf({ ...two, initContainers: [init], readinessGates: [{ conditionType: 'example.com/gate' }] });
    const starting = statusOf(pod, observedPod([S], run('init')), {
      main: 'PodInitializing',
      other: 'PodInitializing',
    });
    expect(conditionsOf(starting)).toMatchObject({
      Initialized: 'False ContainersNotInitialized',
      Ready: 'False ContainersNotReady',
    });
    const all = [run('main'), run('other'), run('init', { exit: 0 })];
    const unready = statusOf(pod, observedPod([S], ...all), {}, { ready: (id) => id !== 'other-0' });
    expect(unready.conditions?.find((c) => c.type === 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ContainersNotReady',
      message: 'containers with unready status: [other]',
    });
    const gated = statusOf(pod, observedPod([S], ...all));
    expect(conditionsOf(gated)).toMatchObject({ ContainersReady: 'True', Ready: 'False ReadinessGatesNotReady' });
    const gate = { type: 'example.com/gate', status: 'True' };
    const open = statusOf({ ...pod, status: { conditions: [gate] } }, observedPod([S], ...all));
    expect(conditionsOf(open)).toMatchObject({ Ready: 'True', 'example.com/gate': 'True' });
  });

  it('moves the time of a condition with its status only', () => {
    const before = statusOf(podOf({}), undefined, { main: 'ContainerCreating' }, { now: NOW - 60_000 });
    const after = statusOf(podOf({}, { status: before }), observedPod([S], run('main')));
    const time = (type: string) => after.conditions?.find((c) => c.type === type)?.lastTransitionTime;
    expect(time('Ready')).toBe('2026-01-02T00:00:00Z');
    expect(time('Initialized')).toBe('2026-01-01T23:59:00Z');
    expect(after.startTime).toBe('2026-01-01T23:59:00Z');
  });

  it('shows how a container ended while it waits to start again', () => {
    const [main] =
      statusOf(
        podOf({}),
        observedPod([S], run('main', { exit: 1 })),
        { main: 'CrashLoopBackOff' },
        {
          terminationMessage: () => 'last words',
        },
      ).containerStatuses ?? [];
    expect(main).toMatchObject({
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode: 1, message: 'last words' } },
      ready: false,
      started: false,
    });
  });

  it('of a pod that is deleted: it ended, though its policy is to start again', () => {
    const ending = { ending: true };
    const stopping = statusOf(podOf(two), observedPod([S], run('main', { exit: 143 }), run('other')), {}, ending);
    expect(stopping.phase).toBe('Running');
    const done = statusOf(
      podOf(two),
      observedPod([DEAD], run('main', { exit: 0 }), run('other', { exit: 0 })),
      {},
      ending,
    );
    expect(done.phase).toBe('Succeeded');
    expect(conditionsOf(done)).toMatchObject({ Ready: 'False PodCompleted', PodReadyToStartContainers: 'False' });
    const never = statusOf(podOf(two), undefined, {}, ending);
    expect(never.phase).toBe('Failed');
    expect(never.containerStatuses?.[0]?.state?.terminated).toMatchObject({
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
    });
  });

  it('of a pod that was refused says why, and of no container', () => {
    const failed = { reason: 'SysctlForbidden', message: 'Pod was rejected: no' };
    const conditions = [{ type: 'PodScheduled', status: 'True' }];
    const refused = podOf({ initContainers: [init] }, { status: { phase: 'Pending', conditions } });
    const told = statusOf(refused, undefined, {}, { ending: true, failed });
    expect(told).toEqual({
      phase: 'Failed',
      ...failed,
      conditions,
      startTime: '2026-01-02T00:00:00Z',
      qosClass: 'BestEffort',
      observedGeneration: 1,
    });
    // A kubelet that starts again, or that is to delete it, says the same.
    expect(statusOf({ ...refused, status: told }, undefined, {}, { ending: true })).toEqual(told);
  });

  it('of a container that never ran says PodInitializing wherever there are init containers', () => {
    const reasonOf = (pod: Pod, observed: ObservedPod) => statusOf(pod, observed).containerStatuses?.[0]?.state;
    const failedInit = observedPod([S], run('init', { exit: 1 }));
    expect(reasonOf(podOf({ restartPolicy: 'Never', initContainers: [init] }), failedInit)).toEqual({
      waiting: { reason: 'PodInitializing' },
    });
    expect(reasonOf(podOf({}), observedPod([S]))).toEqual({ waiting: { reason: 'ContainerCreating' } });
  });

  it('keeps what was told of a pod that is over', () => {
    const failed = { reason: 'DeadlineExceeded', message: 'too long' };
    const dying = statusOf(podOf({}), observedPod([S], run('main')), {}, { ending: true, failed });
    expect(dying).toMatchObject({ phase: 'Running' });
    expect(dying).not.toHaveProperty('reason');
    const told = statusOf(podOf({}), observedPod([DEAD], run('main', { exit: 137 })), {}, { ending: true, failed });
    expect(told).toMatchObject({ phase: 'Failed', ...failed });
    const later = statusOf(podOf({}, { status: told }), undefined);
    expect(later).toEqual(told);
  });

  it('gives a pod on the network of the host its address', () => {
    const observed = observedPod([sandbox('s0', { ips: [] })], run('main'));
    const status = statusOf(podOf({ hostNetwork: true }), observed);
    expect(status.podIPs).toEqual([{ ip: '192.168.0.1' }]);
    const dual = statusOf(podOf({ hostNetwork: true }), observed, {}, { hostIPs: ['192.168.0.1', 'fd00::1'] });
    expect(dual).toMatchObject({ hostIP: '192.168.0.1', hostIPs: [{ ip: '192.168.0.1' }, { ip: 'fd00::1' }] });
    expect(dual.podIPs).toEqual(dual.hostIPs);
    expect(conditionsOf(status)).toMatchObject({ PodReadyToStartContainers: 'True' });
  });
});

it('of a pod that is deleted: who was not to start yet still waits', () => {
  const pod = podOf({ restartPolicy: 'Never', initContainers: [init, container('second')] });
  const stateOf = (observed: ObservedPod | undefined, before?: PodStatus) => {
    const known = before === undefined ? pod : { ...pod, status: before };
    const { containerStatuses, initContainerStatuses } = statusOf(known, observed, {}, { ending: true });
    return [...(initContainerStatuses ?? []), ...(containerStatuses ?? [])].map(({ state }) =>
      state?.terminated === undefined ? state?.waiting?.reason : state.terminated.exitCode,
    );
  };
  const failed = observedPod([DEAD], run('init', { exit: 1 }));
  expect(stateOf(failed)).toEqual([1, 'PodInitializing', 'PodInitializing']);
  expect(stateOf(failed, statusOf(pod, failed))).toEqual([1, 'PodInitializing', 'PodInitializing']);
  // Nothing has begun: the first that was to start counts as lost.
  expect(stateOf(undefined)).toEqual([137, 'PodInitializing', 'PodInitializing']);
  const initialised = observedPod([DEAD], run('init', { exit: 0 }), run('second', { exit: 0 }));
  expect(stateOf(initialised)).toEqual([0, 0, 137]);
});

it('says of a container what it has, not what it is to have, and as whom it runs', () => {
  const main = container('main', { resources: { requests: { cpu: '2', 'example.com/x': '1' }, limits: { cpu: '2' } } });
  const linux = { uid: 1000, gid: 0, supplemental_groups: [0, 10] };
  const old = { ...run('main', { status: { user: { linux } } }), resources: '1 /1 ' };
  const [status] = statusOf(podOf({ containers: [main] }), observedPod([S], old)).containerStatuses ?? [];
  expect(status).toMatchObject({
    allocatedResources: { cpu: '2', 'example.com/x': '1' },
    resources: { requests: { cpu: '1', 'example.com/x': '1' }, limits: { cpu: '1' } },
    user: { linux: { uid: 1000, gid: 0, supplementalGroups: [0, 10] } },
  });
  const ended = observedPod([S], { ...run('main', { exit: 1 }), resources: '1 /1 ' });
  const [over] = statusOf(podOf({ containers: [main], restartPolicy: 'Never' }), ended).containerStatuses ?? [];
  expect(over?.resources).toEqual(main.resources);
});

it('told again changes nothing', () => {
  const runs = fc.record({ exit: fc.option(fc.constantFrom(0, 1), { nil: undefined }), restarts: fc.nat(3) });
  fc.assert(
    fc.property(
      fc.constantFrom('Always', 'OnFailure', 'Never'),
      fc.option(runs, { nil: undefined }),
      fc.option(runs, { nil: undefined }),
      fc.boolean(),
      fc.boolean(),
      (restartPolicy, main, first, ready, ending) => {
        const pod = podOf({ restartPolicy, initContainers: [init] });
        const found = [
          ...(main === undefined ? [] : [run('main', main)]),
          ...(first === undefined ? [] : [run('init', first)]),
        ];
        const observed = observedPod([ready ? S : DEAD], ...found);
        const told = statusOf(pod, observed, {}, { ending });
        expect(statusOf({ ...pod, status: told }, observed, {}, { ending, now: NOW + 1e6 })).toEqual(told);
      },
    ),
  );
});
