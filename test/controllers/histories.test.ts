/**
 * Whatever happens to pods, nodes and specs, what is promised holds at every moment, and in the end all is as it
 * should be.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daemonSets } from '../../src/apis/apps/daemonSet.ts';
import { deployments } from '../../src/apis/apps/deployment.ts';
import { replicaSets } from '../../src/apis/apps/replicaSet.ts';
import { statefulSets } from '../../src/apis/apps/statefulSet.ts';
import { jobs } from '../../src/apis/batch/job.ts';
import { nodes } from '../../src/apis/core/node.ts';
import { pods } from '../../src/apis/core/pod.ts';
import { scaledValue } from '../../src/machinery/intOrString.ts';
import { isApiError } from '../../src/machinery/status.ts';
import { active, History, isGoing, isOver, type PodChange, ready } from './history.ts';
import { isReady, Simulation, template } from './simulation.ts';

const RUNS = { numRuns: 24, endOnFailure: true } as const;

let world: Simulation;
let made = 0;
beforeAll(async () => {
  world = await Simulation.start({ nodes: 4 });
});
afterAll(() => world.stop());

/** A name that no history before had. */
const newApp = () => `app${made++}`;
const behavior = { 'start-delay': '700ms', 'stop-delay': '400ms' };

/** Deletes a pod as a user would: what comes of that is nobody's fault. */
async function kill(history: History, which: number): Promise<string | undefined> {
  const all = active(history.all);
  const pod = all[which % Math.max(1, all.length)];
  if (pod === undefined) return undefined;
  // It may have gone in this very moment.
  await world.delete(pods, pod.metadata.name, which % 3 === 0 ? 0 : undefined).catch((error: unknown) => {
    if (!isApiError(error, 'NotFound')) throw error;
  });
  return pod.metadata.uid;
}

const pause = fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 3_000 }) });
const killing = fc.record({ do: fc.constant('kill' as const), which: fc.nat(20) });
const scaling = fc.record({ do: fc.constant('scale' as const), replicas: fc.nat(6) });
const imaging = fc.record({ do: fc.constant('image' as const), image: fc.nat(2) });

describe('a replica set', () => {
  it('never makes a pod too many, and has as many as it should in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(pause, killing, scaling), { maxLength: 12 }), async (steps) => {
        const app = newApp();
        let replicas = 3;
        // Who scales twice in a moment may find what was meant the first time.
        let limit = replicas;
        const history = await History.of(world, app, ({ type, after }) =>
          type === 'added' && active(after).length > limit ? `more than ${limit}` : undefined,
        );
        const spec = { replicas, selector: { matchLabels: { app } }, template: template(app, 'one', behavior) };
        await world.create(replicaSets, app, { spec });
        for (const step of steps) {
          if (step.do === 'wait') {
            await world.cluster.advance(step.ms);
            limit = replicas;
          } else if (step.do === 'kill') await kill(history, step.which);
          else {
            replicas = step.replicas;
            limit = Math.max(limit, replicas);
            await world.patch(replicaSets, app, { spec: { replicas } });
          }
        }
        await world.advance('40s');
        expect(history.faults).toEqual([]);
        expect([ready(history.all).length, history.all.size]).toEqual([replicas, replicas]);
        history.end();
        await world.delete(replicaSets, app);
        await world.advance('2s');
      }),
      RUNS,
    );
  });
});

