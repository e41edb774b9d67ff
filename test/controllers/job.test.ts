import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JobSpec, jobs } from '../../src/apis/batch/job.ts';
import { type Pod, pods } from '../../src/apis/core/pod.ts';
import { isApiError } from '../../src/machinery/status.ts';
import { NAMESPACE, Simulation, template } from './simulation.ts';

let world: Simulation;
beforeEach(async () => {
  world = await Simulation.start();
});
afterEach(() => world.stop());

type Behavior = Readonly<Record<string, string>>;

function create(spec: Partial<JobSpec> = {}, behavior: Behavior = {}, restartPolicy = 'Never') {
  return world.create(jobs, 'work', {
    spec: { template: template('work', 'worker', behavior, { restartPolicy }), ...spec },
  });
}

const status = async () => (await world.get(jobs, 'work')).status ?? {};
const conditions = async () =>
  (await status()).conditions?.filter((c) => c.status === 'True').map((c) => `${c.type}: ${c.reason}`) ?? [];
const isActive = (pod: Pod) => pod.status?.phase === 'Pending' || pod.status?.phase === 'Running';
const indexOf = (pod: Pod) => pod.metadata?.annotations?.['batch.kubernetes.io/job-completion-index'];

describe('a job', () => {
  it('runs as many pods as are to complete, no more at a time than it may, and counts each once', async () => {
    await create({ completions: 7, parallelism: 3 });
    await world.watching('work', { seconds: 15, stepMs: 100 }, (all) => {
      expect(all.filter(isActive).length).toBeLessThanOrEqual(3);
      expect(all.length).toBeLessThanOrEqual(7);
    });
    expect(await status()).toMatchObject({ succeeded: 7, ready: 0, terminating: 0, uncountedTerminatedPods: {} });
    expect(await conditions()).toEqual(['SuccessCriteriaMet: CompletionsReached', 'Complete: CompletionsReached']);
    expect((await status()).completionTime).toBeDefined();
    const all = await world.pods('work');
    expect(all).toHaveLength(7);
    // What has ended is let go of.
    expect(all.flatMap((pod) => pod.metadata.finalizers ?? [])).toEqual([]);
  });

  it('without a number of completions is done when one succeeded and none runs', async () => {
    await create({ parallelism: 3 });
    await world.advance('10s');
    expect((await status()).succeeded).toBe(3);
    expect(await conditions()).toContain('Complete: CompletionsReached');
  });

  it('tries again after failures, later each time, and gives up', async () => {
    await create({ backoffLimit: 2 }, { 'exit-code': '1' });
    await world.advance('5s');
    expect(await world.pods('work')).toHaveLength(1);
    await world.advance('8s');
    expect(await world.pods('work')).toHaveLength(2);
    await world.advance('15s');
    expect(await world.pods('work')).toHaveLength(2);
    await world.advance('15s');
    expect(await world.pods('work')).toHaveLength(3);
    expect(await conditions()).toEqual(['FailureTarget: BackoffLimitExceeded', 'Failed: BackoffLimitExceeded']);
    expect((await status()).failed).toBe(3);
  });

  it('counts restarts where containers are restarted in their pods', async () => {
    await create({ backoffLimit: 1 }, { 'exit-code': '1' }, 'OnFailure');
    await world.advance('1m');
    expect(await conditions()).toContain('Failed: BackoffLimitExceeded');
    expect((await world.pods('work')).filter(isActive)).toEqual([]);
  });

  it('ends when it ran too long', async () => {
    await create({ activeDeadlineSeconds: 5 }, { 'run-for': '1h', 'stop-delay': '1s' });
    await world.advance('4s');
    expect((await status()).active).toBe(1);
    await world.advance('1500ms');
    // Pods are on their way out: it is said that it will fail, and not yet that it has.
    expect(await conditions()).toEqual(['FailureTarget: DeadlineExceeded']);
    await world.advance('5s');
    expect(await conditions()).toEqual(['FailureTarget: DeadlineExceeded', 'Failed: DeadlineExceeded']);
  });

  it('is suspended and resumed', async () => {
    await create({ suspend: true, completions: 2, parallelism: 2 });
    await world.advance('5s');
    expect(await world.pods('work')).toEqual([]);
    expect(await conditions()).toEqual(['Suspended: JobSuspended']);
    await world.patch(jobs, 'work', { spec: { suspend: false } });
    await world.advance('500ms');
    expect((await status()).active).toBe(2);
    await world.patch(jobs, 'work', { spec: { suspend: true } });
    await world.advance('3s');
    expect((await status()).active).toBeUndefined();
    await world.patch(jobs, 'work', { spec: { suspend: false } });
    await world.advance('20s');
    expect(await conditions()).toContain('Complete: CompletionsReached');
  });

  it('counts no failures for pods that it stops because they are too many', async () => {
    await create({ completions: 4, parallelism: 4, backoffLimit: 0 }, { 'run-for': '10s', 'stop-delay': '1s' });
    await world.advance('2s');
    await world.patch(jobs, 'work', { spec: { parallelism: 2 } });
    await world.advance('3s');
    expect(await status()).toMatchObject({ active: 2, terminating: 0 });
    await world.patch(jobs, 'work', { spec: { suspend: true } });
    await world.advance('3s');
    expect(await world.pods('work')).toEqual([]);
    await world.patch(jobs, 'work', { spec: { suspend: false, parallelism: 4 } });
    await world.advance('30s');
    expect(await status()).toMatchObject({ succeeded: 4 });
    expect((await status()).failed).toBeUndefined();
    expect(await conditions()).toContain('Complete: CompletionsReached');
  });

  it('replaces a pod that is deleted', async () => {
    await create({}, { 'run-for': '10s' });
    await world.advance('2s');
    const [first] = await world.pods('work');
    await world.delete(pods, first?.metadata.name ?? '');
    await world.advance('1m');
    expect(await status()).toMatchObject({ succeeded: 1, failed: 1 });
  });

  it('goes away after it is finished, with its pods', async () => {
    await create({ ttlSecondsAfterFinished: 10 });
    await world.advance('8s');
    expect(await conditions()).toContain('Complete: CompletionsReached');
    await world.advance('20s');
    await expect(status()).rejects.toSatisfy((error) => isApiError(error, 'NotFound'));
    expect(await world.pods('work')).toEqual([]);
  });

  it('leaves nothing that cannot be deleted when it is deleted itself', async () => {
    await create({ parallelism: 2, completions: 4 }, { 'run-for': '1h' });
    await world.advance('3s');
    await world.cluster.client.delete(
      jobs,
      { namespace: NAMESPACE, name: 'work' },
      { propagationPolicy: 'Background' },
    );
    await world.advance('10s');
    expect(await world.pods('work')).toEqual([]);
  });
});

