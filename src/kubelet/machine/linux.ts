/** The machine that the kubelet runs on. */
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, rm, statfs } from 'node:fs/promises';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { bytesQuantity, milliValue, wholeValue } from '../../machinery/quantity.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import { CsiDrivers } from '../csi/drivers.ts';
import { CsiVolumes } from '../csi/volumes.ts';
import { refuseClaims } from '../devices/claims.ts';
import type { Observations } from '../eviction/pressure.ts';
import { allocatableOf } from '../node/allocatable.ts';
import { architecture } from '../node/nodeStatus.ts';
import { etcHosts } from '../pods/etcHosts.ts';
import { podLogDirectory } from '../pods/sandboxConfig.ts';
import { TerminationMessages } from '../pods/terminationMessage.ts';
import { perform } from '../probes/actions.ts';
import type { CgroupReading } from '../resources/cgroupReading.ts';
import { Cgroups, type WholeNode } from '../resources/cgroups.ts';
import type { MachineReading } from '../stats/reading.ts';
import { ImageMounts } from '../volumes/imageMounts.ts';
import { PodVolumes } from '../volumes/podVolumes.ts';
import type { VolumeUse } from '../volumes/volumeUse.ts';
import { removeDeadBundles } from './deadBundles.ts';
import { type DiskUsage, diskUsageOf } from './diskUsage.ts';
import { observeLinux } from './linuxSignals.ts';
import { linuxUsage } from './linuxUsage.ts';
import type { ContainerFiles, ContainerFilesRequest, Machine, MachineSources } from './machine.ts';

export interface LinuxMachineOptions {
  /** where the kubelet keeps the pods' volumes: its file system is the node's ephemeral storage */
  readonly rootDir: string;
  readonly podLogsDir: string;
  /** of the containerd that has the images */
  readonly containerdSocket: string;
  readonly sources: MachineSources;
}

const BYTES_PER_KI = 1024;

/** Makes the kubelet's folders. @throws the file system's error */
export async function createLinuxMachine(options: LinuxMachineOptions): Promise<Machine> {
  const { rootDir, podLogsDir, sources } = options;
  const { configuration } = sources;
  await mkdir(join(rootDir, 'pods'), { recursive: true, mode: 0o750 });
  await mkdir(podLogsDir, { recursive: true, mode: 0o755 });
  const disk = await statfs(rootDir);
  const capacity = {
    cpu: String(cpus().length),
    memory: `${Math.floor(totalmem() / BYTES_PER_KI)}Ki`,
    pods: String(configuration.maxPods),
    'ephemeral-storage': `${Math.floor((disk.blocks * disk.bsize) / BYTES_PER_KI)}Ki`,
    ...hugePages(),
  };
  const allocatable = allocatableOf(capacity, configuration);
  const drivers = new CsiDrivers();
  const csi = {
    registryDir: join(rootDir, 'plugins_registry'),
    drivers,
    volumes: new CsiVolumes(rootDir, drivers, sources),
  };
  await csi.volumes.load();
  const volumes = new PodVolumes(
    join(rootDir, 'pods'),
    join(rootDir, 'memory'),
    { ...sources, nodeAllocatable: allocatable },
    csi.volumes,
    new ImageMounts(options.containerdSocket),
  );
  return new LinuxMachine(options, { capacity, allocatable, csi }, volumes);
}

