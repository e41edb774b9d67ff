import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CronJobSpec, cronJobs } from '../../src/apis/batch/cronJob.ts';
import { jobs } from '../../src/apis/batch/job.ts';
import { events } from '../../src/apis/core/event.ts';
import { controllerReference } from '../../src/machinery/ownerReferences.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start({ nodes: 1 });
});
afterEach(() => world.stop());

function create(spec: Partial<CronJobSpec> = {}, behavior: Readonly<Record<string, string>> = {}) {
  const jobTemplate = { spec: { template: template('tick', 'worker', behavior, { restartPolicy: 'Never' }) } };
  return world.create(cronJobs, 'tick', { spec: { schedule: '*/5 * * * *', jobTemplate, ...spec } });
}

const status = async () => (await world.get(cronJobs, 'tick')).status ?? {};
const all = async () => (await world.cluster.client.list(jobs, { namespace: NAMESPACE })).items;
const minutes = async () =>
  (await all())
    .map((job) => (Number(job.metadata.name.split('-')[1]) - Date.UTC(2026, 0, 1) / 60_000) as number)
    .sort((a, b) => a - b);

describe('a cron job', () => {
  it('makes a job at each time, and keeps the newest that succeeded', async () => {
    await create();
    await world.advance('26m');
    expect(await minutes()).toEqual([15, 20, 25]);
    expect(await status()).toMatchObject({
      lastScheduleTime: '2026-01-01T00:25:00Z',
      lastSuccessfulTime: expect.stringMatching(/^2026-01-01T00:25:0/),
    });
    const [job] = await all();
    expect(job?.metadata.annotations).toMatchObject({
      'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:15:00Z',
    });
  });

  it('goes by the clock of its zone', async () => {
    await create({ schedule: '30 5 * * *', timeZone: 'Asia/Kolkata' });
    await world.advance('23h');
    expect(await minutes()).toEqual([]);
    await world.advance('2h');
    // 05:30 there is midnight in UTC.
    expect(await minutes()).toEqual([24 * 60]);
    expect((await all())[0]?.metadata.annotations).toMatchObject({
      'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-02T05:30:00+05:30',
    });
  });

  it.each([
    ['Allow', 3],
    ['Forbid', 1],
    ['Replace', 1],
  ])('with jobs that take longer than its times are apart: %s', async (concurrencyPolicy, running) => {
    await create({ concurrencyPolicy }, { 'run-for': '1h' });
    await world.advance('16m');
    expect((await status()).active).toHaveLength(running);
    expect(await minutes()).toEqual({ Allow: [5, 10, 15], Forbid: [5], Replace: [15] }[concurrencyPolicy]);
  });

  it('lets jobs be that were made of its template by hand', async () => {
    await create({ concurrencyPolicy: 'Replace' });
    const cronJob = await world.get(cronJobs, 'tick');
    await world.cluster.client.create(jobs, {
      metadata: {
        name: 'manual',
        namespace: NAMESPACE,
        annotations: { 'cronjob.kubernetes.io/instantiate': 'manual' },
        ownerReferences: [controllerReference(cronJob, cronJobs)],
      },
      spec: { template: template('manual', 'worker', { 'run-for': '1h' }, { restartPolicy: 'Never' }) },
    });
    await world.advance('6m');
    expect((await all()).map((job) => job.metadata.name)).toContain('manual');
    expect((await status()).active ?? []).toEqual([]);
    const said = (await world.cluster.client.list(events, { namespace: NAMESPACE })).items;
    expect(said.map((e) => e.message)).toContain('Saw a job that the controller did not create or forgot: manual');
  });

  it('does nothing while it is suspended, and goes on with the last time that it missed', async () => {
    await create({ suspend: true });
    await world.advance('12m');
    expect(await minutes()).toEqual([]);
    await world.patch(cronJobs, 'tick', { spec: { suspend: false } });
    await world.advance('10s');
    expect(await minutes()).toEqual([10]);
  });

  it('does not start what is too late', async () => {
    await create({ suspend: true, startingDeadlineSeconds: 60 });
    await world.advance('12m');
    await world.patch(cronJobs, 'tick', { spec: { suspend: false } });
    await world.advance('10s');
    expect(await minutes()).toEqual([]);
    await world.advance('3m');
    expect(await minutes()).toEqual([15]);
  });

  it('keeps as many that failed as it is told to', async () => {
    await create({
      failedJobsHistoryLimit: 2,
      jobTemplate: {
        spec: { backoffLimit: 0, template: template('tick', 'w', { 'exit-code': '1' }, { restartPolicy: 'Never' }) },
      },
    });
    await world.advance('26m');
    expect(await minutes()).toEqual([20, 25]);
  });
});
