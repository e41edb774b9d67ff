/** Writes events: what a component has to say about an object, for people to read in `kubectl describe`. */
import { type Event, events } from '../apis/core/event.ts';
import type { ObjectReference } from '../apis/core/references.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { KubeObject } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { formatTime } from '../machinery/time.ts';
import type { Client } from './client.ts';
import { EventCorrelator, type Happening } from './eventCorrelator.ts';

export interface EventRecorderOptions {
  readonly client: Client;
  /** `replicaset-controller`, `kubelet` */
  readonly component: string;
  /** the node that the component is on, where that matters */
  readonly host?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export interface EventRecorder {
  /** Says that something happened to an object. Returns at once and never throws; events may be joined or dropped. */
  event(regarding: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void;
}

/** Events that wait to be written; more are dropped. */
const MAX_WAITING = 1000;
const MAX_TRIES = 5;
const RETRY_MS = 5_000;
const LONGEST_MESSAGE = 1024;
const NS_PER_MS = 1_000_000n;

/** The reference to an object that its events carry. @param fieldPath `spec.containers{nginx}` */
export function referenceTo(object: KubeObject, fieldPath?: string): ObjectReference {
  const { namespace, name, uid, resourceVersion } = object.metadata ?? {};
  return {
    ...(object.kind === undefined ? {} : { kind: object.kind }),
    ...(object.apiVersion === undefined ? {} : { apiVersion: object.apiVersion }),
    ...(namespace === undefined ? {} : { namespace }),
    ...(name === undefined ? {} : { name }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    ...(fieldPath === undefined ? {} : { fieldPath }),
  };
}

export function createEventRecorder(options: EventRecorderOptions): EventRecorder {
  const { clock, log, signal } = options;
  const correlator = new EventCorrelator();
  const waiting: { happening: Happening; atMs: number }[] = [];
  let writing = false;

  async function writeAll(): Promise<void> {
    for (let next = waiting.shift(); next !== undefined && !signal.aborted; next = waiting.shift()) {
      const { happening, atMs } = next;
      try {
        await writeWithRetries(happening, atMs);
      } catch (error) {
        if (!signal.aborted) log.warn('an event was lost', { reason: happening.reason, err: error });
      }
    }
    writing = false;
  }

  async function writeWithRetries(happening: Happening, atMs: number): Promise<void> {
    const correlated = correlator.correlate(happening, atMs);
    if (correlated === undefined) return;
    for (let attempt = 1; ; attempt++) {
      try {
        await write(happening, correlated.key, correlated.message, atMs);
        return;
      } catch (error) {
        // A refusal will not change: the namespace is going, or the event is not valid.
        if (isApiError(error) || attempt >= MAX_TRIES) throw error;
        await clock.sleep(RETRY_MS, signal);
      }
    }
  }

  async function write(happening: Happening, key: string, message: string, atMs: number): Promise<void> {
    const now = formatTime(atMs);
    const known = correlator.written(key);
    if (known !== undefined) {
      try {
        const change = { count: known.count + 1, lastTimestamp: now, message };
        await options.client.patch(events, known, 'strategic', change, { signal });
        known.count++;
        return;
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
        // It expired: written anew below.
        correlator.remember(key, undefined);
      }
    }
    const created = await options.client.create(events, newEvent(happening, message, now), { signal });
    const { name, namespace = 'default' } = created.metadata;
    correlator.remember(key, { name, namespace, count: 1 });
  }

  function newEvent({ regarding, type, reason }: Happening, message: string, now: string): Event {
    // The time in nanoseconds, as in Kubernetes; what a clock does not tell of them is chance.
    const unique = (BigInt(clock.now()) * NS_PER_MS + BigInt(options.random.integer(Number(NS_PER_MS)))).toString(16);
    return {
      metadata: { name: `${regarding.name ?? ''}.${unique}`, namespace: regarding.namespace || 'default' },
      involvedObject: regarding,
      reason,
      message,
      source: { component: options.component, ...(options.host === undefined ? {} : { host: options.host }) },
      firstTimestamp: now,
      lastTimestamp: now,
      count: 1,
      type,
      reportingComponent: options.component,
      ...(options.host === undefined ? {} : { reportingInstance: options.host }),
    };
  }

  return {
    event(regarding, type, reason, message) {
      if (signal.aborted || waiting.length >= MAX_WAITING) return;
      const shown = message.length > LONGEST_MESSAGE ? message.slice(0, LONGEST_MESSAGE) : message;
      waiting.push({ happening: { regarding, type, reason, message: shown }, atMs: clock.now() });
      if (writing) return;
      writing = true;
      void writeAll();
    },
  };
}
