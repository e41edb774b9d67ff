/** What other API servers have in namespaces: it goes with them, too. */
import { apiServices } from '../../apis/apiregistration/apiService.ts';
import type { Client } from '../../client/client.ts';
import { defineKind, type Kind, type KubeObject, type Verb } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { object, opt } from '../../machinery/schema/types.ts';

const AnyObject = object('RemoteObject', () => ({ metadata: opt(undefined, ObjectMeta) }));

export interface RemoteKinds {
  readonly kinds: readonly Kind[];
  /** Why it is not known what some of them have. */
  readonly failure: Error | undefined;
}

/** Asked for when a namespace goes: hardly any cluster has such servers. @throws ApiError */
export async function remoteKinds(client: Client, signal: AbortSignal): Promise<RemoteKinds> {
  const { items } = await client.list(apiServices, { signal });
  const kinds: Kind[] = [];
  const failures: string[] = [];
  await Promise.all(
    items.map(async ({ spec }) => {
      if (spec?.service === undefined) return;
      const { group = '', version = '' } = spec;
      try {
        kinds.push(...kindsIn({ group, version }, await client.read(`/apis/${group}/${version}`, { signal })));
      } catch (error) {
        failures.push(`${group}/${version}: ${(error as Error).message}`);
      }
    }),
  );
  if (failures.length === 0) return { kinds, failure: undefined };
  const message = `unable to retrieve the complete list of server APIs: ${failures.sort().join(', ')}`;
  return { kinds, failure: new Error(message) };
}

/** @param list as a stranger's server tells it */
function kindsIn(gv: { group: string; version: string }, list: unknown): Kind[] {
  const resources = (list as { resources?: unknown } | null)?.resources;
  if (!Array.isArray(resources)) return [];
  return resources.flatMap((resource: Record<string, unknown> | null) => {
    const { name, kind, namespaced, verbs } = resource ?? {};
    if (typeof name !== 'string' || typeof kind !== 'string' || namespaced !== true) return [];
    if (name === '' || name.includes('/') || !Array.isArray(verbs)) return [];
    const known = verbs.filter((verb): verb is Verb => typeof verb === 'string');
    return [defineKind<KubeObject>({ ...gv, kind, plural: name, verbs: known, schema: AnyObject })];
  });
}
