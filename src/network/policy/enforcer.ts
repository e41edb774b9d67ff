/** Keeps the kernel's rules as the network policies of the API want them, for the pods of one node. */
import { namespaces } from '../../apis/core/namespace.ts';
import { pods } from '../../apis/core/pod.ts';
import { type EndpointSlice, endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import { networkPolicies } from '../../apis/networking/networkPolicy.ts';
import type { Client } from '../../client/client.ts';
import { Informers } from '../../client/informers.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { nft } from '../../lib/nft.ts';
import type { Random } from '../../lib/random.ts';
import { type Family, planPolicies, type Server } from './plan.ts';
import { policyScript, removalScript } from './rules.ts';

/** A service of the cluster's own, whose endpoints are no pods but are to be chosen as if they were. */
export interface OwnService {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** as clients see them */
  readonly ports: readonly { readonly name: string; readonly port: number }[];
}

export interface EnforcerOptions {
  /** may list and watch pods, namespaces, endpoint slices and network policies */
  readonly client: Client;
  readonly nodeName: string;
  /** the name of the table */
  readonly table: string;
  readonly own: readonly OwnService[];
  /** of pods' addresses */
  readonly families: readonly Family[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends it; the rules stay */
  readonly signal: AbortSignal;
}

/** Changes that come together are written together. */
const GATHER_MS = 10;
const RETRY_MS = 1_000;
const SERVICE_NAME = 'kubernetes.io/service-name';

/** Resolves when the rules are in the kernel. */
export async function startPolicyEnforcer(options: EnforcerOptions): Promise<void> {
  const { client, clock, random, signal, nodeName, table, own, families } = options;
  const log = options.log.child({ component: 'network-policy' });
  const informers = new Informers({ client, clock, random, log, signal });
  const podInformer = informers.of(pods);
  const namespaceInformer = informers.of(namespaces);
  const policyInformer = informers.of(networkPolicies);
  const sliceInformers = own.map(({ namespace, name }) =>
    informers.of(endpointSlices, { namespace, labelSelector: `${SERVICE_NAME}=${name}` }),
  );
  const serversNow = () => own.flatMap((service, i) => (sliceInformers[i]?.list() ?? []).flatMap(serversOf(service)));
  /** undefined: what a process before this one left is not known */
  let written: string | undefined;
  let due = false;
  let work: Promise<void> = Promise.resolve();
  const write = async () => {
    const policies = policyInformer.list();
    // Most clusters have none: then nothing is computed when pods come and go.
    if (signal.aborted || (policies.length === 0 && written === '')) return;
    const labels = new Map(namespaceInformer.list().map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
    const world = { policies, pods: podInformer.list(), namespaces: labels, nodeName, servers: serversNow() };
    const script = families
      .map((family) =>
        policies.length === 0 ? removalScript(table, family) : policyScript(table, planPolicies(world, family), family),
      )
      .join('');
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
  const read = [podInformer, namespaceInformer, policyInformer, ...sliceInformers];
  await Promise.all(read.map(({ synced }) => synced));
  await write();
  const handler = { onAdd: () => soon(), onUpdate: () => soon(), onDelete: () => soon() };
  for (const informer of read) informer.handle(handler);
}

/** What stands behind a service of the cluster's own. */
function serversOf({ namespace, labels, ports }: OwnService): (slice: EndpointSlice) => Server[] {
  return (slice) => {
    const seen = new Map(
      (slice.ports ?? []).flatMap(({ name, port }) => {
        const client = ports.find((own) => own.name === name);
        return client === undefined || port === undefined ? [] : [[client.port, port] as const];
      }),
    );
    return (slice.endpoints ?? []).flatMap(({ addresses }) =>
      addresses.map((ip) => ({ namespace, labels, ip, ports: seen })),
    );
  };
}

/** Takes the rules out of the kernel. */
export function removePolicies(table: string): Promise<void> {
  return nft(removalScript(table, 4) + removalScript(table, 6));
}
