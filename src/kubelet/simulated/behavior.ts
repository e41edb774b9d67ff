/**
 * How simulated containers behave: by annotations on their pod, or by a program.
 * An annotation counts for every container of the pod, or, with `.NAME` behind it, for the one of that name.
 */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { parseDuration } from '../../lib/duration.ts';
import { milliValue, parseQuantity, wholeValue } from '../../machinery/quantity.ts';

/** What one run of a container does. */
export interface Behavior {
  /** until it runs, after it was started */
  readonly startMs: number;
  /** how long it runs by itself; undefined: until it is stopped */
  readonly runMs: number | undefined;
  /** of a run that ends by itself */
  readonly exitCode: number;
  /** It ends because it took more memory than it may. */
  readonly outOfMemory: boolean;
  /** how long it takes to end after SIGTERM */
  readonly stopMs: number;
  /** what it writes when it starts */
  readonly log: readonly string[];
  /** what it had to say when it ended */
  readonly lastWords: string;
  readonly cpuMilli: number;
  readonly memoryBytes: number;
  /** why it cannot be made, or started */
  readonly createError: string | undefined;
  readonly startError: string | undefined;
  /** Probes succeed once it has run so long; undefined: they never do. */
  readonly healthyAfterMs: number | undefined;
}

/** A program's word on a run; what it leaves out is as annotations or the usual have it. */
export type BehaviorProgram = (run: {
  readonly pod: Pod;
  readonly container: Container;
  readonly restarts: number;
}) => Partial<Behavior> | undefined;

export const ANNOTATION_PREFIX = 'simulation.kubets.io/';

/** So long runs what is to end by itself: containers of jobs, and init containers. */
const USUAL_RUN_MS = 1_000;

/** @param initial an init container that is no sidecar */
export function behaviorOf(pod: Pod, container: Container, restarts: number, program?: BehaviorProgram): Behavior {
  const annotated = new Annotations(pod, container.name);
  const initial = (pod.spec?.initContainers ?? []).some(
    (c) => c.name === container.name && c.restartPolicy !== 'Always',
  );
  const ends = initial || (pod.spec?.restartPolicy ?? 'Always') !== 'Always';
  const exitCode = annotated.integer('exit-code') ?? 0;
  const runMs = annotated.duration('run-for') ?? (initial ? 0 : ends || exitCode !== 0 ? USUAL_RUN_MS : undefined);
  const outOfMemory = annotated.text('out-of-memory') === 'true';
  return {
    startMs: annotated.duration('start-delay') ?? 0,
    runMs: outOfMemory ? (runMs ?? USUAL_RUN_MS) : runMs,
    exitCode,
    outOfMemory,
    stopMs: annotated.duration('stop-delay') ?? 0,
    log: annotated.text('log')?.split('\n') ?? [],
    lastWords: annotated.text('termination-message') ?? '',
    cpuMilli: annotated.quantity('cpu', milliValue) ?? 0,
    memoryBytes: annotated.quantity('memory', wholeValue) ?? 0,
    createError: annotated.text('create-error'),
    startError: annotated.text('start-error'),
    healthyAfterMs:
      annotated.text('healthy-after') === 'never' ? undefined : (annotated.duration('healthy-after') ?? 0),
    ...program?.({ pod, container, restarts }),
  };
}

/** The annotations on a pod that are about one of its containers. What cannot be read is as if it was not there. */
class Annotations {
  readonly #all: Readonly<Record<string, string>>;
  readonly #container: string;

  constructor(pod: Pod, container: string) {
    this.#all = pod.metadata?.annotations ?? {};
    this.#container = container;
  }

  text(name: string): string | undefined {
    return this.#all[`${ANNOTATION_PREFIX}${name}.${this.#container}`] ?? this.#all[`${ANNOTATION_PREFIX}${name}`];
  }

  duration(name: string): number | undefined {
    const text = this.text(name);
    const ms = text === undefined ? undefined : parseDuration(text);
    return ms === undefined || ms < 0 ? undefined : ms;
  }

  integer(name: string): number | undefined {
    const text = this.text(name);
    return text !== undefined && /^\d{1,3}$/.test(text) ? Number(text) : undefined;
  }

  quantity(name: string, read: (text: string) => number): number | undefined {
    const text = this.text(name);
    return text === undefined || parseQuantity(text) === undefined ? undefined : read(text);
  }
}
