/**
 * Takes CustomResourceDefinitions into service: their kinds come into the registry in the same turn in which the
 * definition is stored, change with it, and go with it.
 */
import {
  type CustomResourceDefinition,
  customResourceDefinitions,
} from '../../apis/apiextensions/customResourceDefinition.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import { stringifyExactJson } from '../../machinery/exactJson.ts';
import { type Kind, type KubeObject, type Stored, storagePrefix } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { WebhookCaller } from '../admission/webhooks/call.ts';
import type { Registry } from '../registry/registry.ts';
import type { ConversionParts } from './conversionWebhook.ts';
import { type DefinedKinds, kindsOf } from './kinds.ts';
import { type Decision, decideNames, statusFor, type TakenNames, terminating } from './names.ts';

/** Holds a definition until its objects are gone. */
const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';
const RETRY_MS = 1_000;

interface Served {
  /** what the kinds were made of */
  readonly basis: string;
  readonly kinds: DefinedKinds;
}

export interface CustomResourcesOptions {
  readonly registry: Registry;
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

export class CustomResources {
  readonly #options: CustomResourcesOptions;
  readonly #conversion: ConversionParts;
  readonly #served = new Map<string, Served>();
  readonly #underWay = new Set<string>();
  readonly #again = new Set<string>();
  readonly #stop = new AbortController();
  #unlisten: (() => void) | undefined;

  constructor(options: CustomResourcesOptions) {
    this.#options = options;
    const { registry, clock, random } = options;
    this.#conversion = { caller: new WebhookCaller(registry, clock, random), random };
  }

  /** Everything that is defined is served when this resolves. */
  async start(): Promise<void> {
    const { registry } = this.#options;
    if (registry.kinds.byResource('apiextensions.k8s.io', 'v1', 'customresourcedefinitions') === undefined) return;
    const cache = registry.cache(customResourceDefinitions);
    await cache.start();
    this.#listen();
    for (const crd of cache.objects()) this.#seen(crd);
  }

