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
import type { OwnerReference } from '../../machinery/meta.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import type { ControllerContext } from '../context.ts';
import type { CustomKinds } from '../customKinds.ts';
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

export function startDisruptionController(context: ControllerContext, custom: CustomKinds): void {
  const informer = context.informers.of(podDisruptionBudgets);
  const podInformer = context.informers.of(pods);
  const owners = new Owners(
    SCALABLE.map((kind) => context.informers.of(kind)),
    (reference, namespace) => {
      const kind = custom.byKind(reference.apiVersion, reference.kind);
      if (kind === undefined) return undefined;
      const owner = context.informers.of(kind).get(namespace, reference.name);
      if (owner?.metadata.uid !== reference.uid) return 'gone';
      return custom.replicasOf(kind, owner);
    },
  );
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
  const tellAll = ({ metadata }: Stored<KubeObject>) => {
    for (const budget of informer.list(metadata.namespace)) tell(budget);
  };
  custom.handle({
    onAdd(kind) {
      context.informers.of(kind).handle({
        onAdd: tellAll,
        onUpdate(object, old) {
          if (custom.replicasOf(kind, object) !== custom.replicasOf(kind, old)) tellAll(object);
        },
      });
    },
  });
  // Scaled by somebody, before its pods follow.
  for (const scalable of owners.informers) {
    scalable.handle({
      onUpdate(object, old) {
        if (object.spec?.replicas === old.spec?.replicas) return;
        tellAll(object);
      },
    });
  }
}

/** An empty selector selects all pods of the namespace, none at all selects no pod. */
function selectorOf(budget: PodDisruptionBudget): Selector | undefined {
  return budget.spec?.selector === undefined ? undefined : selectorFrom(budget.spec.selector);
}

/** What an owner is to have. */
interface Scale {
  readonly uid: string;
  readonly replicas: number;
}

/** How many pods a custom resource is to have; undefined where it does not say. */
type CustomScale = (reference: OwnerReference, namespace: string | undefined) => number | 'gone' | undefined;

class Owners {
  readonly informers: readonly Informer<Scalable>[];
  readonly #byKind: ReadonlyMap<string, Informer<Scalable>>;
  readonly #custom: CustomScale;

  constructor(informers: readonly Informer<Scalable>[], custom: CustomScale) {
    this.informers = informers;
    this.#custom = custom;
    this.#byKind = new Map(informers.map((i) => [`${apiVersionOf(i.kind)}/${i.kind.kind}`, i]));
  }

  /** What the controllers of these pods are to have, together, without pods that have none; a string: why that cannot be told. */
  scaleOf(all: readonly Stored<Pod>[]): number | string {
    const counted = new Map<string, number>();
    for (const pod of all) {
      if (controllerOf(pod) === undefined) continue;
      const found = this.#find(pod);
      if (typeof found === 'string') return found;
      if (found !== undefined) counted.set(found.uid, found.replicas);
    }
    return [...counted.values()].reduce((sum, n) => sum + n, 0);
  }

  /** The object at the top that scales a pod; undefined where it is gone already. */
  #find(pod: Stored<Pod>): Scale | string | undefined {
    let object: Stored<KubeObject> = pod as Stored<KubeObject>;
    let found: Scale | undefined;
    for (;;) {
      const reference = controllerOf(object);
      if (reference === undefined) return found ?? `found no controllers for pod ${JSON.stringify(pod.metadata.name)}`;
      const informer = this.#byKind.get(`${reference.apiVersion}/${reference.kind}`);
      if (informer === undefined) {
        if (found !== undefined) return found;
        const replicas = this.#custom(reference, pod.metadata.namespace);
        if (replicas === 'gone') return undefined;
        if (replicas !== undefined) return { uid: reference.uid, replicas };
        return `${reference.kind}.${reference.apiVersion} does not implement the scale subresource`;
      }
      const owner = informer.get(pod.metadata.namespace, reference.name);
      if (owner?.metadata.uid !== reference.uid) return found;
      found = { uid: owner.metadata.uid, replicas: owner.spec?.replicas ?? 1 };
      object = owner as Stored<KubeObject>;
    }
  }
}
