/**
 * A pod that runs gets no more than its node could ever give, and other amounts only on nodes that can change them.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
import { type Node, nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { containerResources } from '../../apis/core/podResources.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { addQuantities, compareQuantities, milliValue, wholeValue } from '../../machinery/quantity.ts';
import { ApiError, forbiddenRequest } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin } from './plugin.ts';

export function podResizeValidator(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(nodes);
  return {
    name: 'PodResizeValidator',
    resources: new Set(['/pods']),
    validate({ operation, subresource, name, object, oldObject }) {
      if (operation !== 'UPDATE' || subresource !== 'resize') return;
      const pod = object as Pod;
      const { nodeName = '' } = pod.spec ?? {};
      if (nodeName === '' || jsonEqual(pod.spec, (oldObject as Pod | undefined)?.spec)) return;
      const check = () => {
        const node = cache.object(undefined, nodeName) as Node | undefined;
        if (node === undefined) throw forbiddenRequest(pods, name, `node ${JSON.stringify(nodeName)} not found`);
        const beyond = beyondAllocatable(pod, node);
        if (beyond !== undefined) throw refusal(name, beyond, 'NodeCapacity');
        const system = node.metadata?.labels?.['kubernetes.io/os'] ?? 'linux';
        if (system === 'linux') return;
        const why = `pod resize is only supported on linux nodes, node ${JSON.stringify(nodeName)} is ${JSON.stringify(system)}`;
        throw refusal(name, why, 'UnsupportedPlatform');
      };
      return cache.ready ? check() : cache.start().then(check);
    },
  };
}

function refusal(name: string, why: string, reason: string): ApiError {
  const { status } = forbiddenRequest(pods, name, why);
  return new ApiError({ ...status, details: { ...status.details, causes: [{ reason, message: why }] } });
}

function beyondAllocatable({ spec }: Pod, { status }: Node): string | undefined {
  if (spec === undefined) return undefined;
  const requests = { ...containerResources(spec, 'requests'), ...spec.resources?.requests };
  const faults: string[] = [];
  for (const resource of ['cpu', 'memory']) {
    const asked = addQuantities(requests[resource] ?? '0', spec.overhead?.[resource] ?? '0');
    const most = status?.allocatable?.[resource] ?? '0';
    if (compareQuantities(asked, most) <= 0) continue;
    const amount = resource === 'cpu' ? milliValue : wholeValue;
    faults.push(`${resource}, requested: ${amount(asked)}, allocatable: ${amount(most)}`);
  }
  return faults.length === 0 ? undefined : `node didn't have enough allocatable resources: ${faults.join('; ')}`;
}
