/** The devices of the cluster, the claims to them, and what was given to claims but not written yet. */
import type { NodeSelector } from '../../apis/core/affinity.ts';
import type { Node } from '../../apis/core/node.ts';
import { matchesNodeSelectorTerm } from '../../apis/core/nodeSelection.ts';
import { type DeviceClass, deviceClasses } from '../../apis/resource/deviceClass.ts';
import { type AllocationResult, type ResourceClaim, resourceClaims } from '../../apis/resource/resourceClaim.ts';
import { type Device, type ResourceSlice, resourceSlices } from '../../apis/resource/resourceSlice.ts';
import { Informer, type InformerOptions } from '../../client/informer.ts';
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import { controllerOf } from '../../machinery/ownerReferences.ts';
import { formatTime } from '../../machinery/time.ts';
import type { NodeInfo } from '../nodeInfo.ts';
import type { PodInfo } from '../podInfo.ts';
import type { Reservations } from '../schedulingLoop.ts';
import type { DeviceView } from '../snapshot.ts';
import { allocate, deviceKey, type NodeDevice } from './allocate.ts';
import { DeviceSelectors } from './deviceSelector.ts';

export interface DevicesOptions extends Omit<InformerOptions<KubeObject>, 'kind'> {
  /** a pod that waits for devices may have them now */
  onChange(): void;
}

type Claim = Stored<ResourceClaim>;

/** Holds a claim for as long as it has devices. */
const PROTECTION = 'resource.kubernetes.io/delete-protection';
/** so many pods may use one claim */
const MOST_CONSUMERS = 256;

export class Devices implements DeviceView, Reservations {
  readonly plugin = 'DynamicResources';
  /** Resolves when all is known. */
  readonly synced: Promise<unknown>;
  readonly #options: DevicesOptions;
  readonly #claims: Informer<ResourceClaim>;
  readonly #classes: Informer<DeviceClass>;
  readonly #slices: Informer<ResourceSlice>;
  readonly #selectors = new DeviceSelectors();
  /** what claims were given that their objects do not tell of yet, by uid */
  readonly #given = new Map<string, { readonly allocation: AllocationResult; readonly pod: string }>();

