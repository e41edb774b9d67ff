/** What is said of a pod that is evicted. Pure. */
import type { Pod } from '../../apis/core/pod.ts';
import { bytesQuantity, wholeValue } from '../../machinery/quantity.ts';
import type { Observation } from './pressure.ts';
import { amountOf, SIGNALS, type Threshold } from './thresholds.ts';

/** What a container uses of what the node is short of. */
export interface ContainerUse {
  readonly name: string;
  readonly memoryBytes: number;
  readonly diskBytes: number;
}

/** @param containers those of the pod that run */
export function evictionMessage(
  threshold: Threshold,
  seen: Observation | undefined,
  pod: Pod,
  containers: readonly ContainerUse[],
): string {
  const { resource } = SIGNALS[threshold.signal];
  const said = [`The node was low on resource: ${resource}. `];
  if (seen !== undefined) {
    const text = resource === 'inodes' || resource === 'pids' ? String : bytesQuantity;
    const least = Math.floor(amountOf(threshold.value, seen.capacity));
    said.push(`Threshold quantity: ${text(least)}, available: ${bytesText(resource, seen.available)}. `);
  }
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return said.join('');
  for (const { name, memoryBytes, diskBytes } of containers) {
    const spec = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].find((c) => c.name === name);
    const request = spec?.resources?.requests?.[resource] ?? '0';
    const used = resource === 'memory' ? memoryBytes : diskBytes;
    if (used > wholeValue(request)) {
      const amount = bytesText(resource, used);
      said.push(
        `Container ${name} was using ${amount}, request is ${request}, has larger consumption of ${resource}. `,
      );
    }
  }
  return said.join('');
}

const KI = 1024;

/** Bytes as Ki, the way that the kubelet tells what is used. */
function bytesText(resource: string, amount: number): string {
  return resource === 'inodes' || resource === 'pids' ? String(amount) : `${Math.floor(amount / KI)}Ki`;
}
