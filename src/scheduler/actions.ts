/** What the scheduler does to the cluster: bind a pod, write why it waits, make room for it. */
import { type Binding, bindings } from '../apis/core/binding.ts';
import { nodes } from '../apis/core/node.ts';
import { pods } from '../apis/core/pod.ts';
import type { Client } from '../client/client.ts';
import { type EventRecorder, referenceTo } from '../client/eventRecorder.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import { apiVersionOf, type Kind } from '../machinery/kind.ts';
import { isApiError } from '../machinery/status.ts';
import { formatTime } from '../machinery/time.ts';
import { statusPatch, type Verdict } from './podCondition.ts';
import type { PodInfo } from './podInfo.ts';
import type { Preemption } from './preemption.ts';

export const SCHEDULER_NAME = 'default-scheduler';

export interface ActionContext {
  readonly client: Client;
  readonly recorder: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** @throws ApiError, TransportError */
export async function bind({ client, recorder, signal }: ActionContext, pod: PodInfo, nodeName: string): Promise<void> {
  const { name, namespace, uid } = pod;
  const binding: Binding = {
    apiVersion: apiVersionOf(bindings),
    kind: bindings.kind,
    metadata: { name, namespace, uid },
    target: { kind: nodes.kind, name: nodeName },
  };
  await client.createSubresource(pods as Kind, { namespace, name }, 'binding', binding, { signal });
  const message = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
  recorder.event(referenceTo(pod.pod), 'Normal', 'Scheduled', message);
}

/** Says in an event and in the pod's status why it has no node. Never throws. */
export async function reportFailure(context: ActionContext, pod: PodInfo, verdict: Verdict): Promise<void> {
  context.recorder.event(referenceTo(pod.pod), 'Warning', 'FailedScheduling', verdict.message);
  const patch = statusPatch(pod.pod, verdict, context.clock.now());
  if (patch !== undefined) await patchStatus(context, pod, patch);
}

/** Deletes the victims, and tells them why; takes back the nomination of lesser pods to the same node. Never throws. */
export async function makeRoom(
  context: ActionContext,
  pod: PodInfo,
  { nodeName, victims }: Preemption,
  lesser: readonly PodInfo[],
): Promise<void> {
  await Promise.all([
    ...lesser.map((other) => patchStatus(context, other, nominationPatch(other, null))),
    ...victims.map((victim) => evict(context, victim, pod, nodeName)),
  ]);
}

function nominationPatch(pod: PodInfo, nominatedNodeName: string | null): object {
  return { metadata: { uid: pod.uid }, status: { nominatedNodeName } };
}

async function evict(context: ActionContext, victim: PodInfo, pod: PodInfo, nodeName: string): Promise<void> {
  const { client, recorder, clock, log, signal } = context;
  const { namespace, name, uid } = victim;
  // It goes already.
  if (victim.terminating) return;
  const { generation } = victim.pod.metadata;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: `${SCHEDULER_NAME}: preempting to accommodate a higher priority pod`,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: formatTime(clock.now()),
  };
  await patchStatus(context, victim, { metadata: { uid }, status: { conditions: [condition] } });
  try {
    await client.delete(pods, { namespace, name }, { preconditions: { uid }, signal });
    recorder.event(referenceTo(victim.pod), 'Normal', 'Preempted', `Preempted by pod ${pod.uid} on node ${nodeName}`);
  } catch (error) {
    if (!isGone(error) && !signal.aborted)
      log.warn('cannot preempt a pod', { pod: `${namespace}/${name}`, err: error });
  }
}

async function patchStatus({ client, log, signal }: ActionContext, pod: PodInfo, patch: object): Promise<void> {
  const { namespace, name } = pod;
  try {
    await client.patch(pods, { namespace, name }, 'strategic', patch, { subresource: 'status', signal });
  } catch (error) {
    if (!isGone(error) && !signal.aborted) {
      log.warn("cannot write a pod's status", { pod: `${namespace}/${name}`, err: error });
    }
  }
}

/** The pod is not there any more, or another of its name is. */
export function isGone(error: unknown): boolean {
  return isApiError(error, 'NotFound') || isApiError(error, 'Conflict');
}
