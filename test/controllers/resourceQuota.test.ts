/** Quotas and limit ranges in a whole cluster. */
import { afterEach, describe, expect, it } from 'vitest';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { configMaps } from '../../src/apis/core/configMap.ts';
import { limitRanges } from '../../src/apis/core/limitRange.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { resourceQuotas } from '../../src/apis/core/resourceQuota.ts';
import { services } from '../../src/apis/core/service.ts';
import { Simulation, template } from './simulation.ts';

let simulation: Simulation;
afterEach(() => simulation.stop());

const quota = (name: string, hard: Record<string, string>, more: object = {}) =>
  simulation.create(resourceQuotas, name, { spec: { hard, ...more } });
const statusOf = async (name: string) => (await simulation.get(resourceQuotas, name)).status;
const pod = (name: string, resources?: object) =>
  simulation.create(pods, name, {
    spec: { containers: [{ name: 'c', image: 'a:1', ...(resources === undefined ? {} : { resources }) }] },
  });

describe('a resource quota', () => {
  it('counts what is there, refuses what is too much, and hears of what goes', async () => {
    simulation = await Simulation.start();
    await quota('objects', { pods: '2', 'count/configmaps': '3', 'services.nodeports': '1' });
    await simulation.advance('2s');
    // There is a config map with the cluster's CA in every namespace.
    expect(await statusOf('objects')).toMatchObject({
      used: { pods: '0', 'count/configmaps': '1', 'services.nodeports': '0' },
    });
    await pod('a');
    await pod('b');
    await expect(pod('c')).rejects.toMatchObject({
      code: 403,
      message: expect.stringContaining('exceeded quota: objects, requested: pods=1, used: pods=2, limited: pods=2'),
    });
    await simulation.delete(pods, 'a', 0);
    await simulation.advance('2s');
    expect((await statusOf('objects'))?.used?.pods).toBe('1');
    await pod('c');
    const ports = [{ port: 80 }];
    await simulation.create(services, 'one', { spec: { type: 'NodePort', ports } });
    await expect(simulation.create(services, 'two', { spec: { type: 'NodePort', ports } })).rejects.toThrow(
      'services.nodeports=1',
    );
  });

  it('never gives more than there is to writes at the same time', async () => {
    simulation = await Simulation.start();
    await quota('maps', { configmaps: '5' });
    await simulation.advance('2s');
    const tries = Array.from({ length: 20 }, (_, i) =>
      simulation.create(configMaps, `m${i}`, {}).then(
        () => true,
        () => false,
      ),
    );
    const made = (await Promise.all(tries)).filter((ok) => ok).length;
    expect(made).toBe(4);
    await simulation.advance('2s');
    expect(await statusOf('maps')).toEqual({ hard: { configmaps: '5' }, used: { configmaps: '5' } });
  });

  it('counts what pods ask for, which they must say, within its scopes', async () => {
    simulation = await Simulation.start();
    await quota('compute', { 'requests.cpu': '1', 'limits.memory': '1Gi' });
    await quota('idle', { pods: '1' }, { scopes: ['BestEffort'] });
    await simulation.advance('2s');
    await expect(pod('silent')).rejects.toThrow('must specify requests.cpu for: c; limits.memory for: c');
    const asking = (cpu: string) => ({ requests: { cpu }, limits: { memory: '256Mi' } });
    await pod('a', asking('600m'));
    await expect(pod('b', asking('600m'))).rejects.toThrow(
      'requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1',
    );
    await pod('b', asking('400m'));
    expect(await statusOf('compute')).toMatchObject({ used: { 'requests.cpu': '1', 'limits.memory': '512Mi' } });
    expect(await statusOf('idle')).toMatchObject({ used: { pods: '0' } });
  });

  it('holds a deployment back', async () => {
    simulation = await Simulation.start();
    await quota('pods', { pods: '2' });
    await simulation.advance('2s');
    const labels = { app: 'web' };
    await simulation.create(deployments, 'web', {
      spec: { replicas: 3, selector: { matchLabels: labels }, template: template('web', 'a:1') },
    });
    await simulation.advance('10s');
    expect(await simulation.pods('web')).toHaveLength(2);
    await simulation.patch(resourceQuotas, 'pods', { spec: { hard: { pods: '3' } } });
    await simulation.advance('2m');
    expect(await simulation.pods('web')).toHaveLength(3);
  });
});

describe('a limit range', () => {
  it('says what containers do not say, and keeps them within bounds', async () => {
    simulation = await Simulation.start();
    await simulation.create(limitRanges, 'limits', {
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '500m' },
            defaultRequest: { cpu: '100m' },
            max: { cpu: '1' },
            min: { cpu: '50m' },
          },
          { type: 'Pod', max: { memory: '1Gi' } },
        ],
      },
    });
    const memory = { requests: { memory: '1Mi' }, limits: { memory: '1Mi' } };
    const { spec, metadata } = await pod('filled', memory);
    expect(spec?.containers[0]?.resources).toEqual({
      requests: { cpu: '100m', memory: '1Mi' },
      limits: { cpu: '500m', memory: '1Mi' },
    });
    expect(metadata.annotations?.['kubernetes.io/limit-ranger']).toBe(
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    );
    const with2 = { requests: { memory: '1Mi', cpu: '10m' }, limits: { memory: '2Gi', cpu: '2' } };
    await expect(pod('greedy', with2)).rejects.toMatchObject({
      code: 403,
      message: expect.stringMatching(
        /minimum cpu usage per Container is 50m, but request is 10m.*maximum cpu usage per Container is 1, but limit is 2.*maximum memory usage per Pod is 1Gi, but limit is 2Gi/,
      ),
    });
  });
});
