/**
 * Devices that plugins bring to the node: counted in its status, and given to containers that ask for them.
 * Source: https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { qualifiedName } from '../../machinery/names.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import type { Grantor, Grants, Holdings } from '../grants.ts';
import type { Failure } from '../status/podStatus.ts';
import { DeviceEndpoint } from './endpoint.ts';
import type { ContainerAllocateResponse, RegisterRequest } from './messages.ts';
import { listenForPlugins } from './registration.ts';

export interface DeviceManagerOptions {
  /** where the sockets are */
  readonly dir: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The node has other devices than before. */
  onChange(): void;
}

interface Resource {
  readonly endpoint: DeviceEndpoint;
  readonly preStart: boolean;
  readonly prefers: boolean;
  /** whether each is healthy, by id */
  devices: ReadonlyMap<string, boolean>;
  /** the NUMA nodes that each is near to, by id */
  near: ReadonlyMap<string, readonly number[]>;
  /** set where the plugin is gone, and its devices with it before long */
  leaving: Timer | undefined;
}

/** What a container has of one resource. */
interface Allocation {
  readonly uid: string;
  readonly container: string;
  readonly resource: string;
  readonly ids: readonly string[];
  readonly response: ContainerAllocateResponse;
}

const VERSION = 'v1beta1';
const HEALTHY = 'Healthy';
const CHECKPOINT = 'kubelet_internal_checkpoint';
/** A plugin that is gone may come again: so long its devices are still counted. */
const LEAVE_AFTER_MS = 5 * 60_000;

export class DeviceManager implements Grantor {
  readonly #o: DeviceManagerOptions;
  readonly #resources = new Map<string, Resource>();
  #allocations: readonly Allocation[] = [];
  /** resources that the node's status has told of: those without a plugin are none */
  readonly #names = new Set<string>();
  /** Allocations come one after the other: each sees what those before took. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: DeviceManagerOptions) {
    this.#o = options;
  }

  /** Listens until what it returns is called. @throws the file system's error, or that of listening */
  async start(): Promise<() => void> {
    const { dir, log } = this.#o;
    const { allocations, names } = await readCheckpoint(join(dir, CHECKPOINT), log);
    this.#allocations = allocations;
    for (const name of names) this.#names.add(name);
    const server = await listenForPlugins(dir, (request) => this.#register(request));
    return () => {
      server.close();
      for (const { endpoint, leaving } of this.#resources.values()) {
        endpoint.close();
        leaving?.cancel();
      }
    };
  }

  /** What the node has of each resource: all, and what is healthy. */
  amounts(): { readonly capacity: Record<string, string>; readonly allocatable: Record<string, string> } {
    const capacity: Record<string, string> = {};
    const allocatable: Record<string, string> = {};
    for (const name of this.#names) capacity[name] = allocatable[name] = '0';
    for (const [name, { devices }] of this.#resources) {
      capacity[name] = String(devices.size);
      allocatable[name] = String([...devices.values()].filter(Boolean).length);
    }
    return { capacity, allocatable };
  }

  async #register({ version, endpoint = '', resource_name: name = '', options }: RegisterRequest): Promise<void> {
    const { dir, clock, log } = this.#o;
    if (version !== VERSION)
      throw new Error(
        `requested API version ${JSON.stringify(version)} is not supported by kubelet. Supported version is "${VERSION}"`,
      );
    const [fault] = qualifiedName(name);
    if (!name.includes('/') || fault !== undefined || name.split('/')[0]?.endsWith('kubernetes.io'))
      throw new Error(`invalid name of device plugin socket: the ResourceName ${JSON.stringify(name)} is invalid`);
    if (endpoint === '' || basename(endpoint) !== endpoint)
      throw new Error(`the endpoint ${JSON.stringify(endpoint)} is no socket`);
    this.#drop(name);
    const resource: Resource = {
      endpoint: new DeviceEndpoint(join(dir, endpoint), clock),
      preStart: options?.pre_start_required === true,
      prefers: options?.get_preferred_allocation_available === true,
      devices: new Map(),
      near: new Map(),
      leaving: undefined,
    };
    this.#resources.set(name, resource);
    this.#names.add(name);
    await this.#write();
    log.info('a device plugin is there', { resource: name });
    resource.endpoint.watch(
      (devices) => {
        resource.devices = new Map(devices.map(({ ID = '', health }) => [ID, health === HEALTHY]));
        resource.near = new Map(
          devices.map(({ ID = '', topology }) => [ID, (topology?.nodes ?? []).map((node) => node.ID ?? 0)]),
        );
        this.#o.onChange();
      },
      () => this.#gone(name, resource),
    );
  }

  #gone(name: string, resource: Resource): void {
    if (this.#o.signal.aborted || this.#resources.get(name) !== resource) return;
    this.#o.log.info('a device plugin is gone', { resource: name });
    resource.devices = new Map([...resource.devices.keys()].map((id) => [id, false]));
    resource.leaving = this.#o.clock.after(LEAVE_AFTER_MS, () => {
      if (this.#resources.get(name) === resource) this.#drop(name);
      this.#o.onChange();
    });
    this.#o.onChange();
  }

