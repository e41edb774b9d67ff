/**
 * What a node's conditions mean for it: taints that keep pods away or drive them off, and, where its kubelet
 * is not heard of any more, conditions that say so.
 *
 * Source: https://kubernetes.io/docs/concepts/architecture/nodes/#condition and
 * https://kubernetes.io/docs/reference/node/node-status/#heartbeats
 */
import type { Node, NodeCondition, Taint } from '../../apis/core/node.ts';
import { formatTime } from '../../machinery/time.ts';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Taints by condition: what status of which condition brings which taint. */
const CONDITION_TAINTS: readonly { type: string; status: string; key: string }[] = [
  { type: 'Ready', status: 'False', key: NOT_READY },
  { type: 'Ready', status: 'Unknown', key: UNREACHABLE },
  { type: 'MemoryPressure', status: 'True', key: 'node.kubernetes.io/memory-pressure' },
  { type: 'DiskPressure', status: 'True', key: 'node.kubernetes.io/disk-pressure' },
  { type: 'PIDPressure', status: 'True', key: 'node.kubernetes.io/pid-pressure' },
  { type: 'NetworkUnavailable', status: 'True', key: 'node.kubernetes.io/network-unavailable' },
];
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
/** Those that this controller sets and takes away. */
const OWN_KEYS: ReadonlySet<string> = new Set([...CONDITION_TAINTS.map((t) => t.key), UNSCHEDULABLE]);
/** Conditions that a kubelet which is not heard of leaves unknown. */
const KUBELET_CONDITIONS = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

export function readyStatus(node: Node): string {
  return node.status?.conditions?.find((c) => c.type === 'Ready')?.status ?? 'Unknown';
}

/**
 * Whether pods may be driven off a node that is not fit: `wait` leaves a node as it is until it is its turn, `stop`
 * takes back what was begun.
 */
export type Eviction = 'now' | 'wait' | 'stop';

/** Whether the node has to have its pods driven off, and nothing has begun yet. */
export function awaitsEviction(node: Node): boolean {
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready');
  if (ready === undefined || ready.status === 'True') return false;
  return !(node.spec?.taints ?? []).some(isEvicting);
}

const isEvicting = (taint: Taint) =>
  taint.effect === 'NoExecute' && (taint.key === NOT_READY || taint.key === UNREACHABLE);

/** The taints that the node must have; undefined where it has them. */
export function taintsOf(node: Node, now: number, eviction: Eviction = 'now'): Taint[] | undefined {
  const before = node.spec?.taints ?? [];
  // One reason may follow another: that is no new turn.
  const evict = eviction === 'now' || (eviction === 'wait' && before.some(isEvicting));
  const wanted: Taint[] = [];
  const want = (key: string, effect: string) => {
    const known = before.find((t) => t.key === key && t.effect === effect);
    wanted.push(known ?? { key, effect, ...(effect === 'NoExecute' ? { timeAdded: formatTime(now) } : {}) });
  };
  for (const { type, status, key } of CONDITION_TAINTS) {
    const condition = node.status?.conditions?.find((c) => c.type === type);
    // A node that has not reported yet is not ready: its taint is there from the beginning.
    const is = condition?.status ?? (type === 'Ready' ? 'False' : '');
    if (is !== status) continue;
    want(key, 'NoSchedule');
    if (type === 'Ready' && condition !== undefined && evict) want(key, 'NoExecute');
  }
  if (node.spec?.unschedulable === true) want(UNSCHEDULABLE, 'NoSchedule');
  const ownBefore = before.filter(isOwn);
  if (ownBefore.length === wanted.length && wanted.every((t) => ownBefore.includes(t))) return undefined;
  return [...before.filter((t) => !isOwn(t)), ...wanted];
}

const isOwn = (taint: Taint) => OWN_KEYS.has(taint.key) && taint.effect !== 'PreferNoSchedule';

/** Labels that older clients know under other names, which must say the same. */
const OLDER_LABELS = [
  ['kubernetes.io/os', 'beta.kubernetes.io/os'],
  ['kubernetes.io/arch', 'beta.kubernetes.io/arch'],
] as const;

/** What has to be set among the node's labels; undefined where nothing has. */
export function labelsOf(node: Node): Record<string, string> | undefined {
  const labels = node.metadata?.labels ?? {};
  const changed: Record<string, string> = {};
  for (const [key, older] of OLDER_LABELS) {
    const value = labels[key];
    if (value !== undefined && labels[older] !== value) changed[older] = value;
  }
  return Object.keys(changed).length === 0 ? undefined : changed;
}

/** The conditions of a node that is not heard of; undefined where they say so already. */
export function silentConditions(node: Node, now: number): NodeCondition[] | undefined {
  const time = formatTime(now);
  const made = node.metadata?.creationTimestamp;
  const conditions = [...(node.status?.conditions ?? [])];
  let changed = false;
  for (const type of KUBELET_CONDITIONS) {
    const at = conditions.findIndex((c) => c.type === type);
    const known = conditions[at];
    if (known?.status === 'Unknown') continue;
    changed = true;
    const condition: NodeCondition = {
      type,
      status: 'Unknown',
      reason: known === undefined ? 'NodeStatusNeverUpdated' : 'NodeStatusUnknown',
      message: known === undefined ? 'Kubelet never posted node status.' : 'Kubelet stopped posting node status.',
      ...lastHeard(known === undefined ? made : known.lastHeartbeatTime),
      lastTransitionTime: time,
    };
    if (known === undefined) conditions.push(condition);
    else conditions[at] = condition;
  }
  return changed ? conditions : undefined;
}

const lastHeard = (time: string | undefined) => (time === undefined ? {} : { lastHeartbeatTime: time });
