/** Watches over nodes: hears whether their kubelets are alive, and taints those that are not fit for pods. */
import { isDeepStrictEqual } from 'node:util';
import { leases } from '../../apis/coordination/lease.ts';
import { type Node, nodes } from '../../apis/core/node.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';
import { type Action, statusUpdate } from '../action.ts';
import type { ControllerContext } from '../context.ts';
import { startLoop } from '../loop.ts';
import { awaitsEviction, type Eviction, labelsOf, readyStatus, silentConditions, taintsOf } from './plan.ts';
import { isExcluded, type ZoneChange, Zones, zoneOf } from './zones.ts';

/** A kubelet that is not heard of for so long is taken for gone. */
const GRACE_MS = 50_000;
/** So long a node may take to report for the first time. */
const STARTUP_GRACE_MS = 60_000;
const LEASE_NAMESPACE = 'kube-node-lease';
const BY_NODE = 'node';

export function startNodeLifecycleController(context: ControllerContext): void {
  const nodeInformer = context.informers.of(nodes);
  const leaseInformer = context.informers.of(leases);
  const podInformer = context.informers.of(pods);
  podInformer.addIndex(BY_NODE, (pod) => [pod.spec?.nodeName ?? '']);
  const { clock } = context;
  /** when a sign of life was last seen, by this process' own clock */
  const heard = new Map<string, number>();
  /** the nodes that there are, as far as events told of it */
  const told = new Map<string, Stored<Node>>();
  const zones = new Zones();

  const loop = startLoop({
    name: 'node-controller',
    context,
    reads: [nodeInformer, leaseInformer, podInformer],
    plan(name) {
      const node = nodeInformer.byKey(name);
      if (node === undefined) {
        heard.delete(name);
        const gone = told.get(name);
        told.delete(name);
        if (gone === undefined) return undefined;
        return { actions: [nodeEvent(gone, 'RemovingNode', `Removing Node ${name} from Controller`)] };
      }
      const isNew = told.get(name)?.metadata.uid !== node.metadata.uid;
      told.set(name, node);
      const news = isNew ? [nodeEvent(node, 'RegisteredNode', `Registered Node ${name} in Controller`)] : [];
      const last = heard.get(name) ?? clock.monotonic();
      heard.set(name, last);
      const now = clock.now();
      const hasReported = node.status?.conditions?.some((c) => c.type === 'Ready') === true;
      const leftMs = last + (hasReported ? GRACE_MS : STARTUP_GRACE_MS) - clock.monotonic();
      if (leftMs <= 0) {
        const conditions = silentConditions(node, now);
        if (conditions !== undefined) return { actions: [...news, ...silence(node, conditions)] };
      }
      const { eviction, waitMs } = turnOf(node);
      const waits = [leftMs, waitMs ?? 0].filter((ms) => ms > 0);
      const again = waits.length === 0 ? {} : { againMs: Math.min(...waits) };
      const actions = planNode(node, podInformer.byIndex(BY_NODE, name), now, eviction);
      return { actions: [...news, ...actions], ...again };
    },
  });

  /** Whether it is the node's turn to have its pods driven off, or in how long to ask again. */
  const turnOf = (node: Stored<Node>): { eviction: Eviction; waitMs?: number } => {
    if (zones.allDown) return { eviction: 'stop' };
    if (!awaitsEviction(node)) return { eviction: 'wait' };
    const waitMs = zones.evict(zoneOf(node), clock.monotonic());
    if (waitMs === 0) return { eviction: 'now' };
    return { eviction: 'wait', ...(waitMs === undefined ? {} : { waitMs }) };
  };
  const follow = ({ nodes: changed, restored }: ZoneChange) => {
    for (const name of changed) {
      // While nobody was heard of, nobody can be said to have been silent.
      if (restored) live(name);
      loop.enqueue(name);
    }
  };
  const count = (node: Stored<Node>) => {
    const { name } = node.metadata;
    follow(isExcluded(node) ? zones.remove(name) : zones.set(name, zoneOf(node), readyStatus(node) === 'True'));
  };

  const live = (name: string) => heard.set(name, clock.monotonic());
  nodeInformer.handle({
    onAdd(node) {
      live(node.metadata.name);
      count(node);
      loop.enqueue(node.metadata.name);
    },
    onUpdate(node, old) {
      const { name } = node.metadata;
      const beat = heartbeat(node);
      if (beat !== '' && beat !== heartbeat(old)) live(name);
      count(node);
      loop.enqueue(name);
    },
    onDelete(node) {
      heard.delete(node.metadata.name);
      follow(zones.remove(node.metadata.name));
      loop.enqueue(node.metadata.name);
    },
  });
  leaseInformer.handle({
    // A node that fell silent may be heard again without a change of the node itself: the kubelet reports then.
    onAdd(lease) {
      if (lease.metadata.namespace === LEASE_NAMESPACE) live(lease.metadata.name);
    },
    onUpdate(lease, old) {
      if (lease.metadata.namespace !== LEASE_NAMESPACE) return;
      if (!isDeepStrictEqual(lease.spec?.renewTime, old.spec?.renewTime)) live(lease.metadata.name);
    },
  });
}

/** What the kubelet last wrote of itself; '' for what was written in its stead. */
function heartbeat(node: Node): string {
  const ready = node.status?.conditions?.find((c) => c.type === 'Ready');
  return ready === undefined || ready.status === 'Unknown' ? '' : `${ready.status} ${ready.lastHeartbeatTime}`;
}

function nodeEvent(node: Stored<Node>, reason: string, what: string): Action {
  const message = `Node ${node.metadata.name} event: ${what}`;
  return { verb: 'event', regarding: node, type: 'Normal', reason, message };
}

function silence(node: Stored<Node>, conditions: NonNullable<NonNullable<Node['status']>['conditions']>): Action[] {
  const object: Node = { ...node, status: { ...node.status, conditions } };
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`;
  return [
    statusUpdate(nodes, object),
    { verb: 'event', regarding: node, type: 'Normal', reason: 'NodeNotReady', message },
  ];
}

function planNode(node: Stored<Node>, onNode: readonly Stored<Pod>[], now: number, eviction: Eviction): Action[] {
  const actions: Action[] = [];
  const taints = taintsOf(node, now, eviction);
  const labels = labelsOf(node);
  if (taints !== undefined || labels !== undefined) {
    const object: Node = {
      ...node,
      metadata: { ...node.metadata, labels: { ...node.metadata.labels, ...labels } },
      spec: { ...node.spec, ...(taints === undefined ? {} : { taints }) },
    };
    actions.push({ verb: 'update', kind: nodes as Kind, object });
  }
  // Nobody else can say that the pods of a silent node do not serve any more.
  if (readyStatus(node) === 'Unknown' && node.status?.conditions !== undefined) {
    for (const pod of onNode) actions.push(...notReady(pod, now));
  }
  return actions;
}

function notReady(pod: Stored<Pod>, now: number): Action[] {
  const conditions = pod.status?.conditions ?? [];
  const ready = conditions.find((c) => c.type === 'Ready');
  if (ready?.status !== 'True') return [];
  const time = formatTime(now);
  const changed = { ...ready, status: 'False', lastTransitionTime: time };
  const object: Pod = {
    ...pod,
    status: { ...pod.status, conditions: conditions.map((c) => (c === ready ? changed : c)) },
  };
  return [
    statusUpdate(pods, object),
    { verb: 'event', regarding: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' },
  ];
}
