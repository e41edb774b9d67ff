/** The kubelet: runs the pods that are bound to its node. */
import { configMaps } from '../apis/core/configMap.ts';
import { persistentVolumes } from '../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../apis/core/persistentVolumeClaim.ts';
import { type Pod, pods } from '../apis/core/pod.ts';
import { secrets } from '../apis/core/secret.ts';
import { type Service, services } from '../apis/core/service.ts';
import { csiDrivers } from '../apis/storage/csiDriver.ts';
import { volumeAttachments } from '../apis/storage/volumeAttachment.ts';
import type { Client } from '../client/client.ts';
import { createEventRecorder, referenceTo } from '../client/eventRecorder.ts';
import type { Informer } from '../client/informer.ts';
import { Informers } from '../client/informers.ts';
import type { Clock } from '../lib/clock.ts';
import { Gate } from '../lib/gate.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import { parseResolvConf } from '../lib/resolvConf.ts';
import { isApiError } from '../machinery/status.ts';
import { DEFAULT_CONFIGURATION, type KubeletConfiguration } from './config/configuration.ts';
import { RuntimeFeatures } from './cri/features.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { runCsi } from './csi/start.ts';
import type { AtFaultPoint } from './faultPoints.ts';
import { Housekeeping } from './housekeeping.ts';
import { ImagePuller } from './images/puller.ts';
import type { MachineFactory } from './machine/machine.ts';
import { KubeletMetrics } from './metrics/kubeletMetrics.ts';
import { nodeReportsOf } from './metrics/nodeReports.ts';
import { ProbeMetrics } from './metrics/probeMetrics.ts';
import { NodeAgent } from './node/nodeAgent.ts';
import { Actor } from './pods/actor.ts';
import { createAdmission } from './pods/admission.ts';
import { ContainerStarter } from './pods/containerStart.ts';
import { RuntimeObserver } from './pods/observed.ts';
import { RuntimeHandlers } from './pods/runtimeHandlers.ts';
import { RuntimeWatch } from './pods/runtimeWatch.ts';
import { podViewsOf, streamingOf } from './pods/views.ts';
import { PodWorkers } from './pods/workers.ts';
import { PodProbes } from './probes/podProbes.ts';
import type { PodViews } from './server/podView.ts';
import type { NodeReports } from './server/reports.ts';
import { type KubeletServerOptions, startKubeletServer } from './server/server.ts';
import { NodeShutdown } from './shutdown/nodeShutdown.ts';
import { startGrantors } from './startGrantors.ts';
import { followSources } from './staticPods/sources.ts';
import { isMirror, StaticPods } from './staticPods/staticPods.ts';
import type { NodeReading } from './stats/reading.ts';
import { readStatistics, type StatisticsWanted } from './stats/statistics.ts';
import { VolumeReadings } from './stats/volumeReadings.ts';
import { StatusWriter } from './status/statusWriter.ts';
import { PodTokens } from './volumes/tokens.ts';
import { VolumeUpdates } from './volumes/volumeUpdates.ts';

/** What every kubelet is given, whatever its node is. */
export interface NodeOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly nodeIP: string;
  /** its IPv6 address, where pods have such */
  readonly nodeIPv6?: string;
  readonly runtime: ContainerRuntime;
  readonly machine: MachineFactory;
  readonly podLogsDir: string;
  /** what is to be other than by default */
  readonly configuration?: Partial<KubeletConfiguration>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly clusterDNS?: string;
  readonly clusterDomain: string;
  readonly podCIDRs?: readonly string[];
  /** shared by kubelets of one process; absent: the kubelet follows the services by itself */
  readonly services?: Informer<Service>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** for tests: is told of moments at which something may die */
  readonly at?: AtFaultPoint;
  /** ends the kubelet; containers go on */
  readonly signal: AbortSignal;
}

export interface KubeletOptions extends NodeOptions, Pick<KubeletServerOptions, 'serving' | 'port'> {}

export interface Kubelet {
  readonly port: number;
  /** Resolves when the kubelet has ended. */
  readonly ended: Promise<void>;
}

/** A kubelet without a server of its own. */
export interface NodeKubelet {
  readonly views: PodViews;
  readonly reports: NodeReports;
  /** What the node and its containers use. @throws RuntimeError */
  statistics(): Promise<NodeReading>;
  /** Registers the node and works on its pods until the signal ends it. @param port where its server listens */
  run(port: number): Promise<void>;
}

/** Sandboxes and containers that are made at the same time: more than this only makes each slower. */
const STARTS_AT_ONCE = 8;

