/** Empties namespaces that are being deleted, and lets them go when they are empty. */
import { NAMESPACE_FINALIZER, type Namespace, namespaces } from '../../apis/core/namespace.ts';
import { pods } from '../../apis/core/pod.ts';
import type { Client } from '../../client/client.ts';
import { WorkQueue } from '../../client/workQueue.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import type { ControllerContext } from '../context.ts';
import type { CustomKinds } from '../customKinds.ts';
import { longestGraceMs, type Remains, statusOf } from './plan.ts';
import { remoteKinds } from './remoteKinds.ts';

const NAME = 'namespace-controller';
const WORKERS = 4;
/** Content that has a finalizer and no informer here is looked at again after this. */
const CHECK_MS = 5_000;

/**
 * @param kinds all that can be in a namespace, beside custom resources
 * @param watched kinds that have an informer anyway, so that the end of an object is heard of
 */
export function startNamespaceController(
  context: ControllerContext,
  kinds: readonly Kind[],
  watched: readonly Kind[],
  custom: CustomKinds,
): void {
  const { clock, signal } = context;
  const log = context.log.child({ controller: NAME });
  const client = context.clientFor(NAME);
  const informer = context.informers.of(namespaces);
  const contents = (remote: readonly Kind[]) => inOrder([...kinds, ...custom.all(), ...remote].filter(holdsContent));

  async function work(name: string): Promise<void> {
    const namespace = informer.byKey(name);
    if (namespace?.metadata.deletionTimestamp === undefined) return;
    if (!namespace.spec?.finalizers?.includes(NAMESPACE_FINALIZER)) return;
    await custom.synced;
    const remote = await remoteKinds(client, signal);
    const emptied = await empty(client, contents(remote.kinds), name, signal);
    const { remains } = emptied;
    const failure = emptied.failure ?? remote.failure;
    const left = remains.some((r) => r.objects.length > 0);
    if (!left && failure === undefined) {
      await finalize(client, namespace, signal);
      return;
    }
    const status = statusOf(namespace, { remains, failure: emptied.failure, unknown: remote.failure }, clock.now());
    if (status !== undefined) {
      await client.update(namespaces, { ...namespace, status }, { subresource: 'status', signal });
    }
    // What is not known yet may be in a moment, or when somebody has repaired it.
    if (emptied.failure !== undefined) throw emptied.failure;
    queue.addAfter(name, Math.max(CHECK_MS, (longestGraceMs(remains) ?? 0) / 2));
  }

  const queue = new WorkQueue({
    clock,
    workers: WORKERS,
    signal,
    work,
    onError(name, error) {
      // It is gone, or has changed in between.
      if (isApiError(error, 'NotFound') || isApiError(error, 'Conflict')) return;
      log.warn('cannot empty a namespace', { namespace: name, err: error });
    },
  });
  const tell = (namespace: Stored<Namespace>) => {
    if (namespace.metadata.deletionTimestamp !== undefined) queue.add(namespace.metadata.name);
  };
  informer.handle({ onAdd: tell, onUpdate: tell });
  const follow = (kind: Kind) => {
    if (!kind.namespaced) return;
    context.informers.of(kind).handle({
      onDelete(object) {
        const name = object.metadata.namespace ?? '';
        if (informer.byKey(name)?.metadata.deletionTimestamp !== undefined) queue.add(name);
      },
    });
  };
  for (const kind of watched) follow(kind);
  custom.handle({ onAdd: follow });
}

function holdsContent(kind: Kind): boolean {
  return kind.stored && kind.namespaced && kind.verbs.includes('list') && kind.verbs.includes('deletecollection');
}

/** Pods go first: what they use goes when they are gone. */
function inOrder(kinds: readonly Kind[]): readonly (readonly Kind[])[] {
  const isPods = (kind: Kind) => kind.group === pods.group && kind.plural === pods.plural;
  return [kinds.filter(isPods), kinds.filter((kind) => !isPods(kind))];
}

async function empty(
  client: Client,
  contents: readonly (readonly Kind[])[],
  namespace: string,
  signal: AbortSignal,
): Promise<{ remains: Remains[]; failure: Error | undefined }> {
  const remains: Remains[] = [];
  let failure: Error | undefined;
  for (const kinds of contents) {
    await Promise.all(
      kinds.map(async (kind) => {
        try {
          const before = await client.list(kind, { namespace, signal });
          if (before.items.length === 0) return;
          await client.deleteCollection(kind, { namespace, signal }, { propagationPolicy: 'Background', signal });
          const { items } = await client.list(kind, { namespace, signal });
          remains.push({ kind, objects: items });
        } catch (error) {
          failure ??= error as Error;
        }
      }),
    );
    if (remains.some((r) => r.objects.length > 0) || failure !== undefined) break;
  }
  return { remains, failure };
}

async function finalize(client: Client, namespace: Stored<Namespace>, signal: AbortSignal): Promise<void> {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((f) => f !== NAMESPACE_FINALIZER);
  const object: Namespace = { ...namespace, spec: { ...namespace.spec, finalizers } };
  await client.update(namespaces, object, { subresource: 'finalize', signal });
}
