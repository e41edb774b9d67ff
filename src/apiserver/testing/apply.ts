/** Applying in tests, and reading who owns what. */

import { parseFieldSet, paths, showPath } from '../../machinery/fieldOwnership/fieldSet.ts';
import type { ManagedFieldsEntry } from '../../machinery/meta.ts';
import type { JsonObject } from '../../machinery/schema/types.ts';
import { ADMIN, type TestServer } from './testServer.ts';

export type Json = Record<string, unknown>;

export interface ApplyOptions {
  /** `me` where absent; none where it is empty */
  readonly manager?: string;
  readonly force?: boolean;
  readonly name?: string;
  readonly subresource?: string;
  readonly dryRun?: string;
  /** where the kind is none that has its path in `PATHS` */
  readonly path?: string;
}

export type Applier = (config: Json, options?: ApplyOptions) => Promise<{ status: number; object: unknown }>;

const PATHS: Readonly<Record<string, string>> = {
  ConfigMap: '/api/v1/namespaces/default/configmaps',
  Service: '/api/v1/namespaces/default/services',
  Pod: '/api/v1/namespaces/default/pods',
  Deployment: '/apis/apps/v1/namespaces/default/deployments',
};

/** Applies as an administrator, in process. */
export function applier(server: TestServer): Applier {
  const transport = server.api.transport(ADMIN);
  return (config, options = {}) => {
    const { manager = 'me', force, subresource, dryRun } = options;
    const meta = config.metadata as { name?: string } | undefined;
    const name = options.name ?? meta?.name ?? '';
    const base = options.path ?? PATHS[config.kind as string] ?? PATHS.ConfigMap;
    const query: Record<string, string> = {};
    if (manager !== '') query.fieldManager = manager;
    if (force !== undefined) query.force = String(force);
    if (dryRun !== undefined) query.dryRun = dryRun;
    return transport.request({
      method: 'PATCH',
      path: `${base}${name === '' ? '' : `/${name}`}${subresource === undefined ? '' : `/${subresource}`}`,
      query,
      contentType: 'application/apply-patch+yaml',
      body: config,
    });
  };
}

/** The fields of each owner, as `manager Operation apiVersion [subresource]`. */
export function ownersOf(object: unknown): Record<string, string[]> {
  const { managedFields = [] } = (object as { metadata: { managedFields?: ManagedFieldsEntry[] } }).metadata;
  return Object.fromEntries(
    managedFields.map((entry) => [
      [entry.manager, entry.operation, entry.apiVersion, entry.subresource]
        .filter((part) => part !== undefined)
        .join(' '),
      paths(parseFieldSet(entry.fieldsV1 as JsonObject)).map((path) => showPath(path).slice(1)),
    ]),
  );
}
