/** The storage of the cluster as the scheduler sees it, and what it promised to pods. */
import { classOfVolume, type PersistentVolume, persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import { BOUND_BY_CONTROLLER, isBound, isReachable, SELECTED_NODE } from '../../apis/core/volumeBinding.ts';
import { type CSIDriver, csiDrivers } from '../../apis/storage/csiDriver.ts';
import { type CSINode, csiNodes } from '../../apis/storage/csiNode.ts';
import { type CSIStorageCapacity, csiStorageCapacities } from '../../apis/storage/csiStorageCapacity.ts';
import { type StorageClass, storageClasses } from '../../apis/storage/storageClass.ts';
import { Informer, type InformerOptions } from '../../client/informer.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { ClusterChange } from '../clusterChange.ts';
import type { NodeInfo } from '../nodeInfo.ts';
import type { PodInfo } from '../podInfo.ts';
import { PreBindError, type Reservations } from '../schedulingLoop.ts';
import { type Claim, podClaims } from './claims.ts';
import { type NodeVolumes, volumeFinder } from './findVolumes.ts';
import type { VolumeView } from './view.ts';

export interface VolumesOptions extends Omit<InformerOptions<KubeObject>, 'kind'> {
  /** A pod that waits for volumes may have them now. @param concerns absent: it may be any pod */
  onChange(change: ClusterChange, concerns?: (pod: PodInfo) => boolean): void;
}

/** What a pod was promised. */
interface Promised extends NodeVolumes {
  readonly node: NodeInfo['node'];
  /** uids of the claims for which this pod came first: of those it writes what was found */
  readonly own: Set<string>;
  /** what was written, by the uid of the object: older states of it tell nothing */
  readonly written: Map<string, string>;
  /** looks again whether all is bound; set while the pod waits */
  look: (() => void) | undefined;
  fail: ((why: string) => void) | undefined;
}

const BY_TAKER = 'who may take it';
/** So long a pod waits for its volumes before it is scheduled anew. */
const BIND_TIMEOUT_MS = 10 * 60_000;

export class Volumes implements VolumeView, Reservations {
  readonly plugin = 'VolumeBinding';
  /** Resolves when all is known. */
  readonly synced: Promise<unknown>;
  readonly #o: VolumesOptions;
  readonly #claims: Informer<PersistentVolumeClaim>;
  readonly #volumes: Informer<PersistentVolume>;
  readonly #classes: Informer<StorageClass>;
  readonly #csiNodes: Informer<CSINode>;
  readonly #csiDrivers: Informer<CSIDriver>;
  readonly #capacities: Informer<CSIStorageCapacity>;
  /** by the uid of the pod */
  readonly #promised = new Map<string, Promised>();
  /** who promised a volume, or a node, to a claim: by the claim's uid */
  readonly #ofClaim = new Map<string, { pod: string; volume: string | undefined; nodeName: string }>();
  /** the claim to which a volume is promised, by the volume's name */
  readonly #ofVolume = new Map<string, string>();
  /** the pods that wait for a claim, by the claim's uid */
  readonly #waiting = new Map<string, Set<string>>();

  constructor(options: VolumesOptions) {
    this.#o = options;
    const { onChange, ...source } = options;
    this.#claims = new Informer({ ...source, kind: persistentVolumeClaims });
    this.#volumes = new Informer({ ...source, kind: persistentVolumes });
    this.#classes = new Informer({ ...source, kind: storageClasses });
    this.#csiNodes = new Informer({ ...source, kind: csiNodes });
    this.#csiDrivers = new Informer({ ...source, kind: csiDrivers });
    this.#capacities = new Informer({ ...source, kind: csiStorageCapacities });
    this.#volumes.addIndex(BY_TAKER, (volume) => [takerOf(volume)]);
    const claimChanged = ({ metadata: { namespace, name, uid } }: Claim) => {
      this.#look(uid);
      onChange('claim', (pod) => pod.namespace === namespace && pod.claims.some((c) => c.claimName === name));
    };
    this.#claims.handle({ onAdd: claimChanged, onUpdate: claimChanged, onDelete: claimChanged });
    const volumeChanged = ({ metadata: { name }, spec }: Stored<PersistentVolume>) => {
      const [promisedTo, boundTo] = [this.#ofVolume.get(name), spec?.claimRef?.uid];
      if (promisedTo !== undefined) this.#look(promisedTo);
      if (boundTo && boundTo !== promisedTo) this.#look(boundTo);
      onChange('volume');
    };
    this.#volumes.handle({ onAdd: volumeChanged, onUpdate: volumeChanged, onDelete: volumeChanged });
    const classChanged = () => onChange('storageClass');
    this.#classes.handle({ onAdd: classChanged, onUpdate: classChanged });
    const drivers = [this.#csiNodes, this.#csiDrivers, this.#capacities] as unknown as Informer<KubeObject>[];
    const driverChanged = () => onChange('storageDriver');
    for (const informer of drivers) informer.handle({ onAdd: driverChanged, onUpdate: driverChanged });
    const all = [this.#claims, this.#volumes, this.#classes, ...drivers];
    this.synced = Promise.all(all.map((informer) => informer.synced));
  }

  claim(namespace: string, name: string): Claim | undefined {
    return this.#claims.get(namespace, name);
  }

  volume(name: string): Stored<PersistentVolume> | undefined {
    return this.#volumes.get(undefined, name);
  }

  freeVolumes(className: string, claim: Claim): readonly Stored<PersistentVolume>[] {
    const kept = this.#volumes.byIndex(BY_TAKER, `claim ${claim.metadata.uid}`);
    if (kept.length > 0) return kept;
    const all = this.#volumes.byIndex(BY_TAKER, `class ${className}`);
    return this.#ofVolume.size === 0 ? all : all.filter(({ metadata }) => !this.#ofVolume.has(metadata.name));
  }

  storageClass(name: string): Stored<StorageClass> | undefined {
    return this.#classes.get(undefined, name);
  }

  csiNode(nodeName: string): Stored<CSINode> | undefined {
    return this.#csiNodes.get(undefined, nodeName);
  }

  csiDriver(name: string): Stored<CSIDriver> | undefined {
    return this.#csiDrivers.get(undefined, name);
  }

  capacities(className: string): readonly Stored<CSIStorageCapacity>[] {
    return this.#capacities.list().filter((capacity) => capacity.storageClassName === className);
  }

  promisedVolume(claim: Claim): string | undefined {
    return this.#ofClaim.get(claim.metadata.uid)?.volume;
  }

  selectedNode(claim: Claim): string | undefined {
    const promised = this.#ofClaim.get(claim.metadata.uid);
    const made = promised !== undefined && promised.volume === undefined ? promised.nodeName : undefined;
    return made ?? (claim.metadata.annotations?.[SELECTED_NODE] || undefined);
  }

  reserve(pod: PodInfo, { node, name: nodeName }: NodeInfo): boolean {
    const claims = podClaims(pod, this);
    if (typeof claims === 'string') return false;
    const found = volumeFinder(claims, this)(node);
    if (!('bindings' in found)) return false;
    if (claims.delayed.length === 0) return true;
    const own = new Set<string>();
    this.#promised.set(pod.uid, { ...found, node, own, written: new Map(), look: undefined, fail: undefined });
    const promise = (claim: Claim, volume: string | undefined) => {
      const { uid } = claim.metadata;
      this.#waiting.set(uid, (this.#waiting.get(uid) ?? new Set()).add(pod.uid));
      if (this.#ofClaim.has(uid)) return;
      own.add(uid);
      this.#ofClaim.set(uid, { pod: pod.uid, volume, nodeName });
      if (volume !== undefined) this.#ofVolume.set(volume, uid);
    };
    for (const { claim, volume } of found.bindings) promise(claim, volume.metadata.name);
    for (const claim of found.provisions) promise(claim, undefined);
    return true;
  }

  async write(pod: PodInfo): Promise<void> {
    const promised = this.#promised.get(pod.uid);
    if (promised === undefined) return;
    const { client, signal } = this.#o;
    const { written, node, own } = promised;
    try {
      for (const { claim, volume } of promised.bindings) {
        if (!own.has(claim.metadata.uid) || volume.spec?.claimRef?.uid === claim.metadata.uid) continue;
        const { name, namespace, uid, resourceVersion } = claim.metadata;
        const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid, resourceVersion };
        const marked =
          volume.spec?.claimRef === undefined ? withAnnotation(volume, BOUND_BY_CONTROLLER, 'yes') : volume;
        const object: PersistentVolume = { ...marked, spec: { ...marked.spec, claimRef } };
        const stored = await client.update(persistentVolumes, object, { signal });
        written.set(stored.metadata.uid, stored.metadata.resourceVersion);
      }
      for (const claim of promised.provisions) {
        if (!own.has(claim.metadata.uid)) continue;
        if (claim.metadata.annotations?.[SELECTED_NODE] === node.metadata.name) continue;
        const object = withAnnotation(claim, SELECTED_NODE, node.metadata.name);
        const stored = await client.update(persistentVolumeClaims, object, { signal });
        written.set(stored.metadata.uid, stored.metadata.resourceVersion);
      }
    } catch (error) {
      if (signal.aborted) throw error;
      throw new PreBindError(this.plugin, (error as Error).message);
    }
  }

  readonly made = async (pod: PodInfo): Promise<void> => {
    const promised = this.#promised.get(pod.uid);
    if (promised === undefined) return;
    const { clock, signal } = this.#o;
    let stop = () => {};
    // Not withResolvers: createCluster runs under its caller's Node, and 20 does not have that.
    const bound = new Promise<void>((resolve, reject) => {
      promised.fail = (why) => reject(new PreBindError(this.plugin, `binding volumes: ${why}`));
      promised.look = () => {
        const state = this.#stateOf(promised);
        if (state === 'bound') resolve();
        else if (state !== 'waiting') promised.fail?.(state.error);
      };
      stop = () => reject(signal.reason);
    });
    const timer = clock.after(BIND_TIMEOUT_MS, () => promised.fail?.('context deadline exceeded'));
    signal.addEventListener('abort', stop, { once: true });
    try {
      promised.look?.();
      await bound;
      this.#drop(pod);
    } finally {
      promised.look = undefined;
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  };

  release(pod: PodInfo): void {
    if (this.#drop(pod)) this.#o.onChange('volume');
  }

  #drop(pod: PodInfo): boolean {
    const promised = this.#promised.get(pod.uid);
    if (promised === undefined) return false;
    this.#promised.delete(pod.uid);
    for (const { metadata } of [...promised.bindings.map(({ claim }) => claim), ...promised.provisions]) {
      const waiting = this.#waiting.get(metadata.uid);
      waiting?.delete(pod.uid);
      if (waiting?.size === 0) this.#waiting.delete(metadata.uid);
      const own = this.#ofClaim.get(metadata.uid);
      if (own?.pod !== pod.uid) continue;
      this.#ofClaim.delete(metadata.uid);
      if (own.volume !== undefined) this.#ofVolume.delete(own.volume);
    }
    return true;
  }

  /** The pod is gone: it waits for nothing any more. */
  forget(uid: string): void {
    this.#promised.get(uid)?.fail?.('the pod was deleted');
  }

  /** Looks again at what waits for a claim. Hot where many claims get their volumes at once: it costs only those pods. */
  #look(claimUid: string): void {
    for (const pod of [...(this.#waiting.get(claimUid) ?? [])]) this.#promised.get(pod)?.look?.();
  }

  #stateOf({ bindings, provisions, node, own, written }: Promised): 'bound' | 'waiting' | { readonly error: string } {
    let waiting = false;
    const seen = (object: Stored<KubeObject>) =>
      BigInt(object.metadata.resourceVersion) >= BigInt(written.get(object.metadata.uid) ?? 0);
    for (const {
      claim: before,
      volume: { metadata },
    } of bindings) {
      const claim = this.claim(before.metadata.namespace ?? '', before.metadata.name);
      const volume = this.volume(metadata.name);
      if (claim?.metadata.uid !== before.metadata.uid) return gone(before);
      if (volume === undefined) return { error: `pv ${JSON.stringify(metadata.name)} is gone` };
      if (!seen(volume)) waiting = true;
      else if (!volume.spec?.claimRef?.uid) {
        if (!own.has(claim.metadata.uid)) return 'waiting';
        return { error: `ClaimRef got reset for pv ${JSON.stringify(metadata.name)}` };
      } else if (!isBound(claim)) waiting = true;
    }
    for (const before of provisions) {
      const claim = this.claim(before.metadata.namespace ?? '', before.metadata.name);
      if (claim?.metadata.uid !== before.metadata.uid) return gone(before);
      const selected = claim.metadata.annotations?.[SELECTED_NODE] ?? '';
      if (!seen(claim) || (selected === '' && !own.has(claim.metadata.uid))) {
        waiting = true;
        continue;
      }
      if (selected !== node.metadata.name) {
        const [is, was] = [selected, node.metadata.name].map((name) => JSON.stringify(name));
        return {
          error: `provisioning failed for PVC "${claim.metadata.name}": selected node is ${is}, no longer ${was}`,
        };
      }
      const volume = isBound(claim) ? this.volume(claim.spec?.volumeName ?? '') : undefined;
      if (volume === undefined) waiting = true;
      else if (!isReachable(volume, node)) {
        return { error: `pv "${volume.metadata.name}" node affinity doesn't match node "${node.metadata.name}"` };
      }
    }
    return waiting ? 'waiting' : 'bound';
  }
}

/** Most volumes have their claims, and are no choice for others. */
function takerOf(volume: PersistentVolume): string {
  const uid = volume.spec?.claimRef?.uid;
  return uid ? `claim ${uid}` : `class ${classOfVolume(volume)}`;
}

const gone = ({ metadata }: Claim) => ({ error: `could not get PVC "${metadata.namespace}/${metadata.name}"` });

function withAnnotation<T extends Stored<KubeObject>>(object: T, name: string, value: string): T {
  const annotations = { ...object.metadata.annotations, [name]: value };
  return { ...object, metadata: { ...object.metadata, annotations } };
}
