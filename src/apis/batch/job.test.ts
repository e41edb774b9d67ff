import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, received, updated } from '../testing/create.ts';
import { container, podSpec } from '../testing/pods.ts';
import { type Job, jobs } from './job.ts';

const NOW = Date.UTC(2026, 0, 2);
const metadata = { name: 'pi', namespace: 'default', uid: 'u-1' };
const template = (spec: object = {}, meta: object = {}) => ({
  ...meta,
  spec: podSpec({ restartPolicy: 'Never', ...spec }),
});
const job = (spec: object = {}, meta: object = {}) => ({
  metadata: { ...metadata, ...meta },
  spec: { template: template(), ...spec },
});
const indexed = (more: object = {}) => job({ completionMode: 'Indexed', completions: 3, ...more });
const onExitCodes = (more: object = {}) => ({ operator: 'In', values: [1, 42], ...more });
const failing = (rule: object, more: object = {}) => job({ podFailurePolicy: { rules: [rule] }, ...more });
const GENERATED = {
  'batch.kubernetes.io/controller-uid': 'u-1',
  'batch.kubernetes.io/job-name': 'pi',
  'controller-uid': 'u-1',
  'job-name': 'pi',
};

describe('a job', () => {
  it('is defaulted', () => {
    expect(created(jobs, job()).spec).toMatchObject({
      completions: 1,
      parallelism: 1,
      backoffLimit: 6,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: 'TerminatingOrFailed',
    });
    const queue = created(jobs, job({ parallelism: 3 })).spec;
    expect(queue).not.toHaveProperty('completions');
    expect(created(jobs, indexed({ backoffLimitPerIndex: 1 })).spec?.backoffLimit).toBe(2 ** 31 - 1);
    const rule = { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget' }] };
    const policy = created(jobs, failing(rule)).spec;
    expect(policy?.podReplacementPolicy).toBe('Failed');
    expect(policy?.podFailurePolicy?.rules[0]?.onPodConditions?.[0]?.status).toBe('True');
  });

  it('is given a selector and labels by which its pods are found', () => {
    const object = created(jobs, job());
    expect(object.spec?.selector).toEqual({ matchLabels: { 'batch.kubernetes.io/controller-uid': 'u-1' } });
    expect(object.spec?.template?.metadata?.labels).toEqual(GENERATED);
    expect(object.metadata?.labels).toEqual(GENERATED);
    const labelled = created(jobs, job({ template: template({}, { metadata: { labels: { a: 'b' } } }) }));
    expect(labelled.metadata?.labels).toEqual({ ...GENERATED, a: 'b' });
    const own = created(jobs, job({}, { labels: { mine: 'x' } }));
    expect(own.metadata?.labels).toEqual({ mine: 'x' });
  });

  it('may have a selector of its own, if it says so', () => {
    const own = {
      manualSelector: true,
      selector: { matchLabels: { a: 'b' } },
      template: template({}, { metadata: { labels: { a: 'b' } } }),
    };
    expect(createFaults(jobs, job(own))).toEqual([]);
    expect(created(jobs, job(own)).spec?.template?.metadata?.labels).toEqual({ a: 'b' });
    expect(createFaults(jobs, job({ ...own, manualSelector: false }))).toEqual(['spec.selector: Invalid']);
    expect(createFaults(jobs, job({ manualSelector: true }))).toEqual([
      'spec.selector: Required',
      'spec.template.metadata.labels: Invalid',
    ]);
    const wrong = template({}, { metadata: { labels: { 'job-name': 'other' } } });
    expect(createFaults(jobs, job({ template: wrong }))).toEqual(['spec.template.metadata.labels[job-name]: Invalid']);
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', job(), []],
    [
      'numbers below nothing',
      job({
        parallelism: -1,
        completions: -1,
        backoffLimit: -1,
        activeDeadlineSeconds: -1,
        ttlSecondsAfterFinished: -1,
      }),
      [
        'spec.parallelism: Invalid',
        'spec.completions: Invalid',
        'spec.activeDeadlineSeconds: Invalid',
        'spec.backoffLimit: Invalid',
        'spec.ttlSecondsAfterFinished: Invalid',
      ],
    ],
    [
      'no template',
      job({ template: undefined }),
      ['spec.template.spec.containers: Required', 'spec.template.spec.restartPolicy: Required'],
    ],
    ['pods that run for ever', job({ template: { spec: podSpec() } }), ['spec.template.spec.restartPolicy: Required']],
    [
      'pods that do neither',
      job({ template: template({ restartPolicy: 'x' }) }),
      ['spec.template.spec.restartPolicy: NotSupported', 'spec.template.spec.restartPolicy: NotSupported'],
    ],
    ['an odd mode', job({ completionMode: 'x' }), ['spec.completionMode: NotSupported']],
    ['indexes without an end', job({ completionMode: 'Indexed', parallelism: 1 }), ['spec.completions: Required']],
    ['too many indexes at a time', indexed({ parallelism: 100_001 }), ['spec.parallelism: Invalid']],
    [
      'a limit by index where there are none',
      job({ backoffLimitPerIndex: 1, maxFailedIndexes: 1 }),
      ['spec.backoffLimitPerIndex: Invalid', 'spec.maxFailedIndexes: Invalid'],
    ],
    ['a limit of indexes alone', indexed({ maxFailedIndexes: 1 }), ['spec.backoffLimitPerIndex: Required']],
    [
      'a limit of more indexes than there are',
      indexed({ backoffLimitPerIndex: 1, maxFailedIndexes: 4 }),
      ['spec.maxFailedIndexes: Invalid'],
    ],
    [
      'very many indexes with limits',
      indexed({ completions: 100_001, parallelism: 10_001, backoffLimitPerIndex: 1 }),
      ['spec.maxFailedIndexes: Required', 'spec.parallelism: Invalid'],
    ],
    ['a manager', job({ managedBy: 'example.com/queue' }), []],
    ['a manager from nowhere', job({ managedBy: 'queue' }), ['spec.managedBy: Invalid']],
    ['a manager of a long name', job({ managedBy: `example.com/${'x'.repeat(60)}` }), ['spec.managedBy: TooLong']],
    ['an odd replacement', job({ podReplacementPolicy: 'x' }), ['spec.podReplacementPolicy: NotSupported']],
    [
      'a name that no host can have',
      { ...indexed(), metadata: { ...metadata, name: `${'x'.repeat(62)}` } },
      ['metadata.name: Invalid'],
    ],
    ['a rule for exit codes', failing({ action: 'FailJob', onExitCodes: onExitCodes({ containerName: 'web' }) }), []],
    [
      'pods replaced too soon for rules',
      failing({ action: 'Count', onExitCodes: onExitCodes() }, { podReplacementPolicy: 'TerminatingOrFailed' }),
      ['spec.podReplacementPolicy: NotSupported'],
    ],
    [
      'pods restarted in place with rules',
      failing({ action: 'Count', onExitCodes: onExitCodes() }, { template: template({ restartPolicy: 'OnFailure' }) }),
      ['spec.template.spec.restartPolicy: Invalid'],
    ],
    [
      'a rule that does nothing',
      failing({}),
      ['spec.podFailurePolicy.rules[0].action: Required', 'spec.podFailurePolicy.rules[0]: Invalid'],
    ],
    [
      'a rule for an index where there are none',
      failing({ action: 'FailIndex', onExitCodes: onExitCodes() }),
      ['spec.podFailurePolicy.rules[0].action: Invalid'],
    ],
    [
      'a rule for all sorts of things',
      failing({
        action: 'x',
        onExitCodes: { operator: 'In', containerName: 'nobody', values: [3, 0, 3] },
        onPodConditions: [{ type: 'a b', status: 'x' }],
      }),
      [
        'action: NotSupported',
        'onExitCodes.containerName: Invalid',
        'onExitCodes.values[1]: Invalid',
        'onExitCodes.values[2]: Duplicate',
        'onExitCodes.values: Invalid',
        'onPodConditions[0].type: Invalid',
        'onPodConditions[0].status: NotSupported',
        '',
      ].map((at) => (at === '' ? 'spec.podFailurePolicy.rules[0]: Invalid' : `spec.podFailurePolicy.rules[0].${at}`)),
    ],
    ['success of some', indexed({ successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 2 }] } }), []],
    [
      'success of what is not counted',
      job({ successPolicy: { rules: [{ succeededCount: 1 }] } }),
      ['spec.successPolicy: Invalid'],
    ],
    ['success of nothing', indexed({ successPolicy: { rules: [] } }), ['spec.successPolicy.rules: Required']],
    ['success without measure', indexed({ successPolicy: { rules: [{}] } }), ['spec.successPolicy.rules[0]: Required']],
    [
      'success of too many',
      indexed({
        successPolicy: { rules: [{ succeededIndexes: '0', succeededCount: 4 }, { succeededIndexes: '2-7' }] },
      }),
      [
        'spec.successPolicy.rules[0].succeededCount: Invalid',
        'spec.successPolicy.rules[0].succeededCount: Invalid',
        'spec.successPolicy.rules[1].succeededIndexes: Invalid',
      ],
    ],
  ])('with %s', (_what, json, expected) => {
    expect(createFaults(jobs, json)).toEqual(expected);
  });
});

