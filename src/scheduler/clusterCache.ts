/**
 * What is where: nodes and the pods on them, those included that were just placed and whose binding
 * the API server has not told of yet.
 */
import type { Node } from '../apis/core/node.ts';
import type { Stored } from '../machinery/kind.ts';
import type { Labels } from '../machinery/labelSelector.ts';
import { ImageCounts } from './nodeImages.ts';
import { NodeInfo } from './nodeInfo.ts';
import type { PodInfo } from './podInfo.ts';
import { type DeviceView, type Snapshot, snapshotOf } from './snapshot.ts';
import type { VolumeView } from './volumes/view.ts';

interface Entry {
  /** undefined while only pods of the node are known */
  node: Stored<Node> | undefined;
  readonly pods: Map<string, PodInfo>;
  /** undefined where it must be made anew */
  info: NodeInfo | undefined;
  /** its place among the nodes of the snapshot */
  place: number;
}

export class ClusterCache {
  readonly #entries = new Map<string, Entry>();
  /** the node that each pod is on, by the pod's uid */
  readonly #nodeOf = new Map<string, string>();
  readonly #namespaces = new Map<string, Labels>();
  /** pods for which room is being made */
  readonly #nominated = new Map<string, { pod: PodInfo; nodeName: string }>();
  readonly #images = new ImageCounts();
  #devices: DeviceView | undefined;
  #volumes: VolumeView | undefined;
  #snapshot: Snapshot | undefined;
  /** The nodes of the snapshot, in which those that change are replaced; undefined where a node has come or gone. */
  #nodes: NodeInfo[] | undefined;
  readonly #changedEntries = new Set<Entry>();
  #withAffinity: readonly NodeInfo[] = [];
  /** copies for the snapshot; undefined where something of them has changed */
  #nominatedByNode: ReadonlyMap<string, readonly PodInfo[]> | undefined;
  #namespaceLabels: ReadonlyMap<string, Labels> | undefined;

  /** A view of what is so at any time. */
  setDevices(devices: DeviceView): void {
    this.#devices = devices;
    this.#snapshot = undefined;
  }

  /** A view of what is so at any time. */
  setVolumes(volumes: VolumeView): void {
    this.#volumes = volumes;
    this.#snapshot = undefined;
  }

  setNode(node: Stored<Node>): void {
    const entry = this.#entry(node.metadata.name);
    this.#images.replace(entry.node, node);
    if (entry.node === undefined) this.#nodes = undefined;
    entry.node = node;
    this.#changed(entry);
  }

  removeNode(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#images.replace(entry.node, undefined);
    entry.node = undefined;
    this.#nodes = undefined;
    this.#changed(entry);
    this.#tidy(name, entry);
  }

  /** A pod is on a node: placed there by us a moment ago, or as the API server says, which has the last word. */
  setPod(pod: PodInfo, nodeName: string): void {
    const before = this.#nodeOf.get(pod.uid);
    if (before !== undefined && before !== nodeName) this.removePod(pod.uid);
    if (this.#nominated.delete(pod.uid)) this.#nominatedByNode = undefined;
    this.#nodeOf.set(pod.uid, nodeName);
    const entry = this.#entry(nodeName);
    entry.pods.set(pod.uid, pod);
    this.#changed(entry);
  }

  /** Returns whether that frees room: the pod was on a node, or room was kept for it on one. */
  removePod(uid: string): boolean {
    const nominated = this.#nominated.delete(uid);
    if (nominated) this.#nominationChanged();
    const nodeName = this.#nodeOf.get(uid);
    const entry = nodeName === undefined ? undefined : this.#entries.get(nodeName);
    if (nodeName === undefined || entry === undefined) return nominated;
    this.#nodeOf.delete(uid);
    entry.pods.delete(uid);
    this.#changed(entry);
    this.#tidy(nodeName, entry);
    return true;
  }

  /** @param nodeName undefined where no room is made for it any more */
  nominate(pod: PodInfo, nodeName: string | undefined): void {
    if (nodeName === undefined) this.#nominated.delete(pod.uid);
    else this.#nominated.set(pod.uid, { pod, nodeName });
    this.#nominationChanged();
  }

  #nominationChanged(): void {
    this.#nominatedByNode = undefined;
    this.#snapshot = undefined;
  }

  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
    this.#namespaceLabels = undefined;
    this.#snapshot = undefined;
  }

  /** The cluster as it is now; the same object while nothing changes, and of no use after that. */
  snapshot(): Snapshot {
    this.#snapshot ??= this.#makeSnapshot();
    return this.#snapshot;
  }

  /** One is made for each pod that is placed: what did not change is not looked at. */
  #makeSnapshot(): Snapshot {
    const nodes = this.#nodes === undefined ? this.#allNodes() : this.#replaceChanged(this.#nodes);
    this.#changedEntries.clear();
    this.#nominatedByNode ??= byNode(this.#nominated.values());
    this.#namespaceLabels ??= new Map(this.#namespaces);
    return snapshotOf({
      nodes,
      knownAffinity: this.#withAffinity,
      namespaces: this.#namespaceLabels,
      nominated: this.#nominatedByNode,
      imageCounts: this.#images.byImage,
      devices: this.#devices,
      volumes: this.#volumes,
    });
  }

  #allNodes(): readonly NodeInfo[] {
    const nodes: NodeInfo[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.node === undefined) continue;
      entry.info ??= new NodeInfo(entry.node, [...entry.pods.values()]);
      entry.place = nodes.length;
      nodes.push(entry.info);
    }
    this.#nodes = nodes;
    this.#withAffinity = nodes.filter((node) => node.withAffinity);
    return nodes;
  }

  #replaceChanged(nodes: NodeInfo[]): readonly NodeInfo[] {
    let affinity = false;
    for (const entry of this.#changedEntries) {
      if (entry.node === undefined) continue;
      entry.info ??= new NodeInfo(entry.node, [...entry.pods.values()]);
      affinity ||= entry.info.withAffinity || nodes[entry.place]?.withAffinity === true;
      nodes[entry.place] = entry.info;
    }
    if (affinity) this.#withAffinity = nodes.filter((node) => node.withAffinity);
    return nodes;
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { node: undefined, pods: new Map(), info: undefined, place: -1 };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #changed(entry: Entry): void {
    entry.info = undefined;
    this.#changedEntries.add(entry);
    this.#snapshot = undefined;
  }

  #tidy(name: string, entry: Entry): void {
    if (entry.node === undefined && entry.pods.size === 0) this.#entries.delete(name);
  }
}

function byNode(
  nominations: Iterable<{ readonly pod: PodInfo; readonly nodeName: string }>,
): ReadonlyMap<string, readonly PodInfo[]> {
  const out = new Map<string, PodInfo[]>();
  for (const { pod, nodeName } of nominations) {
    const pods = out.get(nodeName);
    if (pods === undefined) out.set(nodeName, [pod]);
    else pods.push(pod);
  }
  return out;
}
