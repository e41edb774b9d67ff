/** The loop: takes the next pod, decides where it goes, and has that done while the next one is looked at. */
import type { Random } from '../lib/random.ts';
import { type ActionContext, bind, isGone, makeRoom, reportFailure } from './actions.ts';
import type { ClusterCache } from './clusterCache.ts';
import type { BudgetsOf } from './disruptionBudgets.ts';
import { unschedulableMessage } from './message.ts';
import type { NodeInfo } from './nodeInfo.ts';
import type { Verdict } from './podCondition.ts';
import type { PodInfo } from './podInfo.ts';
import { planPreemption } from './preemption.ts';
import { type Placement, schedule } from './schedule.ts';
import type { QueuedPod, SchedulingQueue } from './schedulingQueue.ts';
import type { Snapshot } from './snapshot.ts';

export interface SchedulingLoopParts {
  readonly cache: ClusterCache;
  readonly queue: SchedulingQueue;
  readonly random: Random;
  readonly actions: ActionContext;
  readonly budgets: BudgetsOf;
  /** What the pod must have before it is bound; for most pods there is nothing. */
  reservations(pod: PodInfo): readonly Reservations[];
}

/** How a pod gets what its claims ask for: devices, or volumes. */
export interface Reservations {
  /** in whose name they are refused */
  readonly plugin: string;
  /** From now on they are the pod's. @returns false where they are gone */
  reserve(pod: PodInfo, node: NodeInfo): boolean;
  /** Writes down what was reserved. @throws ApiError, TransportError */
  write(pod: PodInfo): Promise<void>;
  /** Resolves when others have done what the pod has to wait for. @throws Error with what to say of the pod */
  readonly made?: (pod: PodInfo) => Promise<void>;
  /** What was reserved and not written is free again. */
  release(pod: PodInfo): void;
}

/** What a pod needs before it can be bound did not come. */
export class PreBindError extends Error {
  override readonly name = 'PreBindError';

  constructor(plugin: string, why: string) {
    super(`running PreBind plugin ${JSON.stringify(plugin)}: ${why}`);
  }
}

/** After so many pods in a row other work of the process has its turn. */
const PODS_PER_TURN = 16;
/** Bindings, and reports of failures, that are under way at once. */
const MAX_UNDER_WAY = 100;

export class SchedulingLoop {
  readonly #parts: SchedulingLoopParts;
  #started = false;
  #awake = false;
  #underWay = 0;
  /** the node to begin with next time */
  #nextNode = 0;
  /** What is being written of pods that could not be placed: what comes later must not be overtaken by it. */
  readonly #reports = new WeakMap<QueuedPod, Promise<void>>();

  constructor(parts: SchedulingLoopParts) {
    this.#parts = parts;
  }

  /** What is in the cluster is known: from now on pods are scheduled. */
  start(): void {
    this.#started = true;
    this.wake();
  }