describe('an update of a job', () => {
  /** What an update to `spec` finds wrong, of a job with `before` and this status. */
  const faultsOf = (before: object, change: (job: Job) => void, status: object = {}) => {
    const old: Job = { ...created(jobs, before), status };
    const next = structuredClone(old);
    change(next);
    const object = received(jobs, next);
    jobs.update?.prepare?.(object, old, NOW);
    return (jobs.update?.validate?.(object, old) ?? []).map((e) => `${e.field}: ${e.type.replace('FieldValue', '')}`);
  };
  // Every job here has a spec with a template.
  const specOf = (object: Job) => object.spec as NonNullable<Job['spec']>;
  const podOf = (object: Job) =>
    specOf(object).template.spec as NonNullable<NonNullable<Job['spec']>['template']['spec']>;
  const suspended = job({ suspend: true });

  it.each<[string, object, (job: Job) => void, object, string[]]>([
    ['parallelism', job(), (j) => Object.assign(specOf(j), { parallelism: 4 }), {}, []],
    ['suspension', job(), (j) => Object.assign(specOf(j), { suspend: true }), {}, []],
    ['limits', job(), (j) => Object.assign(specOf(j), { backoffLimit: 1, ttlSecondsAfterFinished: 5 }), {}, []],
    ['completions', job(), (j) => Object.assign(specOf(j), { completions: 2 }), {}, ['spec.completions: Invalid']],
    [
      'selector',
      job(),
      (j) => Object.assign(specOf(j), { selector: { matchLabels: { 'job-name': 'pi' } } }),
      {},
      ['spec.selector: Invalid'],
    ],
    ['manager', job(), (j) => Object.assign(specOf(j), { managedBy: 'a.b/c' }), {}, ['spec.managedBy: Invalid']],
    [
      'image',
      job(),
      (j) => Object.assign(podOf(j), { containers: [container({ image: 'x' })] }),
      {},
      ['spec.template: Invalid'],
    ],
    [
      'size, if all run at once',
      indexed({ parallelism: 3 }),
      (j) => Object.assign(specOf(j), { completions: 5, parallelism: 5 }),
      {},
      [],
    ],
    [
      'size, of some',
      indexed({ parallelism: 3 }),
      (j) => Object.assign(specOf(j), { completions: 5 }),
      {},
      ['spec.completions: Invalid'],
    ],
    [
      'nodes while it runs',
      job(),
      (j) => Object.assign(podOf(j), { nodeSelector: { a: 'b' } }),
      {},
      ['spec.template: Invalid'],
    ],
    [
      'nodes while it is suspended',
      suspended,
      (j) => Object.assign(podOf(j), { nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }] }),
      {},
      [],
    ],
    [
      'nodes while its pods still end',
      suspended,
      (j) => Object.assign(podOf(j), { nodeSelector: { a: 'b' } }),
      { startTime: '2026-01-01T00:00:00Z', active: 1 },
      ['spec.template: Invalid'],
    ],
    [
      'nodes when it is suspended again',
      suspended,
      (j) => Object.assign(podOf(j), { nodeSelector: { a: 'b' } }),
      { startTime: '2026-01-01T00:00:00Z', conditions: [{ type: 'Suspended', status: 'True' }] },
      [],
    ],
    [
      'resources while it is suspended',
      suspended,
      (j) => Object.assign(podOf(j).containers[0] as object, { resources: { requests: { cpu: '2' } } }),
      {},
      [],
    ],
    [
      'affinity to nodes while it is suspended',
      suspended,
      (j) =>
        Object.assign(podOf(j), {
          affinity: {
            nodeAffinity: {
              requiredDuringSchedulingIgnoredDuringExecution: {
                nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
              },
            },
          },
        }),
      {},
      [],
    ],
    [
      'affinity to pods while it is suspended',
      suspended,
      (j) =>
        Object.assign(podOf(j), {
          affinity: {
            podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a', labelSelector: {} }] },
          },
        }),
      {},
      ['spec.template: Invalid'],
    ],
    [
      'image while it is suspended',
      suspended,
      (j) => Object.assign(podOf(j), { containers: [container({ image: 'x' })] }),
      {},
      ['spec.template: Invalid'],
    ],
  ])('may or may not change its %s', (_what, before, change, status, expected) => {
    expect(faultsOf(before, change, status)).toEqual(expected);
  });
});

