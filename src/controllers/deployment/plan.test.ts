import { describe, expect, it } from 'vitest';
import { type Deployment, deployments } from '../../apis/apps/deployment.ts';
import { replicaSets } from '../../apis/apps/replicaSet.ts';
import { pods } from '../../apis/core/pod.ts';
import type { Stored } from '../../machinery/kind.ts';
import { contentHash } from '../contentHash.ts';
import { deploymentOf, TinyWorld, template } from '../testing/objects.ts';
import { nextRevision, revisionOf } from './annotations.ts';

type Spec = Partial<NonNullable<Deployment['spec']>>;

class Rollout {
  readonly world = new TinyWorld();

  constructor(spec: Spec = {}) {
    this.world.put(deployments, deploymentOf(spec));
  }

  get deployment(): Stored<Deployment> {
    const found = this.world.get(deployments, 'web');
    if (found === undefined) throw new Error('the deployment is gone');
    return found;
  }

  get sets() {
    return this.world.list(replicaSets);
  }

  /** `image×replicas` of each set with replicas, oldest first */
  get sizes(): string[] {
    return this.sets
      .filter((s) => (s.spec?.replicas ?? 0) > 0)
      .map((s) => `${s.spec?.template?.spec?.containers[0]?.image}×${s.spec?.replicas}`);
  }

  set(spec: Spec): void {
    this.world.setSpec(this.deployment, spec);
  }

  /** Runs both controllers until nothing changes. @param ready whether pods become ready at once */
  settle(ready: boolean): void {
    for (let i = 0; i < 500; i++) {
      let changed = this.world.carryOut(this.world.planDeployment(this.deployment));
      for (const set of this.sets) changed = this.world.carryOut(this.world.planSet(set)) || changed;
      for (const pod of this.world.list(pods)) {
        if (pod.metadata.deletionTimestamp !== undefined) this.world.remove(pods, pod.metadata.name);
        else if (!ready || pod.status?.phase === 'Running') continue;
        else this.world.setPodStatus(pod, 'Running', true);
        changed = true;
      }
      if (!changed) return;
    }
    throw new Error('it does not come to rest');
  }

  step(): void {
    this.world.carryOut(this.world.planDeployment(this.deployment));
  }

  condition(type: string) {
    return this.deployment.status?.conditions?.find((c) => c.type === type);
  }
}

