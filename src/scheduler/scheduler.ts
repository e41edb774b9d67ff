/** Starts the scheduler: it watches pods and nodes, and finds each pod a node. */
import { namespaces } from '../apis/core/namespace.ts';
import { nodes } from '../apis/core/node.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { podDisruptionBudgets } from '../apis/policy/podDisruptionBudget.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/eventRecorder.ts';
import { Informer } from '../client/informer.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Stored } from '../machinery/kind.ts';
import { SCHEDULER_NAME } from './actions.ts';
import { ClusterCache } from './clusterCache.ts';
import { boundPodChanges, nodeChanges } from './clusterChange.ts';
import type { Devices } from './dynamicResources/devices.ts';
import { type PodInfo, podInfoOf } from './podInfo.ts';
import { type Reservations, SchedulingLoop } from './schedulingLoop.ts';
import { SchedulingQueue } from './schedulingQueue.ts';
import type { Volumes, VolumesOptions } from './volumes/volumes.ts';

export interface SchedulerOptions {
  /** as `system:kube-scheduler` */
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** stops it */
  readonly signal: AbortSignal;
}

const NO_RESERVATIONS: readonly Reservations[] = [];
/** Pods that have ended take no room. */
const NOT_ENDED = 'status.phase!=Succeeded,status.phase!=Failed';

/**
 * Resolves when the cluster is known and pods are being scheduled; rejects with the signal's reason where it is
 * stopped before that, which nobody need handle.
 */
export function startScheduler(options: SchedulerOptions): Promise<void> {
  const { client, clock, random, signal } = options;
  const log = options.log.child({ component: 'scheduler' });
  const recorder = createEventRecorder({ client, component: SCHEDULER_NAME, clock, random, log, signal });
  const cache = new ClusterCache();
  const queue = new SchedulingQueue(clock, () => loop.wake());
  let devices: Devices | undefined;
  const actions = { client, recorder, clock, log, signal };
  let volumes: Volumes | undefined;
  const loop = new SchedulingLoop({
    cache,
    queue,
    random,
    actions,
    reservations,
    budgets: (namespace) => budgetInformer.list(namespace),
  });
  signal.addEventListener('abort', () => queue.stop(), { once: true });

  const source = { client, clock, random, log, signal };
  const nodeInformer = new Informer({ ...source, kind: nodes });
  const namespaceInformer = new Informer({ ...source, kind: namespaces });
  const podInformer = new Informer({ ...source, kind: pods, fieldSelector: NOT_ENDED });
  const budgetInformer = new Informer({ ...source, kind: podDisruptionBudgets });

  nodeInformer.handle({
    onAdd(node) {
      cache.setNode(node);
      queue.clusterChanged(['nodeAdded']);
    },
    onUpdate(node, old) {
      cache.setNode(node);
      queue.clusterChanged(nodeChanges(node, old));
    },
    onDelete(node) {
      cache.removeNode(node.metadata.name);
      queue.clusterChanged(['nodeGone']);
    },
  });
  namespaceInformer.handle({
    onAdd: ({ metadata }) => cache.setNamespace(metadata.name, metadata.labels ?? {}),
    onUpdate({ metadata }) {
      cache.setNamespace(metadata.name, metadata.labels ?? {});
      queue.clusterChanged(['namespaceLabels']);
    },
    onDelete: ({ metadata }) => cache.setNamespace(metadata.name, undefined),
  });
  podInformer.handle({
    onAdd: (pod) => see(pod, undefined),
    onUpdate: (pod, old) => see(pod, old),
    onDelete: ({ metadata }) => forget(metadata.uid),
  });

  let wantsDevices = false;
  /** Most clusters have no devices: nothing is watched, nor loaded, before a pod asks for some. */
  function watchDevices(): void {
    if (wantsDevices) return;
    wantsDevices = true;
    const changed = () => queue.clusterChanged(['devices']);
    import('./dynamicResources/devices.ts')
      .then(
        async (module) => {
          const found = new module.Devices({ ...source, onChange: changed });
          await found.synced;
          devices = found;
          cache.setDevices(found);
          changed();
        },
        (error: unknown) => log.error('devices cannot be looked after', { err: error }),
      )
      .catch(() => {
        // Stopped before they were known.
      });
  }

  let wantsVolumes = false;
  /** Pods with claims, until the claims are known; by uid. */
  const untilVolumes = new Map<string, Stored<Pod>>();
  /** Nor has every cluster claims. */
  function watchVolumes(): void {
    if (wantsVolumes) return;
    wantsVolumes = true;
    import('./volumes/volumes.ts')
      .then(
        async (module) => {
          const onChange: VolumesOptions['onChange'] = (change, concerns) => queue.clusterChanged([change], concerns);
          const found = new module.Volumes({ ...source, onChange });
          await found.synced;
          volumes = found;
          cache.setVolumes(found);
          for (const pod of untilVolumes.values()) queue.set(pod);
          untilVolumes.clear();
        },
        (error: unknown) => log.error('volumes cannot be looked after', { err: error }),
      )
      .catch(() => {
        // Stopped before they were known.
      });
  }

  function reservations(pod: PodInfo): readonly Reservations[] {
    const wanted = (pod.spec.resourceClaims ?? []).length > 0;
    if (!wanted && pod.claims.length === 0) return NO_RESERVATIONS;
    return [wanted ? devices : undefined, pod.claims.length > 0 ? volumes : undefined].filter((r) => r !== undefined);
  }

  function see(pod: Stored<Pod>, old: Stored<Pod> | undefined): void {
    const nodeName = pod.spec?.nodeName;
    if ((pod.spec?.resourceClaims ?? []).length > 0) watchDevices();
    const hasClaims = (pod.spec?.volumes ?? []).some((v) => v.persistentVolumeClaim ?? v.ephemeral);
    if (hasClaims) watchVolumes();
    untilVolumes.delete(pod.metadata.uid);
    if (nodeName) {
      queue.delete(pod.metadata.uid);
      cache.setPod(podInfoOf(pod), nodeName);
      queue.clusterChanged(old?.spec?.nodeName ? boundPodChanges(pod, old) : ['podPlaced']);
    } else if (pod.spec?.schedulerName !== SCHEDULER_NAME) {
      // Another scheduler's.
    } else if (pod.metadata.deletionTimestamp !== undefined) {
      forget(pod.metadata.uid);
    } else {
      const nominated = pod.status?.nominatedNodeName || undefined;
      if (nominated !== (old?.status?.nominatedNodeName || undefined)) cache.nominate(podInfoOf(pod), nominated);
      if (hasClaims && volumes === undefined) untilVolumes.set(pod.metadata.uid, pod);
      else queue.set(pod);
    }
  }

  function forget(uid: string): void {
    queue.delete(uid);
    untilVolumes.delete(uid);
    volumes?.forget(uid);
    if (cache.removePod(uid)) queue.clusterChanged(['podGone']);
  }

  const informers = [nodeInformer, namespaceInformer, podInformer, budgetInformer];
  const started = Promise.all(informers.map(({ synced }) => synced)).then(() => loop.start());
  // Nobody need wait for it.
  started.catch(() => {});
  return started;
}
