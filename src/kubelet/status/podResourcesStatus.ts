/**
 * What a pod as a whole was granted, and has. Pure.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-pod-resources/
 */
import type { Pod } from '../../apis/core/pod.ts';
import { containerResources, type ResourceList } from '../../apis/core/podResources.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import type { PodStatus } from '../../apis/core/podStatus.ts';
import { addQuantities } from '../../machinery/quantity.ts';

type Told = Pick<PodStatus, 'allocatedResources' | 'resources'>;

/**
 * @param pod with what it was granted, and the status told last
 * @param failed it could not be given what it was granted: it has what it had
 */
export function podResourcesStatus({ spec, status }: Pod, failed: boolean): Told {
  if (spec === undefined) return {};
  const requests = withOverhead({ ...containerResources(spec, 'requests'), ...spec.resources?.requests }, spec, true);
  const limits = withOverhead({ ...limitsOf(spec), ...spec.resources?.limits }, spec, false);
  const granted = {
    ...(isEmpty(limits) ? {} : { limits }),
    ...(isEmpty(requests) ? {} : { requests }),
  };
  return {
    ...(isEmpty(requests) ? {} : { allocatedResources: requests }),
    resources: (failed ? status?.resources : undefined) ?? granted,
  };
}

/** A pod has a limit where all of its containers have one. */
function limitsOf(spec: PodSpec): ResourceList {
  const all = [...spec.containers, ...(spec.initContainers ?? [])];
  const limits = containerResources(spec, 'limits');
  return Object.fromEntries(
    Object.entries(limits).filter(([name]) => all.every((c) => c.resources?.limits?.[name] !== undefined)),
  );
}

/** What the pod costs beside its containers adds to what it asks for, and to the limits that it has. */
function withOverhead(amounts: ResourceList, { overhead = {} }: PodSpec, always: boolean): ResourceList {
  for (const [name, amount] of Object.entries(overhead)) {
    const own = amounts[name];
    if (own !== undefined) amounts[name] = addQuantities(own, amount);
    else if (always) amounts[name] = amount;
  }
  return amounts;
}

const isEmpty = (amounts: ResourceList) => Object.keys(amounts).length === 0;