describe('a deployment', () => {
  it('makes a replica set of its template and becomes available', () => {
    const rollout = new Rollout();
    rollout.step();
    const hash = contentHash(template('one'), undefined);
    expect(rollout.sets).toMatchObject([
      {
        metadata: {
          name: `web-${hash}`,
          labels: { app: 'web', 'pod-template-hash': hash },
          annotations: {
            'deployment.kubernetes.io/revision': '1',
            'deployment.kubernetes.io/desired-replicas': '3',
            'deployment.kubernetes.io/max-replicas': '4',
          },
          ownerReferences: [{ kind: 'Deployment', name: 'web', controller: true }],
        },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'web', 'pod-template-hash': hash } },
          template: { metadata: { labels: { app: 'web', 'pod-template-hash': hash } } },
        },
      },
    ]);
    expect(hash).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]+$/);
    expect(rollout.world.events).toEqual([`ScalingReplicaSet: Scaled up replica set web-${hash} from 0 to 3`]);
    expect(rollout.condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetCreated' });
    expect(rollout.condition('Available')).toMatchObject({ status: 'False', reason: 'MinimumReplicasUnavailable' });
    rollout.settle(true);
    expect(rollout.condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
    expect(rollout.condition('Available')).toMatchObject({ status: 'True', reason: 'MinimumReplicasAvailable' });
    expect(rollout.deployment.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '1' });
    expect(rollout.deployment.status).toMatchObject({
      replicas: 3,
      updatedReplicas: 3,
      readyReplicas: 3,
      availableReplicas: 3,
    });
  });

  it('rolls a new template out, and back to the set that had the old one', () => {
    const rollout = new Rollout();
    rollout.settle(true);
    rollout.set({ template: template('two') });
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['two×3']);
    expect(rollout.sets.map(revisionOf)).toEqual([1n, 2n]);
    rollout.set({ template: template('one') });
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['one×3']);
    expect(rollout.sets.map(revisionOf).sort()).toEqual([2n, 3n]);
    const back = rollout.sets.find((s) => revisionOf(s) === 3n);
    expect(back?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1');
    expect(rollout.deployment.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('3');
  });

  it('counts revisions in whole numbers of 64 bits', () => {
    const withRevision = (text: string) => ({
      metadata: { annotations: { 'deployment.kubernetes.io/revision': text } },
    });
    expect(nextRevision([])).toBe(1n);
    expect(nextRevision(['7', '3546342826724305832', 'x', '99999999999999999999'].map(withRevision))).toBe(
      3546342826724305833n,
    );
  });

  it('goes no further with pods that do not become ready, and says so after the deadline', () => {
    const rollout = new Rollout({ replicas: 4, progressDeadlineSeconds: 60 });
    rollout.settle(true);
    rollout.set({ template: template('broken') });
    rollout.settle(false);
    expect(rollout.sizes).toEqual(['one×3', 'broken×2']);
    expect(rollout.condition('Progressing')).toMatchObject({ status: 'True' });
    const again = rollout.world.planDeployment(rollout.deployment).againMs ?? 0;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThanOrEqual(61_000);
    rollout.world.now += 62_000;
    rollout.settle(false);
    expect(rollout.condition('Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' });
    expect(rollout.condition('Available')).toMatchObject({ status: 'True' });
    rollout.set({ template: template('one') });
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['one×4']);
    expect(rollout.condition('Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' });
  });

  it('with Recreate lets the last old pod go before the first new one comes', () => {
    const rollout = new Rollout({ strategy: { type: 'Recreate' } });
    rollout.settle(true);
    rollout.set({ template: template('two') });
    for (let i = 0; i < 3; i++) {
      rollout.step();
      for (const set of rollout.sets) rollout.world.carryOut(rollout.world.planSet(set));
    }
    // The kubelet has not ended the old ones yet.
    expect(rollout.world.list(pods)).toHaveLength(3);
    expect(rollout.sizes).toEqual([]);
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['two×3']);
  });

  it('does not roll out while paused, but scales', () => {
    const rollout = new Rollout();
    rollout.settle(true);
    rollout.set({ paused: true, template: template('two') });
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['one×3']);
    expect(rollout.condition('Progressing')).toMatchObject({ status: 'Unknown', reason: 'DeploymentPaused' });
    rollout.set({ replicas: 5 });
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['one×5']);
    rollout.set({ paused: false });
    rollout.step();
    rollout.settle(true);
    expect(rollout.sizes).toEqual(['two×5']);
  });

  it('scales in the middle of a rollout in proportion', () => {
    const rollout = new Rollout({
      replicas: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    });
    rollout.settle(true);
    rollout.set({ template: template('two') });
    rollout.settle(false);
    expect(rollout.sizes).toEqual(['one×8', 'two×5']);
    rollout.set({ replicas: 15 });
    rollout.step();
    expect(rollout.sizes).toEqual(['one×11', 'two×7']);
  });

  it('keeps as many old replica sets as it is told to', () => {
    const rollout = new Rollout({ revisionHistoryLimit: 2 });
    for (let i = 0; i < 5; i++) {
      rollout.settle(true);
      rollout.set({ template: template(`v${i}`) });
    }
    rollout.settle(true);
    expect(rollout.sets.map(revisionOf).sort()).toEqual([4n, 5n, 6n]);
  });

  it('takes another name where somebody else has the one of its template', () => {
    const rollout = new Rollout();
    const taken = `web-${contentHash(template('one'), undefined)}`;
    rollout.world.put(replicaSets, {
      metadata: { name: taken },
      spec: { replicas: 0, selector: { matchLabels: { app: 'db' } } },
    });
    rollout.settle(true);
    expect(rollout.deployment.status?.collisionCount).toBe(1);
    expect(rollout.sizes).toEqual(['one×3']);
  });

  it('adopts a replica set of its template instead of making one', () => {
    const rollout = new Rollout();
    rollout.settle(true);
    const [set] = rollout.sets;
    if (set === undefined) throw new Error('no set');
    const { ownerReferences: _owners, ...metadata } = set.metadata;
    rollout.world.put(replicaSets, { ...set, metadata });
    rollout.settle(true);
    expect(rollout.sets).toHaveLength(1);
    expect(rollout.sets[0]?.metadata.ownerReferences).toMatchObject([{ name: 'web' }]);
  });

  it('names a template the same whatever the order of its fields', () => {
    const a = { metadata: { labels: { x: '1', y: '2' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
    const b = { spec: { containers: [{ image: 'i', name: 'c' }] }, metadata: { labels: { y: '2', x: '1' } } };
    expect(contentHash(a, undefined)).toBe(contentHash(b, undefined));
    expect(contentHash(a, 1)).not.toBe(contentHash(a, undefined));
  });
});
