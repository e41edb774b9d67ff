/** The kubets process: a cluster with a control socket, until it is told to stop. */
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { SystemClock } from '../lib/clock.ts';
import { createLogger } from '../lib/logger.ts';
import { SystemRandom } from '../lib/random.ts';
import type { ClusterConfig, ClusterPaths } from './config.ts';
import { ControlServer, type DaemonStatus, type Progress } from './control.ts';
import { ClusterError } from './errors.ts';
import { type Cluster, type ClusterOptions, startCluster } from './startCluster.ts';

export interface DaemonOptions {
  readonly config: ClusterConfig;
  readonly paths: ClusterPaths;
  readonly nodeName: string;
  /** Besides on the control socket, each step is told here. */
  onProgress?(progress: Progress): void;
}

const NODE_READY_TIMEOUT_MS = 120_000;

/** Runs until SIGTERM, SIGINT or a stop over the control socket. Resolves with the exit code. */
export async function runDaemon(options: DaemonOptions): Promise<number> {
  const { config, paths } = options;
  const clock = new SystemClock();
  mkdirSync(dirname(paths.log), { recursive: true });
  const log = createLogger({ clock, file: paths.log });
  const startedAt = clock.now();
  let state: DaemonStatus['state'] = 'starting';
  let cluster: Cluster | undefined;
  const supervision = new AbortController();

  let finish: (code: number) => void = () => {};
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });
  const stop = async () => {
    if (state === 'stopping') return;
    state = 'stopping';
    supervision.abort();
    await cluster?.stop();
    log.info('stopped');
    finish(0);
  };
  const control = new ControlServer(paths.controlSocket, {
    status: () => ({
      type: 'status',
      pid: process.pid,
      state,
      port: cluster?.port,
      startedAt,
      rssBytes: process.memoryUsage.rss(),
    }),
    stop,
  });
  const report = (progress: Progress) => {
    control.report(progress);
    options.onProgress?.(progress);
  };
  process.on('SIGTERM', () => void stop());
  process.on('SIGINT', () => void stop());
  process.on('SIGHUP', () => {});
  // What no part expected is told and survived: one controller's fault must not end the cluster.
  process.on('uncaughtException', (err) => log.error('an error that nobody caught', { err }));
  process.on('unhandledRejection', (err) => log.error('a rejection that nobody caught', { err }));

  try {
    const started: ClusterOptions = {
      config,
      paths,
      nodeName: options.nodeName,
      clock,
      random: new SystemRandom(),
      log,
      onStep: (step, stepState) => report({ type: 'step', step, state: stepState }),
      onLocked: () => control.listen(),
    };
    cluster =
      config.joined === undefined
        ? await startCluster(started)
        : await (await import('./joinedNode.ts')).startJoinedNode(started, config.joined);
    if (config.runtime !== 'simulated') {
      const { superviseContainerd } = await import('./containerd.ts');
      superviseContainerd(paths, clock, log, supervision.signal);
    }
    await cluster.nodesReady(NODE_READY_TIMEOUT_MS);
    state = 'ready';
    report({ type: 'ready' });
    log.info('ready', { port: cluster.port, pid: process.pid });
  } catch (error) {
    const message =
      error instanceof ClusterError ? error.message : `kubets could not start: ${(error as Error).message}`;
    log.error('the start failed', { err: error });
    state = 'failed';
    report({ type: 'failed', message });
    await cluster?.stop();
    finish(1);
  }
  const code = await finished;
  await control.close();
  return code;
}
