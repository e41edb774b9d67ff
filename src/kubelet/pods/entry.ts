/** What the kubelet remembers of a pod while it is there. */
import type { Pod } from '../../apis/core/pod.ts';
import { isStaticPod } from '../eviction/ranking.ts';
import type { Failure } from '../status/podStatus.ts';
import type { ActiveFailure } from './holdBack.ts';
import { containerHash } from './labels.ts';
import type { MountFailure } from './mountBackoff.ts';
import { containerNamed } from './plan.ts';
import type { PendingResize } from './resize.ts';

/** However soon a pod is to go, its containers get so much to end, in seconds. */
const MIN_GRACE_S = 1;
const DEFAULT_GRACE_S = 30;

/** What is known of a pod. */
export interface Entry {
  /** as the API has it, or had it last */
  pod: Pod;
  /** with the resources that it has on this node; undefined until it is admitted */
  granted: Pod | undefined;
  /** why it does not have what it wishes for */
  pendingResize: PendingResize | undefined;
  /** Other resources were granted, and its containers do not have them yet. */
  resizing: boolean;
  /** why they cannot have them, and until when it is not tried again, in ms since the epoch */
  resizeFailure: { readonly message: string; readonly until: number } | undefined;
  /** what the pod as a whole has, as `wholeKey` says it; undefined until its cgroup is made */
  whole: string | undefined;
  /** the API has it no more */
  gone: boolean;
  admitted: boolean;
  /** by container: why its start failed, and until when it is not tried again */
  readonly failures: Map<string, ActiveFailure>;
  /** the moment of each container's back-off that was told in an event */
  readonly toldBackoffs: Map<string, number>;
  volumesReady: boolean;
  /** why they could not be made, and when that is said again */
  mountFailure: MountFailure | undefined;
  /** why the kubelet ends it */
  failed: Failure | undefined;
  /** how long its containers have once it failed, in seconds; absent: what the pod says */
  failGrace: number | undefined;
  /** What it had for running, beside its containers, is taken away. */
  wound: boolean;
  /** It is being deleted, and its containers are told to end. */
  stopping: boolean;
  /** Nothing of it is left here and the API was told. */
  removed: boolean;
  /** aborted when the pod is to end: what is being started need not be */
  readonly ending: AbortController;
  /** when the containers must be gone, in ms of the monotonic clock; set when that begins */
  graceUntil: number | undefined;
  /** failures in a row */
  tries: number;
  /** when it was first heard of, in ms of the monotonic clock; undefined once it ran, or ran before */
  heardAt: number | undefined;
}

/** Of a pod that was just heard of. @param now ms of the monotonic clock */
export function newEntry(pod: Pod, now: number): Entry {
  return {
    pod,
    granted: undefined,
    pendingResize: undefined,
    resizing: false,
    resizeFailure: undefined,
    whole: undefined,
    gone: false,
    admitted: false,
    failures: new Map(),
    toldBackoffs: new Map(),
    volumesReady: false,
    mountFailure: undefined,
    failed: undefined,
    failGrace: undefined,
    wound: false,
    stopping: false,
    removed: false,
    ending: new AbortController(),
    graceUntil: undefined,
    tries: 0,
    heardAt: (pod.status?.phase ?? 'Pending') === 'Pending' ? now : undefined,
  };
}

/** What a container's waits are counted under. Another image is another try. */
export function backoffKey({ pod }: Entry, name: string): string {
  const container = containerNamed(pod.spec ?? { containers: [] }, name);
  return `${pod.metadata?.uid}/${name}/${container === undefined ? '' : containerHash(container)}`;
}

/** Whether the API wants it to go, or has it no more. */
export const isEnding = ({ pod, gone }: Entry) => gone || pod.metadata?.deletionTimestamp !== undefined;

/** The pod as it is to be on this node. */
export const podOf = (entry: Entry): Pod => entry.granted ?? entry.pod;

/** In seconds. A pod that was deleted by force gets only what is needed to end at all. */
export function graceOf({ pod, gone }: Entry): number {
  if (gone && !isStaticPod(pod)) return MIN_GRACE_S;
  const grace = pod.metadata?.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_S;
  return Math.max(MIN_GRACE_S, grace);
}