class LinuxMachine implements Machine {
  readonly hasFiles = true;
  readonly capacity: Machine['capacity'];
  readonly allocatable: Machine['allocatable'];
  readonly csi: NonNullable<Machine['csi']>;
  readonly memoryBytes = totalmem();
  readonly appArmor = read('/sys/module/apparmor/parameters/enabled').startsWith('Y');
  readonly info = {
    machineID: read('/etc/machine-id').trim(),
    systemUUID: (read('/sys/class/dmi/id/product_uuid') || read('/etc/machine-id')).trim(),
    bootID: read('/proc/sys/kernel/random/boot_id').trim(),
    kernelVersion: release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(read('/etc/os-release'))?.[1] ?? 'Linux',
    operatingSystem: 'linux',
    architecture: architecture(),
  };
  readonly resolvConf = read('/etc/resolv.conf');
  readonly perform = perform;
  readonly rootDir: string;
  readonly #podLogsDir: string;
  readonly #volumes: PodVolumes;
  readonly #whole: WholeNode | undefined;
  readonly #cgroups: Cgroups;
  readonly #messages = new TerminationMessages();

  constructor(
    options: LinuxMachineOptions,
    has: Pick<Machine, 'capacity' | 'allocatable'> & Required<Pick<Machine, 'csi'>>,
    volumes: PodVolumes,
  ) {
    this.rootDir = options.rootDir;
    this.#podLogsDir = options.podLogsDir;
    this.capacity = has.capacity;
    this.allocatable = has.allocatable;
    this.csi = has.csi;
    this.#volumes = volumes;
    this.#whole = wholeOf(this.capacity, options.sources.configuration);
    this.#cgroups = new Cgroups(undefined, options.sources.configuration.podPidsLimit);
  }

  observe(imagesDir: string | undefined): Promise<Observations> {
    return observeLinux(this.rootDir, imagesDir);
  }

