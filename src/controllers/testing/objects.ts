/** Objects and a small world for tests of plans: what an API server, a kubelet and the other controllers would do. */
import { type Deployment, deployments } from '../../apis/apps/deployment.ts';
import { type ReplicaSet, replicaSets } from '../../apis/apps/replicaSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { apiVersionOf, type Kind, type KubeObject, type Stored } from '../../machinery/kind.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import { mergePatch } from '../../machinery/patch/merge.ts';
import { strategicMergePatch } from '../../machinery/patch/strategic.ts';
import type { JsonObject } from '../../machinery/schema/types.ts';
import { alreadyExists, conflict } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import { planDeployment } from '../deployment/plan.ts';
import type { Plan } from '../loop.ts';
import { planReplicaSet } from '../replicaSet/plan.ts';

export const START = Date.UTC(2026, 0, 1);

/** The objects that a test needs, kept by kind and name in one namespace. */
export class TinyWorld {
  now = START;
  readonly objects = new Map<string, Stored<KubeObject>>();
  readonly events: string[] = [];
  #revision = 0;
  #made = 0;

  put<T extends KubeObject>(kind: Kind<T>, object: T): Stored<T> {
    const revision = String(++this.#revision);
    const metadata = {
      namespace: 'default',
      creationTimestamp: formatTime(this.now),
      generation: 1,
      ...object.metadata,
      name: object.metadata?.name ?? `${object.metadata?.generateName}${this.#made++}`,
      uid: object.metadata?.uid ?? `uid-${this.#made++}`,
      resourceVersion: revision,
    };
    const stored = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata } as Stored<T>;
    this.objects.set(this.#key(kind, metadata.name), stored);
    return stored;
  }

  get<T extends KubeObject>(kind: Kind<T>, name: string): Stored<T> | undefined {
    return this.objects.get(this.#key(kind, name)) as Stored<T> | undefined;
  }

  remove(kind: Kind, name: string): void {
    this.objects.delete(this.#key(kind, name));
  }

  list<T extends KubeObject>(kind: Kind<T>): Stored<T>[] {
    return [...this.objects.values()].filter((o) => o.kind === kind.kind) as Stored<T>[];
  }

  owned<T extends KubeObject>(kind: Kind<T>, uid: string): Stored<T>[] {
    return this.list(kind).filter((o) => controllerOf(o)?.uid === uid);
  }

  orphans<T extends KubeObject>(kind: Kind<T>): Stored<T>[] {
    return this.list(kind).filter((o) => controllerOf(o) === undefined);
  }

  #key(kind: Pick<Kind, 'kind'>, name: string): string {
    return `${kind.kind}/${name}`;
  }

  /** Carries a plan out. Returns whether it changed anything. */
  carryOut(plan: Plan | undefined): boolean {
    if (plan === undefined) return false;
    const before = this.#revision;
    let failure: Error | undefined;
    try {
      for (const action of plan.actions) this.#do(action);
    } catch (error) {
      failure = error as Error;
    }
    for (const action of plan.after?.(failure) ?? []) this.#do(action);
    return this.#revision !== before;
  }

  #do(action: Action): void {
    switch (action.verb) {
      case 'event':
        this.events.push(`${action.reason}: ${action.message}`);
        return;
      case 'check':
        return;
      case 'work':
        throw new Error('work takes its time: it cannot be carried out here');
      case 'create': {
        const name = action.object.metadata?.name;
        if (name !== undefined && this.get(action.kind, name) !== undefined) throw alreadyExists(action.kind, name);
        const made = this.put(action.kind, action.object);
        const event = action.announce?.done?.(made);
        if (event !== undefined) this.#do(event);
        return;
      }
      case 'update':
        this.#update(action.kind, action.object, action.subresource);
        return;
      case 'patch': {
        const old = this.get(action.kind, action.ref.name);
        if (old === undefined) throw new Error(`patch of ${action.ref.name}, which is not there`);
        const from = old as unknown as JsonObject;
        const patch = action.patch as JsonObject;
        const changed =
          action.type === 'merge' ? mergePatch(from, patch) : strategicMergePatch(action.kind.schema, from, patch);
        this.put(action.kind, changed as KubeObject);
        return;
      }
      case 'delete': {
        this.#revision++;
        const { name } = action.object.metadata;
        const pod = action.kind.kind === 'Pod' && (action.object as Pod).spec?.nodeName !== undefined;
        if (!pod) this.remove(action.kind, name);
        else
          this.put(action.kind, {
            ...action.object,
            metadata: { ...action.object.metadata, deletionTimestamp: formatTime(this.now) },
          });
      }
    }
  }

  #update(
    kind: Kind,
    object: KubeObject & { spec?: unknown; status?: unknown },
    subresource: string | undefined,
  ): void {
    const name = object.metadata?.name ?? '';
    const old = this.get(kind, name) as (Stored<KubeObject> & { spec?: unknown; status?: unknown }) | undefined;
    if (old === undefined) throw new Error(`update of ${name}, which is not there`);
    if (old.metadata.resourceVersion !== object.metadata?.resourceVersion) throw conflict(kind, name, 'it has changed');
    if (subresource === 'status') {
      this.put(kind, { ...old, status: object.status } as KubeObject);
      return;
    }
    const raised = JSON.stringify(old.spec) === JSON.stringify(object.spec) ? 0 : 1;
    const generation = (old.metadata.generation ?? 0) + raised;
    this.put(kind, { ...object, metadata: { ...object.metadata, generation }, status: old.status } as KubeObject);
  }

  /** What a user does. */
  setSpec(deployment: Stored<Deployment>, change: Partial<NonNullable<Deployment['spec']>>): void {
    const spec = { ...deployment.spec, ...change } as NonNullable<Deployment['spec']>;
    this.#update(deployments, { ...deployment, spec }, undefined);
  }

  setPodStatus(pod: Stored<Pod>, phase: string, ready: boolean): void {
    const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: formatTime(this.now) };
    this.put(pods, {
      ...pod,
      spec: { ...pod.spec, nodeName: 'node' } as NonNullable<Pod['spec']>,
      status: { phase, conditions: [condition] },
    });
  }

  planSet(set: Stored<ReplicaSet>): Plan {
    const owned = this.owned(pods, set.metadata.uid);
    const update = (status: ReplicaSet['status']) => statusUpdate(replicaSets, { ...set, ...(status && { status }) });
    return planReplicaSet({
      kind: replicaSets,
      statusUpdate: update,
      set,
      owned,
      orphans: this.orphans(pods),
      related: owned,
      now: this.now,
    });
  }

  planDeployment(deployment: Stored<Deployment>): Plan {
    return planDeployment({
      deployment,
      owned: this.owned(replicaSets, deployment.metadata.uid),
      orphans: this.orphans(replicaSets),
      podsOf: (set) => this.owned(pods, set.metadata.uid),
      named: (name) => this.get(replicaSets, name),
      now: this.now,
    });
  }
}

export const template = (image: string): NonNullable<NonNullable<Deployment['spec']>['template']> => ({
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image }] },
});

export function deploymentOf(spec: Partial<NonNullable<Deployment['spec']>> = {}): Deployment {
  return {
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'web' } },
      template: template('one'),
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      ...spec,
    },
  };
}

export function setOf(spec: Partial<NonNullable<ReplicaSet['spec']>> = {}): ReplicaSet {
  return {
    metadata: { name: 'web' },
    spec: { replicas: 3, selector: { matchLabels: { app: 'web' } }, template: template('one'), ...spec },
  };
}
