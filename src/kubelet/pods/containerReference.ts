/** Events about a container are events of its pod that name the field. */
import type { Pod } from '../../apis/core/pod.ts';
import type { ObjectReference } from '../../apis/core/references.ts';
import { referenceTo } from '../../client/eventRecorder.ts';

export function containerReference(pod: Pod, container: string): ObjectReference {
  const { initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const isIn = (list: readonly { name: string }[]) => list.some((c) => c.name === container);
  const field = isIn(initContainers)
    ? 'initContainers'
    : isIn(ephemeralContainers)
      ? 'ephemeralContainers'
      : 'containers';
  return referenceTo(pod, `spec.${field}{${container}}`);
}
