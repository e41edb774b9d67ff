/**
 * exec, attach and port-forward. A SPDY client is joined to the runtime byte for byte; a WebSocket
 * client's channels are carried over to SPDY streams.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Logger } from '../../lib/log.ts';
import { badRequest, notFound } from '../../machinery/status.ts';
import {
  bridgePortForward,
  PORT_FORWARD_PROTOCOL,
  PORT_FORWARD_PROTOCOLS,
  TUNNELED_PORT_FORWARD_PROTOCOL,
  tunnel,
} from '../streaming/portForward.ts';
import {
  bridgeRemoteCommand,
  REMOTE_COMMAND_PROTOCOLS,
  RUNTIME_REMOTE_COMMAND_PROTOCOL,
} from '../streaming/remoteCommand.ts';
import { dialRuntime, openRuntimeSession } from '../streaming/runtimeStream.ts';
import type { PodView, StreamingRuntime } from './podView.ts';

/** Larger messages than kubectl ever sends are refused. */
const MAX_MESSAGE_BYTES = 8 << 20;
const PODS = { group: '', plural: 'pods' };

export interface StreamRequest {
  readonly req: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly pod: PodView;
  readonly container?: string;
  readonly query: URLSearchParams;
}

export class Streams {
  readonly #runtime: StreamingRuntime;
  readonly #log: Logger;
  readonly #commands = webSockets(REMOTE_COMMAND_PROTOCOLS);
  readonly #forwards = webSockets(PORT_FORWARD_PROTOCOLS);

  constructor(runtime: StreamingRuntime, log: Logger) {
    this.#runtime = runtime;
    this.#log = log;
  }

  /** @throws ApiError before the upgrade was answered */
  async exec(request: StreamRequest): Promise<void> {
    const { query } = request;
    const command = query.getAll('command');
    if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
    const container = runningContainer(request);
    const wanted = wantedStreams(query);
    const url = await this.#runtime.exec({ containerId: container.id, command, ...wanted });
    await this.#remoteCommand(request, url, wanted);
  }

  /** @throws ApiError before the upgrade was answered */
  async attach(request: StreamRequest): Promise<void> {
    const container = runningContainer(request);
    // The client's word on terminals, not the container's: a client without one opens other streams. A
    // terminal has no second output, for which the runtime would wait; SPDY clients open what they asked for.
    const asked = wantedStreams(request.query);
    const wanted = isWebSocket(request.req) ? { ...asked, stderr: asked.stderr && !container.tty } : asked;
    const url = await this.#runtime.attach({ containerId: container.id, ...wanted });
    await this.#remoteCommand(request, url, wanted);
  }

  /** @throws ApiError before the upgrade was answered */
  async portForward(request: StreamRequest): Promise<void> {
    const { pod, query, req, socket, head } = request;
    if (pod.sandboxId === undefined) throw badRequest(`pod ${JSON.stringify(pod.name)} is not running`);
    const ports = [...query.getAll('ports'), ...query.getAll('port')].flatMap((p) => p.split(',')).map(Number);
    if (ports.some((p) => !Number.isInteger(p) || p < 1 || p > 65535))
      throw badRequest('a port must be between 1 and 65535');
    const url = await this.#runtime.portForward({ podSandboxId: pod.sandboxId, ports });
    if (!isWebSocket(req)) return this.#splice(request, url, [PORT_FORWARD_PROTOCOL]);
    this.#forwards.handleUpgrade(req, socket, head, (ws) => {
      hold(ws);
      const bridged =
        ws.protocol === TUNNELED_PORT_FORWARD_PROTOCOL
          ? dialRuntime(url, [PORT_FORWARD_PROTOCOL]).then((stream) => tunnel(ws, stream.socket, stream.head))
          : openRuntimeSession(url, PORT_FORWARD_PROTOCOL).then((session) => bridgePortForward(ws, session, ports));
      bridged.catch((error: Error) => this.#failed(ws, error));
    });
  }

  async #remoteCommand(
    request: StreamRequest,
    url: string,
    wanted: { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean },
  ): Promise<void> {
    const { req, socket, head } = request;
    if (!isWebSocket(req)) {
      const offered = String(req.headers['x-stream-protocol-version'] ?? '')
        .split(',')
        .map((protocol) => protocol.trim())
        .filter((protocol) => protocol !== '');
      return this.#splice(request, url, offered.length === 0 ? [RUNTIME_REMOTE_COMMAND_PROTOCOL] : offered);
    }
    this.#commands.handleUpgrade(req, socket, head, (ws) => {
      hold(ws);
      openRuntimeSession(url, RUNTIME_REMOTE_COMMAND_PROTOCOL)
        .then((session) => bridgeRemoteCommand(ws, session, wanted))
        .catch((error: Error) => this.#failed(ws, error));
    });
  }

  /** Joins the client's connection and the runtime's, after passing on the runtime's answer. */
  async #splice(request: StreamRequest, url: string, protocols: readonly string[]): Promise<void> {
    const { socket, head } = request;
    const stream = await dialRuntime(url, protocols);
    const chosen = stream.response.headers['x-stream-protocol-version'];
    const lines = ['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: SPDY/3.1'];
    if (chosen !== undefined) lines.push(`X-Stream-Protocol-Version: ${String(chosen)}`);
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    if (stream.head.length > 0) socket.write(stream.head);
    if (head.length > 0) stream.socket.write(head);
    const end = () => {
      socket.destroy();
      stream.socket.destroy();
    };
    for (const side of [socket, stream.socket]) side.on('error', end).once('close', end);
    socket.pipe(stream.socket);
    stream.socket.pipe(socket);
  }

  #failed(ws: WebSocket, error: Error): void {
    this.#log.warn('a stream to the container runtime failed', { err: error });
    // Read on, for the client's own farewell.
    ws.resume();
    ws.close(1011, error.message.slice(0, 120));
  }

  close(): void {
    this.#commands.close();
    this.#forwards.close();
  }
}

/** @param spoken protocols, most wanted first */
function webSockets(spoken: readonly string[]): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => spoken.find((protocol) => offered.has(protocol)) ?? false,
  });
}

/** The client may speak at once; until the runtime listens, nothing is read, so that nothing is lost. */
function hold(ws: WebSocket): void {
  ws.on('error', () => ws.terminate());
  ws.pause();
}

export function isWebSocket(req: IncomingMessage): boolean {
  return req.headers.upgrade?.toLowerCase() === 'websocket';
}

function runningContainer(request: StreamRequest) {
  const { pod, container = '' } = request;
  if (!pod.containerNames.includes(container)) throw notFound(PODS, `${pod.name}, container ${container}`);
  const view = pod.containers.get(container);
  if (view?.running !== true)
    throw badRequest(`container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.name)} is not running`);
  return view;
}

/** Which streams the client wants, under the names of the kubelet's own interface and of the API's. */
function wantedStreams(query: URLSearchParams): { stdin: boolean; stdout: boolean; stderr: boolean; tty: boolean } {
  const is = (...names: string[]) => names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''));
  const tty = is('tty');
  const wanted = {
    stdin: is('stdin', 'input'),
    stdout: is('stdout', 'output'),
    stderr: is('stderr', 'error') && !tty,
    tty,
  };
  if (!wanted.stdin && !wanted.stdout && !wanted.stderr)
    throw badRequest('you must specify at least 1 of stdin, stdout, stderr');
  return wanted;
}
