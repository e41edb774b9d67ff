/**
 * A pod's priority comes from its priority class, and from nowhere else.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type PriorityClass, priorityClasses } from '../../apis/scheduling/priorityClass.ts';
import type { Stored } from '../../machinery/kind.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { WatchCache } from '../registry/watchCache.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

const PREEMPT = 'PreemptLowerPriority';
/** Others may not be named so. */
const SYSTEM = 'system-';

export function priorityAdmission(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(priorityClasses);
  const whenReady = (then: () => void) => {
    const fresh = cache.ready ? undefined : cache.start();
    return fresh === undefined ? then() : fresh.then(then);
  };
  return {
    name: 'Priority',
    resources: new Set(['/pods', 'scheduling.k8s.io/priorityclasses']),
    mutate(request) {
      if (request.operation !== 'CREATE' || request.subresource !== '' || request.kind.plural !== 'pods') return;
      return whenReady(() => setPriority(cache, request));
    },
    validate(request) {
      if (request.kind.plural !== 'priorityclasses') return;
      if (request.operation === 'DELETE' && request.name.startsWith(SYSTEM))
        throw forbiddenRequest(priorityClasses, request.name, 'this is a system priority class and cannot be deleted');
      if (request.object === undefined) return;
      return whenReady(() => checkOneDefault(cache, request));
    },
  };
}

function setPriority(cache: WatchCache<PriorityClass>, request: AdmissionRequest): void {
  const { spec } = request.object as Pod;
  if (spec === undefined) return;
  const name = spec.priorityClassName ?? '';
  const found = name === '' ? defaultClass(cache) : cache.object(undefined, name);
  if (name !== '' && found === undefined) {
    throw forbiddenRequest(pods, request.name, `no PriorityClass with name ${name} was found`);
  }
  const priority = found?.value ?? 0;
  const policy = found?.preemptionPolicy ?? PREEMPT;
  if (spec.priority !== undefined && spec.priority !== priority) {
    const why = `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${priority} from the given PriorityClass name`;
    throw forbiddenRequest(pods, request.name, why);
  }
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== policy) {
    const why = `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`;
    throw forbiddenRequest(pods, request.name, why);
  }
  if (found !== undefined) spec.priorityClassName = found.metadata.name;
  spec.priority = priority;
  spec.preemptionPolicy = policy;
}

/** Where several say that they are the default, the lowest is. */
function defaultClass(cache: WatchCache<PriorityClass>): Stored<PriorityClass> | undefined {
  let best: Stored<PriorityClass> | undefined;
  for (const candidate of cache.objects()) {
    if (candidate.globalDefault && (best === undefined || (candidate.value ?? 0) < (best.value ?? 0))) best = candidate;
  }
  return best;
}

function checkOneDefault(cache: WatchCache<PriorityClass>, request: AdmissionRequest): void {
  if (!(request.object as PriorityClass).globalDefault) return;
  const other = cache.objects().find((c) => c.globalDefault && c.metadata.name !== request.name);
  if (other === undefined) return;
  const why = `PriorityClass ${JSON.stringify(other.metadata.name)} is already marked as default. Only one default can exist`;
  throw forbiddenRequest(priorityClasses, request.name, why);
}
