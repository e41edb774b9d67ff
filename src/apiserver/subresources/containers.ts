/** Which container of a pod is meant by a request that streams. */
import type { Pod } from '../../apis/core/pod.ts';
import { badRequest } from '../../machinery/status.ts';

const DEFAULT_ANNOTATION = 'kubectl.kubernetes.io/default-container';

/** @param asked the query's `container`; '' for none. @throws ApiError BadRequest */
export function containerOf(pod: Pod, asked: string): string {
  const { name: podName = '', annotations } = pod.metadata ?? {};
  const containers = (pod.spec?.containers ?? []).map((c) => c.name);
  const inits = (pod.spec?.initContainers ?? []).map((c) => c.name);
  const ephemeral = (pod.spec?.ephemeralContainers ?? []).map((c) => c.name);
  if (asked !== '') {
    if ([...containers, ...inits, ...ephemeral].includes(asked)) return asked;
    throw badRequest(`container ${asked} is not valid for pod ${podName}`);
  }
  const preferred = annotations?.[DEFAULT_ANNOTATION];
  if (preferred !== undefined && containers.includes(preferred)) return preferred;
  const [only] = containers;
  if (containers.length === 1 && only !== undefined) return only;
  let message = `a container name must be specified for pod ${podName}`;
  if (containers.length > 0) message += `, choose one of: [${containers.join(' ')}]`;
  if (inits.length > 0) message += ` or one of the init containers: [${inits.join(' ')}]`;
  if (ephemeral.length > 0) message += ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`;
  throw badRequest(message);
}
