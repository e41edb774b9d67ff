/** A machine that is only told of: it has a size, no files, and containers that do as they are said to. */
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume, VolumeProjection } from '../../apis/core/volumes.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Observations } from '../eviction/pressure.ts';
import type { ContainerFiles, ContainerFilesRequest, Machine } from '../machine/machine.ts';
import { architecture } from '../node/nodeStatus.ts';
import type { ObservedContainer } from '../pods/observed.ts';
import type { ActionTarget, ActionTools, Handler } from '../probes/actions.ts';
import type { ProbeResult } from '../probes/prober.ts';
import type { CgroupReading } from '../resources/cgroupReading.ts';
import type { MachineReading } from '../stats/reading.ts';
import { claimedVolume } from '../volumes/claims.ts';
import { VolumeError, type VolumeSources } from '../volumes/sources.ts';
import { type BehaviorProgram, behaviorOf } from './behavior.ts';
import type { SimulatedRuntime } from './runtime.ts';

export interface SimulatedMachineOptions {
  readonly nodeName: string;
  readonly capacity: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  readonly runtime: SimulatedRuntime;
  readonly sources: Omit<VolumeSources, 'nodeAllocatable'>;
  readonly clock: Clock;
  readonly program?: BehaviorProgram;
}

const NOTHING = new Map<never, never>();
const NO_UIDS: ReadonlySet<string> = new Set();
const OK: ProbeResult = { ok: true, message: '' };

export class SimulatedMachine implements Machine {
  readonly hasFiles = false;
  readonly rootDir = '';
  readonly capacity: Readonly<Record<string, string>>;
  readonly allocatable: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  readonly appArmor = false;
  readonly info: Machine['info'];
  readonly resolvConf = '';
  readonly #o: SimulatedMachineOptions;
  readonly #startedAt: number;

  constructor(options: SimulatedMachineOptions) {
    const { nodeName } = options;
    this.#o = options;
    this.#startedAt = options.clock.now();
    this.capacity = options.capacity;
    this.allocatable = options.capacity;
    this.memoryBytes = options.memoryBytes;
    this.info = {
      machineID: nodeName,
      systemUUID: nodeName,
      bootID: nodeName,
      kernelVersion: 'simulated',
      osImage: 'simulated',
      operatingSystem: 'linux',
      architecture: architecture(),
    };
  }

  async observe(): Promise<Observations> {
    return NOTHING;
  }

  async podFiles(): Promise<{ logs: Map<string, never>; volumes: Map<string, never> }> {
    return { logs: NOTHING, volumes: NOTHING };
  }

  async tidy(): Promise<void> {}
  async shareOut(): Promise<void> {}

  cgroup(): CgroupReading {
    return {};
  }

  async volumeUses(): Promise<readonly never[]> {
    return [];
  }

  processesOf(): number {
    return 0;
  }

  async usage(): Promise<MachineReading> {
    const { cpuNanoseconds, memoryBytes } = this.#o.runtime.usage();
    return {
      cpuNanoseconds,
      workingSetBytes: memoryBytes,
      usageBytes: memoryBytes,
      availableBytes: Math.max(0, this.memoryBytes - memoryBytes),
      startedAt: this.#startedAt,
    };
  }

  /** Nothing is used here. */
  async limitPod(): Promise<void> {}

  /** What volumes are made of must be there, as it must be for a real one. */
  async prepare(pod: Pod): Promise<void> {
    const missing = (kind: string, name: string, volume: string) =>
      new VolumeError(
        `MountVolume.SetUp failed for volume ${JSON.stringify(volume)} : ${kind} ${JSON.stringify(name)} not found`,
      );
    const namespace = pod.metadata?.namespace ?? '';
    for (const volume of pod.spec?.volumes ?? []) {
      await claimedVolume(pod, volume, this.#o.sources);
      for (const { configMap, secret } of sourcesOf(volume)) {
        const map = configMap?.optional === true ? undefined : configMap?.name;
        // Every namespace gets this one in its first moment.
        if (map !== undefined && map !== ROOT_CA && (await this.#o.sources.configMap(namespace, map)) === undefined)
          throw missing('configmap', map, volume.name);
        const name = secret?.optional === true ? undefined : secret?.name;
        if (name !== undefined && (await this.#o.sources.secret(namespace, name)) === undefined)
          throw missing('secret', name, volume.name);
      }
    }
  }

  async updateVolumes(): Promise<void> {}
  async removeSurroundings(): Promise<void> {}
  async removePod(): Promise<void> {}
  async removeLogs(): Promise<void> {}
  makeLogDirectory(): void {}
  forgetMessages(): void {}

  async uids(): Promise<ReadonlySet<string>> {
    return NO_UIDS;
  }

  async mountImage(): Promise<void> {}

  async volumeFile(): Promise<string | undefined> {
    return undefined;
  }

  /** The runtime is told how the container will behave; it is not told of pods. */
  async containerFiles({ pod, container, restarts }: ContainerFilesRequest): Promise<ContainerFiles> {
    const behavior = behaviorOf(pod, container, restarts, this.#o.program);
    this.#o.runtime.expect(pod.metadata?.uid ?? '', container.name, behavior);
    return { mounts: [], devices: [], messageFile: '' };
  }

  terminationMessage(run: ObservedContainer): string {
    return run.status.message ?? '';
  }

  async perform(handler: Handler, target: ActionTarget, timeoutMs: number, tools: ActionTools): Promise<ProbeResult> {
    const { clock } = this.#o;
    if (handler.sleep !== undefined) {
      const ms = Math.min(handler.sleep.seconds * 1000, timeoutMs);
      await clock.sleep(ms, tools.signal).catch(() => {});
      return OK;
    }
    const health = this.#o.runtime.healthOf(target.containerId);
    return health === true ? OK : { ok: false, message: 'the simulated container is not healthy' };
  }
}

const ROOT_CA = 'kube-root-ca.crt';

/** The config maps and secrets that a volume is made of, in one shape. */
function sourcesOf(volume: Volume): readonly Pick<VolumeProjection, 'configMap' | 'secret'>[] {
  const { configMap, secret, projected } = volume;
  if (configMap !== undefined) return [{ configMap }];
  if (secret !== undefined) {
    const { secretName, optional } = secret;
    return [
      {
        secret: {
          ...(secretName === undefined ? {} : { name: secretName }),
          ...(optional === undefined ? {} : { optional }),
        },
      },
    ];
  }
  return projected?.sources ?? [];
}
