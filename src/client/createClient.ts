/** The typed client over any transport. */
import { apiVersionOf, type Kind, type KubeObject, type Stored } from '../machinery/kind.ts';
import type {
  Client,
  DeleteOptions,
  ListOptions,
  ObjectList,
  ObjectRef,
  ReadOptions,
  WatchOptions,
  WriteOptions,
} from './client.ts';
import { PATCH_MEDIA_TYPE, type Transport, type WatchEvent } from './transport.ts';

/** A client that speaks through `transport`, as whoever the transport speaks for. */
export function createClient(transport: Transport): Client {
  return {
    async get<T extends KubeObject>(
      kind: Kind<T>,
      ref: ObjectRef,
      options: { resourceVersion?: string; subresource?: string; signal?: AbortSignal } = {},
    ) {
      const { object } = await transport.request({
        method: 'GET',
        path: pathOf(kind, ref, options.subresource),
        query: queryOf({ resourceVersion: options.resourceVersion }),
        ...signalOf(options),
      });
      return object as Stored<T>;
    },

    async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}) {
      const { object } = await transport.request({
        method: 'GET',
        path: pathOf(kind, { namespace: options.namespace }),
        query: selectionQuery(options),
        ...signalOf(options),
      });
      return typedList<T>(kind, object as RawList);
    },

    async read(path: string, options: ReadOptions = {}) {
      const { object } = await transport.request({ method: 'GET', path, ...options });
      return object;
    },

    async create<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}) {
      const namespace = object.metadata?.namespace;
      const name = options.subresource === undefined ? undefined : object.metadata?.name;
      const answer = await transport.request({
        method: 'POST',
        path: pathOf(kind, { namespace, name }, options.subresource),
        query: writeQuery(options),
        body: typed(kind, object),
        ...signalOf(options),
      });
      return answer.object as Stored<T>;
    },

    async createSubresource<B, R>(
      kind: Kind,
      ref: ObjectRef,
      subresource: string,
      body: B,
      options: { signal?: AbortSignal } = {},
    ) {
      const path = pathOf(kind, ref, subresource);
      const { object } = await transport.request({ method: 'POST', path, body, ...signalOf(options) });
      return object as R;
    },

    async update<T extends KubeObject>(kind: Kind<T>, object: T, options: WriteOptions = {}) {
      const { namespace, name } = object.metadata ?? {};
      const answer = await transport.request({
        method: 'PUT',
        path: pathOf(kind, { namespace, name }, options.subresource),
        query: writeQuery(options),
        body: typed(kind, object),
        ...signalOf(options),
      });
      return answer.object as Stored<T>;
    },

    async patch<T extends KubeObject>(
      kind: Kind<T>,
      ref: ObjectRef,
      type: keyof typeof PATCH_MEDIA_TYPE,
      patch: unknown,
      options: WriteOptions = {},
    ) {
      const { object } = await transport.request({
        method: 'PATCH',
        path: pathOf(kind, ref, options.subresource),
        query: writeQuery(options),
        body: patch,
        contentType: PATCH_MEDIA_TYPE[type],
        ...signalOf(options),
      });
      return object as Stored<T>;
    },

    async delete<T extends KubeObject>(kind: Kind<T>, ref: ObjectRef, options: DeleteOptions = {}) {
      await transport.request({
        method: 'DELETE',
        path: pathOf(kind, ref),
        body: deleteBody(options),
        ...signalOf(options),
      });
    },

    async deleteCollection<T extends KubeObject>(kind: Kind<T>, selection: ListOptions, options: DeleteOptions = {}) {
      await transport.request({
        method: 'DELETE',
        path: pathOf(kind, { namespace: selection.namespace }),
        query: selectionQuery(selection),
        body: deleteBody(options),
        ...signalOf(options),
      });
    },

    watch<T extends KubeObject>(
      kind: Kind<T>,
      options: WatchOptions,
      onEvent: (event: WatchEvent<Stored<T>>) => void,
      onEnd: (error?: Error) => void,
    ) {
      const { allowWatchBookmarks, sendInitialEvents, timeoutSeconds } = options;
      return transport.watch(
        {
          method: 'GET',
          path: pathOf(kind, { namespace: options.namespace }),
          query: {
            ...selectionQuery(options),
            ...queryOf({
              watch: 'true',
              allowWatchBookmarks: allowWatchBookmarks === undefined ? undefined : String(allowWatchBookmarks),
              sendInitialEvents: sendInitialEvents === undefined ? undefined : String(sendInitialEvents),
              timeoutSeconds: timeoutSeconds === undefined ? undefined : String(timeoutSeconds),
            }),
          },
          ...signalOf(options),
        },
        // The server sends objects of the kind that was asked for.
        onEvent as (event: WatchEvent) => void,
        onEnd,
      );
    },
  };
}

interface RawList {
  readonly metadata?: Partial<ObjectList<KubeObject>['metadata']>;
  readonly items?: readonly KubeObject[] | null;
}

function typedList<T extends KubeObject>(kind: Kind<T>, list: RawList): ObjectList<T> {
  const items = list.items ?? [];
  return {
    metadata: { ...list.metadata, resourceVersion: list.metadata?.resourceVersion ?? '' },
    // Other API servers leave apiVersion and kind out of the items.
    items: (items.every(isTyped) ? items : items.map((item) => Object.freeze(typed(kind, item)))) as Stored<T>[],
  };
}

const isTyped = (object: KubeObject) => object.apiVersion !== undefined && object.kind !== undefined;

function typed<T extends KubeObject>(kind: Kind<T>, object: T): T {
  if (isTyped(object)) return object;
  return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
}

function pathOf(
  kind: Pick<Kind, 'group' | 'version' | 'plural' | 'namespaced'>,
  ref: { namespace?: string | undefined; name?: string | undefined },
  subresource?: string,
): string {
  let path = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  if (kind.namespaced && ref.namespace !== undefined) path += `/namespaces/${encodeURIComponent(ref.namespace)}`;
  path += `/${kind.plural}`;
  if (ref.name !== undefined) path += `/${encodeURIComponent(ref.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}

function queryOf(values: Record<string, string | undefined>): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query[name] = value;
  return query;
}

function selectionQuery(options: ListOptions): Record<string, string> {
  return queryOf({
    labelSelector: options.labelSelector,
    fieldSelector: options.fieldSelector,
    resourceVersion: options.resourceVersion,
    resourceVersionMatch: options.resourceVersionMatch,
    limit: options.limit === undefined ? undefined : String(options.limit),
    continue: options.continue,
  });
}

function writeQuery(options: WriteOptions): Record<string, string> {
  return queryOf({
    fieldManager: options.fieldManager,
    dryRun: options.dryRun === true ? 'All' : undefined,
  });
}

function deleteBody(options: DeleteOptions): object {
  const { signal: _signal, ...rest } = options;
  return { kind: 'DeleteOptions', apiVersion: 'v1', ...rest };
}

function signalOf(options: { signal?: AbortSignal }): { signal?: AbortSignal } {
  return options.signal === undefined ? {} : { signal: options.signal };
}
