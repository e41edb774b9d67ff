/**
 * Which taints a pod puts up with.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/
 */
import type { Toleration } from './affinity.ts';
import type { Taint } from './node.ts';

/** Whether one toleration covers a taint. An empty effect covers all effects, an empty key with Exists all taints. */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (toleration.key && toleration.key !== taint.key) return false;
  if (toleration.operator === 'Exists') return true;
  return !!toleration.key && (toleration.value ?? '') === (taint.value ?? '');
}

/** Whether any of the tolerations covers the taint. */
export function isTolerated(tolerations: readonly Toleration[] | undefined, taint: Taint): boolean {
  return (tolerations ?? []).some((toleration) => tolerates(toleration, taint));
}
