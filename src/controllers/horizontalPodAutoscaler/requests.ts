/** What pods request of a resource: what their use is a share of. */
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { containerResources, isSidecar } from '../../apis/core/podResources.ts';
import type { Stored } from '../../machinery/kind.ts';
import { milliValue } from '../../machinery/quantity.ts';
import { ScalingFailure } from './failure.ts';

/** By pod, in thousandths. @param container '' for all of a pod. @throws ScalingFailure where one requests nothing */
export function requestsOf(
  pods: readonly Stored<Pod>[],
  resource: string,
  container: string,
): ReadonlyMap<string, number> {
  return new Map(pods.map((pod) => [pod.metadata.name, requestOf(pod, resource, container)]));
}

function requestOf(pod: Stored<Pod>, resource: string, container: string): number {
  const { name } = pod.metadata;
  const spec = pod.spec ?? { containers: [] };
  const whole = spec.resources?.requests;
  if (container === '' && whole !== undefined && Object.keys(whole).length > 0) {
    const request = whole[resource] ?? containerResources(spec, 'requests')[resource];
    if (request === undefined) throw new ScalingFailure(`missing pod-level request for ${resource} in Pod ${name}`);
    return milliValue(request);
  }
  const running: readonly Container[] = [...spec.containers, ...(spec.initContainers ?? []).filter(isSidecar)];
  const counted = container === '' ? running : running.filter((c) => c.name === container);
  if (counted.length === 0 && container !== '') {
    throw new ScalingFailure(`container ${container} not found in Pod ${name}`);
  }
  let sum = 0;
  for (const { name: of, resources } of counted) {
    const request = resources?.requests?.[resource];
    if (request === undefined) {
      throw new ScalingFailure(`missing request for ${resource} in container ${of} of Pod ${name}`);
    }
    sum += milliValue(request);
  }
  return sum;
}