describe('a deployment', () => {
  const bound = fc.oneof(
    fc.nat(3),
    fc.nat(10).map((n) => `${n * 10}%`),
  );
  const step = fc.oneof(
    pause,
    imaging,
    fc.record({ do: fc.constant('broken' as const) }),
    fc.record({ do: fc.constant('pause' as const), paused: fc.boolean() }),
  );
  it('never has more pods than may surge, nor fewer ready than may be missed, whatever is rolled out', async () => {
    await fc.assert(
      fc.asyncProperty(
        bound,
        bound,
        fc.integer({ min: 1, max: 6 }),
        fc.array(step, { maxLength: 10 }),
        async (...args) => {
          const [maxSurge, unavailable, replicas, steps] = args;
          const surge = scaledValue(maxSurge, replicas, 'up');
          const missed = scaledValue(unavailable, replicas, 'down');
          // The API refuses both as none; where percents come out as none, one may be missed.
          const isNone = (value: string | number) => value === 0 || value === '0%';
          if (isNone(maxSurge) && isNone(unavailable)) return;
          const most = replicas + surge;
          const least = replicas - Math.min(replicas, surge === 0 && missed === 0 ? 1 : missed);
          const app = newApp();
          let settled = false;
          const history = await History.of(world, app, ({ after }) => {
            if (active(after).length > most) return `more than ${most}`;
            return settled && ready(after).length < least ? `fewer than ${least} ready` : undefined;
          });
          const strategy = { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: unavailable } };
          const spec = {
            replicas,
            selector: { matchLabels: { app } },
            strategy,
            template: template(app, 'one', behavior),
          };
          await world.create(deployments, app, { spec });
          await world.advance('10s');
          expect(ready(history.all)).toHaveLength(replicas);
          settled = true;
          const roll = (image: string, more = {}) =>
            world.patch(deployments, app, { spec: { template: template(app, image, { ...behavior, ...more }) } });
          for (const s of steps) {
            if (s.do === 'wait') await world.cluster.advance(s.ms);
            else if (s.do === 'image') await roll(`image-${s.image}`);
            else if (s.do === 'broken') await roll('broken', { 'start-error': 'it is broken' });
            else await world.patch(deployments, app, { spec: { paused: s.paused } });
          }
          await world.patch(deployments, app, { spec: { paused: false, template: template(app, 'last', behavior) } });
          // `start-error` is an annotation of its own: a patch that merges leaves it.
          const prefix = 'simulation.kubets.io/start-error';
          await world.patch(deployments, app, {
            spec: { template: { metadata: { annotations: { [prefix]: null } } } },
          });
          await world.advance('2m');
          expect(history.faults).toEqual([]);
          const images = [...history.all.values()].map((pod) => pod.spec?.containers[0]?.image);
          expect(images).toEqual(Array.from({ length: replicas }, () => 'last'));
          history.end();
          await world.delete(deployments, app);
          await world.advance('3s');
        },
      ),
      RUNS,
    );
  });
});

describe('a stateful set', () => {
  it('never breaks its order, and is whole in the end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(pause, killing, scaling, imaging), { maxLength: 10 }), async (steps) => {
        const app = newApp();
        let replicas = 3;
        const killed = new Set<string | undefined>();
        const ordinal = (name: string) => Number(name.slice(app.length + 1));
        const isWell = (all: PodChange['after'], i: number) => {
          const pod = all.get(`${app}-${i}`);
          return pod !== undefined && isReady(pod);
        };
        const history = await History.of(world, app, ({ type, pod, before }) => {
          const own = ordinal(pod.metadata.name);
          if (type === 'added') {
            for (let i = 0; i < own; i++) if (!isWell(before, i)) return `before ${app}-${i} was ready`;
          }
          if (type === 'going' && !killed.has(pod.metadata.uid)) {
            for (const other of before.keys()) {
              if (ordinal(other) > own && !isWell(before, ordinal(other))) return `while ${other} was not ready`;
            }
          }
          return undefined;
        });
        const spec = {
          replicas,
          serviceName: app,
          selector: { matchLabels: { app } },
          template: template(app, 'one', behavior),
        };
        await world.create(statefulSets, app, { spec });
        let image = 'one';
        for (const step of steps) {
          if (step.do === 'wait') await world.cluster.advance(step.ms);
          else if (step.do === 'kill') {
            const all = active(history.all);
            // What is deleted is known before the deletion is heard of.
            killed.add(all[step.which % Math.max(1, all.length)]?.metadata.uid);
            await kill(history, step.which);
          } else if (step.do === 'scale') {
            replicas = step.replicas;
            await world.patch(statefulSets, app, { spec: { replicas } });
          } else {
            image = `image-${step.image}`;
            await world.patch(statefulSets, app, { spec: { template: template(app, image, behavior) } });
          }
        }
        await world.advance('2m');
        expect(history.faults).toEqual([]);
        const shown = [...history.all.values()].map((p) => `${p.metadata.name} ${p.spec?.containers[0]?.image}`).sort();
        expect(shown).toEqual(Array.from({ length: replicas }, (_, i) => `${app}-${i} ${image}`));
        history.end();
        await world.delete(statefulSets, app);
        await world.advance('2s');
      }),
      RUNS,
    );
  });
});

