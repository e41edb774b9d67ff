/** Keeps the kernel's rules as the network policies of the API want them, for the pods of one node. */
import { namespaces } from '../../apis/core/namespace.ts';
import { pods } from '../../apis/core/pod.ts';
import { networkPolicies } from '../../apis/networking/networkPolicy.ts';
import type { Client } from '../../client/client.ts';
import { Informers } from '../../client/informers.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { nft } from '../../lib/nft.ts';
import type { Random } from '../../lib/random.ts';
import { planPolicies, type Server } from './plan.ts';
import { policyScript } from './rules.ts';

export interface EnforcerOptions {
  /** may list and watch pods, namespaces and network policies */
  readonly client: Client;
  readonly nodeName: string;
  /** the name of the table */
  readonly table: string;
  readonly servers: readonly Server[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends it; the rules stay */
  readonly signal: AbortSignal;
}

/** Changes that come together are written together. */
const GATHER_MS = 10;
const RETRY_MS = 1_000;

/** Resolves when the rules are in the kernel. */
export async function startPolicyEnforcer(options: EnforcerOptions): Promise<void> {
  const { client, clock, random, signal, nodeName, table, servers } = options;
  const log = options.log.child({ component: 'network-policy' });
  const informers = new Informers({ client, clock, random, log, signal });
  const podInformer = informers.of(pods);
  const namespaceInformer = informers.of(namespaces);
  const policyInformer = informers.of(networkPolicies);
  /** undefined: what a process before this one left is not known */
  let written: string | undefined;
  let due = false;
  let work: Promise<void> = Promise.resolve();
  const write = async () => {
    const policies = policyInformer.list();
    // Most clusters have none: then nothing is computed when pods come and go.
    if (signal.aborted || (policies.length === 0 && written === '')) return;
    const labels = new Map(namespaceInformer.list().map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
    const world = { policies, pods: podInformer.list(), namespaces: labels, nodeName, servers };
    const script = policies.length === 0 ? removalScript(table) : policyScript(table, planPolicies(world));
    if (script === written) return;
    try {
      await nft(script);
      written = policies.length === 0 ? '' : script;
    } catch (error) {
      log.error('the network policies could not be written; they are tried again', { err: error });
      soon(RETRY_MS);
    }
  };
  const soon = (ms = GATHER_MS) => {
    if (due) return;
    due = true;
    clock.after(ms, () => {
      due = false;
      work = work.then(write);
    });
  };
  await Promise.all([podInformer.synced, namespaceInformer.synced, policyInformer.synced]);
  await write();
  const handler = { onAdd: () => soon(), onUpdate: () => soon(), onDelete: () => soon() };
  for (const informer of [podInformer, namespaceInformer, policyInformer]) informer.handle(handler);
}

/** Takes the rules out of the kernel. */
export function removePolicies(table: string): Promise<void> {
  return nft(removalScript(table));
}

const removalScript = (table: string) => `add table ip ${table}\ndelete table ip ${table}\n`;
