/** The kubelet: runs the pods that are bound to its node. */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { configMaps } from '../apis/core/configMap.ts';
import { pods } from '../apis/core/pod.ts';
import { secrets } from '../apis/core/secret.ts';
import { services } from '../apis/core/service.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder } from '../client/eventRecorder.ts';
import { Informers } from '../client/informers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { isApiError } from '../machinery/status.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { ImagePuller } from './images/puller.ts';
import { startLogRotation } from './logs/rotation.ts';
import { NodeAgent } from './node/nodeAgent.ts';
import { capacityOf, memoryBytes } from './node/nodeStatus.ts';
import { Actor } from './pods/actor.ts';
import { createAdmission } from './pods/admission.ts';
import { ContainerStarter } from './pods/containerStart.ts';
import { parseResolvConf } from './pods/dns.ts';
import { Gate } from './pods/gate.ts';
import { RuntimeObserver } from './pods/observed.ts';
import { RuntimeWatch } from './pods/runtimeWatch.ts';
import { podViewsOf, streamingOf } from './pods/views.ts';
import { PodWorkers } from './pods/workers.ts';
import { PodProbes } from './probes/podProbes.ts';
import { Cgroups } from './resources/cgroups.ts';
import { startKubeletServer } from './server/server.ts';
import { StatusWriter } from './status/statusWriter.ts';
import { PodVolumes } from './volumes/podVolumes.ts';
import { PodTokens } from './volumes/tokens.ts';
import { VolumeUpdates } from './volumes/volumeUpdates.ts';

export interface KubeletOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly nodeIP: string;
  readonly runtime: ContainerRuntime;
  /** where the kubelet keeps the pods' volumes */
  readonly rootDir: string;
  readonly podLogsDir: string;
  /** PEM; clients of the kubelet's server show a certificate of clientCA */
  readonly serving: { readonly cert: string; readonly key: string; readonly clientCA: string };
  /** of the kubelet's server; another free one is taken where it is in use */
  readonly port: number;
  readonly clusterDNS?: string;
  readonly clusterDomain: string;
  readonly podCIDR?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends the kubelet; containers go on */
  readonly signal: AbortSignal;
}

export interface Kubelet {
  readonly port: number;
  /** Resolves when the kubelet has ended. */
  readonly ended: Promise<void>;
}

/** Sandboxes and containers that are made at the same time: more than this only makes each slower. */
const STARTS_AT_ONCE = 8;

/** Resolves when the kubelet's server listens. @throws the listen error, or the file system's */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, runtime, clock, random, signal, rootDir, podLogsDir, nodeIP } = options;
  const log = options.log.child({ component: 'kubelet' });
  await mkdir(join(rootDir, 'pods'), { recursive: true, mode: 0o750 });
  await mkdir(podLogsDir, { recursive: true, mode: 0o755 });
  const allocatable = await capacityOf(rootDir);
  const events = createEventRecorder({
    client,
    component: 'kubelet',
    host: options.nodeName,
    clock,
    random,
    log,
    signal,
  });
  const informers = new Informers({ client, clock, random, log, signal });
  const tokens = new PodTokens(client, clock);
  const volumes = new PodVolumes(join(rootDir, 'pods'), join(rootDir, 'memory'), {
    configMap: (namespace, name) => orMissing(client.get(configMaps, { namespace, name })),
    secret: (namespace, name) => orMissing(client.get(secrets, { namespace, name })),
    token: (pod, audience, seconds) => tokens.token(pod, audience, seconds),
    nodeAllocatable: allocatable,
  });
  const observer = new RuntimeObserver(runtime, clock, log);
  const serviceInformer = informers.of(services);
  const gate = new Gate(STARTS_AT_ONCE);
  const dns = {
    clusterDomain: options.clusterDomain,
    host: parseResolvConf(readResolvConf()),
    ...(options.clusterDNS === undefined ? {} : { clusterDNS: options.clusterDNS }),
  };
  const starter = new ContainerStarter({
    client,
    runtime,
    images: new ImagePuller(runtime, clock),
    volumes,
    events,
    gate,
    clock,
    log,
    podLogsDir,
    dns,
    hostIP: nodeIP,
    memoryCapacity: memoryBytes(),
    nodeAllocatable: allocatable,
    services: () => serviceInformer.list(),
  });
  const watch = new RuntimeWatch({ runtime, observer, clock, log, signal, onChange: (uids) => workers.poke(uids) });
  const workers: PodWorkers = new PodWorkers({
    client,
    observer,
    actor: new Actor({
      runtime,
      starter,
      gate,
      volumes,
      cgroups: new Cgroups(),
      events,
      clock,
      podLogsDir,
      dns,
      hostIP: nodeIP,
    }),
    admission: createAdmission(allocatable),
    probes: new PodProbes({ runtime, events, hostIP: nodeIP, clock, random, onChange: (uid) => workers.poke([uid]) }),
    updates: new VolumeUpdates({ client, volumes, tokens, clock, random, log, signal }),
    statuses: new StatusWriter(client, clock, log, signal),
    events,
    hostIP: nodeIP,
    podLogsDir,
    clock,
    log,
    signal,
    look: () => watch.look(),
  });

  const server = await listenOnFreePort(
    (port) =>
      startKubeletServer({
        client,
        clock,
        log,
        nodeName: options.nodeName,
        views: podViewsOf(workers, observer, podLogsDir),
        runtime: streamingOf(runtime),
        serving: options.serving,
        host: '0.0.0.0',
        port,
      }),
    options.port,
  );
  const agent = new NodeAgent({
    client,
    runtime,
    facts: { nodeName: options.nodeName, nodeIP, kubeletPort: server.port, rootDir },
    ...(options.podCIDR === undefined ? {} : { podCIDR: options.podCIDR }),
    events,
    clock,
    log,
    signal,
  });
  const podInformer = informers.of(pods, { fieldSelector: `spec.nodeName=${options.nodeName}` });
  watch.start();
  startLogRotation({ runtime, observer, podLogsDir, clock, log, signal });
  // Pods are worked on only after the runtime was looked at once: what runs is adopted, not started again.
  const begin = async () => {
    await Promise.all([watch.first, serviceInformer.synced]);
    podInformer.handle({
      onAdd: (pod) => workers.update(pod),
      onUpdate: (pod) => workers.update(pod),
      onDelete: (pod) => workers.remove(pod),
    });
    await podInformer.synced;
    await workers.sourcesSynced();
  };
  const tasks = [agent.run(), begin()].map((task) =>
    task.catch((error: unknown) => {
      if (!signal.aborted) log.error('a part of the kubelet ended', { err: error });
    }),
  );
  const ended = Promise.all([...tasks, aborted(signal)]).then(() => server.close());
  return { port: server.port, ended };
}

async function listenOnFreePort<T>(listen: (port: number) => Promise<T>, port: number): Promise<T> {
  try {
    return await listen(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    return listen(0);
  }
}

async function orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}

function readResolvConf(): string {
  try {
    return readFileSync('/etc/resolv.conf', 'utf8');
  } catch {
    return '';
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
