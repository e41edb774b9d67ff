/**
 * POST of a Binding: a scheduler places a pod on a node.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/binding-v1/
 */
import { type Binding, bindings } from '../../apis/core/binding.ts';
import { nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { badRequest, conflict, notFound } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { readReview } from '../reviewBody.ts';
import { type ApiServerParts, type Handler, handlerKey } from '../stage.ts';
import { isDryRun } from '../verbs/objects.ts';
import { MAX_ATTEMPTS, put } from '../verbs/write.ts';
import { success } from './success.ts';
import { allowing } from './verbs.ts';

const PODS = pods as unknown as Kind;
const BINDING = { group: '', plural: 'pods/binding' };
/** Labels of the node that a pod takes over, so that it can learn where it runs. */
const TOPOLOGY_LABELS = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

/** `pods/binding`, and `bindings` with the pod's name in the body. */
export function bindingHandlers(parts: () => ApiServerParts): [string, Handler][] {
  const handler = allowing(['create'], (ctx) => bind(parts(), ctx));
  return [
    [handlerKey('', 'pods', 'binding'), handler],
    [handlerKey('', 'bindings'), handler],
  ];
}

async function bind(parts: ApiServerParts, ctx: RequestContext): Promise<Answer> {
  const binding = (await readReview(ctx, bindings as unknown as Kind)) as Binding;
  const { namespace } = ctx.info;
  const name = ctx.info.subresource === 'binding' ? ctx.info.name : (binding.metadata?.name ?? '');
  if (name === '') throw badRequest('a binding must name a pod');
  const cache = parts.registry.cache(PODS);
  await cache.freshen();
  for (let attempt = 1; ; attempt++) {
    const current = cache.get(namespace, name);
    if (current === undefined) throw notFound(pods, name);
    const pod = current.object as Stored<Pod>;
    checkBindable(pod, binding);
    if (isDryRun(ctx)) return success(201);
    const bound = assigned(parts, pod, binding);
    if ((await put(parts, cache, current.key, bound, current.revision)) !== undefined) return success(201);
    if (attempt >= MAX_ATTEMPTS) throw conflict(BINDING, name, 'the pod is being changed too often to be bound');
  }
}

function checkBindable(pod: Stored<Pod>, binding: Binding): void {
  const { name, uid } = pod.metadata;
  const refuse = (why: string) => conflict(BINDING, name, why);
  if (binding.metadata?.uid && binding.metadata.uid !== uid) {
    throw refuse(`Precondition failed: UID in precondition: ${binding.metadata.uid}, UID in object meta: ${uid}`);
  }
  const version = binding.metadata?.resourceVersion;
  if (version && version !== pod.metadata.resourceVersion) {
    throw refuse(
      `Precondition failed: ResourceVersion in precondition: ${version}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`,
    );
  }
  if (pod.metadata.deletionTimestamp !== undefined) {
    throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec?.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`);
  if ((pod.spec?.schedulingGates ?? []).length > 0) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`);
}

function assigned(parts: ApiServerParts, pod: Stored<Pod>, binding: Binding): Pod {
  const nodeName = binding.target.name ?? '';
  const nodeLabels = parts.registry.cache(nodes).object(undefined, nodeName)?.metadata.labels ?? {};
  const topology = TOPOLOGY_LABELS.flatMap((l) => (nodeLabels[l] === undefined ? [] : [[l, nodeLabels[l]] as const]));
  const labels = { ...pod.metadata.labels, ...Object.fromEntries(topology) };
  const annotations = { ...pod.metadata.annotations, ...binding.metadata?.annotations };
  const others = (pod.status?.conditions ?? []).filter((c) => c.type !== 'PodScheduled');
  const { generation } = pod.metadata;
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastTransitionTime: formatTime(parts.clock.now()),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  };
  // Where it was to be is of no interest now that it is somewhere.
  const { nominatedNodeName: _nominated, ...status } = pod.status ?? {};
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
    spec: { containers: [], ...pod.spec, nodeName },
    status: { ...status, conditions: [...others, scheduled] },
  };
}