describe('a job', () => {
  it('counts each pod once, runs no more at a time than it may, and ends with exactly what was asked for', async () => {
    const step = fc.oneof(
      pause,
      pause,
      killing,
      fc.record({ do: fc.constant('suspend' as const), suspend: fc.boolean() }),
    );
    const size = fc.integer({ min: 1, max: 6 });
    await fc.assert(
      fc.asyncProperty(size, size, fc.boolean(), fc.array(step, { maxLength: 8 }), async (...args) => {
        const [completions, parallelism, indexed, steps] = args;
        const app = newApp();
        const succeeded = new Set<string>();
        const failed = new Set<string>();
        const history = await History.of(world, app, ({ type, pod, after }) => {
          if (pod.status?.phase === 'Succeeded') succeeded.add(pod.metadata.uid);
          else if (pod.status?.phase === 'Failed' || isGoing(pod)) failed.add(pod.metadata.uid);
          if (succeeded.has(pod.metadata.uid)) failed.delete(pod.metadata.uid);
          if (succeeded.size > completions) return `more than ${completions} succeeded`;
          return type === 'added' && active(after).length > parallelism
            ? `more than ${parallelism} at a time`
            : undefined;
        });
        const spec = {
          completions,
          parallelism,
          completionMode: indexed ? 'Indexed' : 'NonIndexed',
          backoffLimit: 1000,
          template: template(app, 'one', { 'run-for': '1500ms' }, { restartPolicy: 'Never' }),
        };
        await world.create(jobs, app, { spec });
        for (const s of steps) {
          if (s.do === 'wait') await world.cluster.advance(s.ms);
          else if (s.do === 'kill') await kill(history, s.which);
          else await world.patch(jobs, app, { spec: { suspend: s.suspend } }).catch(() => {});
        }
        await world.patch(jobs, app, { spec: { suspend: false } });
        await world.advance('30m');
        expect(history.faults).toEqual([]);
        const { status } = await world.get(jobs, app);
        expect(status?.conditions?.find((c) => c.type === 'Complete')?.status).toBe('True');
        expect(status).toMatchObject({ succeeded: completions, uncountedTerminatedPods: {} });
        if (indexed) expect(new Set(status?.completedIndexes?.split(/[,-]/)).has(String(completions - 1))).toBe(true);
        expect([...history.all.values()].filter((pod) => !isOver(pod))).toEqual([]);
        history.end();
        await world.cluster.client.delete(
          jobs,
          { namespace: 'default', name: app },
          { propagationPolicy: 'Background' },
        );
        await world.advance('2s');
      }),
      RUNS,
    );
  });
});

describe('a daemon set', () => {
  it('has no two pods on a node, and one on each that it belongs on in the end', async () => {
    const marking = fc.record({ do: fc.constant('mark' as const), node: fc.nat(3), on: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(pause, killing, marking, imaging), { maxLength: 10 }), async (steps) => {
        const app = newApp();
        const nodeOf = (pod: PodChange['pod']) => pod.spec?.nodeName ?? '';
        const history = await History.of(world, app, ({ after }) => {
          const where = active(after)
            .map(nodeOf)
            .filter((name) => name !== '');
          return new Set(where).size < where.length ? 'two on a node' : undefined;
        });
        const marked = new Set<string>();
        const mark = async (index: number, on: boolean) => {
          const name = `node-${index}`;
          if (on) marked.add(name);
          else marked.delete(name);
          await world.cluster.client.patch(nodes, { name }, 'merge', {
            metadata: { labels: { [app]: on ? 'yes' : null } },
          });
        };
        await mark(0, true);
        const pod = template(app, 'one', behavior, { nodeSelector: { [app]: 'yes' } });
        await world.create(daemonSets, app, { spec: { selector: { matchLabels: { app } }, template: pod } });
        let image = 'one';
        for (const step of steps) {
          if (step.do === 'wait') await world.cluster.advance(step.ms);
          else if (step.do === 'kill') await kill(history, step.which);
          else if (step.do === 'mark') await mark(step.node, step.on);
          else {
            image = `image-${step.image}`;
            const spec = { template: { spec: { containers: [{ name: 'main', image }] } } };
            await world.patch(daemonSets, app, { spec });
          }
        }
        await world.advance('1m');
        expect(history.faults).toEqual([]);
        const shown = [...history.all.values()].map(
          (p) => `${nodeOf(p)} ${p.spec?.containers[0]?.image} ${isReady(p)}`,
        );
        expect(shown.sort()).toEqual([...marked].sort().map((name) => `${name} ${image} true`));
        history.end();
        await world.delete(daemonSets, app);
        await world.advance('2s');
      }),
      RUNS,
    );
  });
});
