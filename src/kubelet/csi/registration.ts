/**
 * Plugins register by a socket in a folder of the kubelet: whoever listens there is asked what it is, and told whether
 * it is registered. When the socket goes, the plugin is gone.
 *
 * Source: https://kubernetes.io/docs/reference/node/kubelet-files/#plugin-registration
 */

import { type FSWatcher, watch } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { WakeableSleep } from '../../lib/wakeableSleep.ts';
import { askDriver, type CsiDriverPlugin, type CsiDrivers } from './drivers.ts';
import { connectPlugin } from './plugin.ts';

export interface RegistrationOptions {
  /** where the sockets are */
  readonly dir: string;
  readonly drivers: CsiDrivers;
  /** Tells the API of a driver, before the driver is told that it is registered. @throws ApiError, TransportError */
  announce(driver: CsiDriverPlugin): Promise<void>;
  withdraw(name: string): Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

const CSI = 'CSIPlugin';
const LOOK_EVERY_MS = 10_000;
const RETRY_MS = 1_000;
/** Folders below the first are looked at, too, but no deeper. */
const DEPTH = 3;

interface Known {
  /** of the socket's file: another one is another plugin */
  readonly identity: string;
  readonly driver: CsiDriverPlugin | undefined;
}

/** Looks for plugins until the signal ends it. @throws the file system's error where the folder cannot be made */
export async function followPlugins(options: RegistrationOptions): Promise<void> {
  const { dir, clock, signal, drivers } = options;
  await mkdir(dir, { recursive: true, mode: 0o750 });
  const known = new Map<string, Known>();
  const wake = new WakeableSleep();
  let watcher: FSWatcher | undefined;
  try {
    watcher = watch(dir, { recursive: true }, () => wake.wake());
    // What it misses is found by looking.
    watcher.on('error', () => {});
  } catch {
    // Looking alone will do.
  }
  try {
    while (!signal.aborted) {
      const again = await look(options, known);
      await wake.sleep(clock, again ? RETRY_MS : LOOK_EVERY_MS, signal).catch(() => {});
    }
  } finally {
    watcher?.close();
    drivers.closeAll();
  }
}

/** Returns whether something failed that may succeed soon. */
async function look(options: RegistrationOptions, known: Map<string, Known>): Promise<boolean> {
  const { dir, drivers, log } = options;
  const there = await socketsBelow(dir, DEPTH);
  let again = false;
  for (const [path, { identity, driver }] of known) {
    if (there.get(path) === identity) continue;
    known.delete(path);
    if (driver === undefined || !drivers.remove(driver)) continue;
    log.info('a CSI driver is gone', { driver: driver.name });
    await options.withdraw(driver.name).catch((err: unknown) => {
      log.warn('a CSI driver that is gone is still in the CSINode', { err, driver: driver.name });
    });
  }
  for (const [path, identity] of there) {
    if (known.has(path)) continue;
    try {
      known.set(path, { identity, driver: await register(options, path) });
    } catch (err) {
      again = true;
      log.debug('a plugin could not be registered yet', { err, path });
    }
  }
  return again;
}

/** @throws Error where it is to be tried again; a plugin that is refused is told so */
async function register(options: RegistrationOptions, path: string): Promise<CsiDriverPlugin | undefined> {
  const { clock, drivers, log } = options;
  const registrar = connectPlugin(path, clock);
  try {
    const { type = '', name = '', endpoint, supported_versions: versions = [] } = await registrar.call('getInfo', {});
    const refusal = refusalOf(type, name, versions);
    if (refusal !== undefined) {
      log.warn('a plugin is refused', { path, type, plugin: name, why: refusal });
      await registrar.call('notifyRegistrationStatus', { plugin_registered: false, error: refusal });
      return undefined;
    }
    const plugin = connectPlugin(endpoint || path, clock);
    try {
      const driver = await askDriver(name, plugin);
      drivers.add(driver);
      await options.announce(driver);
      await registrar.call('notifyRegistrationStatus', { plugin_registered: true, error: '' });
      log.info('a CSI driver is registered', { driver: name });
      return driver;
    } catch (error) {
      plugin.close();
      const why = `RegisterPlugin error -- plugin registration failed with err: ${(error as Error).message}`;
      // It is tried again whatever comes of it.
      await registrar.call('notifyRegistrationStatus', { plugin_registered: false, error: why }).catch(() => {});
      throw error;
    }
  } finally {
    registrar.close();
  }
}

function refusalOf(type: string, name: string, versions: readonly string[]): string | undefined {
  if (type !== CSI) return `no handler registered for plugin type: ${type} at socket`;
  if (name === '') return 'the plugin has no name';
  if (versions.some((version) => /^v?1(\.|$)/.test(version))) return undefined;
  return `none of the versions reported by this CSI driver are supported: ${versions.join(', ')}`;
}

/** The sockets below a folder, with what tells one from another at the same path. */
async function socketsBelow(dir: string, depth: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name);
    // Files that begin with a dot are being made.
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory() && depth > 1) {
      for (const [below, identity] of await socketsBelow(path, depth - 1)) found.set(below, identity);
    }
    if (!entry.isSocket()) continue;
    const is = await stat(path).catch(() => undefined);
    if (is !== undefined) found.set(path, `${is.ino}/${is.ctimeMs}`);
  }
  return found;
}