  /** There is a pod to take. */
  wake(): void {
    if (!this.#started || this.#awake) return;
    this.#awake = true;
    this.#parts.actions.clock.soon(() => this.#turn());
  }

  #turn(): void {
    this.#awake = false;
    const { queue, actions } = this.#parts;
    for (let i = 0; i < PODS_PER_TURN; i++) {
      if (actions.signal.aborted || this.#underWay >= MAX_UNDER_WAY) return;
      const queued = queue.take();
      if (queued === undefined) return;
      this.#underWay++;
      void this.#schedule(queued).finally(() => {
        this.#underWay--;
        this.wake();
      });
    }
    this.wake();
  }

  /** Decides at once; the promise is for what follows from it. */
  async #schedule(queued: QueuedPod): Promise<void> {
    const { cache, queue, random, actions } = this.#parts;
    try {
      const snapshot = cache.snapshot();
      const placement = schedule(snapshot, queued.info, random, this.#nextNode);
      this.#nextNode = (this.#nextNode + placement.examined) % Math.max(1, snapshot.nodes.length);
      if (placement.nodeName === undefined) await this.#refuse(queued, snapshot, placement.refusals);
      else await this.#place(queued, placement.nodeName);
    } catch (error) {
      if (actions.signal.aborted) return;
      const { namespace, name } = queued.info;
      actions.log.error('cannot schedule a pod', { pod: `${namespace}/${name}`, err: error });
      queue.failed(queued, new Set());
    }
  }

  async #place(queued: QueuedPod, nodeName: string): Promise<void> {
    const { cache, queue, actions } = this.#parts;
    const pod = queued.info;
    const reservations = this.#parts.reservations(pod);
    if (reservations.length > 0) {
      const node = cache.snapshot().nodes.find((n) => n.name === nodeName);
      const gone = reservations.find((r) => node === undefined || !r.reserve(pod, node));
      if (gone !== undefined) {
        for (const r of reservations) r.release(pod);
        queue.failed(queued, new Set([gone.plugin]));
        return;
      }
    }
    // From now on it counts as being there.
    cache.setPod(pod, nodeName);
    try {
      await this.#reports.get(queued);
      if (reservations.length > 0) await this.#carryOut(reservations, pod);
      await bind(actions, pod, nodeName);
    } catch (error) {
      if (actions.signal.aborted) return;
      for (const r of reservations) r.release(pod);
      // The informer may have told meanwhile that it was bound after all, or is gone.
      if (!queue.has(queued)) return;
      cache.removePod(pod.uid);
      queue.clusterChanged(['podGone']);
      queue.failed(queued, new Set());
      if (isGone(error)) return;
      const why = (error as Error).message;
      const message = error instanceof PreBindError ? why : `binding rejected: ${why}`;
      await this.#report(queued, { reason: 'SchedulerError', message, nominatedNodeName: undefined });
    }
  }

  /** While others make what the pod waits for, which may take minutes, it keeps nobody else from being placed. */
  async #carryOut(reservations: readonly Reservations[], pod: PodInfo): Promise<void> {
    for (const r of reservations) await r.write(pod);
    const waits = reservations.filter((r) => r.made !== undefined);
    if (waits.length === 0) return;
    this.#underWay--;
    this.wake();
    try {
      for (const r of waits) await r.made?.(pod);
    } finally {
      this.#underWay++;
    }
  }

  /** Says why a pod was not placed, after all that was said of it before. Never throws. */
  #report(queued: QueuedPod, verdict: Verdict): Promise<void> {
    const before = this.#reports.get(queued) ?? Promise.resolve();
    // The pod as it is known by then: it may carry the last report already.
    const report = before.then(() => reportFailure(this.#parts.actions, queued.info, verdict));
    this.#reports.set(queued, report);
    return report;
  }

  async #refuse(
    queued: QueuedPod,
    snapshot: Snapshot,
    refusals: Exclude<Placement, { nodeName: string }>['refusals'],
  ): Promise<void> {
    const { cache, queue, random, actions, budgets } = this.#parts;
    const pod = queued.info;
    const plan = snapshot.nodes.length === 0 ? undefined : planPreemption(snapshot, pod, refusals, random, budgets);
    const message = unschedulableMessage(snapshot.nodes.length, refusals, plan);
    const preemption = plan?.preemption;
    const nominatedNodeName = preemption?.nodeName ?? keptNomination(pod, plan);
    cache.nominate(pod, nominatedNodeName);
    // An empty cluster refuses in the name of whatever looks at new nodes.
    const refusedBy = new Set([...refusals.values()].map((refusal) => refusal.plugin));
    queue.failed(queued, refusedBy.size === 0 ? new Set(['NodeName']) : refusedBy);
    await this.#report(queued, { reason: 'Unschedulable', message, nominatedNodeName });
    if (preemption === undefined) return;
    const others = snapshot.nominated.get(preemption.nodeName) ?? [];
    const lesser = others.filter((other) => other.priority < pod.priority);
    for (const other of lesser) cache.nominate(other, undefined);
    await makeRoom(actions, pod, preemption, lesser);
  }
}

/** While the victims of the last preemption go, the node stays reserved; once no preemption can help, it does not. */
function keptNomination(pod: PodInfo, plan: ReturnType<typeof planPreemption> | undefined): string | undefined {
  const waiting = plan !== undefined && plan.preemption === undefined && typeof plan.reasons === 'string';
  return waiting ? pod.pod.status?.nominatedNodeName || undefined : undefined;
}
