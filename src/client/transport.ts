/**
 * How a request reaches an API server. Two ways, one meaning: `http.ts` over TLS to any API
 * server, and the in-process one that `apiserver/` hands out (`apiServer.transport(user)`),
 * which runs the same stages without a socket, without encoding and without a copy.
 */
import type { KubeObject } from '../machinery/kind.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply';

/** The media type of each kind of patch. */
export const PATCH_MEDIA_TYPE: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

export interface ApiRequest {
  readonly method: Method;
  /** escaped, without the query: `/apis/apps/v1/namespaces/default/deployments/web` */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** an object, not yet encoded; the in-process transport must not let the server keep or change it */
  readonly body?: unknown;
  /** of the body; `application/json` when absent */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

export interface ApiResponse {
  readonly status: number;
  /** decoded, deeply frozen, possibly shared with others in this process */
  readonly object: unknown;
}

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';

export interface WatchEvent<T = KubeObject> {
  readonly type: WatchEventType;
  /** frozen and shared; a Status where type is ERROR */
  readonly object: T;
}

export interface Transport {
  /** @throws ApiError for every answer that is a failure, TransportError where no answer came */
  request(request: ApiRequest): Promise<ApiResponse>;
  /**
   * Opens a watch; resolves when the server has accepted it (@throws as `request`). Events then come in
   * order through `onEvent` (which must not throw) until `onEnd`, which is called once, unless the
   * request's signal was aborted first.
   */
  watch(request: ApiRequest, onEvent: (event: WatchEvent) => void, onEnd: (error?: Error) => void): Promise<void>;
  close(): Promise<void>;
}

/** No answer came: connection refused, reset, timed out. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
}
