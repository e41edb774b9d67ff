/** Runs the plans of every service that selects pods: its endpoint slices, and its endpoints in the older form. */
import { endpoints } from '../../apis/core/endpoints.ts';
import { type Node, nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type Service, services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Informer } from '../../client/informer.ts';
import { keyOf, refKey } from '../../client/store.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import { matchesLabels, selectorFromMap } from '../../machinery/labelSelector.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { isFinished, readySince } from '../podState.ts';
import { planEndpoints, planWithoutService } from './endpointsPlan.ts';
import { wantsTopology, type ZoneShares, zoneShares } from './hints.ts';
import { MANAGED_BY, MANAGER, planEndpointSlices, SERVICE_NAME } from './plan.ts';
import { TriggerTimes } from './triggerTime.ts';

const BY_SERVICE = 'service';
const ZONE = 'topology.kubernetes.io/zone';

export function startEndpointSliceController(context: ControllerContext): void {
  const serviceInformer = context.informers.of(services);
  const podInformer = context.informers.of(pods);
  const nodeInformer = context.informers.of(nodes);
  const slices = context.informers.of(endpointSlices);
  slices.addIndex(BY_SERVICE, (slice) => {
    const { labels, namespace } = slice.metadata;
    const name = labels?.[SERVICE_NAME];
    return name !== undefined && labels?.[MANAGED_BY] === MANAGER ? [refKey(namespace, name)] : [];
  });
  const times = new TriggerTimes();
  /** kept until a node changes in a way that matters */
  let shares: { readonly known: ZoneShares | undefined } | undefined;
  const loop = startLoop({
    name: 'endpointslice-controller',
    context,
    reads: [serviceInformer, podInformer, nodeInformer, slices],
    plan(key) {
      const service = serviceInformer.byKey(key);
      // The slices of a service that is gone go with it: they are its dependents.
      if (service === undefined) times.forget(key);
      if (service === undefined || !selectsPods(service)) return undefined;
      const chosen = selected(podInformer, service);
      const actions = planEndpointSlices({
        service,
        pods: chosen,
        slices: slices.byIndex(BY_SERVICE, key).filter((s) => s.metadata.deletionTimestamp === undefined),
        zoneOf: (name) => nodeInformer.get(undefined, name)?.metadata.labels?.[ZONE],
        zoneShares() {
          shares ??= { known: zoneShares(nodeInformer.list()) };
          return shares.known;
        },
        triggerTime: times.next(key, service, chosen),
      });
      return { actions };
    },
  });
  const tell = (object: KubeObject) => {
    const name = object.metadata?.labels?.[SERVICE_NAME];
    if (name !== undefined) loop.enqueue(refKey(object.metadata?.namespace, name));
  };
  slices.handle({ onUpdate: tell, onDelete: tell });
  onChanges(serviceInformer, podInformer, loop.enqueue);
  const nodesChanged = () => {
    shares = undefined;
    for (const service of serviceInformer.list()) if (wantsTopology(service)) loop.enqueue(keyOf(service));
  };
  nodeInformer.handle({
    onAdd: nodesChanged,
    onUpdate(node, old) {
      if (!jsonEqual(weightOf(node), weightOf(old))) nodesChanged();
    },
    onDelete: nodesChanged,
  });
}

/** What of a node matters for topology. */
function weightOf({ metadata, status }: Stored<Node>): unknown {
  const ready = status?.conditions?.find((c) => c.type === 'Ready')?.status;
  return [metadata.labels ?? {}, ready ?? '', status?.allocatable?.cpu ?? ''];
}

export function startEndpointsController(context: ControllerContext): void {
  const serviceInformer = context.informers.of(services);
  const podInformer = context.informers.of(pods);
  const informer = context.informers.of(endpoints);
  const times = new TriggerTimes();
  const loop = startLoop({
    name: 'endpoint-controller',
    context,
    reads: [serviceInformer, podInformer, informer],
    plan(key) {
      const service = serviceInformer.byKey(key);
      if (service === undefined) {
        times.forget(key);
        return { actions: planWithoutService(informer.byKey(key)) };
      }
      if (!selectsPods(service)) return undefined;
      const chosen = selected(podInformer, service);
      return { actions: planEndpoints(service, chosen, informer.byKey(key), times.next(key, service, chosen)) };
    },
  });
  const tell = (object: KubeObject) => loop.enqueue(keyOf(object));
  informer.handle({ onAdd: tell, onUpdate: tell, onDelete: tell });
  onChanges(serviceInformer, podInformer, loop.enqueue);
}

function selectsPods(service: Service): boolean {
  const { selector, type } = service.spec ?? {};
  return type !== 'ExternalName' && selector !== undefined && Object.keys(selector).length > 0;
}

function selected(podInformer: Informer<Pod>, service: Stored<Service>): Stored<Pod>[] {
  const selector = selectorFromMap(service.spec?.selector);
  return podInformer.list(service.metadata.namespace).filter((pod) => matchesLabels(selector, pod.metadata.labels));
}

/** Enqueues services that change, and those that select a pod that changes. */
function onChanges(
  serviceInformer: Informer<Service>,
  podInformer: Informer<Pod>,
  enqueue: (key: string) => void,
): void {
  const tell = (service: Stored<Service>) => enqueue(keyOf(service));
  serviceInformer.handle({ onAdd: tell, onUpdate: tell, onDelete: tell });
  const tellOf = (...states: readonly Stored<Pod>[]) => {
    for (const service of serviceInformer.list(states[0]?.metadata.namespace)) {
      if (!selectsPods(service)) continue;
      const selector = selectorFromMap(service.spec?.selector);
      if (states.some((pod) => matchesLabels(selector, pod.metadata.labels))) tell(service);
    }
  };
  podInformer.handle({
    onAdd: (pod) => tellOf(pod),
    onUpdate(pod, old) {
      if (matters(pod, old)) tellOf(pod, old);
    },
    onDelete: (pod) => tellOf(pod),
  });
}

/** Whether a change of a pod can change an endpoint: most changes of a pod's status do not. */
function matters(pod: Stored<Pod>, old: Stored<Pod>): boolean {
  return (
    pod.metadata.labels !== old.metadata.labels ||
    pod.metadata.deletionTimestamp !== old.metadata.deletionTimestamp ||
    pod.metadata.uid !== old.metadata.uid ||
    pod.spec !== old.spec ||
    isFinished(pod) !== isFinished(old) ||
    readySince(pod) !== readySince(old) ||
    !jsonEqual(pod.status?.podIPs ?? pod.status?.podIP ?? null, old.status?.podIPs ?? old.status?.podIP ?? null)
  );
}
