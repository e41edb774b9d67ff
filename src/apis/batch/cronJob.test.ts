import { describe, expect, it } from 'vitest';
import { tableRow } from '../../machinery/table.ts';
import { created, createFaults, updated } from '../testing/create.ts';
import { podSpec } from '../testing/pods.ts';
import { cronJobs } from './cronJob.ts';

const NOW = Date.UTC(2026, 0, 2);
const jobTemplate = (spec: object = {}) => ({
  spec: { template: { spec: podSpec({ restartPolicy: 'Never' }) }, ...spec },
});
const cronJob = (spec: object = {}, name = 'hello') => ({
  metadata: { name, namespace: 'default' },
  spec: { schedule: '*/5 * * * *', jobTemplate: jobTemplate(), ...spec },
});

describe('a cron job', () => {
  it('is defaulted; its template of jobs is left to the jobs', () => {
    const object = created(cronJobs, cronJob());
    expect(object.spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    expect(object.spec?.jobTemplate.spec).not.toHaveProperty('backoffLimit');
    expect(object.spec?.jobTemplate.spec?.template.spec).toMatchObject({ dnsPolicy: 'ClusterFirst' });
    expect(object.status).toEqual({});
  });

  it.each<[string, object, string[]]>([
    ['nothing wrong', {}, []],
    ['a time zone', { timeZone: 'Europe/Vienna' }, []],
    ['an older name of a time zone', { timeZone: 'US/Eastern' }, []],
    ['no schedule', { schedule: '' }, ['spec.schedule: Required']],
    ['a schedule of nothing', { schedule: 'x' }, ['spec.schedule: Invalid']],
    ['a zone in its schedule', { schedule: 'TZ=UTC * * * * *' }, ['spec.schedule: Invalid']],
    ['another zone in its schedule', { schedule: 'CRON_TZ=UTC * * * * *' }, ['spec.schedule: Invalid']],
    ...['', 'Nowhere/Else', 'local', '../UTC', '+05', 'europe/vienna'].map((timeZone): [string, object, string[]] => [
      `the zone '${timeZone}'`,
      { timeZone },
      ['spec.timeZone: Invalid'],
    ]),
    ['an odd policy', { concurrencyPolicy: 'x' }, ['spec.concurrencyPolicy: NotSupported']],
    [
      'numbers below nothing',
      { startingDeadlineSeconds: -1, successfulJobsHistoryLimit: -1, failedJobsHistoryLimit: -1 },
      [
        'spec.startingDeadlineSeconds: Invalid',
        'spec.successfulJobsHistoryLimit: Invalid',
        'spec.failedJobsHistoryLimit: Invalid',
      ],
    ],
    [
      'a selector for its jobs',
      { jobTemplate: jobTemplate({ selector: { matchLabels: { a: 'b' } }, manualSelector: true }) },
      ['spec.jobTemplate.spec.selector: Invalid', 'spec.jobTemplate.spec.manualSelector: NotSupported'],
    ],
    [
      'pods that run for ever',
      { jobTemplate: { spec: { template: { spec: podSpec() } } } },
      ['spec.jobTemplate.spec.template.spec.restartPolicy: Required'],
    ],
  ])('with %s', (_what, spec, expected) => {
    expect(createFaults(cronJobs, cronJob(spec))).toEqual(expected);
  });

  it('leaves room in its name for those of its jobs', () => {
    expect(createFaults(cronJobs, cronJob({}, 'x'.repeat(52)))).toEqual([]);
    expect(createFaults(cronJobs, cronJob({}, 'x'.repeat(53)))).toEqual(['metadata.name: Invalid']);
  });

  it('may change', () => {
    const change = cronJob({ schedule: '@daily', suspend: true, timeZone: 'UTC', concurrencyPolicy: 'Replace' });
    expect(updated(cronJobs, cronJobs.update, cronJob(), change).faults).toEqual([]);
    expect(updated(cronJobs, cronJobs.update, cronJob(), cronJob({ schedule: '61 * * * *' })).faults).toEqual([
      'spec.schedule: Invalid',
    ]);
  });

  it('shows when it runs', () => {
    const object = created(cronJobs, cronJob({ timeZone: 'UTC' }));
    object.status = { active: [{ name: 'a' }], lastScheduleTime: '2026-01-01T23:59:00Z' };
    expect(tableRow(cronJobs, object, NOW, 'None')).toEqual({
      cells: ['hello', '*/5 * * * *', 'UTC', 'False', 1, '60s', '<unknown>', 'web', 'nginx:1.25', '<none>'],
    });
  });
});
