/** One request on its way through the stages. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Kind } from '../machinery/kind.ts';
import type { RemoteApi } from './aggregation/remoteApi.ts';
import type { AuditTrail } from './audit/trail.ts';
import type { YamlReader } from './encoding/yamlReader.ts';
import type { User } from './user.ts';

/** What a request wants, read off its method and path. */
export interface RequestInfo {
  /** a verb of the API (get, list, create, …), or the method in lower case for what is no resource */
  readonly verb: string;
  readonly isResource: boolean;
  readonly group: string;
  readonly version: string;
  /** undefined for cluster-scoped resources and lists over all namespaces */
  readonly namespace: string | undefined;
  readonly resource: string;
  readonly subresource: string;
  readonly name: string;
  /** what follows the subresource `proxy` */
  readonly rest: string;
  /** the whole path, unescaped */
  readonly path: string;
}

/** The connection itself, for handlers that stream or upgrade. Absent for requests from within the process. */
export interface RawConnection {
  readonly req: IncomingMessage;
  /** absent for an upgrade */
  readonly res?: ServerResponse;
  /** for an upgrade: the client's socket and the bytes that came behind its request */
  readonly upgrade?: { readonly socket: Duplex; readonly head: Buffer };
}

export interface RequestContext {
  readonly method: string;
  /** as the client sent it, without the query */
  readonly rawPath: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  readonly raw?: RawConnection;
  /** aborted when the client goes away */
  readonly signal: AbortSignal;
  /** The body: an object from within the process, bytes from outside. */
  readBody(): Promise<RequestBody>;
  /** Adds a warning that the client shows to its user. */
  warn(text: string): void;
  readonly warnings: readonly string[];

  /** Ends what is still waited for; absent for requests that have no end of their own. */
  expire?(): void;
  /** the client has been answered that it took too long */
  readonly expired?: boolean;
  /** where the request is written down; absent where it is not */
  audit?: AuditTrail;
  /** what the answer tells of the flow that the request belongs to */
  flowHeaders?: Readonly<Record<string, string>>;
  info: RequestInfo;
  /** known as soon as the route is, for resources */
  kind?: Kind;
  /** who answers in place of this server */
  remote?: RemoteApi;
  user: User;
}

export type RequestBody =
  | {
      readonly type: 'bytes';
      readonly bytes: Buffer;
      readonly contentType: string;
      /** who reads them where they are YAML */
      readonly yaml: YamlReader;
    }
  | { readonly type: 'object'; readonly object: unknown; readonly contentType: string };

const NO_INFO: RequestInfo = {
  verb: '',
  isResource: false,
  group: '',
  version: '',
  namespace: undefined,
  resource: '',
  subresource: '',
  name: '',
  rest: '',
  path: '',
};

/** The state of a request before the first stage. */
export function emptyInfo(): RequestInfo {
  return NO_INFO;
}
