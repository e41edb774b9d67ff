/**
 * A watch in the messages of a WebSocket, an event in each, for clients that cannot read what streams in another way.
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes
 */
import { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { badRequest } from '../../machinery/status.ts';
import type { WatchAnswer } from '../answer.ts';
import { isTokenProtocol } from '../authentication/bearerToken.ts';
import type { RawConnection } from '../context.ts';
import type { Wanted } from './negotiate.ts';
import { streamWatch } from './watchStream.ts';

/** Rejects where nothing was answered yet. */
export async function serveWatchSocket(
  answer: WatchAnswer,
  { req, upgrade }: RawConnection,
  wanted: Wanted,
  now: () => number,
): Promise<void> {
  if (upgrade === undefined || req.headers.upgrade?.toLowerCase() !== 'websocket')
    throw badRequest('a watch can be upgraded to a WebSocket only');
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({
    noServer: true,
    // Nothing is expected from the client but its farewell.
    maxPayload: 1024,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered].find((protocol) => !isTokenProtocol(protocol)) ?? false,
  });
  server.handleUpgrade(req, upgrade.socket, upgrade.head, (ws) => {
    const binary = wanted.encoding !== 'json';
    streamWatch(answer, messagesOf(ws, binary), wanted, now, () => {});
  });
}

/** Whatever is written at a time is a message. */
function messagesOf(ws: WebSocket, binary: boolean): Writable {
  const out = new Writable({
    write(chunk: Buffer, _encoding, done) {
      ws.send(chunk, { binary }, () => done());
    },
    final(done) {
      ws.close(1000);
      done();
    },
    destroy(error, done) {
      ws.terminate();
      done(error);
    },
    // It is over when the client knows.
    autoDestroy: false,
  });
  ws.on('error', () => ws.terminate());
  ws.once('close', () => out.destroy());
  return out;
}
