/**
 * The API servers behind this one: which group and version each of them serves, whether it can be asked, and what it
 * has. An API service with a service takes its group and version over, from this server's own kinds, too.
 * Source: https://kubernetes.io/docs/concepts/extend-kubernetes/api-extension/apiserver-aggregation/
 */
import { type APIService, apiServices, availability, LOCAL } from '../../apis/apiregistration/apiService.ts';
import { services } from '../../apis/core/service.ts';
import { endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Client } from '../../client/client.ts';
import { WorkQueue } from '../../client/workQueue.ts';
import type { Logger } from '../../lib/log.ts';
import type { GroupVersion, Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { formatTime } from '../../machinery/time.ts';
import { type Finding, findAvailability } from './availability.ts';
import { ownPriority, type Priority } from './priorities.ts';
import { RemoteApi, type RemoteApiParts } from './remoteApi.ts';
import { discover, NOTHING_KNOWN, type RemoteResources } from './remoteDiscovery.ts';

/** An API service is looked at again after this, whatever is heard of it. */
const RECHECK_MS = 30_000;
const FIRST_RETRY_MS = 500;
const LISTEN_RETRY_MS = 1_000;
const WORKERS = 4;

export interface AggregationOptions extends RemoteApiParts {
  readonly log: Logger;
}

interface Registered {
  readonly api: RemoteApi;
  /** what a new specification is told by */
  readonly basis: string;
  resources: RemoteResources;
  failures: number;
}

export class Aggregation {
  readonly #options: AggregationOptions;
  readonly #stop = new AbortController();
  readonly #queue: WorkQueue;
  /** by name, which is that of group and version */
  readonly #remote = new Map<string, Registered>();
  readonly #unlisten: (() => void)[] = [];
  #client: Client | undefined;
  #followsServices = false;
  #revision = 0;

  constructor(options: AggregationOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#queue = new WorkQueue({
      clock,
      workers: WORKERS,
      signal: this.#stop.signal,
      work: (name) => this.#check(name),
      onError(apiService, err) {
        if (isApiError(err, 'NotFound') || isApiError(err, 'Conflict')) return;
        log.warn('cannot tell whether an API service is available', { apiService, err });
      },
    });
  }

  /** Follows the API services. */
  async start(client: Client): Promise<void> {
    this.#client = client;
    const { registry } = this.#options;
    if (registry.kinds.byResource(apiServices.group, apiServices.version, apiServices.plural) === undefined) return;
    const cache = registry.cache(apiServices);
    await cache.start();
    if (this.#stop.signal.aborted) return;
    this.#listen(apiServices as unknown as Kind, ({ type, object }) => {
      if (type === 'DELETED') this.#forget(object.metadata.name);
      else this.#seen(object as Stored<APIService>);
    });
    for (const object of cache.objects()) this.#seen(object);
  }

  stop(): void {
    this.#stop.abort();
    for (const unlisten of this.#unlisten) unlisten();
  }

  /** Whether there is no other server at all. */
  get isEmpty(): boolean {
    return this.#remote.size === 0;
  }

  /** Who serves the group and version in place of this server. */
  of(group: string, version: string): RemoteApi | undefined {
    return this.#remote.get(`${version}.${group}`)?.api;
  }

  get remotes(): readonly RemoteApi[] {
    return [...this.#remote.values()].map(({ api }) => api);
  }

  /** Rises when another API server comes or goes, or tells of other resources. */
  get revision(): number {
    return this.#revision;
  }

  resourcesOf(api: RemoteApi): RemoteResources {
    const { resources, freshness } = this.#remote.get(api.name)?.resources ?? NOTHING_KNOWN;
    return { resources, freshness: api.available ? freshness : 'Stale' };
  }

  /** Its place in discovery, as the API service says, or as this server knows. */
  priorityOf(gv: GroupVersion): Priority {
    const { registry } = this.#options;
    const own = ownPriority(gv);
    if (this.#client === undefined) return own;
    const spec = registry.cache(apiServices).object(undefined, `${gv.version}.${gv.group}`)?.spec;
    return spec === undefined ? own : { group: spec.groupPriorityMinimum, version: spec.versionPriority };
  }

  #listen(kind: Kind, onEvent: (event: { type: string; object: Stored<KubeObject> }) => void): void {
    const { registry, clock } = this.#options;
    const cache = registry.cache(kind);
    const unlisten = cache.listen({
      onEvent: ({ type, entry }) => onEvent({ type, object: entry.object }),
      onEnd: () => {
        if (!this.#stop.signal.aborted) clock.after(LISTEN_RETRY_MS, () => this.#resume(kind, onEvent));
      },
    });
    this.#unlisten.push(unlisten);
  }

  /** The store could not go on where it was: what was missed is told anew. */
  #resume(kind: Kind, onEvent: (event: { type: string; object: Stored<KubeObject> }) => void): void {
    if (this.#stop.signal.aborted) return;
    const cache = this.#options.registry.cache(kind);
    cache.start().then(
      () => {
        if (this.#stop.signal.aborted) return;
        this.#listen(kind, onEvent);
        const objects = cache.objects();
        if (kind.plural === apiServices.plural) {
          const names = new Set(objects.map((o) => o.metadata.name));
          for (const name of [...this.#remote.keys()]) if (!names.has(name)) this.#forget(name);
        }
        for (const object of objects) onEvent({ type: 'MODIFIED', object });
      },
      () => this.#options.clock.after(LISTEN_RETRY_MS, () => this.#resume(kind, onEvent)),
    );
  }

  #forget(name: string): void {
    if (this.#remote.delete(name)) this.#revision++;
  }

  #seen(object: Stored<APIService>): void {
    const { name } = object.metadata;
    if (object.spec?.service === undefined) {
      this.#forget(name);
      // It was another server's.
      if (availability(object)?.reason !== LOCAL.reason) this.#queue.add(name);
      return;
    }
    const basis = JSON.stringify([object.metadata.uid, object.spec]);
    const before = this.#remote.get(name);
    if (before?.basis === basis) {
      before.api.available = availability(object)?.status === 'True';
      return;
    }
    const api = new RemoteApi(object, this.#options);
    this.#remote.set(name, { api, basis, resources: NOTHING_KNOWN, failures: 0 });
    this.#revision++;
    this.#followServices();
    this.#queue.add(name);
  }

  /** Only clusters with other API servers pay for it. */
  #followServices(): void {
    if (this.#followsServices) return;
    this.#followsServices = true;
    const { registry } = this.#options;
    const tell = (namespace: string | undefined, name: string | undefined) => {
      for (const { api } of this.#remote.values()) {
        if (api.service.namespace === namespace && api.service.name === name) this.#queue.add(api.name);
      }
    };
    Promise.all([registry.cache(services).start(), registry.cache(endpointSlices).start()]).then(
      () => {
        if (this.#stop.signal.aborted) return;
        this.#listen(services as unknown as Kind, ({ object: { metadata } }) =>
          tell(metadata.namespace, metadata.name),
        );
        this.#listen(endpointSlices as unknown as Kind, ({ object: { metadata } }) =>
          tell(metadata.namespace, metadata.labels?.['kubernetes.io/service-name']),
        );
      },
      (err: unknown) => {
        this.#followsServices = false;
        this.#options.log.warn('cannot follow the services of API services', { err });
      },
    );
  }

  async #check(name: string): Promise<void> {
    const registered = this.#remote.get(name);
    if (registered === undefined) return this.#tell(name, LOCAL);
    const { api } = registered;
    const { signal } = this.#stop;
    const finding = await findAvailability(api, this.#options.registry, signal);
    if (signal.aborted || this.#remote.get(name) !== registered) return;
    if (finding.status === 'True') {
      const next = await discover(api, registered.resources, signal);
      if (JSON.stringify(next) !== JSON.stringify(registered.resources)) this.#revision++;
      registered.resources = next;
      registered.failures = 0;
    } else registered.failures++;
    await this.#tell(name, finding, api.object.metadata.uid);
    const { failures } = registered;
    this.#queue.addAfter(name, failures === 0 ? RECHECK_MS : Math.min(RECHECK_MS, FIRST_RETRY_MS * 2 ** failures));
  }

  /** Writes the condition where it is another. @param uid absent: of an API service that has no service */
  async #tell(name: string, finding: Finding, uid?: string): Promise<void> {
    const { registry, clock } = this.#options;
    const current = registry.cache(apiServices).object(undefined, name);
    if (current === undefined) return;
    if (uid === undefined ? current.spec?.service !== undefined : current.metadata.uid !== uid) return;
    const before = availability(current);
    if (before?.status === finding.status && before.reason === finding.reason && before.message === finding.message) {
      return;
    }
    const since = before?.status === finding.status ? before.lastTransitionTime : undefined;
    const condition = { type: 'Available', ...finding, lastTransitionTime: since ?? formatTime(clock.now()) };
    const others = (current.status?.conditions ?? []).filter((c) => c.type !== 'Available');
    const next = { ...current, status: { conditions: [...others, condition] } };
    await this.#client?.update(apiServices, next as APIService, {
      subresource: 'status',
      signal: this.#stop.signal,
    });
  }
}
