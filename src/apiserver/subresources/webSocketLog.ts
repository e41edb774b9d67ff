/**
 * A log in the messages of a WebSocket, for clients that cannot read what streams in another way.
 * Protocols: `binary.k8s.io` (or none), and `base64.binary.k8s.io`, which has texts.
 */
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { badRequest } from '../../machinery/status.ts';
import type { TakenAnswer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { ask, type ForwardOptions, type Target } from './forward.ts';

const BASE64_PROTOCOL = 'base64.binary.k8s.io';
const PROTOCOLS = ['binary.k8s.io', BASE64_PROTOCOL] as const;

/** Takes the connection, which is an upgrade; `done` rejects where nothing was answered yet. */
export function logOverWebSocket(ctx: RequestContext, target: Target, options: ForwardOptions): TakenAnswer {
  return { type: 'taken', done: serve(ctx, target, options) };
}

async function serve(ctx: RequestContext, target: Target, options: ForwardOptions): Promise<void> {
  const { req, upgrade } = ctx.raw ?? {};
  if (req === undefined || upgrade === undefined || req.headers.upgrade?.toLowerCase() !== 'websocket')
    throw badRequest('a log can be upgraded to a WebSocket only');
  const gone = new AbortController();
  const signal = AbortSignal.any([ctx.signal, gone.signal]);
  const [answer, { WebSocketServer }] = await Promise.all([ask(target, options, signal), import('ws')]);
  const server = new WebSocketServer({
    noServer: true,
    // Nothing is expected from the client but its farewell.
    maxPayload: 1024,
    perMessageDeflate: false,
    handleProtocols: (offered) => PROTOCOLS.find((protocol) => offered.has(protocol)) ?? false,
  });
  upgrade.socket.once('close', () => gone.abort());
  server.handleUpgrade(req, upgrade.socket, upgrade.head, (ws) => {
    ws.on('error', () => ws.terminate());
    ws.once('close', () => gone.abort());
    void send(ws, answer);
  });
}

/** Never throws. */
async function send(ws: WebSocket, answer: IncomingMessage): Promise<void> {
  const encode = (chunk: Buffer) => (ws.protocol === BASE64_PROTOCOL ? chunk.toString('base64') : chunk);
  try {
    // Tells the client that the connection stands.
    ws.send(encode(Buffer.alloc(0)));
    for await (const chunk of answer) {
      await new Promise<void>((resolve) => ws.send(encode(chunk as Buffer), () => resolve()));
      if (ws.readyState !== ws.OPEN) break;
    }
    ws.close(1000);
  } catch {
    ws.close(1011);
  }
}