describe('a job is shown', () => {
  const cells = (spec: object, status: object, meta: object = {}) =>
    (tableRow(jobs, { ...created(jobs, job(spec, meta)), status }, NOW, 'None') as { cells: unknown[] }).cells.slice(
      1,
      4,
    );
  const startTime = '2026-01-01T23:58:00Z';

  it.each<[object, object, unknown[]]>([
    [{}, {}, ['Running', '0/1', '']],
    [{ completions: 3 }, { startTime, succeeded: 1 }, ['Running', '1/3', '2m']],
    [{ parallelism: 4 }, { startTime, succeeded: 2 }, ['Running', '2/1 of 4', '2m']],
    [{ parallelism: 1 }, { startTime }, ['Running', '0/1', '2m']],
    [
      {},
      {
        startTime,
        completionTime: '2026-01-01T23:58:30Z',
        succeeded: 1,
        conditions: [
          { type: 'SuccessCriteriaMet', status: 'True' },
          { type: 'Complete', status: 'True' },
        ],
      },
      ['Complete', '1/1', '30s'],
    ],
    [
      {},
      {
        conditions: [
          { type: 'FailureTarget', status: 'True' },
          { type: 'Failed', status: 'True' },
        ],
      },
      ['Failed', '0/1', ''],
    ],
    [{}, { conditions: [{ type: 'Suspended', status: 'True' }] }, ['Suspended', '0/1', '']],
    [{}, { conditions: [{ type: 'FailureTarget', status: 'True' }] }, ['FailureTarget', '0/1', '']],
  ])('%j %j', (spec, status, expected) => {
    expect(cells(spec, status)).toEqual(expected);
  });

  it('ending', () => {
    expect(cells({}, {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })[0]).toBe('Terminating');
  });

  it('and selected by how many pods have succeeded', () => {
    expect(jobs.selectableFields?.['status.successful']?.({ status: { succeeded: 2 } })).toBe('2');
  });
});

