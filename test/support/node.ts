/** A node for tests: a containerd of its own, an API server, the controllers and a kubelet, all in this process. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtinKinds } from '../../src/apis/registry.ts';
import { type ApiServer, createApiServer } from '../../src/apiserver/server.ts';
import type { Client } from '../../src/client/client.ts';
import { createClient } from '../../src/client/createClient.ts';
import { type ClusterCertificates, ensureCertificates } from '../../src/cluster/certificates.ts';
import { startControllers } from '../../src/controllers/start.ts';
import { builtinImage, PAUSE_IMAGE, pauseImage } from '../../src/images/builtin.ts';
import { loadImage } from '../../src/images/load.ts';
import type { KubeletConfiguration } from '../../src/kubelet/config/configuration.ts';
import { connectCri } from '../../src/kubelet/cri/connect.ts';
import type { ContainerRuntime } from '../../src/kubelet/cri/runtime.ts';
import type { AtFaultPoint } from '../../src/kubelet/faultPoints.ts';
import { type Kubelet, startKubelet } from '../../src/kubelet/kubelet.ts';
import { createLinuxMachine } from '../../src/kubelet/machine/linux.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { type Logger, silentLogger } from '../../src/lib/log.ts';
import { SystemRandom } from '../../src/lib/random.ts';
import { openEmbedded } from '../../src/storage/embedded/open.ts';

const run = promisify(execFile);
const clock = new SystemClock();
const random = new SystemRandom();

/** The disk of a test machine may be nearly full, and that is no matter here. */
const ROOMY: Partial<KubeletConfiguration> = {
  evictionHard: { 'memory.available': '100Mi' },
  imageGCHighThresholdPercent: 100,
};

export interface TestNode {
  readonly name: string;
  readonly dir: string;
  readonly api: ApiServer;
  readonly port: number;
  readonly certificates: ClusterCertificates;
  /** of a user of system:masters */
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly socket: string;
  /** Ends the kubelet as a crash would: containers go on. */
  stopKubelet(): Promise<void>;
  /** @param configuration instead of the one from the start */
  startKubelet(configuration?: Partial<KubeletConfiguration>, at?: AtFaultPoint): Promise<Kubelet>;
  /** kill -9; containers go on. */
  killContainerd(): Promise<void>;
  startContainerd(): Promise<void>;
  stop(): Promise<void>;
}

export interface TestNodeOptions {
  /** of the pods: `10.199.1` */
  readonly network: string;
  /** at most 15 characters */
  readonly bridge: string;
  readonly images?: readonly string[];
  readonly log?: Logger;
  /** what the kubelet is told */
  readonly configuration?: Partial<KubeletConfiguration>;
}