  async podFiles(pod: Pod): Promise<{ logs: Map<string, DiskUsage>; volumes: Map<string, DiskUsage> }> {
    const logs = new Map<string, DiskUsage>();
    const dir = podLogDirectory(this.#podLogsDir, pod);
    for (const name of await readdir(dir).catch(() => [])) logs.set(name, await diskUsageOf(join(dir, name)));
    return { logs, volumes: await this.#volumes.usage(pod) };
  }

  async tidy(runtime: ContainerRuntime): Promise<void> {
    await removeDeadBundles(runtime);
  }

  cgroup(path: string): CgroupReading {
    return this.#cgroups.reading(path);
  }

  volumeUses(pod: Pod): Promise<VolumeUse[]> {
    return this.#volumes.uses(pod);
  }

  processesOf(pod: Pod): number {
    return this.#cgroups.processesOf(pod);
  }

  usage(): Promise<MachineReading> {
    return linuxUsage(this.rootDir);
  }

  async prepare(pod: Pod): Promise<void> {
    refuseClaims(pod);
    await this.#volumes.setUp(pod);
    await this.#cgroups.ensurePod(pod);
  }

  shareOut(pods: readonly Pod[]): Promise<void> {
    return this.#cgroups.shareOut(pods, this.#whole);
  }

  limitPod(pod: Pod): Promise<void> {
    return this.#cgroups.ensurePod(pod);
  }

  updateVolumes(pod: Pod): Promise<void> {
    return this.#volumes.update(pod);
  }

  async removeSurroundings(uid: string): Promise<void> {
    await this.#volumes.tearDownVolumes(uid);
    await this.#cgroups.removePod(uid);
  }

  async removePod(uid: string): Promise<void> {
    await this.#volumes.tearDown(uid);
    await this.#cgroups.removePod(uid);
    for (const name of await this.#logDirectories()) {
      if (name.endsWith(`_${uid}`)) await rm(join(this.#podLogsDir, name), { recursive: true, force: true });
    }
  }

  async uids(): Promise<ReadonlySet<string>> {
    const logs = await this.#logDirectories();
    return new Set([...(await this.#volumes.uids()), ...logs.map((name) => name.slice(name.lastIndexOf('_') + 1))]);
  }

  #logDirectories(): Promise<string[]> {
    return readdir(this.#podLogsDir).catch(() => []);
  }

  mountImage(pod: Pod, volume: string, imageId: string): Promise<void> {
    return this.#volumes.mountImage(pod, volume, imageId);
  }

  volumeFile(pod: Pod, volume: string, path: string): Promise<string | undefined> {
    return this.#volumes.fileOf(pod, volume, path);
  }

  async containerFiles(request: ContainerFilesRequest): Promise<ContainerFiles> {
    const { pod, container, env } = request;
    const messageFile = this.#messageFile(pod, container, request.restarts);
    const mounts = [...(await this.#volumes.mountsOf(pod, container, env, request.recursiveReadOnly))];
    const taken = new Set((container.volumeMounts ?? []).map((m) => m.mountPath));
    if (!taken.has('/etc/hosts')) {
      mounts.push({ container_path: '/etc/hosts', host_path: this.#etcHosts(request), readonly: false });
    }
    if (messageFile !== '') {
      writeFileSync(messageFile, '');
      chmodSync(messageFile, 0o666);
      mounts.push({ container_path: container.terminationMessagePath ?? '', host_path: messageFile, readonly: false });
    }
    this.makeLogDirectory(join(podLogDirectory(this.#podLogsDir, pod), container.name));
    return { mounts, devices: this.#volumes.devicesOf(pod, container), messageFile };
  }

  #etcHosts({ pod, ips, clusterDomain }: ContainerFilesRequest): string {
    const dir = this.#volumes.podDir(pod.metadata?.uid ?? '');
    mkdirSync(dir, { recursive: true });
    const hosts = join(dir, 'etc-hosts');
    writeFileSync(hosts, etcHosts(pod, ips, clusterDomain));
    return hosts;
  }

  #messageFile(pod: Pod, container: Container, restarts: number): string {
    if (!container.terminationMessagePath) return '';
    const dir = join(this.#volumes.podDir(pod.metadata?.uid ?? ''), 'containers', container.name);
    mkdirSync(dir, { recursive: true });
    return join(dir, `termination-message-${restarts}`);
  }

  makeLogDirectory(path: string): void {
    mkdirSync(path, { recursive: true });
  }

  async removeLogs(pod: Pod, log: string): Promise<void> {
    const path = join(podLogDirectory(this.#podLogsDir, pod), log);
    const dir = join(path, '..');
    const name = path.slice(dir.length + 1);
    for (const file of await readdir(dir).catch(() => [])) {
      if (file === name || file.startsWith(`${name}.`)) await rm(join(dir, file), { force: true });
    }
  }

  terminationMessage(...[run, pod]: Parameters<Machine['terminationMessage']>): string {
    return this.#messages.of(run, podLogDirectory(this.#podLogsDir, pod));
  }

  forgetMessages(containerIds: Iterable<string>): void {
    this.#messages.forget(containerIds);
  }
}

/** What is for pods, beside what is kept free; undefined where nothing is reserved for others. */
function wholeOf(capacity: Machine['capacity'], told: KubeletConfiguration): WholeNode | undefined {
  const { systemReserved, kubeReserved } = told;
  if (Object.keys({ ...systemReserved, ...kubeReserved }).length === 0) return undefined;
  const left = allocatableOf(capacity, { systemReserved, kubeReserved, evictionHard: {} });
  return { cpuMilli: milliValue(left.cpu ?? 0), memoryBytes: wholeValue(left.memory ?? 0) };
}

/** Pages of each size that were set aside at boot, or since. */
function hugePages(): Record<string, string> {
  const root = '/sys/kernel/mm/hugepages';
  const sizes = existsSync(root) ? readdirSync(root) : [];
  const found = sizes.flatMap((name): [string, string][] => {
    const kilobytes = Number(/^hugepages-(\d+)kB$/.exec(name)?.[1]);
    if (!(kilobytes > 0)) return [];
    const count = Number(read(join(root, name, 'nr_hugepages'))) || 0;
    return [[`hugepages-${bytesQuantity(kilobytes * BYTES_PER_KI)}`, bytesQuantity(count * kilobytes * BYTES_PER_KI)]];
  });
  return Object.fromEntries(found);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
