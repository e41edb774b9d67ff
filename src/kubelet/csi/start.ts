/** Follows the CSI drivers of a node and tells the API of them. */
import { persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';
import type { ClaimSources } from '../volumes/claims.ts';
import { CsiNodeWriter } from './csiNode.ts';
import type { CsiDrivers } from './drivers.ts';
import { refreshVolumes } from './refresh.ts';
import { followPlugins } from './registration.ts';
import type { CsiVolumes } from './volumes.ts';

export interface CsiOptions {
  readonly client: Client;
  readonly nodeName: string;
  readonly registryDir: string;
  readonly drivers: CsiDrivers;
  readonly volumes: CsiVolumes;
  readonly events: EventRecorder;
  /** Pods that have their place here. */
  pods(): readonly Pod[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The node may not be registered yet. */
const RETRY_MS = 500;

/** Runs until the signal ends it. */
export async function runCsi(options: CsiOptions): Promise<void> {
  const { client, nodeName, registryDir, drivers, volumes, clock, log, signal } = options;
  const writer = new CsiNodeWriter(client, nodeName);
  for (;;) {
    try {
      await writer.ensure();
      break;
    } catch (err) {
      if (signal.aborted) return;
      log.debug('the CSINode cannot be made yet', { err });
      await clock.sleep(RETRY_MS, signal);
    }
  }
  const sources: ClaimSources = {
    claim: (namespace, name) => orMissing(client.get(persistentVolumeClaims, { namespace, name })),
    persistentVolume: (name) => orMissing(client.get(persistentVolumes, { name })),
  };
  const plugins = followPlugins({
    dir: registryDir,
    drivers,
    clock,
    log,
    signal,
    async announce(driver) {
      await writer.add(driver);
      // Nobody waits for it; what cannot be taken away now is, when the next volume goes.
      volumes.cleanUp(driver.name).catch((err: unknown) => {
        log.warn('volumes that a crash left could not be taken away', { err, driver: driver.name });
      });
    },
    withdraw: (name) => writer.remove(name),
  });
  await Promise.all([plugins, refreshVolumes({ ...options, sources })]);
}

async function orMissing<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}
