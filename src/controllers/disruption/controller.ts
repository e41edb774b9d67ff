/** Runs the plan of every pod disruption budget. */
import { deployments } from '../../apis/apps/deployment.ts';
import { replicaSets } from '../../apis/apps/replicaSet.ts';
import { statefulSets } from '../../apis/apps/statefulSet.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { replicationControllers } from '../../apis/core/replicationController.ts';
import { type PodDisruptionBudget, podDisruptionBudgets } from '../../apis/policy/podDisruptionBudget.ts';
import type { Informer } from '../../client/informer.ts';
import { keyOf } from '../../client/store.ts';
import { apiVersionOf, type Kind, type KubeObject, type Stored } from '../../machinery/kind.ts';
import { matchesLabels, type Selector, selectorFrom } from '../../machinery/labelSelector.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { planDisruption } from './plan.ts';
import { startStaleConditions } from './staleConditions.ts';

/** Kinds whose objects say how many pods they are to have. */
const SCALABLE = [
  deployments,
  replicaSets,
  statefulSets,
  replicationControllers,
] as unknown as readonly Kind<Scalable>[];

interface Scalable extends KubeObject {
  readonly spec?: { readonly replicas?: number };
}

export function startDisruptionController(context: ControllerContext): void {
  const informer = context.informers.of(podDisruptionBudgets);
  const podInformer = context.informers.of(pods);
  const owners = new Owners(SCALABLE.map((kind) => context.informers.of(kind)));
  const selected = (budget: Stored<PodDisruptionBudget>) => {
    const selector = selectorOf(budget);
    if (selector === undefined) return [];
    return podInformer.list(budget.metadata.namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels));
  };
  const loop = startLoop({
    name: 'disruption-controller',
    context,
    reads: [informer, podInformer, ...owners.informers],
    plan(key) {
      const budget = informer.byKey(key);
      if (budget === undefined) return undefined;
      const mine = selected(budget);
      return planDisruption({ budget, pods: mine, scale: owners.scaleOf(mine), now: context.clock.now() });
    },
  });
  startStaleConditions(context);
  const tell = (budget: Stored<PodDisruptionBudget>) => loop.enqueue(keyOf(budget));
  informer.handle({ onAdd: tell, onUpdate: tell });
  const tellOf = (...states: readonly Stored<Pod>[]) => {
    for (const budget of informer.list(states[0]?.metadata.namespace)) {
      const selector = selectorOf(budget);
      if (selector !== undefined && states.some((pod) => matchesLabels(selector, pod.metadata.labels))) tell(budget);
    }
  };
  podInformer.handle({
    onAdd: (pod) => tellOf(pod),
    onUpdate: (pod, old) => tellOf(pod, old),
    onDelete: (pod) => tellOf(pod),
  });
  // Scaled by somebody, before its pods follow.
  for (const scalable of owners.informers) {
    scalable.handle({
      onUpdate(object, old) {
        if (object.spec?.replicas === old.spec?.replicas) return;
        for (const budget of informer.list(object.metadata.namespace)) tell(budget);
      },
    });
  }
}

/** An empty selector selects all pods of the namespace, none at all selects no pod. */
function selectorOf(budget: PodDisruptionBudget): Selector | undefined {
  return budget.spec?.selector === undefined ? undefined : selectorFrom(budget.spec.selector);
}

class Owners {
  readonly informers: readonly Informer<Scalable>[];
  readonly #byKind: ReadonlyMap<string, Informer<Scalable>>;

  constructor(informers: readonly Informer<Scalable>[]) {
    this.informers = informers;
    this.#byKind = new Map(informers.map((i) => [`${apiVersionOf(i.kind)}/${i.kind.kind}`, i]));
  }

  /** What the controllers of these pods are to have, together, without pods that have none; a string: why that cannot be told. */
  scaleOf(all: readonly Stored<Pod>[]): number | string {
    const counted = new Map<string, number>();
    for (const pod of all) {
      if (controllerOf(pod) === undefined) continue;
      const found = this.#find(pod);
      if (typeof found === 'string') return found;
      if (found !== undefined) counted.set(found.metadata.uid, found.spec?.replicas ?? 1);
    }
    return [...counted.values()].reduce((sum, n) => sum + n, 0);
  }

  /** The object at the top that scales a pod; undefined where it is gone already. */
  #find(pod: Stored<Pod>): Stored<Scalable> | string | undefined {
    let object: Stored<KubeObject> = pod as Stored<KubeObject>;
    let found: Stored<Scalable> | undefined;
    for (;;) {
      const reference = controllerOf(object);
      if (reference === undefined) return found ?? `found no controllers for pod ${JSON.stringify(pod.metadata.name)}`;
      const informer = this.#byKind.get(`${reference.apiVersion}/${reference.kind}`);
      if (informer === undefined) {
        return found ?? `${reference.kind}.${reference.apiVersion} does not implement the scale subresource`;
      }
      const owner = informer.get(pod.metadata.namespace, reference.name);
      if (owner?.metadata.uid !== reference.uid) return found;
      found = owner;
      object = owner as Stored<KubeObject>;
    }
  }
}
