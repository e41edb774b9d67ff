/** The loop that all controllers share: a key comes from a queue, the world is observed, a plan is made and done. */
import { createEventRecorder } from '../client/eventRecorder.ts';
import type { Informer } from '../client/informer.ts';
import { WorkQueue } from '../client/workQueue.ts';
import type { Kind, KubeObject } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { type Action, type Actor, act, isNamespaceGoing, type Written } from './action.ts';
import type { ControllerContext } from './context.ts';

export interface Plan {
  readonly actions: readonly Action[];
  /** what follows, e.g. the status, which tells of a failure of the actions */
  after?(failure: Error | undefined): readonly Action[];
  /** look again after so many milliseconds, though nothing may have happened */
  readonly againMs?: number;
}

/** An informer of any kind. */
// biome-ignore lint/suspicious/noExplicitAny: an informer of pods is none of KubeObjects, as its handlers take pods
export type AnyInformer = Informer<any>;

export interface LoopOptions {
  /** `replicaset-controller`: whose client is used, and who tells of events */
  readonly name: string;
  readonly context: ControllerContext;
  /** all that the plan reads: no plan is made before these have synced */
  readonly reads: readonly AnyInformer[];
  /** how many keys are worked on at once; 5 when absent */
  readonly workers?: number;
  /** Observes and plans; undefined where there is nothing to do. Must not wait. */
  plan(key: string): Plan | undefined;
}

export interface Loop {
  enqueue(key: string): void;
}

const WORKERS = 5;
/** How long a plan is put off at most, until the loop sees its own writes. */
const UNSEEN_LIMIT_MS = 30_000;
const UNSEEN_CHECK_MS = 500;
/** What takes longer to plan, such as a set of thousands of pods, is not planned anew for each of its changes. */
const COSTLY_MS = 2;
/** So many times as long as the planning took, changes are gathered. */
const REST = 4;
const LONGEST_REST_MS = 250;

export function startLoop(options: LoopOptions): Loop {
  const { context, name } = options;
  const { clock, signal } = context;
  const log = context.log.child({ controller: name });
  const client = context.clientFor(name);
  const recorder = createEventRecorder({ client, component: name, clock, random: context.random, log, signal });
  const unseen = new OwnWrites(options.reads);

  async function work(key: string): Promise<void> {
    if (unseen.pending(key, clock.monotonic())) {
      // The informers' next event brings the key back; this is for an event that never comes.
      queue.addAfter(key, UNSEEN_CHECK_MS);
      return;
    }
    const started = clock.monotonic();
    const plan = options.plan(key);
    if (plan === undefined) return;
    let tookMs = clock.monotonic() - started;
    const actor: Actor = {
      client,
      recorder,
      signal,
      onWritten: (written) => unseen.remember(key, written, clock.monotonic()),
    };
    let failure: Error | undefined;
    try {
      await act(actor, plan.actions);
    } catch (error) {
      failure = error as Error;
    }
    if (plan.after !== undefined && !signal.aborted) {
      const from = clock.monotonic();
      const actions = plan.after(failure);
      tookMs += clock.monotonic() - from;
      await act(actor, actions);
    }
    if (failure !== undefined && !isNamespaceGoing(failure)) throw failure;
    if (plan.againMs !== undefined) queue.addAfter(key, plan.againMs);
    if (tookMs > COSTLY_MS) await clock.sleep(Math.min(LONGEST_REST_MS, REST * tookMs), signal).catch(() => {});
  }

  const queue = new WorkQueue({
    clock,
    workers: options.workers ?? WORKERS,
    signal,
    async work(key) {
      for (const informer of options.reads) if (!informer.hasSynced) await informer.synced;
      await work(key);
    },
    onError(key, error) {
      // A conflict only means that the plan was made from what is no longer so.
      if (isApiError(error, 'Conflict')) log.debug('planned on an older state', { key });
      else log.warn('could not do what was planned', { key, err: error });
    },
  });
  return { enqueue: (key) => queue.add(key) };
}

type Unseen = { readonly written: Written; readonly informer: AnyInformer };

/**
 * What the loop wrote and its informers have not shown yet, by key. Planning on without it would do the same
 * thing twice: make a pod too many, say.
 */
class OwnWrites {
  readonly #informers: ReadonlyMap<Kind, AnyInformer>;
  readonly #byKey = new Map<string, { unseen: Unseen[]; untilMs: number }>();

  constructor(informers: readonly AnyInformer[]) {
    this.#informers = new Map(informers.map((informer) => [informer.kind as Kind, informer]));
  }

  remember(key: string, written: Written, nowMs: number): void {
    const informer = this.#informers.get(written.kind);
    if (informer === undefined || isSeen({ written, informer })) return;
    const entry = this.#byKey.get(key) ?? { unseen: [], untilMs: 0 };
    entry.unseen.push({ written, informer });
    entry.untilMs = nowMs + UNSEEN_LIMIT_MS;
    this.#byKey.set(key, entry);
  }

  pending(key: string, nowMs: number): boolean {
    const entry = this.#byKey.get(key);
    if (entry === undefined) return false;
    entry.unseen = entry.unseen.filter((u) => !isSeen(u));
    if (entry.unseen.length > 0 && nowMs < entry.untilMs) return true;
    this.#byKey.delete(key);
    return false;
  }
}

function isSeen({ written, informer }: Unseen): boolean {
  if ('resourceVersion' in written) return reached(informer.resourceVersion, written.resourceVersion);
  const { namespace, name, uid } = written.deleted.metadata;
  const now: KubeObject | undefined = informer.get(namespace, name);
  return now?.metadata?.uid !== uid || now.metadata.deletionTimestamp !== undefined;
}

/** Whether what is at `seen` includes the write at `wanted`: revisions are numbers that rise. */
function reached(seen: string, wanted: string): boolean {
  return BigInt(seen === '' ? 0 : seen) >= BigInt(wanted);
}
