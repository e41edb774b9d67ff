/** Waits for nodes to be Ready. */
import { type Node, nodes } from '../apis/core/node.ts';
import type { Client } from '../client/client.ts';
import type { Clock } from '../lib/clock.ts';
import { isApiError } from '../machinery/status.ts';
import { ClusterError } from './errors.ts';

/** A Ready from before a restart says nothing: only a node that reported since counts. */
const SLACK_MS = 3_000;

/** Resolves when all of them are Ready. @throws ClusterError after `timeoutMs` */
export async function waitForNodes(
  client: Client,
  names: readonly string[],
  clock: Clock,
  timeoutMs: number,
): Promise<void> {
  const waiting = new Set(names);
  const since = clock.now() - SLACK_MS;
  const abort = new AbortController();
  const timer = clock.after(timeoutMs, () => abort.abort(), { ref: true });
  try {
    await new Promise<void>((resolve, reject) => {
      abort.signal.addEventListener('abort', () => reject(late([...waiting], timeoutMs)));
      const fieldSelector = names.length === 1 ? `metadata.name=${names[0]}` : '';
      client
        .watch(
          nodes,
          { fieldSelector, signal: abort.signal },
          ({ object }) => {
            if (isReadySince(object, since)) waiting.delete(object.metadata.name);
            if (waiting.size === 0) resolve();
          },
          () => reject(new ClusterError('the API server ended the watch for the nodes')),
        )
        .catch((error: unknown) => reject(isApiError(error) ? new ClusterError(error.message) : error));
    });
  } finally {
    timer.cancel();
    abort.abort();
  }
}

function late(names: readonly string[], timeoutMs: number): ClusterError {
  const which = names.length === 1 ? `node ${names[0]} is` : `${names.length} nodes are`;
  return new ClusterError(`${which} not Ready after ${Math.round(timeoutMs / 1000)} s; kubets logs says why`);
}

function isReadySince(node: Node, since: number): boolean {
  return (node.status?.conditions ?? []).some(
    (c) => c.type === 'Ready' && c.status === 'True' && Date.parse(c.lastHeartbeatTime ?? '') >= since,
  );
}
