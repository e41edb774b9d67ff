/**
 * The way to a running kubets process: a unix socket, a JSON object a line. A client sends one request
 * and reads what comes until the end.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export type ControlRequest = { readonly command: 'watch' | 'status' | 'stop' };

/** What happened at the start, in order; `ready` or `failed` is the last. */
export type Progress =
  | { readonly type: 'step'; readonly step: string; readonly state: 'begun' | 'done' }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string };

export interface DaemonStatus {
  readonly type: 'status';
  readonly pid: number;
  readonly state: 'starting' | 'ready' | 'failed' | 'stopping';
  readonly port: number | undefined;
  /** ms since the epoch */
  readonly startedAt: number;
  readonly rssBytes: number;
}

export interface ControlHandlers {
  status(): DaemonStatus;
  /** Resolves when the process has stopped all but itself. */
  stop(): Promise<void>;
}

/** The daemon's side. Remembers the progress, so that who comes late sees it from the beginning. */
export class ControlServer {
  readonly #path: string;
  readonly #handlers: ControlHandlers;
  readonly #progress: Progress[] = [];
  readonly #watchers = new Set<Socket>();
  readonly #server: Server;

  constructor(path: string, handlers: ControlHandlers) {
    this.#path = path;
    this.#handlers = handlers;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  /** The caller holds the lock of the data directory: a socket that is there is a dead one. */
  async listen(): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o711 });
    rmSync(this.#path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#path, resolve);
    });
  }

  report(progress: Progress): void {
    this.#progress.push(progress);
    for (const socket of this.#watchers) {
      send(socket, progress);
      if (progress.type !== 'step') socket.end();
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#watchers) socket.end();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #serve(socket: Socket): void {
    socket.on('error', () => socket.destroy());
    const lines = createInterface({ input: socket });
    lines.on('error', () => {});
    lines.once('line', (line) => {
      const request = parse(line);
      switch (request?.command) {
        case 'watch':
          for (const progress of this.#progress) send(socket, progress);
          if (this.#progress.some((p) => p.type !== 'step')) socket.end();
          else {
            this.#watchers.add(socket);
            socket.once('close', () => this.#watchers.delete(socket));
          }
          return;
        case 'status':
          send(socket, this.#handlers.status());
          socket.end();
          return;
        case 'stop':
          void this.#handlers.stop().finally(() => socket.end());
          return;
        default:
          socket.destroy();
      }
    });
  }
}

const send = (socket: Socket, value: unknown) => socket.write(`${JSON.stringify(value)}\n`);

function parse(line: string): ControlRequest | undefined {
  try {
    return JSON.parse(line) as ControlRequest;
  } catch {
    return undefined;
  }
}

/** Asks a daemon; what it says comes through `onMessage`. False where nobody listens. */
export function askDaemon<T>(path: string, request: ControlRequest, onMessage: (message: T) => void): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    let connected = false;
    socket.once('connect', () => {
      connected = true;
      socket.write(`${JSON.stringify(request)}\n`);
    });
    const lines = createInterface({ input: socket });
    lines.on('line', (line) => onMessage(JSON.parse(line) as T));
    lines.on('error', () => {});
    socket.once('error', () => {});
    socket.once('close', () => resolve(connected));
  });
}

/** The status of the daemon at a socket; undefined where none runs. */
export async function daemonStatus(path: string): Promise<DaemonStatus | undefined> {
  let status: DaemonStatus | undefined;
  await askDaemon<DaemonStatus>(path, { command: 'status' }, (message) => {
    status = message;
  });
  return status;
}
