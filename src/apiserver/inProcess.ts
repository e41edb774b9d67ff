/**
 * The transport for parts of the same process: the same stages, but the user is known, bodies are
 * objects, and answers are the frozen objects of the watch caches themselves.
 */
import type { ApiRequest, ApiResponse, Transport, WatchEvent } from '../client/transport.ts';
import { parseExactJson } from '../machinery/exactJson.ts';
import { deepFreeze } from '../machinery/freeze.ts';
import { apiVersionOf, type KubeObject } from '../machinery/kind.ts';
import { ApiError, apiError } from '../machinery/status.ts';
import type { Answer, RunningWatch, WatchItem } from './answer.ts';
import { emptyInfo, type RequestBody, type RequestContext } from './context.ts';
import { listMeta } from './encoding/listBody.ts';
import { bookmarkOf } from './encoding/watchStream.ts';
import type { Pipeline } from './pipeline.ts';
import type { ApiServerParts } from './stage.ts';
import { statusOf } from './statusOf.ts';
import { authenticated, type User } from './user.ts';

/** @param agent what the client calls itself */
export function inProcessTransport(parts: ApiServerParts, pipeline: Pipeline, user: User, agent?: string): Transport {
  const known = authenticated(user);
  const run = async (ctx: RequestContext): Promise<Answer> => {
    try {
      return await pipeline(ctx);
    } catch (error) {
      throw new ApiError(statusOf(error, parts, { method: ctx.method, path: ctx.rawPath }));
    }
  };
  return {
    async request(request) {
      request.signal?.throwIfAborted();
      const answer = await run(new InProcessContext(request, known, agent));
      return responseOf(answer);
    },
    async watch(request, onEvent, onEnd) {
      const { signal } = request;
      const asked = { ...request, query: { ...request.query, watch: 'true' } };
      const answer = await run(new InProcessContext(asked, known, agent));
      if (answer.type !== 'watch') throw apiError('BadRequest', 'this cannot be watched');
      let watch: RunningWatch | undefined;
      const close = () => watch?.close();
      watch = answer.open({
        send(item) {
          if (signal?.aborted !== true) onEvent(eventOf(answer.kind, item));
          return true;
        },
        end() {
          signal?.removeEventListener('abort', close);
          if (signal?.aborted !== true) onEnd();
        },
      });
      if (signal?.aborted === true) close();
      else signal?.addEventListener('abort', close, { once: true });
    },
    async close() {},
  };
}

function responseOf(answer: Answer): ApiResponse {
  switch (answer.type) {
    case 'entry':
      return { status: answer.status, object: answer.entry.as(answer.kind).object };
    case 'object':
      return { status: answer.status, object: deepFreeze(answer.object) };
    case 'list': {
      const object = {
        kind: answer.kind.listKind,
        apiVersion: apiVersionOf(answer.kind),
        metadata: listMeta(answer),
        items: Object.freeze(answer.entries.map((e) => e.as(answer.kind).object)),
      };
      return { status: 200, object: Object.freeze(object) };
    }
    case 'raw':
      return {
        status: answer.status,
        object: answer.contentType.includes('json')
          ? parseExactJson(answer.body.toString('utf8'))
          : answer.body.toString('utf8'),
      };
    default:
      throw apiError('BadRequest', 'streams cannot be asked for within the process');
  }
}

function eventOf(kind: Parameters<typeof bookmarkOf>[0], item: WatchItem): WatchEvent {
  switch (item.type) {
    case 'BOOKMARK':
      return { type: 'BOOKMARK', object: bookmarkOf(kind, item) };
    case 'ERROR':
      return { type: 'ERROR', object: item.status as KubeObject };
    default:
      return { type: item.type, object: item.entry.as(kind).object };
  }
}

class InProcessContext implements RequestContext {
  readonly method: string;
  readonly rawPath: string;
  readonly query: URLSearchParams;
  readonly signal: AbortSignal;
  info = emptyInfo();
  user: User;
  readonly warnings: readonly string[] = [];
  readonly #request: ApiRequest;
  readonly #agent: string | undefined;

  constructor(request: ApiRequest, user: User, agent: string | undefined) {
    this.#request = request;
    this.#agent = agent;
    this.method = request.method;
    this.rawPath = request.path;
    this.query = new URLSearchParams(request.query as Record<string, string> | undefined);
    this.signal = request.signal ?? NEVER;
    this.user = user;
  }

  header(name: string): string | undefined {
    return name === 'user-agent' ? this.#agent : undefined;
  }

  warn(): void {
    // Parts of the program have nobody to show a warning to.
  }

  async readBody(): Promise<RequestBody> {
    return { type: 'object', object: this.#request.body, contentType: this.#request.contentType ?? 'application/json' };
  }
}

const NEVER = new AbortController().signal;
