/** Keeps the containers that run on the CPUs that they are to have: what others have for their own changes. */
import type { Pod } from '../../apis/core/pod.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { type ContainerRuntime, isNotFound } from '../cri/runtime.ts';
import type { RuntimeObserver } from '../pods/observed.ts';
import type { CpuManager } from './cpuManager.ts';

export interface SharedCpusOptions {
  readonly cpus: CpuManager;
  readonly runtime: ContainerRuntime;
  readonly observer: RuntimeObserver;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Pods that have their place here. */
  pods(): readonly Pod[];
}

const LOOK_EVERY_MS = 2_000;

/** Runs until the signal ends it. */
export async function keepCpus(options: SharedCpusOptions): Promise<void> {
  const { clock, signal, cpus, observer, runtime, log, pods } = options;
  /** by container id: what it has */
  let applied = new Map<string, string>();
  for (;;) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    cpus.release(pods());
    const now = new Map<string, string>();
    for (const { uid, containers } of observer.all()) {
      for (const { id, name, state } of containers) {
        if (state !== 'running') continue;
        const wanted = cpus.cpusOf(uid, name);
        try {
          if (applied.get(id) !== wanted)
            await runtime.call('updateContainerResources', { container_id: id, linux: { cpuset_cpus: wanted } });
          now.set(id, wanted);
        } catch (err) {
          if (!isNotFound(err)) log.warn('a container could not be put on its CPUs', { err, container: id });
        }
      }
    }
    applied = now;
  }
}
