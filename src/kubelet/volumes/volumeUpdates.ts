/**
 * Keeps the content of volumes up to date while pods run: config maps and secrets are watched one by
 * one, as many pods as may use them; tokens are renewed in time; what a pod is told of itself follows
 * the pod.
 *
 * Source: https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically
 */
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import type { VolumeProjection } from '../../apis/core/volumes.ts';
import type { Client } from '../../client/client.ts';
import { Informer } from '../../client/informer.ts';
import type { Clock, Timer } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Random } from '../../lib/random.ts';
import type { Kind } from '../../machinery/kind.ts';
import type { Machine } from '../machine/machine.ts';
import { VolumeError } from './sources.ts';
import type { PodTokens } from './tokens.ts';

export interface VolumeUpdatesOptions {
  readonly client: Client;
  readonly machine: Pick<Machine, 'updateVolumes'>;
  readonly tokens: PodTokens;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

interface Watched {
  readonly stop: AbortController;
  /** uids of the pods that use it */
  readonly users: Set<string>;
}

interface Follower {
  pod: Pod;
  readonly objects: readonly string[];
  timer: Timer | undefined;
  /** the update that is under way */
  running: Promise<void> | undefined;
  again: boolean;
}

const RETRY_MS = 5_000;
/** Changes that come together are written together. */
const GATHER_MS = 50;

export class VolumeUpdates {
  readonly #o: VolumeUpdatesOptions;
  /** by `configmaps/namespace/name` */
  readonly #watched = new Map<string, Watched>();
  readonly #followers = new Map<string, Follower>();

  constructor(options: VolumeUpdatesOptions) {
    this.#o = options;
    const { signal } = options;
    signal.addEventListener('abort', () => this.#stopAll(), { once: true });
  }

  /** From now on the pod's volumes, which are set up, follow what they are made from. */
  watch(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    if (this.#followers.has(uid) || this.#o.signal.aborted || !isMadeOfObjects(pod)) return;
    const objects = referencesOf(pod);
    const follower: Follower = {
      pod,
      objects: [...objects.keys()],
      timer: undefined,
      running: undefined,
      again: false,
    };
    this.#followers.set(uid, follower);
    for (const [key, { kind, name }] of objects) this.#use(key, kind, pod.metadata?.namespace ?? '', name, uid);
    this.#renewLater(uid, follower);
  }

  /** The API has another state of a pod: its labels and annotations may be in files. */
  podChanged(pod: Pod): void {
    const uid = pod.metadata?.uid ?? '';
    const follower = this.#followers.get(uid);
    if (follower === undefined) return;
    const before = follower.pod.metadata;
    follower.pod = pod;
    if (
      JSON.stringify([before?.labels, before?.annotations]) ===
      JSON.stringify([pod.metadata?.labels, pod.metadata?.annotations])
    )
      return;
    this.#update(uid);
  }

  /** The pod ends, or is gone. Resolves when nothing more is written for it. */
  forget(uid: string): Promise<void> {
    const follower = this.#followers.get(uid);
    if (follower === undefined) return Promise.resolve();
    this.#followers.delete(uid);
    follower.timer?.cancel();
    this.#o.tokens.forget(uid);
    for (const key of follower.objects) {
      const watched = this.#watched.get(key);
      watched?.users.delete(uid);
      if (watched?.users.size !== 0) continue;
      watched.stop.abort(new Error('no pod uses it any more'));
      this.#watched.delete(key);
    }
    return follower.running ?? Promise.resolve();
  }

  #use(key: string, kind: Kind<ConfigMap> | Kind<Secret>, namespace: string, name: string, uid: string): void {
    let watched = this.#watched.get(key);
    if (watched === undefined) {
      watched = { stop: new AbortController(), users: new Set() };
      this.#watched.set(key, watched);
      this.#follow(kind as Kind<ConfigMap>, namespace, name, watched);
    }
    watched.users.add(uid);
  }

  #follow(kind: Kind<ConfigMap>, namespace: string, name: string, watched: Watched): void {
    const { client, clock, random, log } = this.#o;
    const fieldSelector = `metadata.name=${name}`;
    const informer = new Informer({
      client,
      kind,
      namespace,
      fieldSelector,
      clock,
      random,
      log,
      signal: watched.stop.signal,
    });
    const onChange = () => {
      for (const uid of watched.users) this.#soon(uid, GATHER_MS);
    };
    informer.handle({ onAdd: onChange, onUpdate: onChange, onDelete: onChange });
  }

  #soon(uid: string, ms: number): void {
    const follower = this.#followers.get(uid);
    if (follower === undefined) return;
    follower.timer?.cancel();
    follower.timer = this.#o.clock.after(ms, () => this.#update(uid));
  }

  #update(uid: string): void {
    const follower = this.#followers.get(uid);
    if (follower === undefined) return;
    if (follower.running !== undefined) {
      follower.again = true;
      return;
    }
    follower.running = this.#write(follower).then((ok) => {
      follower.running = undefined;
      if (this.#followers.get(uid) !== follower) return;
      if (!ok) this.#soon(uid, RETRY_MS);
      else if (follower.again) {
        follower.again = false;
        this.#update(uid);
      } else this.#renewLater(uid, follower);
    });
  }

  async #write({ pod }: Follower): Promise<boolean> {
    try {
      await this.#o.machine.updateVolumes(pod);
      return true;
    } catch (err) {
      this.#o.log.debug('a volume could not be brought up to date', { err, pod: pod.metadata?.name });
      // What it is made from is not there: the files stay as they are until it is.
      return err instanceof VolumeError;
    }
  }

  #renewLater(uid: string, follower: Follower): void {
    const at = this.#o.tokens.renewAt(uid);
    if (at === undefined) return;
    follower.timer?.cancel();
    follower.timer = this.#o.clock.after(Math.max(0, at - this.#o.clock.now()), () => this.#update(uid));
  }

  #stopAll(): void {
    for (const uid of [...this.#followers.keys()]) void this.forget(uid);
  }
}

function isMadeOfObjects(pod: Pod): boolean {
  return (pod.spec?.volumes ?? []).some((v) => v.configMap ?? v.secret ?? v.downwardAPI ?? v.projected);
}

type Reference = { readonly kind: Kind<ConfigMap> | Kind<Secret>; readonly name: string };

/** The config maps and secrets that a pod's volumes are made of, by key. */
function referencesOf(pod: Pod): Map<string, Reference> {
  const found = new Map<string, Reference>();
  const namespace = pod.metadata?.namespace ?? '';
  const add = (kind: Reference['kind'], name: string | undefined) => {
    if (name) found.set(`${kind.plural}/${namespace}/${name}`, { kind, name });
  };
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    add(configMaps, configMap?.name);
    add(secrets, secret?.secretName);
    for (const source of projected?.sources ?? ([] as VolumeProjection[])) {
      add(configMaps, source.configMap?.name);
      add(secrets, source.secret?.name);
    }
  }
  return found;
}
