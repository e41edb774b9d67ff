/**
 * A whole cluster within a program, for tests of operators and for simulations: API server, controllers,
 * scheduler and simulated nodes, with nothing on the disk, in the machine's time or in virtual time.
 *
 *     const cluster = await createCluster({ nodes: 3, clock: 'virtual' });
 *     await cluster.client.create(deployments, …);
 *     await cluster.advance('1h');
 *     await cluster.stop();
 */
import { setMaxListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '../client/client.ts';
import { SIMULATED_STORAGE as storageOfNodes } from '../controllers/localProvisioner/storage.ts';
import type { BehaviorProgram } from '../kubelet/simulated/behavior.ts';
import { type SimulatedNodes, startSimulatedNodes } from '../kubelet/simulated/nodes.ts';
import { type Clock, SystemClock, VirtualClock } from '../lib/clock.ts';
import { parseDuration } from '../lib/duration.ts';
import { type Logger, silentLogger } from '../lib/log.ts';
import { type Random, SeededRandom, SystemRandom } from '../lib/random.ts';
import { startCompactor } from '../storage/compactor.ts';
import { openInMemory } from '../storage/embedded/open.ts';
import { ensureCertificates } from './certificates.ts';
import { CLUSTER_DOMAIN, createControlPlane, SIMULATED_POD_CIDR } from './controlPlane.ts';
import { ClusterError } from './errors.ts';
import { standaloneKubeconfig } from './kubeconfig.ts';
import { ensureStorageClass, startLocalVolumes } from './localVolumes.ts';
import { NODE_USERS } from './machineNode.ts';

export interface ProgramClusterOptions {
  /** simulated nodes, or their names; 1 where absent */
  readonly nodes?: number | readonly string[];
  /** `virtual`: time stands still until `advance`; `system`, where absent: the machine's time */
  readonly clock?: 'system' | 'virtual';
  /** where virtual time begins, in ms since the epoch; absent: now */
  readonly startTime?: number;
  /** The same seed gives the same names, uids and choices. */
  readonly seed?: number;
  /** How containers behave, before what annotations of their pods say. */
  readonly behavior?: BehaviorProgram;
  /** of each node, by resource */
  readonly capacity?: Readonly<Record<string, string>>;
  /** from which nodes get addresses for their pods that bring none, one range or one for each family */
  readonly podCIDRs?: readonly string[];
  /** absent: nothing is logged */
  readonly log?: Logger;
}

export interface ProgramCluster {
  /** as cluster administrator, within the process */
  readonly client: Client;
  readonly clock: Clock;
  /** The API within the process, as another user. */
  clientAs(name: string, groups?: readonly string[]): Client;
  /** For clients outside of the process: kubectl, client-go, … The server listens on loopback. */
  readonly kubeconfig: string;
  /** Lets virtual time pass. @param time in ms, or as `1h30m` @throws ClusterError where time is not virtual, or for what is no duration */
  advance(time: number | string): Promise<void>;
  /** Ends everything; nothing is left. */
  stop(): Promise<void>;
}

const LOOPBACK = '127.0.0.1';
/** The API server is said to be where nothing is (RFC 5737): no simulated pod can reach it. */
const ADVERTISED = '192.0.2.1';
const SERVICE_CIDR = '10.96.0.0/16';
const SERVICE_IP = '10.96.0.1';
/** What is loaded when it is first used would come at no certain moment of virtual time. */
const loadedLate = () =>
  Promise.all([import('../scheduler/volumes/volumes.ts'), import('../scheduler/dynamicResources/devices.ts')]);
/** Time that a new cluster gets to have its nodes Ready, where time is virtual. */
const FIRST_MOMENTS_MS = 1_000;

/** Resolves when the cluster answers; in virtual time its nodes are Ready then. */
export async function createCluster(options: ProgramClusterOptions = {}): Promise<ProgramCluster> {
  const log = options.log ?? silentLogger;
  const system = new SystemClock();
  const virtual = options.clock === 'virtual' ? new VirtualClock(options.startTime ?? system.now()) : undefined;
  const clock: Clock = virtual ?? system;
  const random: Random = options.seed === undefined ? new SystemRandom() : new SeededRandom(options.seed);
  const names = namesOf(options.nodes ?? 1);
  const dir = await mkdtemp(join(tmpdir(), 'kubets-'));
  const abort = new AbortController();
  const { signal } = abort;
  // Each part of the cluster listens until it ends. Node 20 takes more than ten of them for a leak.
  setMaxListeners(0, signal);
  const stops: (() => unknown)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async () => {
    abort.abort(new Error('the cluster is stopped'));
    for (const work of stops.splice(0).reverse()) await work();
  };
  try {
    // Certificates are looked at by others, in the time of the machine.
    const certificates = await ensureCertificates({
      dir: join(dir, 'pki'),
      clock: system,
      log,
      nodeName: names[0] ?? 'none',
      nodeIP: LOOPBACK,
      serviceIP: SERVICE_IP,
      clusterDomain: CLUSTER_DOMAIN,
    });
    const storage = openInMemory({ clock, log });
    stops.push(() => storage.close());
    startCompactor({ storage, clock, log, signal });
    let simulated: SimulatedNodes | undefined;
    const { apiServer, admin, clientAs, startControllers } = await createControlPlane({
      storage,
      certificates,
      serviceCIDR: SERVICE_CIDR,
      podCIDRs: options.podCIDRs ?? [SIMULATED_POD_CIDR],
      advertiseAddress: ADVERTISED,
      nodeUsage: (nodeName) => simulated?.statistics(nodeName),
      clock,
      random,
      log,
      signal,
    });
    stops.push(() => apiServer.close());
    const { port } = await apiServer.listen({ host: LOOPBACK, port: 0 });
    await startControllers();
    await loadedLate();
    const shared = { clock, random, log, signal };
    await ensureStorageClass(admin);
    startLocalVolumes({ ...shared, client: clientAs(NODE_USERS.volumes), nodeNames: names, storage: storageOfNodes });
    const nodes = await startSimulatedNodes({
      names,
      clientFor: (name) => clientAs(`system:node:${name}`, ['system:nodes']),
      nodeIP: LOOPBACK,
      podLogsDir: join(dir, 'logs'),
      clusterDomain: CLUSTER_DOMAIN,
      serving: { ...certificates.kubelet.serving, clientCA: certificates.ca.cert },
      ...(options.behavior === undefined ? {} : { program: options.behavior }),
      ...(options.capacity === undefined ? {} : { capacity: options.capacity }),
      clock,
      random,
      log,
      signal,
    });
    simulated = nodes;
    stops.push(() => nodes.ended);
    await virtual?.advance(FIRST_MOMENTS_MS);
    return {
      client: admin,
      clock,
      clientAs,
      kubeconfig: standaloneKubeconfig({
        name: 'kubets',
        server: `https://${LOOPBACK}:${port}`,
        ca: certificates.ca.cert,
        ...certificates.admin,
      }),
      async advance(time) {
        if (virtual === undefined) throw new ClusterError("the cluster's time is not virtual: it cannot be advanced");
        const ms = typeof time === 'number' ? time : parseDuration(time);
        if (ms === undefined || !(ms >= 0)) throw new ClusterError(`${JSON.stringify(time)} is no span of time`);
        await virtual.advance(ms);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function namesOf(nodes: number | readonly string[]): readonly string[] {
  return typeof nodes === 'number' ? Array.from({ length: nodes }, (_, i) => `node-${i}`) : nodes;
}
