/** What people read about a pod that fits nowhere. */
import type { PreemptionPlan } from './preemption.ts';
import type { NodeRefusal } from './schedule.ts';

/**
 * `0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable. no new claims to deallocate, preemption: …`
 *
 * The plugin for resource claims has its say before preemption, and says so where it has nothing to do, or `not found`
 * where volumes ended the matter before it had its turn.
 */
export function unschedulableMessage(
  nodes: number,
  refusals: ReadonlyMap<string, NodeRefusal>,
  preemption: PreemptionPlan | undefined,
): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  const ofPod = [...refusals.values()].find((refusal) => refusal.ofPod === true);
  const own =
    ofPod === undefined
      ? summary(nodes, new Map([...refusals].map(([name, refusal]) => [name, refusal.reasons])))
      : `0/${nodes} nodes are available: ${ofPod.reasons.join(', ')}.`;
  if (preemption === undefined || preemption.preemption !== undefined) return own;
  if (ofPod !== undefined) return `${own} not found`;
  const { reasons } = preemption;
  return `${own} no new claims to deallocate, preemption: ${typeof reasons === 'string' ? reasons : summary(nodes, reasons)}`;
}

function summary(nodes: number, reasonsByNode: ReadonlyMap<string, readonly string[]>): string {
  const counts = new Map<string, number>();
  for (const reasons of reasonsByNode.values()) {
    for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const lines = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodes} nodes are available: ${lines.join(', ')}.`;
}
