/** Starts what gives out devices and CPUs on this node, as far as the node has any. */
import { join } from 'node:path';
import type { Pod } from '../apis/core/pod.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { KubeletConfiguration } from './config/configuration.ts';
import type { ContainerRuntime } from './cri/runtime.ts';
import { type Grantor, together } from './grants.ts';
import type { Machine } from './machine/machine.ts';
import type { NodeFacts } from './node/nodeStatus.ts';
import type { HoldingsSource } from './podResources/listing.ts';
import type { RuntimeObserver } from './pods/observed.ts';

export interface GrantorsOptions {
  readonly configuration: KubeletConfiguration;
  readonly machine: Machine;
  readonly runtime: ContainerRuntime;
  readonly observer: RuntimeObserver;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Pods that have their place here. */
  pods(): readonly Pod[];
  /** The node has other devices than before. */
  onDevices(): void;
}

export interface Grantors {
  readonly grantor: Grantor;
  /** What the node has besides, as its status says it. */
  readonly more: NodeFacts['more'];
  /** Runs until the signal ends it. */
  run(): Promise<void>;
}

const NOTHING = { capacity: {}, allocatable: {} };

/** @throws Error where the configuration makes no sense */
export async function startGrantors(options: GrantorsOptions): Promise<Grantors> {
  const { configuration, machine, log, signal } = options;
  const { rootDir } = machine;
  const grantors: Grantor[] = [];
  const sources: HoldingsSource[] = [];
  const stops: (() => void)[] = [];
  const listen = async (otherwise: string, start: () => Promise<() => void>) => {
    await start().then(
      (end) => stops.push(end),
      (err: unknown) => log.warn(otherwise, { err }),
    );
  };
  const runs: (() => Promise<void>)[] = [];
  let more: NodeFacts['more'] = () => NOTHING;
  if (machine.hasFiles) {
    const { DeviceManager } = await import('./devices/deviceManager.ts');
    const devices = new DeviceManager({
      ...options,
      dir: join(rootDir, 'device-plugins'),
      onChange: options.onDevices,
    });
    await listen('device plugins cannot be heard', () => devices.start());
    grantors.push(devices);
    sources.push(devices);
    more = () => devices.amounts();
  }
  if (machine.hasFiles && configuration.cpuManagerPolicy === 'static') {
    const [{ CpuManager }, { keepCpus }, { readTopology }] = await Promise.all([
      import('./cpu/cpuManager.ts'),
      import('./cpu/sharedCpus.ts'),
      import('./cpu/topology.ts'),
    ]);
    const stateFile = join(rootDir, 'cpu_manager_state');
    const cpus = new CpuManager({ configuration, stateFile, topology: readTopology(), log });
    grantors.push(cpus);
    sources.push(cpus);
    runs.push(() => keepCpus({ ...options, cpus }));
  }
  if (machine.hasFiles && configuration.memoryManagerPolicy === 'Static') {
    const { MemoryManager, readMemoryNodes } = await import('./memory/memoryManager.ts');
    const stateFile = join(rootDir, 'memory_manager_state');
    const nodes = readMemoryNodes(machine.memoryBytes);
    const memory = new MemoryManager({ configuration, stateFile, nodes, log });
    grantors.push(memory);
    sources.push(memory);
  }
  if (machine.hasFiles) {
    const { servePodResources } = await import('./podResources/server.ts');
    const dir = join(rootDir, 'pod-resources');
    await listen('nobody can ask who has which device', () => servePodResources({ ...options, dir, sources }));
  }
  const stop = () => {
    for (const end of stops) end();
  };
  if (signal.aborted) stop();
  else if (stops.length > 0) signal.addEventListener('abort', stop, { once: true });
  return {
    grantor: together(grantors),
    more,
    run: async () => void (await Promise.all(runs.map((run) => run()))),
  };
}
