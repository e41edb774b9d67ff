/**
 * A containerd of the cluster's own: its own state, socket and configuration, so that it disturbs no
 * other. It runs in a session of its own and survives this process; the next start finds it.
 */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PAUSE_IMAGE } from '../images/builtin.ts';
import { connectCri } from '../kubelet/cri/connect.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { ClusterPaths } from './config.ts';
import { ClusterError } from './errors.ts';

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const LOOK_EVERY_MS = 20;
const WATCH_EVERY_MS = 1_000;

/** Whether containerd was, or will be, started with a folder of plugins of the cluster's own; older ones were not. */
export function hasOwnPlugins(paths: ClusterPaths): boolean {
  return runningPid(paths) === undefined || readFileSync(paths.containerdConfig, 'utf8').includes(paths.cniPlugins);
}

/** Starts containerd where it does not run. Resolves when it answers. @throws ClusterError */
export async function ensureContainerd(paths: ClusterPaths, clock: Clock): Promise<void> {
  if (runningPid(paths) !== undefined && (await answers(paths, clock))) return;
  writeConfig(paths);
  mkdirSync(paths.runDir, { recursive: true, mode: 0o711 });
  mkdirSync(join(paths.dataDir, 'logs'), { recursive: true });
  if (runningPid(paths) === undefined) start(paths);
  const deadline = clock.monotonic() + START_TIMEOUT_MS;
  while (!(await answers(paths, clock))) {
    if (clock.monotonic() > deadline)
      throw new ClusterError(`containerd does not answer; what it says is in ${paths.containerdLog}`);
    await clock.sleep(LOOK_EVERY_MS);
  }
}

function start(paths: ClusterPaths): void {
  rmSync(paths.containerdSocket, { force: true });
  const log = openSync(paths.containerdLog, 'a', 0o640);
  const child = spawn('containerd', ['--config', paths.containerdConfig], {
    detached: true,
    stdio: ['ignore', log, log],
    cwd: '/',
  });
  child.once('error', () => {});
  closeSync(log);
  child.unref();
  if (child.pid !== undefined) writeFileSync(pidFile(paths), String(child.pid));
}

const pidFile = (paths: ClusterPaths) => join(paths.runDir, 'containerd.pid');

/** The process of our containerd; undefined where it does not run. */
function runningPid(paths: ClusterPaths): number | undefined {
  try {
    const pid = Number(readFileSync(pidFile(paths), 'utf8'));
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return command.includes(paths.containerdConfig) && state !== 'Z' ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function answers(paths: ClusterPaths, clock: Clock): Promise<boolean> {
  if (!existsSync(paths.containerdSocket)) return false;
  const cri = connectCri(paths.containerdSocket, clock);
  try {
    await cri.call('version', {}, { timeoutMs: 2_000 });
    return true;
  } catch {
    return false;
  } finally {
    cri.close();
  }
}

/** Starts containerd again whenever it died, until the signal. */
export function superviseContainerd(paths: ClusterPaths, clock: Clock, log: Logger, signal: AbortSignal): void {
  const again = () => {
    clock.after(WATCH_EVERY_MS, () => {
      if (signal.aborted) return;
      if (runningPid(paths) !== undefined) {
        again();
        return;
      }
      log.warn('containerd has died; it is started again');
      ensureContainerd(paths, clock)
        .catch((error: unknown) => log.error('containerd could not be started', { err: error }))
        .finally(again);
    });
  };
  again();
}

/** Ends containerd; containers run on. */
export async function stopContainerd(paths: ClusterPaths, clock: Clock): Promise<void> {
  const pid = runningPid(paths);
  if (pid === undefined) return;
  process.kill(pid, 'SIGTERM');
  const deadline = clock.monotonic() + STOP_TIMEOUT_MS;
  while (runningPid(paths) === pid) {
    if (clock.monotonic() > deadline) {
      process.kill(pid, 'SIGKILL');
      return;
    }
    await clock.sleep(LOOK_EVERY_MS);
  }
}

const CAP_SYS_RESOURCE = 24n;

/**
 * Whether a process may make others less likely to be killed when memory is short, as containers that have all that
 * they ask for are to be. @param status the text of its /proc/PID/status
 */
export function mayLowerOomScore(status: string): boolean {
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return ((BigInt(`0x${effective}`) >> CAP_SYS_RESOURCE) & 1n) === 1n;
}

function writeConfig(paths: ClusterPaths): void {
  const text = `version = 2
root = ${JSON.stringify(paths.containerdRoot)}
state = ${JSON.stringify(paths.containerdState)}
oom_score = 0

[grpc]
  address = ${JSON.stringify(paths.containerdSocket)}

[debug]
  level = "warn"

[plugins."io.containerd.internal.v1.opt"]
  path = ${JSON.stringify(join(paths.dataDir, 'opt'))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${JSON.stringify(PAUSE_IMAGE)}
  restrict_oom_score_adj = ${!mayLowerOomScore(readFileSync('/proc/self/status', 'utf8'))}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = ${JSON.stringify(paths.cniPlugins)}
  conf_dir = ${JSON.stringify(paths.cniConfig)}
  max_conf_num = 1

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false
`;
  if (!existsSync(paths.containerdConfig) || readFileSync(paths.containerdConfig, 'utf8') !== text)
    writeFileSync(paths.containerdConfig, text);
}
