/** `kubets up` */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type ClusterConfig,
  type ClusterPaths,
  dataDirOf,
  isFree,
  nodeNameOf,
  pathsOf,
  readConfig,
} from '../../cluster/config.ts';
import { askDaemon, daemonStatus, type Progress } from '../../cluster/control.ts';
import { ensureConfig } from '../../cluster/ensureConfig.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { assertCanRunContainers, installPackages, missingPackages } from '../../cluster/prerequisites.ts';
import { SystemClock } from '../../lib/clock.ts';
import { IN_USE } from '../../storage/embedded/directoryLock.ts';
import { meaning } from '../cluster.ts';
import type { UpFlags } from '../flags.ts';
import { Steps } from '../steps.ts';

const MAIN = fileURLToPath(new URL('../main.ts', import.meta.url));
const DAEMON_TIMEOUT_MS = 20_000;
const LOOK_EVERY_MS = 15;
/** So long another start of the same cluster, at the same moment, is waited for. */
const OTHER_START_MS = 10_000;
const say = (line: string) => process.stdout.write(`${line}\n`);

/** @throws ClusterError */
export async function up(flags: UpFlags): Promise<void> {
  const clock = new SystemClock();
  const steps = new Steps(process.stdout, clock);
  const dataDir = dataDirOf(flags.name, flags.dataDir);
  const known = readConfig(pathsOf(dataDir));
  if (known?.joined !== undefined) {
    await upNode(flags, known, pathsOf(dataDir), steps, clock);
    return;
  }
  const running = await daemonStatus(pathsOf(dataDir).controlSocket);
  if (running?.state === 'ready') {
    await writeAccess(pathsOf(dataDir));
    say(`Cluster ${known?.name ?? flags.name} is running already (process ${running.pid}, port ${running.port}).`);
    return;
  }
  const { assertUsableKubeconfig, kubeconfigPath } = await import('../../cluster/kubeconfig.ts');
  await assertUsableKubeconfig(kubeconfigPath());
  const simulated = (flags.runtime ?? known?.runtime) === 'simulated';
  if (!simulated) {
    assertCanRunContainers();
    await install(flags.install);
  }
  const { config, paths } = await ensureConfig(dataDir, flags);
  if (running === undefined && !(await isFree(config.port))) {
    throw new ClusterError(`port ${config.port} is taken by another program; choose another with --port`);
  }
  if (!simulated) await buildImages(steps);
  const show = showOn(steps);
  if (flags.foreground === true) {
    await runInFront(config, paths, show);
    return;
  }
  if (running === undefined) await startDaemon(flags, paths);
  await follow(paths, clock, show);
  if (!simulated) await loadImages(steps, paths);
  await writeAccess(paths);
  sayWhatNext(config, paths);
}

/** Starts this machine as the node that it became earlier. @throws ClusterError */
async function upNode(
  flags: UpFlags,
  config: ClusterConfig,
  paths: ClusterPaths,
  steps: Steps,
  clock: SystemClock,
): Promise<void> {
  const node = `Node ${config.nodeName} of ${config.joined?.server}`;
  if ((await daemonStatus(paths.controlSocket))?.state === 'ready') {
    say(`${node} is running already.`);
    return;
  }
  assertCanRunContainers();
  await install(flags.install);
  await startNode(flags, config, paths, steps, clock);
  say(`${node} is Ready.`);
}

/** Starts a node that joined, and follows it until it is Ready. @throws ClusterError */
export async function startNode(
  flags: Pick<UpFlags, 'name' | 'foreground'>,
  config: ClusterConfig,
  paths: ClusterPaths,
  steps: Steps,
  clock: SystemClock,
): Promise<void> {
  await buildImages(steps);
  if (flags.foreground === true) {
    await runInFront(config, paths, showOn(steps));
    return;
  }
  if ((await daemonStatus(paths.controlSocket)) === undefined) await startDaemon(flags, paths);
  await follow(paths, clock, showOn(steps));
  await loadImages(steps, paths);
}

function showOn(steps: Steps): (progress: Progress) => void {
  return (progress) => {
    if (progress.type === 'failed') steps.failed();
    else if (progress.type === 'step') {
      if (progress.state === 'begun') steps.begin(progress.step);
      else steps.done(progress.step);
    }
  };
}

/** Installs what is missing. @throws ClusterError */
export async function install(allowed: boolean): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (!allowed)
    throw new ClusterError(`missing on this machine: ${missing.join(', ')}; install them, or leave out --no-install`);
  say(`Installing from Debian's packages: ${missing.join(' ')}`);
  installPackages(missing);
}

