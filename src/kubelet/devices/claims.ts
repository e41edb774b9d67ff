/**
 * Claims to devices (dynamic resource allocation): a pod whose containers are to have devices does not start without
 * them. This kubelet does not ask the drivers of claims yet, and says so.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/dynamic-resource-allocation/
 */
import type { Pod } from '../../apis/core/pod.ts';

/** What a pod needs cannot be had on this node. Shows as an event with this reason. */
export class PreparationError extends Error {
  override readonly name = 'PreparationError';
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** @throws PreparationError for a pod that has claims */
export function refuseClaims({ metadata, spec, status }: Pod): void {
  const claims = spec?.resourceClaims ?? [];
  if (claims.length === 0) return;
  const names = claims.map(({ name, resourceClaimName }) => {
    const made = status?.resourceClaimStatuses?.find((s) => s.name === name)?.resourceClaimName;
    return `${metadata?.namespace}/${resourceClaimName ?? made ?? name}`;
  });
  throw new PreparationError(
    'FailedPrepareDynamicResources',
    `Failed to prepare dynamic resources: NodePrepareResources is not supported by this kubelet: ResourceClaims ${names.join(', ')}`,
  );
}
