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
    entry.node = node;
    this.#changed(entry);
  }

  removeNode(name: string): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    this.#images.replace(entry.node, undefined);
    entry.node = undefined;
    this.#changed(entry);
    this.#tidy(name, entry);
  }

  /** A pod is on a node: placed there by us a moment ago, or as the API server says, which has the last word. */
  setPod(pod: PodInfo, nodeName: string): void {
    const before = this.#nodeOf.get(pod.uid);
    if (before !== undefined && before !== nodeName) this.removePod(pod.uid);
    this.#nominated.delete(pod.uid);
    this.#nodeOf.set(pod.uid, nodeName);
    const entry = this.#entry(nodeName);
    entry.pods.set(pod.uid, pod);
    this.#changed(entry);
  }

  /** Returns whether that frees room: the pod was on a node, or room was kept for it on one. */
  removePod(uid: string): boolean {
    const nominated = this.#nominated.delete(uid);
    if (nominated) this.#snapshot = undefined;
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
    this.#snapshot = undefined;
  }

  setNamespace(name: string, labels: Labels | undefined): void {
    if (labels === undefined) this.#namespaces.delete(name);
    else this.#namespaces.set(name, labels);
    this.#snapshot = undefined;
  }

  /** The cluster as it is now; the same object while nothing changes. */
  snapshot(): Snapshot {
    this.#snapshot ??= this.#makeSnapshot();
    return this.#snapshot;
  }

  #makeSnapshot(): Snapshot {
    const nodes: NodeInfo[] = [];
    for (const entry of this.#entries.values()) {
      if (entry.node === undefined) continue;
      entry.info ??= new NodeInfo(entry.node, [...entry.pods.values()]);
      nodes.push(entry.info);
    }
    const nominated = new Map<string, PodInfo[]>();
    for (const { pod, nodeName } of this.#nominated.values()) {
      const pods = nominated.get(nodeName);
      if (pods === undefined) nominated.set(nodeName, [pod]);
      else pods.push(pod);
    }
    const imageCounts = this.#images.byImage;
    const namespaces = new Map(this.#namespaces);
    return snapshotOf({ nodes, namespaces, nominated, imageCounts, devices: this.#devices, volumes: this.#volumes });
  }

  #entry(name: string): Entry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = { node: undefined, pods: new Map(), info: undefined };
      this.#entries.set(name, entry);
    }
    return entry;
  }

  #changed(entry: Entry): void {
    entry.info = undefined;
    this.#snapshot = undefined;
  }

  #tidy(name: string, entry: Entry): void {
    if (entry.node === undefined && entry.pods.size === 0) this.#entries.delete(name);
  }
}