  #listen(): void {
    const cache = this.#options.registry.cache(customResourceDefinitions);
    this.#unlisten = cache.listen({
      onEvent: ({ type, entry }) => {
        const crd = entry.object as Stored<CustomResourceDefinition>;
        if (type === 'DELETED') this.#gone(crd.metadata.name);
        else this.#seen(crd);
      },
      onEnd: () => {
        // The store could not go on: everything is read anew.
        if (!this.#stop.signal.aborted) this.#restart();
      },
    });
  }

  #restart(): void {
    const { registry, clock, log } = this.#options;
    const cache = registry.cache(customResourceDefinitions);
    cache.start().then(
      () => {
        if (this.#stop.signal.aborted) return;
        this.#listen();
        const all = cache.objects();
        const names = new Set(all.map((crd) => crd.metadata.name));
        for (const name of [...this.#served.keys()]) if (!names.has(name)) this.#gone(name);
        for (const crd of all) this.#seen(crd);
      },
      (err: unknown) => {
        log.warn('cannot read the definitions of custom resources', { err });
        clock.after(RETRY_MS, () => {
          if (!this.#stop.signal.aborted) this.#restart();
        });
      },
    );
  }

  stop(): void {
    this.#stop.abort();
    this.#unlisten?.();
    this.#conversion.caller.stop();
  }

  #seen(crd: Stored<CustomResourceDefinition>): void {
    const { name } = crd.metadata;
    try {
      const decision = decideNames(crd, this.#taken(crd));
      if (decision.established) this.#serve(name, crd, decision);
    } catch (err) {
      // One definition that cannot be served must not keep the others from it.
      this.#options.log.error('cannot serve a custom resource', { crd: name, err });
    }
    this.#work(name);
  }

  #serve(name: string, crd: Stored<CustomResourceDefinition>, { names }: Decision): void {
    const { registry } = this.#options;
    const basis = stringifyExactJson([crd.spec, names]);
    const before = this.#served.get(name);
    if (before?.basis === basis) {
      if (crd.metadata.deletionTimestamp !== undefined) registry.closeForCreation(before.kinds.served);
      return;
    }
    const kinds = kindsOf(crd, names, this.#conversion);
    if (before !== undefined) this.#drop(before.kinds);
    for (const kind of kinds.served) registry.kinds.add(kind);
    this.#served.set(name, { basis, kinds });
    if (crd.metadata.deletionTimestamp !== undefined) registry.closeForCreation(kinds.served);
  }

  #drop({ stored, served }: DefinedKinds): void {
    const { registry } = this.#options;
    for (const kind of served) {
      registry.kinds.remove(kind);
      registry.drop(kind);
    }
    registry.drop(stored);
  }

  #gone(name: string): void {
    const before = this.#served.get(name);
    this.#served.delete(name);
    if (before !== undefined) this.#drop(before.kinds);
    // Names that are free now may be what another definition waits for.
    const { registry } = this.#options;
    for (const crd of registry.cache(customResourceDefinitions).objects()) {
      if (!this.#served.has(crd.metadata.name)) this.#seen(crd);
    }
  }

  /** The names that others of the group have. */
  #taken(crd: Stored<CustomResourceDefinition>): TakenNames {
    const { registry } = this.#options;
    const resources = new Set<string>();
    const kinds = new Set<string>();
    for (const kind of registry.kinds.all()) {
      if (kind.group !== crd.spec.group || kind.plural === crd.spec.names.plural) continue;
      for (const name of [kind.plural, kind.singular, ...kind.shortNames]) resources.add(name);
      kinds.add(kind.kind).add(kind.listKind);
    }
    const own = this.#served.get(crd.metadata.name);
    if (own === undefined) {
      // A built-in kind of the same name.
      for (const { name } of crd.spec.versions) {
        const builtin = registry.kinds.byResource(crd.spec.group, name, crd.spec.names.plural);
        if (builtin !== undefined) resources.add(builtin.plural);
      }
    }
    return { resources, kinds };
  }

  /** Writes the status and cleans up, one after the other for a definition, again when it changed in between. */
  #work(name: string): void {
    if (this.#underWay.has(name)) {
      this.#again.add(name);
      return;
    }
    this.#underWay.add(name);
    const { clock, log } = this.#options;
    this.#reconcile(name)
      .catch((err: unknown) => {
        if (this.#stop.signal.aborted || isApiError(err, 'NotFound')) return;
        if (!isApiError(err, 'Conflict')) log.warn('cannot take a custom resource into service', { crd: name, err });
        clock.after(RETRY_MS, () => {
          if (!this.#stop.signal.aborted) this.#work(name);
        });
      })
      .finally(() => {
        this.#underWay.delete(name);
        if (this.#again.delete(name) && !this.#stop.signal.aborted) this.#work(name);
      });
  }

  async #reconcile(name: string): Promise<void> {
    const { registry, client, clock } = this.#options;
    const { signal } = this.#stop;
    const cache = registry.cache(customResourceDefinitions);
    const crd = cache.object(undefined, name);
    if (crd === undefined) return;
    if (crd.metadata.deletionTimestamp !== undefined) return this.#cleanUp(crd);
    const finalizers = crd.metadata.finalizers ?? [];
    if (!finalizers.includes(CLEANUP_FINALIZER)) {
      // The next event goes on.
      const metadata = { ...crd.metadata, finalizers: [...finalizers, CLEANUP_FINALIZER] };
      await client.update(customResourceDefinitions, { ...crd, metadata }, { signal });
      return;
    }
    const status = statusFor(crd, decideNames(crd, this.#taken(crd)), clock.now());
    if (status !== undefined) {
      await client.update(customResourceDefinitions, { ...crd, status } as typeof crd, {
        subresource: 'status',
        signal,
      });
    }
  }

  /** Deletes every object of the definition, then lets it go. */
  async #cleanUp(crd: Stored<CustomResourceDefinition>): Promise<void> {
    if (!(crd.metadata.finalizers ?? []).includes(CLEANUP_FINALIZER)) return;
    const { registry, client, clock } = this.#options;
    const { signal } = this.#stop;
    const served = this.#served.get(crd.metadata.name)?.kinds;
    const kind = served?.served[0];
    if (served !== undefined && kind !== undefined) {
      const cache = registry.cache(served.stored);
      await cache.freshen();
      for (const object of cache.objects()) {
        if (object.metadata.deletionTimestamp !== undefined) continue;
        await deleteOne(client, kind, object, signal);
      }
      if (cache.entries().length > 0) {
        // Objects with finalizers of their own: looked at again.
        await this.#tellDeletion(crd);
        clock.after(RETRY_MS, () => {
          if (!signal.aborted) this.#work(crd.metadata.name);
        });
        return;
      }
    } else await this.#deleteUnserved(crd);
    const finalizers = (crd.metadata.finalizers ?? []).filter((f) => f !== CLEANUP_FINALIZER);
    await client.update(customResourceDefinitions, { ...crd, metadata: { ...crd.metadata, finalizers } }, { signal });
  }

  async #tellDeletion(crd: Stored<CustomResourceDefinition>): Promise<void> {
    const { client, clock } = this.#options;
    const status = terminating(crd, clock.now());
    if (status === undefined) return;
    await client.update(customResourceDefinitions, { ...crd, status } as typeof crd, {
      subresource: 'status',
      signal: this.#stop.signal,
    });
  }

  /** No version is served: nobody can have a finalizer's work done. */
  async #deleteUnserved(crd: Stored<CustomResourceDefinition>): Promise<void> {
    const { storage } = this.#options.registry;
    const stored = this.#served.get(crd.metadata.name)?.kinds.stored;
    if (stored === undefined) return;
    const prefix = storagePrefix(stored);
    const { kvs } = await storage.range({ key: prefix, end: `${prefix.slice(0, -1)}0` });
    for (const { key } of kvs) await storage.txn({ compare: [], success: [{ op: 'delete', key }], failure: [] });
  }
}

async function deleteOne(client: Client, kind: Kind, object: Stored<KubeObject>, signal: AbortSignal): Promise<void> {
  const { name, namespace } = object.metadata;
  try {
    await client.delete(kind, { name, ...(namespace === undefined ? {} : { namespace }) }, { signal });
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
  }
}
