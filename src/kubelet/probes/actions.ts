/** What probes and lifecycle hooks do: run a command, ask over HTTP (`httpGet.ts`), open a connection. */
import { connect } from 'node:net';
import type { Container, LifecycleHandler, Probe } from '../../apis/core/container.ts';
import type { Clock } from '../../lib/clock.ts';
import { type ContainerRuntime, GRPC, RuntimeError } from '../cri/runtime.ts';
import { bracketed, describe, httpGet, TimeoutError } from './httpGet.ts';
import type { ProbeResult } from './prober.ts';

export interface ActionTarget {
  readonly containerId: string;
  readonly container: Container;
  readonly podIP: string;
}

/** What a probe or a hook asks for: one of these. */
export type Handler = Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'> & Pick<Probe, 'grpc'>;

const MAX_MESSAGE = 500;
/** An ExecSync that is late is ended by the runtime first. */
const EXEC_SLACK_MS = 5_000;

/** What a handler needs besides its target. */
export interface ActionTools {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  /** ends the action early */
  readonly signal?: AbortSignal;
  /** It is a lifecycle hook: whatever the answer to a request, it was told. */
  readonly hook?: true;
}

/** Runs one handler; never throws. */
export async function perform(
  handler: Handler,
  target: ActionTarget,
  timeoutMs: number,
  tools: ActionTools,
): Promise<ProbeResult> {
  const { runtime, clock, signal } = tools;
  if (signal?.aborted) return ABORTED;
  const limit = new AbortController();
  const timer = clock.after(timeoutMs, () => limit.abort(new TimeoutError()));
  const onAbort = () => limit.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    if (handler.exec !== undefined) return await exec(handler.exec.command ?? [], target, timeoutMs, runtime);
    if (handler.httpGet !== undefined) {
      const { host, port } = handler.httpGet;
      const at = { host: host || target.podIP, port: portOf(port, target.container) };
      return await httpGet(handler.httpGet, at, limit.signal, tools.hook === true);
    }
    if (handler.tcpSocket !== undefined) {
      const { host, port } = handler.tcpSocket;
      return await tcp(host || target.podIP, portOf(port, target.container), limit.signal);
    }
    if (handler.sleep !== undefined) {
      await clock.sleep(handler.sleep.seconds * 1000, limit.signal);
      return { ok: true, message: '' };
    }
    if (handler.grpc !== undefined) {
      const { grpcHealth } = await import('./grpcHealth.ts');
      const address = `${bracketed(target.podIP)}:${handler.grpc.port}`;
      return await grpcHealth(address, handler.grpc.service ?? '', clock.now() + timeoutMs);
    }
    return { ok: false, message: 'no action is named' };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

const ABORTED: ProbeResult = { ok: false, message: 'aborted' };

/** A port by number or by the name that the container gives it. @throws Error */
function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port;
  const named = container.ports?.find((p) => p.name === port)?.containerPort;
  if (named === undefined) throw new Error(`the container has no port named ${port}`);
  return named;
}

async function exec(
  command: string[],
  target: ActionTarget,
  timeoutMs: number,
  runtime: ContainerRuntime,
): Promise<ProbeResult> {
  const timeout = Math.max(1, Math.ceil(timeoutMs / 1000));
  try {
    const { stdout, stderr, exit_code } = await runtime.call(
      'execSync',
      { container_id: target.containerId, cmd: command, timeout },
      { timeoutMs: timeoutMs + EXEC_SLACK_MS },
    );
    const output = text(stdout) + text(stderr);
    return { ok: (exit_code ?? 0) === 0, message: output.slice(0, MAX_MESSAGE) };
  } catch (error) {
    if (!(error instanceof RuntimeError) || error.code !== GRPC.deadlineExceeded) throw error;
    return {
      ok: false,
      message: `command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeout}s`,
    };
  }
}

const text = (base64: string | undefined) => Buffer.from(base64 ?? '', 'base64').toString('utf8');

function tcp(host: string, port: number, signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const onAbort = () => socket.destroy(new Error(`dial tcp ${bracketed(host)}:${port}: i/o timeout`));
    signal.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', () => {
      socket.destroy();
      resolve({ ok: true, message: '' });
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve({ ok: false, message: describe(error, host, port) }));
    socket.on('close', () => signal.removeEventListener('abort', onAbort));
  });
}
