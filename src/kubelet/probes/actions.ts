/** What probes and lifecycle hooks do: run a command, ask over HTTP, open a connection. */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Container, HTTPGetAction, LifecycleHandler, Probe } from '../../apis/core/container.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { ProbeResult } from './prober.ts';

export interface ActionTarget {
  readonly containerId: string;
  readonly container: Container;
  readonly podIP: string;
}

type Handler = Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket' | 'sleep'> & Pick<Probe, 'grpc'>;

const MAX_BODY_BYTES = 10 * 1024;
const MAX_MESSAGE = 500;

/** Runs one handler; never throws. */
export async function perform(
  handler: Handler,
  target: ActionTarget,
  timeoutMs: number,
  runtime: ContainerRuntime,
  clock: Clock,
  signal?: AbortSignal,
): Promise<ProbeResult> {
  try {
    if (handler.exec !== undefined) return await exec(handler.exec.command ?? [], target, timeoutMs, runtime);
    if (handler.httpGet !== undefined) return await httpGet(handler.httpGet, target, timeoutMs);
    if (handler.tcpSocket !== undefined) {
      return await tcp(
        handler.tcpSocket.host || target.podIP,
        portOf(handler.tcpSocket.port, target.container),
        timeoutMs,
      );
    }
    if (handler.sleep !== undefined) {
      await clock.sleep(handler.sleep.seconds * 1000, signal);
      return { ok: true, message: '' };
    }
    if (handler.grpc !== undefined) {
      const { grpcHealth } = await import('./grpcHealth.ts');
      return await grpcHealth(
        `${target.podIP}:${handler.grpc.port}`,
        handler.grpc.service ?? '',
        clock.now() + timeoutMs,
      );
    }
    return { ok: false, message: 'the probe names no action' };
  } catch (error) {
    return { ok: false, message: (error as Error).message };
  }
}

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
  const result = await runtime.call(
    'execSync',
    { container_id: target.containerId, cmd: command, timeout },
    { timeoutMs: timeoutMs + 5000 },
  );
  const output =
    Buffer.from(result.stdout ?? '', 'base64').toString('utf8') +
    Buffer.from(result.stderr ?? '', 'base64').toString('utf8');
  return { ok: (result.exit_code ?? 0) === 0, message: output.slice(0, MAX_MESSAGE) };
}

function httpGet(action: HTTPGetAction, target: ActionTarget, timeoutMs: number): Promise<ProbeResult> {
  const host = action.host || target.podIP;
  const port = portOf(action.port, target.container);
  const secure = action.scheme === 'HTTPS';
  const path = action.path?.startsWith('/') === false ? `/${action.path}` : (action.path ?? '/');
  const url = `${secure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${path}`;
  const headers: Record<string, string> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*', Connection: 'close' };
  for (const { name = '', value = '' } of action.httpHeaders ?? []) headers[name] = value;
  return new Promise((resolve) => {
    const options = { headers, agent: false as const, signal: AbortSignal.timeout(timeoutMs) };
    const req = secure ? httpsRequest(url, { ...options, rejectUnauthorized: false }) : httpRequest(url, options);
    req.once('response', (res) => {
      const status = res.statusCode ?? 0;
      let size = 0;
      res.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BODY_BYTES) req.destroy();
      });
      res.on('error', () => {});
      const ok = status >= 200 && status < 400;
      resolve({ ok, message: ok ? '' : `HTTP probe failed with statuscode: ${status}` });
    });
    req.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.name === 'AbortError' || error.name === 'TimeoutError'
          ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
          : describe(error, host, port);
      resolve({ ok: false, message: `Get "${url}": ${why}` });
    });
    req.end();
  });
}

function tcp(host: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timeout = AbortSignal.timeout(timeoutMs);
    timeout.addEventListener('abort', () => socket.destroy(new Error(`dial tcp ${host}:${port}: i/o timeout`)), {
      once: true,
    });
    socket.once('connect', () => {
      socket.destroy();
      resolve({ ok: true, message: '' });
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ ok: false, message: describe(error, host, port) });
    });
  });
}

function describe(error: NodeJS.ErrnoException, host: string, port: number): string {
  return error.code === 'ECONNREFUSED' ? `dial tcp ${host}:${port}: connect: connection refused` : error.message;
}
