/** What the server makes of a pod before it validates it: on creation, on updates, on writes to its subresources. */
import type { LabelSelector } from '../../machinery/meta.ts';
import type { PodAffinityTerm } from './affinity.ts';
import type { Pod } from './pod.ts';
import type { PodStatus } from './podStatus.ts';
import { qosClassOf } from './qos.ts';

/** A new pod waits to be scheduled, or at its gates. */
export function preparePod(pod: Pod): void {
  const spec = pod.spec ?? { containers: [] };
  pod.status = { phase: 'Pending', qosClass: qosClassOf(spec) };
  if ((spec.schedulingGates ?? []).length > 0) {
    pod.status.conditions = [
      {
        type: 'PodScheduled',
        status: 'False',
        reason: 'SchedulingGated',
        message: 'Scheduling is blocked due to non-empty scheduling gates',
      },
    ];
  }
  matchOwnLabels(pod);
}

/** A write to the pod itself leaves its status. */
export function keepPodStatus(pod: Pod, old: Pod): void {
  if (old.status === undefined) delete pod.status;
  else pod.status = old.status;
}

/** A write to the status leaves the pod, and what only grows or never changes of the status. */
export function preparePodStatus(pod: Pod, old: Pod): void {
  if (old.spec === undefined) delete pod.spec;
  else pod.spec = old.spec;
  if (pod.metadata !== undefined) {
    if (old.metadata?.ownerReferences === undefined) delete pod.metadata.ownerReferences;
    else pod.metadata.ownerReferences = old.metadata.ownerReferences;
  }
  pod.status ??= {};
  if (!pod.status.qosClass && old.status?.qosClass !== undefined) pod.status.qosClass = old.status.qosClass;
  keepObservedGenerations(pod.status, old.status);
  mirrorAddresses(pod.status);
}

function keepObservedGenerations(status: PodStatus, before: PodStatus | undefined): void {
  if (!status.observedGeneration && before?.observedGeneration !== undefined) {
    status.observedGeneration = before.observedGeneration;
  }
  for (const condition of status.conditions ?? []) {
    if (condition.observedGeneration) continue;
    const was = before?.conditions?.find((c) => c.type === condition.type)?.observedGeneration;
    if (was !== undefined) condition.observedGeneration = was;
  }
}

/** `podIP` is the older name of the first of `podIPs`; a client may know only the one. */
function mirrorAddresses(status: PodStatus): void {
  const first = status.podIPs?.[0]?.ip;
  if (status.podIP) {
    if (status.podIP !== first) status.podIPs = [{ ip: status.podIP }];
  } else if (first) status.podIP = first;
}

/** A write to `ephemeralcontainers` changes nothing else. */
export function keepAllButEphemeralContainers(pod: Pod, old: Pod): void {
  const added = pod.spec?.ephemeralContainers;
  keepPodStatus(pod, old);
  pod.spec = { ...(old.spec ?? { containers: [] }) };
  if (added === undefined) delete pod.spec.ephemeralContainers;
  else pod.spec.ephemeralContainers = added;
}

/** Terms that speak of the pod's own labels (`matchLabelKeys`) get their values written into their selectors. */
function matchOwnLabels(pod: Pod): void {
  const labels = pod.metadata?.labels ?? {};
  const { affinity, topologySpreadConstraints = [] } = pod.spec ?? {};
  for (const pods of [affinity?.podAffinity, affinity?.podAntiAffinity]) {
    for (const term of pods?.requiredDuringSchedulingIgnoredDuringExecution ?? []) matchTerm(term, labels);
    for (const weighted of pods?.preferredDuringSchedulingIgnoredDuringExecution ?? []) {
      if (weighted.podAffinityTerm !== undefined) matchTerm(weighted.podAffinityTerm, labels);
    }
  }
  for (const { labelSelector, matchLabelKeys } of topologySpreadConstraints) {
    if (labelSelector !== undefined) demand(labelSelector, matchLabelKeys, 'In', labels);
  }
}

function matchTerm(term: PodAffinityTerm, labels: Readonly<Record<string, string>>): void {
  if (term.labelSelector === undefined) return;
  demand(term.labelSelector, term.matchLabelKeys, 'In', labels);
  demand(term.labelSelector, term.mismatchLabelKeys, 'NotIn', labels);
}

function demand(
  selector: LabelSelector,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: Readonly<Record<string, string>>,
): void {
  for (const key of keys ?? []) {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
    if (value === undefined) continue;
    // Pods are prepared before admission and after.
    const there = selector.matchExpressions?.some(
      (e) => e.key === key && e.operator === operator && e.values?.length === 1 && e.values[0] === value,
    );
    if (there === true) continue;
    selector.matchExpressions ??= [];
    selector.matchExpressions.push({ key, operator, values: [value] });
  }
}
