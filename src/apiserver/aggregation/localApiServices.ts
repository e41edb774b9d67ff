/**
 * An API service for each group and version that this server serves by itself, so that `kubectl get apiservices` lists
 * all that there is and administrators can put groups in another order. Those of built-in groups are put right when
 * the server starts; those of custom resources come, change and go with their definitions.
 */

import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from '../../apis/apiextensions/customResourceDefinition.ts';
import { type APIService, apiServices } from '../../apis/apiregistration/apiService.ts';
import type { Client } from '../../client/client.ts';
import { WorkQueue } from '../../client/workQueue.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { GroupVersion, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import { CUSTOM_PRIORITY, ownPriority, type Priority, REGISTRATION_GROUP } from './priorities.ts';

const LABEL = 'kube-aggregator.kubernetes.io/automanaged';
/** When the object is put right. */
type Managed = 'onstart' | 'true';

const WORKERS = 8;
const LISTEN_RETRY_MS = 1_000;

interface Wanted extends Priority {
  readonly gv: GroupVersion;
  readonly managed: Managed;
}

export interface LocalApiServicesOptions {
  readonly registry: Registry;
  /** as an administrator */
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  /** what is served without custom resources */
  readonly builtin: readonly GroupVersion[];
  /** groups that Kubernetes leaves to others, whose API services take them over and give them back */
  readonly replaceable: ReadonlySet<string>;
}

export class LocalApiServices {
  readonly #options: LocalApiServicesOptions;
  readonly #stop = new AbortController();
  readonly #queue: WorkQueue;
  readonly #builtin: ReadonlyMap<string, Wanted>;
  /** of custom resources, by name */
  #custom = new Map<string, Wanted>();
  readonly #synced = new Set<string>();
  #atStart: ReadonlySet<string> = new Set();
  readonly #unlisten: (() => void)[] = [];

