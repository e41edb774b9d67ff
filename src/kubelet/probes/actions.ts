/** What probes and lifecycle hooks do: run a command, ask over HTTP, open a connection. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from '../../apis/core/container.ts';
import type { Clock } from '../../lib/clock.ts';
import { type ContainerRuntime, GRPC, RuntimeError } from '../cri/runtime.ts';
import type { ProbeResult } from './prober.ts';

export interface ActionTarget {
  readonly containerId: string;
  readonly container: Container;
  readonly podIP: string;
}

/** What a probe or a hook asks for: one of these. */
export type Handler = Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'> & Pick<Probe, 'grpc'>;

const MAX_BODY_BYTES = 10 * 1024;
const MAX_MESSAGE = 500;
/** An ExecSync that is late is ended by the runtime first. */
const EXEC_SLACK_MS = 5_000;

/** What a handler needs besides its target. */
export interface ActionTools {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  /** ends the action early */
  readonly signal?: AbortSignal;
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
    if (handler.httpGet !== undefined) return await httpGet(handler.httpGet, target, limit.signal);
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

class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
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

const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);

function httpGet(action: HTTPGetAction, target: ActionTarget, signal: AbortSignal): Promise<ProbeResult> {
  const host = action.host || target.podIP;
  const port = portOf(action.port, target.container);
  const secure = action.scheme === 'HTTPS';
  const path = action.path?.startsWith('/') === false ? `/${action.path}` : (action.path ?? '/');
  const url = `${secure ? 'https' : 'http'}://${bracketed(host)}:${port}${path}`;
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*', Connection: 'close' };
  for (const { name = '', value = '' } of action.httpHeaders ?? []) headers[name] = value;
  return new Promise((resolve) => {
    const options = { headers, agent: false as const, signal };
    const req = secure ? httpsRequest(url, { ...options, rejectUnauthorized: false }) : httpRequest(url, options);
    req.on('response', (res) => {
      const status = res.statusCode ?? 0;
      const ok = status >= 200 && status < 400;
      resolve({ ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` });
      let size = 0;
      res.on('error', () => {});
      res.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) req.destroy();
      });
    });
    req.on('error', (error: NodeJS.ErrnoException) => {
      const late = signal.aborted && signal.reason instanceof TimeoutError;
      const why = late
        ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
        : describe(error, host, port);
      resolve({ ok: false, message: `Get ${JSON.stringify(url)}: ${why}` });
    });
    req.end();
  });
}

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

function describe(error: NodeJS.ErrnoException, host: string, port: number): string {
  const to = `dial tcp ${bracketed(host)}:${port}: connect:`;
  if (error.code === 'ECONNREFUSED') return `${to} connection refused`;
  if (error.code === 'EHOSTUNREACH') return `${to} no route to host`;
  return error.code === 'ECONNRESET' ? `read tcp ${bracketed(host)}:${port}: connection reset by peer` : error.message;
}