/**
 * Resolves when the kubelet's server listens; on another free port where the one asked for is in use.
 * @throws the listen error, or the file system's
 */
export async function startKubelet(options: KubeletOptions): Promise<Kubelet> {
  const { client, clock, nodeName, runtime, serving, signal } = options;
  const log = options.log.child({ component: 'kubelet' });
  const kubelet = await createKubelet(options);
  const server = await listenOnFreePort((port) => {
    const streaming = streamingOf(runtime);
    const { views, reports } = kubelet;
    return startKubeletServer({
      client,
      clock,
      log,
      nodeName,
      views,
      reports,
      runtime: streaming,
      serving,
      host: '0.0.0.0',
      port,
    });
  }, options.port);
  const ended = Promise.all([kubelet.run(server.port), aborted(signal)]).then(() => server.close());
  return { port: server.port, ended };
}

/** Puts the parts of a kubelet together. @throws what making its machine throws */
export async function createKubelet(options: NodeOptions): Promise<NodeKubelet> {
  const { client, nodeName, nodeIP, clock, random, signal, podLogsDir } = options;
  const metrics = new KubeletMetrics(nodeName, clock);
  const probeMetrics = new ProbeMetrics();
  const runtime = metrics.counted(options.runtime);
  const log = options.log.child({ component: 'kubelet' });
  const events = createEventRecorder({ client, component: 'kubelet', host: nodeName, clock, random, log, signal });
  const informers = new Informers({ client, clock, random, log, signal });
  const tokens = new PodTokens(client, clock);
  const configuration = { ...DEFAULT_CONFIGURATION, ...options.configuration };
  const machine = await options.machine({
    configuration,
    configMap: (namespace, name) => orMissing(client.get(configMaps, { namespace, name })),
    secret: (namespace, name) => orMissing(client.get(secrets, { namespace, name })),
    claim: (namespace, name) => orMissing(client.get(persistentVolumeClaims, { namespace, name })),
    persistentVolume: (name) => orMissing(client.get(persistentVolumes, { name })),
    csiDriver: (name) => orMissing(client.get(csiDrivers, { name })),
    attachment: (name) => orMissing(client.get(volumeAttachments, { name })),
    nodeName,
    clock,
    token: (pod, audience, seconds) => tokens.token(pod, audience, seconds),
  });
  const observer = new RuntimeObserver(runtime, clock, log);
  const serviceInformer = options.services ?? informers.of(services);
  const gate = new Gate(STARTS_AT_ONCE);
  let agent: NodeAgent | undefined;
  const grantors = await startGrantors({
    configuration,
    machine,
    runtime,
    observer,
    clock,
    log,
    signal,
    pods: () => workers.active(),
    onDevices: () => agent?.statusSoon(),
  });
  const { grantor, more } = grantors;
  const features = new RuntimeFeatures();
  const admission = createAdmission(() => ({ ...machine.allocatable, ...more().allocatable }), {
    unsafeSysctls: configuration.allowedUnsafeSysctls,
    appArmor: machine.appArmor,
    supplementalGroupsPolicy: () => features.supplementalGroupsPolicy,
  });
  const dns = {
    clusterDomain: options.clusterDomain,
    host: parseResolvConf(machine.resolvConf),
    ...(options.clusterDNS === undefined ? {} : { clusterDNS: options.clusterDNS }),
  };
  const hostIP = nodeIP;
  const hostIPs = options.nodeIPv6 === undefined ? [nodeIP] : [nodeIP, options.nodeIPv6];
  const shared = {
    client,
    runtime,
    machine,
    grantor,
    events,
    gate,
    clock,
    random,
    log,
    signal,
    podLogsDir,
    dns,
    hostIP,
    hostIPs,
    at: options.at,
    features,
    handlers: new RuntimeHandlers(informers),
  };
  const staticPods: StaticPods = new StaticPods({
    ...shared,
    nodeName,
    run: (pod) => workers.update(pod),
    end: (pod) => workers.remove(pod),
    mirrored: (uid) => statuses.again(uid),
  });
  const statuses = new StatusWriter(client, clock, log, signal, (pod) => staticPods.inApi(pod));
  const starter = new ContainerStarter({
    ...shared,
    images: new ImagePuller(runtime, clock, pullsAtOnce(configuration)),
    services: () => serviceInformer.list(),
  });
  const watch = new RuntimeWatch({ ...shared, observer, onChange: (uids) => workers.poke(uids) });
  const workers: PodWorkers = new PodWorkers({
    ...shared,
    observer,
    actor: new Actor({ ...shared, starter }),
    admission: {
      refusal: (pod, others) =>
        shutdown.refusal() ?? housekeeping.evictor.refusal(pod) ?? admission.refusal(pod, others),
      infeasibility: admission.infeasibility,
      shortage: admission.shortage,
      missing: admission.missing,
    },
    probes: new PodProbes({ ...shared, metrics: probeMetrics, onChange: (uid) => workers.poke([uid]) }),
    updates: machine.hasFiles ? new VolumeUpdates({ ...shared, tokens }) : undefined,
    statuses,
    look: () => watch.look(),
    onFirstRun: (ms) => metrics.podStarted(ms),
    onForgotten: (uid) => staticPods.forgotten(uid),
  });
  const volumeReadings = new VolumeReadings(machine, clock);
  const volumes = () => volumeReadings.of(workers.active());
  const statistics = (wanted?: StatisticsWanted) =>
    readStatistics({ nodeName, runtime, machine, observer, clock, volumes }, wanted);
  const housekeeping: Housekeeping = new Housekeeping({
    ...shared,
    configuration,
    observer,
    statistics,
    pods: () => workers.active(),
    fail: (uid, failure, grace) => workers.fail(uid, failure, grace),
    look: () => watch.look(),
    warn: (reason, message) =>
      events.event(
        referenceTo({ kind: 'Node', apiVersion: 'v1', metadata: { name: nodeName, uid: nodeName } }),
        'Warning',
        reason,
        message,
      ),
    onEvicted: (signal) => metrics.evicted(signal),
    onConditions: () => agent?.statusSoon(),
  });
  const shutdown: NodeShutdown = new NodeShutdown({
    ...shared,
    configuration,
    observer,
    pods: () => workers.active(),
    fail: (uid, failure, grace) => workers.fail(uid, failure, grace),
    look: () => watch.look(),
    onChange: () => agent?.statusSoon(),
  });
  // Pods are worked on only after the runtime was looked at once: what runs is adopted, not started again.
  const begin = async () => {
    const podInformer = informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` });
    watch.start();
    await Promise.all([watch.first, serviceInformer.synced]);
    features.update(await runtime.call('status', {}).catch(() => ({})));
    const update = (pod: Pod) => (isMirror(pod) ? staticPods.mirror(pod, false) : workers.update(pod));
    podInformer.handle({
      onAdd: update,
      onUpdate: update,
      onDelete: (pod) => (isMirror(pod) ? staticPods.mirror(pod, true) : workers.remove(pod)),
    });
    const onPods = (source: string, found: readonly Pod[]) => staticPods.fromSource(source, found);
    if (machine.hasFiles) await followSources({ ...shared, configuration, nodeName, onPods });
    await podInformer.synced;
    staticPods.synced();
    await workers.sourcesSynced();
    if (machine.hasFiles) shutdown.start();
  };
  return {
    views: podViewsOf(workers, observer, podLogsDir),
    statistics,
    reports: nodeReportsOf({
      configuration,
      machine,
      observer,
      metrics,
      probeMetrics,
      statistics,
      pods: () => workers.pods(),
      volumes,
    }),
    async run(kubeletPort) {
      const { podCIDRs, labels } = options;
      agent = new NodeAgent({
        ...shared,
        facts: {
          nodeName,
          nodeIP,
          ...(options.nodeIPv6 === undefined ? {} : { nodeIPv6: options.nodeIPv6 }),
          kubeletPort,
          machine,
          more,
          features,
          problem: () => shutdown.problem,
          pressure: () => housekeeping.evictor.conditions,
        },
        ...(podCIDRs === undefined ? {} : { podCIDRs }),
        ...(labels === undefined ? {} : { labels }),
      });
      const { csi } = machine;
      if (csi !== undefined) csi.volumes.onChange = () => agent?.statusSoon();
      const drivers =
        csi === undefined ? undefined : runCsi({ ...shared, nodeName, pods: () => workers.active(), ...csi });
      const tasks = [agent.run(), begin(), housekeeping.run(), grantors.run(), drivers].map((task) =>
        task?.catch((error: unknown) => {
          if (!signal.aborted) log.error('a part of the kubelet ended', { err: error });
        }),
      );
      await Promise.all(tasks);
    },
  };
}

function pullsAtOnce({ serializeImagePulls, maxParallelImagePulls }: KubeletConfiguration): number | undefined {
  return serializeImagePulls ? 1 : maxParallelImagePulls || undefined;
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

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