  constructor(options: DevicesOptions) {
    this.#options = options;
    const { onChange, ...source } = options;
    this.#claims = new Informer({ ...source, kind: resourceClaims });
    this.#classes = new Informer({ ...source, kind: deviceClasses });
    this.#slices = new Informer({ ...source, kind: resourceSlices });
    const settle = (claim: Claim) => {
      if (claim.status?.allocation !== undefined) this.#given.delete(claim.metadata.uid);
      onChange();
    };
    this.#claims.handle({
      onAdd: settle,
      onUpdate: settle,
      onDelete: ({ metadata }) => {
        this.#given.delete(metadata.uid);
        onChange();
      },
    });
    for (const informer of [this.#classes, this.#slices] as unknown as Informer<KubeObject>[]) {
      informer.handle({ onAdd: onChange, onUpdate: onChange, onDelete: onChange });
    }
    this.synced = Promise.all([this.#claims.synced, this.#classes.synced, this.#slices.synced]);
  }

  check(pod: PodInfo): (node: NodeInfo) => string | undefined {
    const claims = this.#claimsOf(pod);
    if (typeof claims === 'string') return () => claims;
    const taken = this.#taken();
    return ({ node }) => {
      for (const claim of claims) {
        const allocation = this.#allocationOf(claim);
        if (allocation !== undefined && !selects(allocation.nodeSelector, node))
          return 'resourceclaim not available on the node';
      }
      return this.#allocate(claims, node, taken) === undefined ? 'cannot allocate all claims' : undefined;
    };
  }

  reserve(pod: PodInfo, { node }: NodeInfo): boolean {
    const claims = this.#claimsOf(pod);
    if (typeof claims === 'string') return false;
    const found = this.#allocate(claims, node, this.#taken());
    if (found === undefined) return false;
    for (const [uid, allocation] of found) this.#given.set(uid, { allocation, pod: pod.uid });
    return true;
  }

  async write(pod: PodInfo): Promise<void> {
    const claims = this.#claimsOf(pod);
    if (typeof claims === 'string') throw new Error(claims);
    for (const claim of claims) await this.#write(claim, pod);
  }

  release(pod: PodInfo): void {
    const claims = this.#claimsOf(pod);
    if (typeof claims === 'string') return;
    for (const { metadata } of claims) {
      if (this.#given.get(metadata.uid)?.pod === pod.uid) this.#given.delete(metadata.uid);
    }
    this.#options.onChange();
  }

  async #write(seen: Claim, pod: PodInfo): Promise<void> {
    const { client, signal, clock } = this.#options;
    const isReserved = (claim: Claim) => claim.status?.reservedFor?.some((c) => c.uid === pod.uid) === true;
    if (seen.status?.allocation !== undefined && isReserved(seen)) return;
    const given = this.#given.get(seen.metadata.uid)?.allocation;
    let claim = seen;
    if (given !== undefined && claim.metadata.finalizers?.includes(PROTECTION) !== true) {
      const finalizers = [...(claim.metadata.finalizers ?? []), PROTECTION];
      claim = await client.update(
        resourceClaims,
        { ...claim, metadata: { ...claim.metadata, finalizers } },
        { signal },
      );
    }
    const timed = given === undefined ? undefined : { ...given, allocationTimestamp: formatTime(clock.now()) };
    const allocation = claim.status?.allocation ?? timed;
    const consumer = { resource: 'pods', name: pod.name, uid: pod.uid };
    const reservedFor = [...(claim.status?.reservedFor ?? []), consumer];
    const status = { ...claim.status, ...(allocation === undefined ? {} : { allocation }), reservedFor };
    await client.update(resourceClaims, { ...claim, status }, { subresource: 'status', signal });
  }

  /** The pod's claims, or why it has to wait for them. */
  #claimsOf({ pod, spec, namespace, uid }: PodInfo): Claim[] | string {
    const claims: Claim[] = [];
    for (const { name, resourceClaimName, resourceClaimTemplateName } of spec.resourceClaims ?? []) {
      const told = pod.status?.resourceClaimStatuses?.find((s) => s.name === name);
      if (resourceClaimName === undefined && told === undefined) {
        return `waiting for dynamic resource controller to create the resourceclaim ${JSON.stringify(name)}`;
      }
      const claimName = resourceClaimName ?? told?.resourceClaimName;
      // Told without a name: the pod needs none.
      if (claimName === undefined) continue;
      const claim = this.#claims.get(namespace, claimName);
      if (claim === undefined) return `resourceclaim ${JSON.stringify(claimName)} not found`;
      if (claim.metadata.deletionTimestamp !== undefined) {
        return `resourceclaim ${JSON.stringify(claimName)} is being deleted`;
      }
      if (resourceClaimTemplateName !== undefined && controllerOf(claim)?.uid !== uid) {
        return `resourceclaim ${JSON.stringify(claimName)} was not created for pod`;
      }
      const consumers = claim.status?.reservedFor ?? [];
      if (consumers.length >= MOST_CONSUMERS && !consumers.some((c) => c.uid === uid)) return 'resourceclaim in use';
      claims.push(claim);
    }
    return claims;
  }

  #allocationOf(claim: Claim): AllocationResult | undefined {
    return claim.status?.allocation ?? this.#given.get(claim.metadata.uid)?.allocation;
  }

  /** New allocations of those claims that have none, by their uid. */
  #allocate(
    claims: readonly Claim[],
    node: Node,
    taken: ReadonlySet<string>,
  ): ReadonlyMap<string, AllocationResult> | undefined {
    const open = claims.filter((claim) => this.#allocationOf(claim) === undefined);
    if (open.length === 0) return new Map();
    const results = allocate({
      nodeName: node.metadata?.name ?? '',
      claims: open,
      devices: this.#devicesOf(node),
      taken,
      classNamed: (name) => this.#classes.get(undefined, name),
      matches: (expression, driver, device) => this.#selectors.matches(expression, driver, device),
    });
    return results === undefined ? undefined : new Map(results.map((r, i) => [open[i]?.metadata.uid ?? '', r]));
  }

  #taken(): Set<string> {
    const taken = new Set<string>();
    for (const claim of this.#claims.list()) {
      for (const { driver, pool, device, adminAccess } of this.#allocationOf(claim)?.devices?.results ?? []) {
        if (adminAccess !== true) taken.add(deviceKey(driver, pool, device));
      }
    }
    return taken;
  }

  /** Of each pool only what its driver published last. */
  #devicesOf(node: Node): NodeDevice[] {
    const newest = new Map<string, number>();
    const poolOf = ({ spec }: ResourceSlice) => `${spec?.driver}/${spec?.pool.name}`;
    const slices = this.#slices.list();
    for (const slice of slices) {
      const generation = slice.spec?.pool.generation ?? 0;
      newest.set(poolOf(slice), Math.max(newest.get(poolOf(slice)) ?? 0, generation));
    }
    const found: NodeDevice[] = [];
    for (const slice of slices) {
      const { spec } = slice;
      if (spec === undefined || spec.pool.generation !== newest.get(poolOf(slice))) continue;
      for (const device of spec.devices ?? []) {
        const place = spec.perDeviceNodeSelection === true ? device : spec;
        if (isUsableFrom(place, node) && isWhole(device)) {
          found.push({ driver: spec.driver, pool: spec.pool.name, device, local: place.allNodes !== true });
        }
      }
    }
    return found;
  }
}

function isUsableFrom(place: Pick<Device, 'nodeName' | 'nodeSelector' | 'allNodes'>, node: Node): boolean {
  if (place.allNodes === true) return true;
  if (place.nodeName) return place.nodeName === node.metadata?.name;
  return place.nodeSelector !== undefined && selects(place.nodeSelector, node);
}

/** Devices that are parts of others, or shared, or ready only later, are given to nobody: that is not kept account of. */
function isWhole(device: Device): boolean {
  return (
    (device.consumesCounters ?? []).length === 0 &&
    device.allowMultipleAllocations !== true &&
    (device.bindingConditions ?? []).length === 0
  );
}

function selects(selector: NodeSelector | undefined, node: Node): boolean {
  return selector === undefined || selector.nodeSelectorTerms.some((term) => matchesNodeSelectorTerm(term, node));
}