  #drop(name: string): void {
    const resource = this.#resources.get(name);
    resource?.leaving?.cancel();
    resource?.endpoint.close();
    this.#resources.delete(name);
  }

  allocate(pod: Pod, active: readonly Pod[]): Promise<Failure | undefined> {
    if (this.#resources.size === 0 && this.#allocations.length === 0) return Promise.resolve(undefined);
    const next = this.#last.then(() => this.#allocate(pod, active));
    this.#last = next.catch(() => {});
    return next;
  }

  async #allocate(pod: Pod, active: readonly Pod[]): Promise<Failure | undefined> {
    const uid = pod.metadata?.uid ?? '';
    const stays = new Set([uid, ...active.map((p) => p.metadata?.uid ?? '')]);
    const before = this.#allocations.filter((a) => stays.has(a.uid));
    const added: Allocation[] = [];
    try {
      // Init containers run before the others: what they had is the others' then.
      const reusable = new Map<string, string[]>();
      for (const { container, init } of containersInOrder(pod)) {
        for (const [resource, amount] of Object.entries(container.resources?.limits ?? {})) {
          if (!this.#resources.has(resource) && !before.some((a) => a.uid === uid && a.resource === resource)) continue;
          if (before.some((a) => a.uid === uid && a.container === container.name && a.resource === resource)) continue;
          const again = reusable.get(resource) ?? [];
          const taken = [...before, ...added].filter((a) => a.resource === resource).flatMap((a) => a.ids);
          const one = await this.#take(resource, wholeValue(amount), taken, again);
          added.push({ uid, container: container.name, resource, ...one });
          reusable.set(
            resource,
            init ? [...new Set([...again, ...one.ids])] : again.filter((id) => !one.ids.includes(id)),
          );
        }
      }
    } catch (error) {
      this.#allocations = before;
      return {
        reason: 'UnexpectedAdmissionError',
        message: `Allocate failed due to ${(error as Error).message}, which is unexpected`,
      };
    }
    this.#allocations = [...before, ...added];
    if (added.length > 0) await this.#write();
    return undefined;
  }

  /** @param again those of `taken` that are this pod's own and free again. @throws Error where there are not so many */
  async #take(
    name: string,
    count: number,
    taken: readonly string[],
    again: readonly string[],
  ): Promise<Pick<Allocation, 'ids' | 'response'>> {
    const resource = this.#resources.get(name);
    const free = [...(resource?.devices ?? [])].filter(([, healthy]) => healthy).map(([id]) => id);
    const available = free.filter((id) => again.includes(id) || !taken.includes(id));
    if (resource === undefined || available.length < count)
      throw new Error(
        `requested number of devices unavailable for ${name}. Requested: ${count}, Available: ${available.length}`,
      );
    const must = again.filter((id) => available.includes(id)).slice(0, count);
    const ids = await this.#choose(resource, available, must, count);
    const { container_responses: [response = {}] = [] } = await resource.endpoint.call('allocate', {
      container_requests: [{ devicesIDs: [...ids] }],
    });
    return { ids, response };
  }

  /** The plugin may know better which devices go well together. */
  async #choose(
    { endpoint, prefers }: Resource,
    available: readonly string[],
    must: readonly string[],
    count: number,
  ): Promise<readonly string[]> {
    const first = [...must, ...available.filter((id) => !must.includes(id))].slice(0, count);
    if (!prefers || available.length === count) return first;
    const request = { available_deviceIDs: [...available], must_include_deviceIDs: [...must], allocation_size: count };
    const { container_responses: [{ deviceIDs = [] } = {}] = [] } = await endpoint.call('getPreferredAllocation', {
      container_requests: [request],
    });
    const good = [...new Set([...must, ...deviceIDs.filter((id) => available.includes(id)), ...first])];
    return good.slice(0, count);
  }

  async grants(pod: Pod, container: Container): Promise<Grants> {
    const uid = pod.metadata?.uid ?? '';
    const own = this.#allocations.filter((a) => a.uid === uid && a.container === container.name);
    for (const { resource, ids } of own) {
      const of = this.#resources.get(resource);
      if (of?.preStart === true) await of.endpoint.call('preStartContainer', { devicesIDs: [...ids] });
    }
    const responses = own.map(({ response }) => response);
    return {
      envs: Object.assign({}, ...responses.map(({ envs }) => envs)),
      mounts: responses.flatMap(({ mounts = [] }) =>
        mounts.map(({ read_only: readonly = false, ...paths }) => ({ ...paths, readonly })),
      ),
      devices: responses.flatMap(({ devices = [] }) => devices),
      annotations: Object.assign({}, ...responses.map(({ annotations }) => annotations)),
      cdiDevices: responses.flatMap(({ cdi_devices: cdi = [] }) => cdi.map(({ name = '' }) => name)),
    };
  }

  /** What was set aside for a container. */
  holdings(uid: string, container: string): Holdings {
    const own = this.#allocations.filter((a) => a.uid === uid && a.container === container);
    return { devices: own.flatMap(({ resource, ids }) => ids.map((id) => this.#near(resource, id))) };
  }

  /** All that are healthy. */
  holdable(): Holdings {
    return {
      devices: [...this.#resources].flatMap(([name, { devices }]) =>
        [...devices].filter(([, healthy]) => healthy).map(([id]) => this.#near(name, id)),
      ),
    };
  }

  #near(resource: string, id: string): { resource: string; id: string; nodes: readonly number[] } {
    return { resource, id, nodes: this.#resources.get(resource)?.near.get(id) ?? [] };
  }

  /** So that a kubelet that starts again knows who has what. */
  async #write(): Promise<void> {
    const path = join(this.#o.dir, CHECKPOINT);
    await writeFile(`${path}.new`, JSON.stringify({ allocations: this.#allocations, names: [...this.#names] }), {
      mode: 0o600,
    });
    await rename(`${path}.new`, path);
  }
}

function containersInOrder({ spec }: Pod): { container: Container; init: boolean }[] {
  const inits = (spec?.initContainers ?? []).map((container) => ({
    container,
    init: container.restartPolicy !== 'Always',
  }));
  return [...inits, ...(spec?.containers ?? []).map((container) => ({ container, init: false }))];
}

interface Checkpoint {
  readonly allocations: readonly Allocation[];
  readonly names: readonly string[];
}

async function readCheckpoint(path: string, log: Logger): Promise<Checkpoint> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Checkpoint;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn('who has which device is not known any more', { err, path });
    return { allocations: [], names: [] };
  }
}
