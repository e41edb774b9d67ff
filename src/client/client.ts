/** The typed client: what every controller, the scheduler, the kubelet and programs use to talk to an API server. */
import type { Kind, KubeObject, Stored } from '../machinery/kind.ts';
import type { PatchType, WatchEvent } from './transport.ts';

export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface ListOptions {
  /** absent: all namespaces */
  readonly namespace?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly resourceVersion?: string;
  readonly resourceVersionMatch?: 'Exact' | 'NotOlderThan';
  readonly limit?: number;
  readonly continue?: string;
  readonly signal?: AbortSignal;
}

export interface WatchOptions extends ListOptions {
  readonly allowWatchBookmarks?: boolean;
  readonly sendInitialEvents?: boolean;
  readonly timeoutSeconds?: number;
}

export interface ReadOptions {
  readonly query?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface WriteOptions {
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
  readonly signal?: AbortSignal;
}

export interface ObjectList<T> {
  readonly metadata: {
    readonly resourceVersion: string;
    readonly continue?: string;
    readonly remainingItemCount?: number;
  };
  readonly items: readonly Stored<T>[];
}

/** Every method throws ApiError for a refusal and TransportError where no answer came. Answers are frozen. */
export interface Client {
  get<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    options?: { resourceVersion?: string; subresource?: string; signal?: AbortSignal },
  ): Promise<Stored<T>>;
  list<T extends KubeObject>(kind: Kind<T>, options?: ListOptions): Promise<ObjectList<T>>;
  /** Reads what is of no kind known here, such as discovery. @param path escaped: `/apis/apps/v1` */
  read(path: string, options?: ReadOptions): Promise<unknown>;
  /** Namespace and name are taken from the object's metadata. apiVersion and kind are filled in. */
  create<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<Stored<T>>;
  /** Creates a subresource that is POSTed to: binding, eviction, token. */
  createSubresource<B, R>(
    kind: Kind,
    ref: ObjectRef,
    subresource: string,
    body: B,
    options?: { signal?: AbortSignal },
  ): Promise<R>;
  update<T extends KubeObject>(kind: Kind<T>, object: T, options?: WriteOptions): Promise<Stored<T>>;
  patch<T extends KubeObject>(
    kind: Kind<T>,
    ref: ObjectRef,
    type: PatchType,
    patch: unknown,
    options?: WriteOptions,
  ): Promise<Stored<T>>;
  delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  deleteCollection<T extends KubeObject>(kind: Kind<T>, selection: ListOptions, options?: DeleteOptions): Promise<void>;
  watch<T extends KubeObject>(
    kind: Kind<T>,
    options: WatchOptions,
    onEvent: (event: WatchEvent<Stored<T>>) => void,
    onEnd: (error?: Error) => void,
  ): Promise<void>;
}
