/**
 * Pods of a runtime class get what it costs to run them, and go where they can be run. Pods of none, the common
 * case, pass at once.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#runtimeclass
 */
import type { Toleration } from '../../apis/core/affinity.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type RuntimeClass, runtimeClasses } from '../../apis/node/runtimeClass.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { ApiError } from '../../machinery/status.ts';
import { forbiddenRequest } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import type { AdmissionPlugin, AdmissionRequest } from './plugin.ts';

const OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OVERHEAD_WITHOUT = 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead';

type PodSpec = NonNullable<Pod['spec']>;

export function runtimeClassAdmission(registry: Registry): AdmissionPlugin {
  const cache = registry.cache(runtimeClasses);
  const withClass = (
    request: AdmissionRequest,
    then: (spec: PodSpec, runtime: RuntimeClass | undefined, refuse: (why: string) => ApiError) => void,
  ): void | Promise<void> => {
    const spec = (request.object as Pod | undefined)?.spec;
    if (request.operation !== 'CREATE' || request.subresource !== '' || spec === undefined) return;
    const refuse = (why: string) => forbiddenRequest(pods, request.name, why);
    const { runtimeClassName: name } = spec;
    if (name === undefined) return then(spec, undefined, refuse);
    const decide = () => {
      const runtime = cache.object(undefined, name);
      if (runtime === undefined) throw refuse(`pod rejected: RuntimeClass ${JSON.stringify(name)} not found`);
      then(spec, runtime, refuse);
    };
    return cache.ready ? decide() : cache.start().then(decide);
  };
  return {
    name: 'RuntimeClass',
    resources: new Set(['/pods']),
    mutate: (request) =>
      withClass(request, (spec, runtime, refuse) => {
        const overhead = runtime?.overhead?.podFixed;
        if (overhead !== undefined) {
          if (spec.overhead !== undefined && !jsonEqual(spec.overhead, overhead)) throw refuse(OTHER_OVERHEAD);
          spec.overhead = { ...overhead };
        }
        if (runtime?.scheduling !== undefined) setScheduling(spec, runtime.scheduling, refuse);
      }),
    validate: (request) =>
      withClass(request, (spec, runtime, refuse) => {
        if (runtime?.overhead === undefined) {
          if (spec.overhead !== undefined) throw refuse(OVERHEAD_WITHOUT);
        } else if (!jsonEqual(spec.overhead ?? {}, runtime.overhead.podFixed ?? {})) throw refuse(OTHER_OVERHEAD);
      }),
  };
}

function setScheduling(
  spec: PodSpec,
  { nodeSelector, tolerations }: NonNullable<RuntimeClass['scheduling']>,
  refuse: (why: string) => ApiError,
): void {
  for (const [key, value] of Object.entries(nodeSelector ?? {})) {
    const own = spec.nodeSelector?.[key];
    if (own !== undefined && own !== value) {
      throw refuse(
        `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`,
      );
    }
  }
  if (nodeSelector !== undefined) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
  const all = [...(spec.tolerations ?? []), ...(tolerations ?? []).map((toleration) => ({ ...toleration }))];
  // One that another covers adds nothing; of two that cover each other the later stays.
  const kept: Toleration[] = [];
  for (const [i, toleration] of all.entries()) {
    if (![...kept, ...all.slice(i + 1)].some((other) => covers(other, toleration))) kept.push(toleration);
  }
  if (kept.length > 0) spec.tolerations = kept;
}

/** Whether whatever `inner` puts up with, `outer` does too. */
function covers(outer: Toleration, inner: Toleration): boolean {
  if (jsonEqual(outer, inner)) return true;
  const exists = outer.operator === 'Exists';
  if ((inner.key ?? '') !== (outer.key ?? '') && (outer.key || !exists)) return false;
  if (outer.effect && inner.effect !== outer.effect) return false;
  if (outer.effect === 'NoExecute' && outer.tolerationSeconds !== undefined) {
    if (inner.tolerationSeconds === undefined || inner.tolerationSeconds > outer.tolerationSeconds) return false;
  }
  return exists || (inner.operator === 'Equal' && (inner.value ?? '') === (outer.value ?? ''));
}
