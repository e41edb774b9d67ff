/** What a controller decided to do, as data, and the one place where it is done. */
import type { Client, DeleteOptions, ObjectRef } from '../client/client.ts';
import { type EventRecorder, referenceTo } from '../client/eventRecorder.ts';
import type { PatchType } from '../client/transport.ts';
import type { Kind, KubeObject, Stored } from '../machinery/kind.ts';
import { conflict, isApiError } from '../machinery/status.ts';

export interface EventAction {
  readonly verb: 'event';
  readonly regarding: KubeObject;
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** Events that tell how an action went. */
export interface Announcement {
  done?(object: KubeObject): EventAction;
  failed?(error: Error): EventAction;
}

export interface CreateAction<T extends KubeObject = KubeObject> {
  readonly verb: 'create';
  readonly kind: Kind<T>;
  readonly object: T;
  readonly announce?: Announcement;
}

export interface UpdateAction<T extends KubeObject = KubeObject> {
  readonly verb: 'update';
  readonly kind: Kind<T>;
  readonly object: T;
  readonly subresource?: string;
  readonly announce?: Announcement;
}

export interface PatchAction<T extends KubeObject = KubeObject> {
  readonly verb: 'patch';
  readonly kind: Kind<T>;
  readonly ref: ObjectRef;
  readonly type: PatchType;
  readonly patch: unknown;
  readonly subresource?: string;
}

export interface DeleteAction<T extends KubeObject = KubeObject> {
  readonly verb: 'delete';
  readonly kind: Kind<T>;
  readonly object: Stored<T>;
  readonly options?: Omit<DeleteOptions, 'preconditions'>;
  readonly announce?: Announcement;
}

/** Asks the server itself whether an object is still there and not being deleted; else what follows is not done. */
export interface CheckAction<T extends KubeObject = KubeObject> {
  readonly verb: 'check';
  readonly kind: Kind<T>;
  readonly object: Stored<T>;
}

/** What takes its time, and changes nothing that the loop reads: to sign, to ask. What follows from it is done next. */
export interface WorkAction {
  readonly verb: 'work';
  run(signal: AbortSignal): Promise<readonly Action[]>;
}

export type Action = CreateAction | UpdateAction | PatchAction | DeleteAction | CheckAction | EventAction | WorkAction;

/** The update of an object's status. */
export function statusUpdate<T extends KubeObject>(kind: Kind<T>, object: T): UpdateAction {
  return { verb: 'update', kind: kind as Kind, object, subresource: 'status' };
}

/** Whether a creation was refused because the namespace is being deleted: nothing can be made there, nor need it be. */
export function isNamespaceGoing(error: Error | undefined): boolean {
  return isApiError(error) && (error.status.details?.causes ?? []).some((c) => c.reason === 'NamespaceTerminating');
}

/** A write that was accepted: what must be seen before the same thing is planned again. */
export type Written =
  | { readonly kind: Kind; readonly resourceVersion: string }
  | { readonly kind: Kind; readonly deleted: Stored<KubeObject> };

export interface Actor {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly signal: AbortSignal;
  onWritten(written: Written): void;
}

/** So many deletions are under way at once. */
const PARALLEL_DELETES = 50;

/**
 * Does the actions in order. Creations in a row go out in batches of 1, 2, 4, …, so that a mistake that all
 * share costs one request and not hundreds; deletions in a row go out together.
 * @throws the first failure; what comes behind it is not done
 */
export async function act(actor: Actor, actions: readonly Action[]): Promise<void> {
  for (let i = 0; i < actions.length; ) {
    const run = runOf(actions, i);
    i += run.length;
    let done = 0;
    let batch = run[0]?.verb === 'create' ? 1 : PARALLEL_DELETES;
    while (done < run.length) {
      const now = run.slice(done, done + batch);
      await together(now.map((action) => perform(actor, action)));
      done += now.length;
      batch = Math.min(batch * 2, PARALLEL_DELETES);
    }
  }
}

/** The actions from `from` on that may go out together: creations or deletions in a row, else one. */
function runOf(actions: readonly Action[], from: number): readonly Action[] {
  const verb = actions[from]?.verb;
  let to = from + 1;
  if (verb === 'create' || verb === 'delete') while (to < actions.length && actions[to]?.verb === verb) to++;
  return actions.slice(from, to);
}

/** Waits for all. @throws the first failure */
async function together(all: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(all)) if (outcome.status === 'rejected') throw outcome.reason;
}

async function perform(actor: Actor, action: Action): Promise<void> {
  if (action.verb === 'event') {
    actor.recorder.event(referenceTo(action.regarding), action.type, action.reason, action.message);
    return;
  }
  if (action.verb === 'work') {
    await act(actor, await action.run(actor.signal));
    return;
  }
  const announce = 'announce' in action ? action.announce : undefined;
  try {
    const object = await write(actor, action);
    const event = object === undefined ? undefined : announce?.done?.(object);
    if (event !== undefined) await perform(actor, event);
  } catch (error) {
    const quiet = actor.signal.aborted || isNamespaceGoing(error as Error);
    const event = quiet ? undefined : announce?.failed?.(error as Error);
    if (event !== undefined) await perform(actor, event);
    throw error;
  }
}

/** The object that came of it; undefined where there was nothing to do. */
async function write(actor: Actor, action: Exclude<Action, EventAction | WorkAction>): Promise<KubeObject | undefined> {
  const { client, signal } = actor;
  const { kind } = action;
  switch (action.verb) {
    case 'create':
      return written(actor, kind, await client.create(kind, action.object, { signal }));
    case 'update':
      return written(actor, kind, await client.update(kind, action.object, { ...subresourceOf(action), signal }));
    case 'patch': {
      const options = { ...subresourceOf(action), signal };
      return written(actor, kind, await client.patch(kind, action.ref, action.type, action.patch, options));
    }
    case 'delete':
      return remove(actor, action);
    case 'check': {
      const { name, namespace, uid } = action.object.metadata;
      const live = await client.get(kind, { name, namespace }, { signal });
      if (live.metadata.uid !== uid || live.metadata.deletionTimestamp !== undefined) {
        throw conflict(kind, name, 'it is another object by now, or it is being deleted');
      }
      return undefined;
    }
  }
}

async function remove(actor: Actor, { kind, object, options }: DeleteAction): Promise<KubeObject | undefined> {
  const { name, namespace, uid } = object.metadata;
  try {
    await actor.client.delete(kind, { name, namespace }, { ...options, preconditions: { uid }, signal: actor.signal });
  } catch (error) {
    // Somebody was faster; where another object has its name now, that one was not meant.
    if (!isApiError(error, 'NotFound') && !isApiError(error, 'Conflict')) throw error;
    return undefined;
  }
  actor.onWritten({ kind, deleted: object });
  return object;
}

function written(actor: Actor, kind: Kind, object: Stored<KubeObject>): KubeObject {
  actor.onWritten({ kind, resourceVersion: object.metadata.resourceVersion });
  return object;
}

const subresourceOf = ({ subresource }: { subresource?: string }) => (subresource === undefined ? {} : { subresource });
