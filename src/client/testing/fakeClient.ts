/** A client for tests: lists and watches are answered by hand. */
import type { KubeObject, Stored } from '../../machinery/kind.ts';
import type { Client } from '../client.ts';
import { createClient } from '../createClient.ts';
import type { ApiRequest, ApiResponse, Transport, WatchEvent, WatchEventType } from '../transport.ts';

export interface OpenWatch {
  readonly request: ApiRequest;
  send(type: WatchEventType, object: unknown): void;
  end(error?: Error): void;
}

/** Answers requests by a function, and keeps the watches that are open. */
export class FakeTransport implements Transport {
  readonly requests: ApiRequest[] = [];
  readonly watches: OpenWatch[] = [];
  answer: (request: ApiRequest) => unknown = () => ({ metadata: { resourceVersion: '1' }, items: [] });

  get client(): Client {
    return createClient(this);
  }

  /** The watch that was opened last. */
  get lastWatch(): OpenWatch {
    const watch = this.watches.at(-1);
    if (watch === undefined) throw new Error('no watch is open');
    return watch;
  }

  async request(request: ApiRequest): Promise<ApiResponse> {
    this.requests.push(request);
    return { status: 200, object: await this.answer(request) };
  }

  async watch(request: ApiRequest, onEvent: (e: WatchEvent) => void, onEnd: (error?: Error) => void): Promise<void> {
    this.watches.push({
      request,
      send: (type, object) => {
        if (!request.signal?.aborted) onEvent({ type, object: object as KubeObject });
      },
      end: (error) => {
        if (!request.signal?.aborted) onEnd(error);
      },
    });
  }

  async close(): Promise<void> {}
}

/** An object as the server would have it. */
export function stored<T extends KubeObject>(object: T, resourceVersion: number | string): Stored<T> {
  const metadata = {
    uid: `uid-${object.metadata?.name}`,
    ...object.metadata,
    resourceVersion: String(resourceVersion),
  };
  return { apiVersion: 'v1', kind: 'ConfigMap', ...object, metadata } as Stored<T>;
}