describe('an indexed job', () => {
  const indexed = { completionMode: 'Indexed', completions: 5, parallelism: 2 };

  it('has one pod for each index', async () => {
    await create(indexed);
    await world.advance('20s');
    const all = await world.pods('work');
    expect(all.map(indexOf).sort()).toEqual(['0', '1', '2', '3', '4']);
    expect(all.map((pod) => pod.spec?.hostname)).toContain('work-3');
    expect(await status()).toMatchObject({ succeeded: 5, completedIndexes: '0-4' });
  });

  it('limits failures by index, and fails when one was given up', async () => {
    const behavior = ({ pod }: { pod: Pod }) => (indexOf(pod) === '1' ? { exitCode: 9 } : {});
    await world.stop();
    world = await Simulation.start({ behavior });
    await create({ ...indexed, completions: 3, backoffLimitPerIndex: 1 });
    await world.advance('2m');
    expect(await status()).toMatchObject({ succeeded: 2, completedIndexes: '0,2', failedIndexes: '1', failed: 2 });
    expect(await conditions()).toContain('Failed: FailedIndexes');
  });

  it('succeeds early where it says which indexes are enough', async () => {
    const behavior = ({ pod }: { pod: Pod }) => ({ runMs: indexOf(pod) === '0' ? 500 : 60_000 });
    await world.stop();
    world = await Simulation.start({ behavior });
    await create({ ...indexed, successPolicy: { rules: [{ succeededIndexes: '0', succeededCount: 1 }] } });
    await world.advance('30s');
    expect(await conditions()).toEqual(['SuccessCriteriaMet: SuccessPolicy', 'Complete: SuccessPolicy']);
    expect((await world.pods('work')).filter(isActive)).toEqual([]);
  });
});

describe('rules for failures', () => {
  const rule = (action: string, values: number[]) => ({
    podFailurePolicy: { rules: [{ action, onExitCodes: { operator: 'In', values } }] },
  });

  it('fail the job at once', async () => {
    await create(rule('FailJob', [42]), { 'exit-code': '42' });
    await world.advance('10s');
    const { conditions = [] } = await status();
    expect(conditions.find((c) => c.type === 'Failed')).toMatchObject({
      reason: 'PodFailurePolicy',
      message: expect.stringMatching(
        /^Container main failed with exit code 42 for pod default\/work-.* matching FailJob rule at index 0$/,
      ),
    });
  });

  it('let failures not count', async () => {
    await create({ ...rule('Ignore', [7]), backoffLimit: 0 }, { 'exit-code': '7' });
    await world.advance('1m');
    expect((await status()).failed).toBeUndefined();
    expect((await world.pods('work')).length).toBeGreaterThan(1);
    expect(await conditions()).toEqual([]);
  });
});