/** Builds what comes with kubets; from the second time on it is there already. */
async function buildImages(steps: Steps): Promise<void> {
  const { builtinImage, builtinImages, isBuilt, pauseImage } = await import('../../images/builtin.ts');
  await pauseImage();
  for (const name of await builtinImages()) {
    if (await isBuilt(name)) continue;
    const step = `image ${name}, from Debian's packages`;
    steps.begin(step);
    try {
      await builtinImage(name);
      steps.done(step);
    } catch (error) {
      // Without it the cluster runs all the same, and images can be pulled.
      steps.failed();
      say(`  ${(error as Error).message}`);
    }
  }
}

/** Loads into this cluster what it does not have yet. */
async function loadImages(steps: Steps, paths: ClusterPaths): Promise<void> {
  const { loadMissingBuiltins } = await import('./image.ts');
  await loadMissingBuiltins(paths, steps);
}

async function runInFront(
  config: ClusterConfig,
  paths: ClusterPaths,
  show: (progress: Progress) => void,
): Promise<void> {
  const { runDaemon } = await import('../../cluster/daemon.ts');
  let failure: string | undefined;
  const code = await runDaemon({
    config,
    paths,
    nodeName: nodeNameOf(config),
    onProgress: (progress) => {
      show(progress);
      if (progress.type === 'failed') failure = progress.message;
      if (progress.type === 'ready' && config.joined === undefined) {
        void writeAccess(paths).then(() => sayWhatNext(config, paths));
      }
    },
  });
  if (failure !== undefined) throw new ClusterError(failure);
  process.exit(code);
}

async function startDaemon(flags: Pick<UpFlags, 'name'>, paths: ClusterPaths): Promise<void> {
  // What an earlier start failed of is not why this one might.
  (await import('./daemon.ts')).startFailure(paths);
  mkdirSync(dirname(paths.log), { recursive: true });
  const log = openSync(paths.log, 'a', 0o640);
  // import.meta.url ends as this file does: .ts from a clone, .js from the package.
  const main = import.meta.url.endsWith('.ts') ? MAIN : MAIN.replace(/\.ts$/, '.js');
  const child = spawn(
    process.execPath,
    [...process.execArgv, main, 'daemon', '--name', flags.name, '--data-dir', paths.dataDir],
    {
      detached: true,
      stdio: ['ignore', log, log],
      cwd: '/',
    },
  );
  closeSync(log);
  child.unref();
}

/** Shows the daemon's steps until it is ready. @throws ClusterError with what the daemon says */
async function follow(paths: ClusterPaths, clock: SystemClock, show: (progress: Progress) => void): Promise<void> {
  const deadline = clock.monotonic() + DAEMON_TIMEOUT_MS;
  let last: Progress | undefined;
  // Of two that start it at once one gets it, and both may follow that one.
  let other: { readonly failure: string; readonly until: number } | undefined;
  const onMessage = (progress: Progress) => {
    last = progress;
    show(progress);
  };
  while (!(await askDaemon<Progress>(paths.controlSocket, { command: 'watch' }, onMessage))) {
    const { startFailure } = await import('./daemon.ts');
    const failure = startFailure(paths);
    if (failure !== undefined) {
      if (!failure.endsWith(IN_USE)) throw new ClusterError(failure);
      other ??= { failure, until: clock.monotonic() + OTHER_START_MS };
    }
    if (other !== undefined && clock.monotonic() > other.until) throw new ClusterError(other.failure);
    if (clock.monotonic() > deadline)
      throw new ClusterError(`the kubets process does not answer; what it says is in ${paths.log}`);
    await clock.sleep(LOOK_EVERY_MS);
  }
  if (last?.type === 'failed') throw new ClusterError(last.message);
  if (last?.type !== 'ready')
    throw new ClusterError(`the kubets process ended while it started; what it says is in ${paths.log}`);
}

/** Puts the cluster into the user's kubeconfig. @throws ClusterError where that cannot be read */
async function writeAccess(paths: ClusterPaths): Promise<void> {
  const { kubeconfigPath, mergeKubeconfig } = await import('../../cluster/kubeconfig.ts');
  const { accessOf } = await import('../access.ts');
  const config = readConfig(paths);
  if (config !== undefined) await mergeKubeconfig(kubeconfigPath(), await accessOf(config, paths));
}

function sayWhatNext(config: ClusterConfig, paths: ClusterPaths): void {
  const suffix = meaning(config.name, paths);
  say('');
  say(`The cluster is ready. Its API server is at https://127.0.0.1:${config.port}, and kubectl uses it from now on:`);
  say('');
  say('    kubectl get nodes');
  say('    kubectl apply -f examples/web.yaml');
  say('');
  say(`Stop it with: kubets down${suffix}    Remove it with: kubets delete${suffix}`);
}
