/** Events about a container are events of its pod that name the field. */
import type { Pod } from '../../apis/core/pod.ts';
import type { ObjectReference } from '../../apis/core/references.ts';
import { referenceTo } from '../../client/eventRecorder.ts';

export function containerReference(pod: Pod, container: string): ObjectReference {
  const init = pod.spec?.initContainers?.some((c) => c.name === container) === true;
  return referenceTo(pod, `spec.${init ? 'initContainers' : 'containers'}{${container}}`);
}