  constructor(options: LocalApiServicesOptions) {
    this.#options = options;
    const own = options.builtin.filter((gv) => gv.group !== REGISTRATION_GROUP);
    this.#builtin = new Map(own.map((gv) => [nameOf(gv), this.#wanted(gv)]));
    this.#queue = new WorkQueue({
      clock: options.clock,
      workers: WORKERS,
      signal: this.#stop.signal,
      work: (name) => this.#put(name),
      onError(apiService, err) {
        if (isApiError(err, 'Conflict') || isApiError(err, 'AlreadyExists') || isApiError(err, 'NotFound')) return;
        options.log.warn('cannot keep an API service', { apiService, err });
      },
    });
  }

  #wanted(gv: GroupVersion): Wanted {
    return { gv, ...ownPriority(gv), managed: this.#options.replaceable.has(gv.group) ? 'true' : 'onstart' };
  }

  /** Those of built-in groups are there when this resolves. */
  async start(): Promise<void> {
    const { registry, log } = this.#options;
    if (registry.kinds.byResource(apiServices.group, apiServices.version, apiServices.plural) === undefined) return;
    const cache = registry.cache(apiServices);
    const definitions = registry.cache(customResourceDefinitions);
    await Promise.all([cache.start(), definitions.start()]);
    this.#atStart = new Set(cache.objects().map((o) => o.metadata.name));
    this.#custom = customOf(definitions.objects());
    await Promise.all(
      [...this.#builtin.keys()].map((name) =>
        this.#put(name).catch((err: unknown) => {
          log.warn('cannot put an API service right', { apiService: name, err });
          this.#queue.add(name);
        }),
      ),
    );
    if (this.#stop.signal.aborted) return;
    this.#follow();
  }

  stop(): void {
    this.#stop.abort();
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
  }

  #follow(): void {
    const { registry, clock } = this.#options;
    for (const unlisten of this.#unlisten.splice(0)) unlisten();
    const again = () => {
      if (!this.#stop.signal.aborted) clock.after(LISTEN_RETRY_MS, () => this.#followAgain());
    };
    this.#unlisten.push(
      registry.cache(apiServices).listen({
        onEvent: ({ entry }) => this.#queue.add(entry.object.metadata.name),
        onEnd: again,
      }),
      registry.cache(customResourceDefinitions).listen({ onEvent: () => this.#definitionsChanged(), onEnd: again }),
    );
    this.#definitionsChanged();
    for (const { metadata } of registry.cache(apiServices).objects()) this.#queue.add(metadata.name);
  }

  #followAgain(): void {
    if (this.#stop.signal.aborted) return;
    const { registry, clock } = this.#options;
    Promise.all([registry.cache(apiServices).start(), registry.cache(customResourceDefinitions).start()]).then(
      () => {
        if (!this.#stop.signal.aborted) this.#follow();
      },
      () => clock.after(LISTEN_RETRY_MS, () => this.#followAgain()),
    );
  }

  #definitionsChanged(): void {
    const before = this.#custom;
    this.#custom = customOf(this.#options.registry.cache(customResourceDefinitions).objects());
    for (const name of before.keys()) if (!this.#custom.has(name)) this.#queue.add(name);
    for (const name of this.#custom.keys()) if (!before.has(name) || !this.#isThere(name)) this.#queue.add(name);
  }

  #isThere(name: string): boolean {
    return this.#options.registry.cache(apiServices).object(undefined, name) !== undefined;
  }

  /** @throws ApiError */
  async #put(name: string): Promise<void> {
    const { registry, client } = this.#options;
    const { signal } = this.#stop;
    const wanted = this.#builtin.get(name) ?? this.#custom.get(name);
    const found = registry.cache(apiServices).object(undefined, name);
    if (wanted === undefined && found === undefined) return;
    if (wanted?.managed === 'onstart' && this.#synced.has(name)) return;
    if (found === undefined) {
      // One of the two is there.
      await client.create(apiServices, objectOf(wanted as Wanted), { signal });
    } else if (wanted === undefined || !this.#isLeftTo(found, wanted)) await this.#correct(found, wanted);
    this.#synced.add(name);
  }

  async #correct(found: Stored<APIService>, wanted: Wanted | undefined): Promise<void> {
    const { client } = this.#options;
    const { signal } = this.#stop;
    const { name, labels = {}, uid } = found.metadata;
    const managed = labels[LABEL];
    if (managed !== 'true' && managed !== 'onstart') return;
    if (managed === 'onstart' && (!this.#atStart.has(name) || this.#synced.has(name))) return;
    if (wanted === undefined) {
      await client.delete(apiServices, { name }, { preconditions: { uid }, signal });
      return;
    }
    const { spec } = objectOf(wanted);
    if (sameSpec(found.spec, spec)) return;
    await client.update(apiServices, { ...found, spec } as APIService, { signal });
  }

  /** Somebody else serves a group that is there to be taken over. */
  #isLeftTo(found: Stored<APIService>, { gv }: Wanted): boolean {
    return this.#options.replaceable.has(gv.group) && found.spec?.service !== undefined;
  }
}

const nameOf = ({ group, version }: GroupVersion) => `${version}.${group}`;

function objectOf({ gv, group, version, managed }: Wanted): APIService {
  return {
    metadata: { name: nameOf(gv), labels: { [LABEL]: managed } },
    spec: { ...gv, groupPriorityMinimum: group, versionPriority: version },
  };
}

function sameSpec(a: APIService['spec'], b: APIService['spec']): boolean {
  const text = ({ group, version, groupPriorityMinimum, versionPriority, service, ...rest }: NonNullable<typeof a>) =>
    JSON.stringify([group, version, groupPriorityMinimum, versionPriority, service, rest]);
  return a !== undefined && b !== undefined && text(a) === text(b);
}

/** The versions that are served of definitions that were accepted. */
function customOf(definitions: readonly Stored<CustomResourceDefinition>[]): Map<string, Wanted> {
  const found = new Map<string, Wanted>();
  for (const { spec, status } of definitions) {
    if (!status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True')) continue;
    for (const { name: version, served } of spec.versions) {
      if (!served) continue;
      const gv = { group: spec.group, version };
      found.set(nameOf(gv), { gv, ...CUSTOM_PRIORITY, managed: 'true' });
    }
  }
  return found;
}
