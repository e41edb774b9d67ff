/**
 * A priority level at work: how many of its requests are served, and who waits.
 * Source: https://kubernetes.io/docs/concepts/cluster-administration/flow-control/
 */
import type { PriorityLevelConfigurationSpec } from '../../apis/flowcontrol/priorityLevelConfiguration.ts';
import { dealHand } from './shuffleShard.ts';

/** The seats that are not kept for one level: whoever needs one more than it is sure of takes it from here. */
export interface SharedSeats {
  free: number;
}

/** One request that waits for its seat. */
export interface Waiting {
  /** its turn has come */
  readonly go: () => void;
}

interface Limits {
  /** seats that are its own */
  readonly nominal: number;
  /** of those, seats that others never get */
  readonly sure: number;
  /** the most that it can have, with what it borrows */
  readonly most: number;
}

const NO_LIMITS: Limits = { nominal: 0, sure: 0, most: Number.POSITIVE_INFINITY };

export class Level {
  readonly #shared: SharedSeats;
  uid = '';
  exempt = false;
  #limits: Limits = NO_LIMITS;
  #queueing: { queues: number; handSize: number; limit: number } | undefined;
  /** those that hold somebody, in the order of their turns */
  readonly #queues = new Map<number, Waiting[]>();
  #inUse = 0;

  constructor(shared: SharedSeats) {
    this.#shared = shared;
  }

  configure(uid: string, spec: PriorityLevelConfigurationSpec, limits: Limits): void {
    this.uid = uid;
    this.exempt = spec.type === 'Exempt';
    // What it holds beyond what it is sure of comes from the shared seats, before and after.
    this.#shared.free += Math.max(0, this.#inUse - this.#limits.sure);
    this.#limits = limits;
    this.#shared.free -= Math.max(0, this.#inUse - limits.sure);
    const queuing = spec.limited?.limitResponse?.queuing;
    this.#queueing =
      queuing === undefined
        ? undefined
        : { queues: queuing.queues ?? 0, handSize: queuing.handSize ?? 0, limit: queuing.queueLengthLimit ?? 0 };
  }

  get inUse(): number {
    return this.#inUse;
  }

  get idle(): boolean {
    return this.#inUse === 0 && this.#queues.size === 0;
  }

  get waits(): boolean {
    return this.#queues.size > 0;
  }

  /** How hungry it is: the part of its own seats that it uses. */
  get load(): number {
    return this.#inUse / Math.max(1, this.#limits.nominal);
  }

  /** A hot path: takes a seat if one is free and nobody has waited longer. */
  tryTake(): boolean {
    if (this.#queues.size > 0 || !this.#mayTake()) return false;
    this.#take();
    return true;
  }

  #mayTake(): boolean {
    if (this.#inUse < this.#limits.sure) return true;
    return this.#inUse < this.#limits.most && this.#shared.free > 0;
  }

  #take(): void {
    if (this.#inUse >= this.#limits.sure) this.#shared.free--;
    this.#inUse++;
  }

  release(): void {
    this.#inUse--;
    if (this.#inUse >= this.#limits.sure) this.#shared.free++;
  }

  /** Puts a request into the shortest queue of its flow; a function that takes it out again, undefined where all are full. */
  enqueue(flow: string, waiting: Waiting): (() => void) | undefined {
    if (this.#queueing === undefined) return undefined;
    const { queues, handSize, limit } = this.#queueing;
    const lengthOf = (index: number) => this.#queues.get(index)?.length ?? 0;
    const hand = dealHand(flow, queues, handSize);
    const index = hand.reduce((best, next) => (lengthOf(next) < lengthOf(best) ? next : best), hand[0] ?? 0);
    if (lengthOf(index) >= limit) return undefined;
    const queue = this.#queues.get(index) ?? [];
    queue.push(waiting);
    this.#queues.set(index, queue);
    return () => {
      const at = queue.indexOf(waiting);
      if (at >= 0) queue.splice(at, 1);
      if (queue.length === 0 && this.#queues.get(index) === queue) this.#queues.delete(index);
    };
  }

  /** Lets one go whose turn it is, if there is a seat; queues take turns. */
  dispatch(): boolean {
    for (const [index, queue] of this.#queues) {
      if (!this.#mayTake()) return false;
      const next = queue.shift();
      // Its next turn comes after that of all others.
      this.#queues.delete(index);
      if (queue.length > 0) this.#queues.set(index, queue);
      if (next === undefined) continue;
      this.#take();
      next.go();
      return true;
    }
    return false;
  }
}
