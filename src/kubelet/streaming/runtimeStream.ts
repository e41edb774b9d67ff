/** Connects to a URL that the container runtime's streaming server gave out, speaking SPDY/3.1. */
import { type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { SpdySession } from '../../lib/spdy/session.ts';

export interface RuntimeStream {
  readonly socket: Duplex;
  /** bytes that came right behind the answer */
  readonly head: Buffer;
  readonly response: IncomingMessage;
}

/** The runtime answered the upgrade with something else than 101. */
export class UpgradeRefusedError extends Error {
  override readonly name = 'UpgradeRefusedError';
  readonly statusCode: number;
  constructor(statusCode: number, body: string) {
    super(`the container runtime refused the stream: ${statusCode} ${body.slice(0, 500)}`);
    this.statusCode = statusCode;
  }
}

/**
 * Upgrades a connection to the runtime. `protocols` are offered in X-Stream-Protocol-Version, most wanted first.
 * @throws UpgradeRefusedError, or the socket's error
 */
export function dialRuntime(url: string, protocols: readonly string[], signal?: AbortSignal): Promise<RuntimeStream> {
  return new Promise((resolve, reject) => {
    const req = request(url, {
      method: 'POST',
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'SPDY/3.1',
        'X-Stream-Protocol-Version': [...protocols],
        'Content-Length': 0,
      },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    req.once('upgrade', (response, socket, head) => resolve({ socket, head, response }));
    req.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        if (chunks.length < 16) chunks.push(chunk);
      });
      response.once('end', () => {
        reject(new UpgradeRefusedError(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
      });
    });
    req.once('error', reject);
    req.end();
  });
}

/** As `dialRuntime`, with a SPDY session over the connection. */
export async function openRuntimeSession(url: string, protocol: string, signal?: AbortSignal): Promise<SpdySession> {
  const { socket, head } = await dialRuntime(url, [protocol], signal);
  return new SpdySession(socket, { role: 'client' }, head);
}
