/**
 * The plans of deployments and replica sets in a tiny world where everything happens in any order: pods
 * become ready, fail and end when they like, the user changes his mind, controllers run now or later.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deployments } from '../../apis/apps/deployment.ts';
import { replicaSets } from '../../apis/apps/replicaSet.ts';
import { pods } from '../../apis/core/pod.ts';
import { isActive, isReady } from '../podState.ts';
import { deploymentOf, TinyWorld, template } from '../testing/objects.ts';
import { boundsOf } from './sizes.ts';

type Step =
  | { do: 'deployment' }
  | { do: 'set'; which: number }
  | { do: 'ready' | 'fail' | 'unready' | 'end'; which: number }
  | { do: 'image'; image: number }
  | { do: 'scale'; replicas: number }
  | { do: 'pause'; paused: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>({ do: 'deployment' }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('set' as const), which: fc.nat(5) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('ready' as const), which: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('end' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('fail' as const, 'unready' as const), which: fc.nat(20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('image' as const), image: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('scale' as const), replicas: fc.nat(8) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pause' as const), paused: fc.boolean() }) },
);

const bound = fc.oneof(
  fc.nat(3),
  fc.nat(100).map((n) => `${n}%`),
);

class Simulation {
  readonly world = new TinyWorld();

  get deployment() {
    const found = this.world.get(deployments, 'web');
    if (found === undefined) throw new Error('the deployment is gone');
    return found;
  }

  get active() {
    return this.world.list(pods).filter(isActive);
  }

  run(step: Step): void {
    const { world } = this;
    world.now += 1000;
    switch (step.do) {
      case 'deployment':
        world.carryOut(world.planDeployment(this.deployment));
        return;
      case 'set': {
        const sets = world.list(replicaSets);
        const set = sets[step.which % sets.length];
        if (set !== undefined) world.carryOut(world.planSet(set));
        return;
      }
      case 'ready':
      case 'unready':
      case 'fail': {
        const pod = this.active[step.which % this.active.length];
        if (pod !== undefined) world.setPodStatus(pod, step.do === 'fail' ? 'Failed' : 'Running', step.do === 'ready');
        return;
      }
      case 'end': {
        const gone = world.list(pods).filter((p) => !isActive(p));
        const pod = gone[step.which % gone.length];
        if (pod !== undefined) world.remove(pods, pod.metadata.name);
        return;
      }
      case 'image':
        world.setSpec(this.deployment, { template: template(`image${step.image}`) });
        return;
      case 'scale':
        world.setSpec(this.deployment, { replicas: step.replicas });
        return;
      case 'pause':
        world.setSpec(this.deployment, { paused: step.paused });
    }
  }

  settle(): void {
    for (let i = 0; i < 1000; i++) {
      let changed = this.world.carryOut(this.world.planDeployment(this.deployment));
      for (const set of this.world.list(replicaSets)) changed = this.world.carryOut(this.world.planSet(set)) || changed;
      for (const pod of this.world.list(pods)) {
        if (!isActive(pod)) this.world.remove(pods, pod.metadata.name);
        else if (isReady(pod)) continue;
        else this.world.setPodStatus(pod, 'Running', true);
        changed = true;
      }
      if (!changed) return;
    }
    throw new Error('it does not come to rest');
  }
}

const strategy = fc
  .record({ maxSurge: bound, maxUnavailable: bound })
  .map((rollingUpdate) => ({ type: 'RollingUpdate', rollingUpdate }));

it('comes to rest with exactly the pods that are asked for, whatever happened before', () => {
  fc.assert(
    fc.property(strategy, fc.nat(8), fc.array(step, { maxLength: 120, size: 'max' }), (chosen, replicas, steps) => {
      const simulation = new Simulation();
      simulation.world.put(deployments, deploymentOf({ strategy: chosen, replicas }));
      for (const s of steps) simulation.run(s);
      simulation.run({ do: 'pause', paused: false });
      simulation.settle();
      const { deployment, active } = simulation;
      expect(active).toHaveLength(deployment.spec?.replicas ?? 1);
      const image = deployment.spec?.template.spec?.containers[0]?.image;
      for (const pod of active) expect(pod.spec?.containers[0]?.image).toBe(image);
      expect(deployment.status?.updatedReplicas ?? 0).toBe(deployment.spec?.replicas);
    }),
    { numRuns: 300 },
  );
});

it('never has more pods than the surge allows, nor takes away more than may be unavailable', () => {
  // The size stays: a change of it may add or remove pods at once.
  const steps = fc.array(
    step.filter((s) => s.do !== 'scale' && s.do !== 'fail' && s.do !== 'unready' && s.do !== 'pause'),
    { maxLength: 150, size: 'max' },
  );
  fc.assert(
    fc.property(strategy, fc.integer({ min: 1, max: 8 }), steps, (chosen, replicas, then) => {
      const simulation = new Simulation();
      simulation.world.put(deployments, deploymentOf({ strategy: chosen, replicas }));
      simulation.settle();
      const { maxSurge, maxUnavailable } = boundsOf(simulation.deployment);
      for (const s of then) {
        simulation.run(s);
        expect(simulation.active.length).toBeLessThanOrEqual(replicas + maxSurge);
        expect(simulation.active.filter(isReady).length).toBeGreaterThanOrEqual(replicas - maxUnavailable);
      }
    }),
    { numRuns: 300 },
  );
});