describe('the status of a job', () => {
  const startTime = '2026-01-01T00:00:00Z';
  const completionTime = '2026-01-01T00:01:00Z';
  const is = (...types: string[]) => types.map((type) => ({ type, status: 'True' }));
  const done = { startTime, completionTime, conditions: is('SuccessCriteriaMet', 'Complete') };
  const all = 'status.conditions: Invalid';

  it.each<[string, object, object, object, string[]]>([
    ['runs', {}, {}, { startTime, active: 1, ready: 1 }, []],
    ['is complete', {}, { startTime }, { ...done, succeeded: 1 }, []],
    ['has failed', {}, { startTime }, { startTime, failed: 1, conditions: is('FailureTarget', 'Failed') }, []],
    [
      'counts below nothing',
      {},
      {},
      { active: -1, failed: -1 },
      ['status.active: Invalid', 'status.failed: Invalid', 'status.ready: Invalid', 'status.failed: Invalid'],
    ],
    ['has more ready than active', {}, {}, { ready: 1 }, ['status.ready: Invalid']],
    ['fails without warning', {}, { startTime }, { startTime, conditions: is('Failed') }, [all]],
    [
      'is both',
      {},
      { startTime },
      { ...done, conditions: is('SuccessCriteriaMet', 'Complete', 'FailureTarget', 'Failed') },
      [all, all, all, all],
    ],
    ['is complete out of the blue', {}, { startTime }, { ...done, conditions: is('Complete') }, [all]],
    [
      'is complete at no time',
      {},
      { startTime },
      { ...done, completionTime: undefined },
      ['status.completionTime: Required'],
    ],
    [
      'has ended and is not complete',
      {},
      { startTime },
      { startTime, completionTime },
      ['status.completionTime: Invalid'],
    ],
    [
      'ended before it began',
      {},
      {},
      { ...done, startTime: '2026-01-01T01:00:00Z' },
      ['status.completionTime: Invalid'],
    ],
    ['never began', {}, {}, { ...done, startTime: undefined }, ['status.startTime: Required']],
    ['is complete no more', {}, done, { startTime, completionTime }, [all, all, 'status.completionTime: Invalid']],
    [
      'ended at another time',
      {},
      done,
      { ...done, completionTime: '2026-01-01T00:02:00Z' },
      ['status.completionTime: Invalid'],
    ],
    ['began again', {}, { startTime }, { startTime: completionTime }, ['status.startTime: Required']],
    ['began again after a pause', { suspend: true }, { startTime }, {}, []],
    [
      'is complete and has pods',
      {},
      { startTime },
      { ...done, active: 1, terminating: 1 },
      ['status.active: Invalid', 'status.terminating: Invalid'],
    ],
    [
      'is complete and has not counted',
      {},
      { startTime },
      { ...done, uncountedTerminatedPods: { failed: ['a'] } },
      ['status.uncountedTerminatedPods: Invalid'],
    ],
    [
      'counts a pod twice',
      {},
      {},
      { uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
      ['status.uncountedTerminatedPods.succeeded[1]: Invalid', 'status.uncountedTerminatedPods.failed[0]: Duplicate'],
    ],
    [
      'forgets',
      {},
      { failed: 2, succeeded: 2 },
      { failed: 1, succeeded: 1 },
      ['status.failed: Invalid', 'status.succeeded: Invalid'],
    ],
    ['has indexes it cannot have', {}, {}, { completedIndexes: '0' }, ['status.completedIndexes: Invalid']],
    [
      'has indexes out of order',
      { completionMode: 'Indexed', completions: 5 },
      {},
      { completedIndexes: '3,1', failedIndexes: '1' },
      ['status.completedIndexes: Invalid', 'status.failedIndexes: Invalid'],
    ],
    [
      'has indexes that did both',
      { completionMode: 'Indexed', completions: 9, backoffLimitPerIndex: 1 },
      {},
      { completedIndexes: '0-3,7', failedIndexes: '5,6-8' },
      ['status.failedIndexes: Invalid'],
    ],
  ])('that %s', (_what, spec, before, after, expected) => {
    const old: Job = { ...created(jobs, job(spec)), status: before };
    const object: Job = { ...structuredClone(old), status: after };
    const errors = jobs.status?.validate?.(object, old) ?? [];
    expect(errors.map((e) => `${e.field}: ${e.type.replace('FieldValue', '')}`)).toEqual(expected);
  });

  it('is apart from the spec', () => {
    const write = { ...job({ parallelism: 9 }), status: { active: 1 } };
    const { object } = updated(jobs, jobs.status, job(), write);
    expect(object.spec?.parallelism).toBe(1);
    expect(object.status).toEqual({ active: 1 });
  });
});