export async function startTestNode(options: TestNodeOptions): Promise<TestNode> {
  const log = options.log ?? silentLogger;
  const dir = await mkdtemp(join(tmpdir(), 'kubets-node-'));
  const name = 'test-node';
  // The bridge's own address: no other of this machine's is the same everywhere.
  const nodeIP = `${options.network}.1`;
  const undo: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const step of undo.splice(0).reverse())
      await step().catch((error) => log.error('clean up failed', { err: error }));
  };
  try {
    const { socket, kill, start: startAgain } = await startContainerd(dir, options, undo);
    const runtime = connectCri(socket, clock);
    undo.push(async () => runtime.close());
    undo.push(() => removeAllPods(runtime));

    const certificates = await ensureCertificates({
      dir: join(dir, 'pki'),
      clock,
      log,
      nodeName: name,
      nodeIP,
      serviceIP: '10.96.0.1',
    });
    const storage = await openEmbedded({ dir: join(dir, 'db'), clock, log });
    undo.push(() => storage.close());
    const api = await createApiServer({
      storage,
      clock,
      random,
      log,
      tls: { ...certificates.apiserver, clientCA: certificates.ca.cert },
      kubeletClient: { ...certificates.apiserverKubeletClient, ca: certificates.ca.cert },
      serviceAccountKey: certificates.serviceAccountKey,
      serviceAccountIssuer: 'https://kubernetes.default.svc.cluster.local',
      serviceCIDR: '10.96.0.0/16',
      advertiseAddress: nodeIP,
    });
    undo.push(() => api.close());
    const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
    const controllers = new AbortController();
    undo.push(async () => controllers.abort(new Error('the test is over')));
    const serviceAccount = (controller: string) => ({
      name: `system:serviceaccount:kube-system:${controller}`,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
    });
    startControllers({
      client: createClient(api.transport({ name: 'system:kube-controller-manager', groups: [] })),
      clientFor: (controller) => createClient(api.transport(serviceAccount(controller))),
      kinds: builtinKinds,
      clock,
      random,
      log,
      signal: controllers.signal,
      clusterCA: certificates.ca.cert,
    });

    let kubelet: { stop: AbortController; running: Kubelet } | undefined;
    const stopKubelet = async () => {
      kubelet?.stop.abort(new Error('the test is over'));
      await kubelet?.running.ended;
      kubelet = undefined;
    };
    const start = async (configuration = options.configuration ?? {}, at?: AtFaultPoint) => {
      const stopping = new AbortController();
      const running = await startKubelet({
        client: createClient(api.transport({ name: `system:node:${name}`, groups: ['system:nodes'] })),
        nodeName: name,
        nodeIP,
        runtime,
        machine: (sources) =>
          createLinuxMachine({
            rootDir: join(dir, 'kubelet'),
            podLogsDir: join(dir, 'logs'),
            containerdSocket: socket,
            sources,
          }),
        podLogsDir: join(dir, 'logs'),
        configuration: { ...ROOMY, ...configuration },
        ...(at === undefined ? {} : { at }),
        serving: { ...certificates.kubelet.serving, clientCA: certificates.ca.cert },
        port: 0,
        clusterDNS: '10.96.0.10',
        clusterDomain: 'cluster.local',
        podCIDRs: [`${options.network}.0/24`],
        clock,
        random,
        log,
        signal: stopping.signal,
      });
      kubelet = { stop: stopping, running };
      return running;
    };
    undo.push(stopKubelet);
    await start();
    return {
      name,
      dir,
      api,
      port,
      certificates,
      client: createClient(api.transport({ name: 'admin', groups: ['system:masters'] })),
      runtime,
      socket,
      stopKubelet,
      startKubelet: start,
      killContainerd: kill,
      startContainerd: startAgain,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startContainerd(
  dir: string,
  { network, bridge, images = ['busybox'] }: TestNodeOptions,
  undo: (() => Promise<unknown>)[],
): Promise<{ socket: string; kill(): Promise<void>; start(): Promise<void> }> {
  const socket = join(dir, 'containerd.sock');
  const conf = join(dir, 'cni');
  await mkdir(conf);
  const cni = {
    cniVersion: '1.0.0',
    name: bridge,
    plugins: [
      {
        type: 'bridge',
        bridge,
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          dataDir: join(dir, 'ipam'),
          ranges: [[{ subnet: `${network}.0/24` }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
  await writeFile(join(conf, '10-test.conflist'), JSON.stringify(cni));
  await writeFile(
    join(dir, 'containerd.toml'),
    `version = 2
root = "${dir}/root"
state = "${dir}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "${socket}"
[ttrpc]
  address = "${socket}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${conf}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
`,
  );
  const out = openSync(join(dir, 'containerd.log'), 'a');
  let containerd: ChildProcess | undefined;
  const start = async () => {
    await rm(socket, { force: true });
    const process = spawn('containerd', ['--config', join(dir, 'containerd.toml')], { stdio: ['ignore', out, out] });
    containerd = process;
    await until('containerd listens', async () => {
      if (process.exitCode !== null) throw new Error(await readFile(join(dir, 'containerd.log'), 'utf8'));
      return existsSync(socket);
    });
  };
  undo.push(() => run('ip', ['link', 'del', bridge]).catch(() => {}));
  undo.push(() => unmountBelow(dir));
  undo.push(async () => containerd && ended(containerd, 'SIGTERM'));
  await start();
  await loadImage(socket, await pauseImage());
  for (const image of images) await loadImage(socket, await builtinImage(image));
  return { socket, kill: async () => containerd && ended(containerd, 'SIGKILL'), start };
}

async function ended(process: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  const exit = new Promise((resolve) => process.once('exit', resolve));
  process.kill(signal);
  await exit;
}

async function unmountBelow(dir: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const path of mounts.filter((m) => m.startsWith(`${dir}/`)).reverse()) await run('umount', ['-l', path]);
}

async function removeAllPods(runtime: ContainerRuntime): Promise<void> {
  const { items = [] } = await runtime.call('listPodSandbox', {});
  await Promise.all(
    items.map(async ({ id = '' }) => {
      await runtime.call('stopPodSandbox', { pod_sandbox_id: id });
      await runtime.call('removePodSandbox', { pod_sandbox_id: id });
    }),
  );
}

/** Waits for a condition, with a deadline. What `check` throws ends the wait. */
export async function until<T>(what: string, check: () => Promise<T>, deadlineMs = 30_000): Promise<NonNullable<T>> {
  const end = clock.monotonic() + deadlineMs;
  for (;;) {
    const found = await check();
    if (found) return found;
    if (clock.monotonic() > end) throw new Error(`waited ${deadlineMs / 1000} s in vain: ${what}`);
    await clock.sleep(20);
  }
}
