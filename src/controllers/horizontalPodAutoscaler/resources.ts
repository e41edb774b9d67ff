/** From the kind in a reference to the resources that serve it: what discovery tells. */
import type { Client } from '../../client/client.ts';
import type { GroupVersion } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import { ScalingFailure } from './failure.ts';

/** A resource that objects of the kind are under. */
export interface FoundResource extends GroupVersion {
  readonly plural: string;
}

export interface KindReference {
  readonly apiVersion?: string;
  readonly kind: string;
}

interface ResourceList {
  readonly resources?: readonly { readonly name?: string; readonly kind?: string }[];
}

/**
 * The resources of a kind, in the version that is named, or else in any other that the group is served in.
 * @throws ScalingFailure where there is none
 */
export async function resourcesOf(
  client: Client,
  { apiVersion = '', kind }: KindReference,
  signal: AbortSignal,
): Promise<readonly FoundResource[]> {
  const at = apiVersion.indexOf('/');
  const group = at < 0 ? '' : apiVersion.slice(0, at);
  const named = at < 0 ? apiVersion || 'v1' : apiVersion.slice(at + 1);
  const inVersion = async (version: string): Promise<FoundResource[]> => {
    const list = (await found(client, pathOf({ group, version }), signal)) as ResourceList | undefined;
    return (list?.resources ?? []).flatMap(({ name = '', kind: of }) =>
      of === kind && !name.includes('/') ? [{ group, version, plural: name }] : [],
    );
  };
  const resources = await inVersion(named);
  if (resources.length > 0) return resources;
  const others = (await versionsOf(client, group, signal)).filter((version) => version !== named);
  const all = await Promise.all(others.map(inVersion));
  if (all.every((some) => some.length === 0)) {
    throw new ScalingFailure(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
  }
  return all.flat();
}

/** In which versions a group is served, the preferred one first; none where it is not served. */
export async function versionsOf(client: Client, group: string, signal: AbortSignal): Promise<readonly string[]> {
  if (group === '') return ['v1'];
  const answer = (await found(client, `/apis/${encodeURIComponent(group)}`, signal)) as
    | { versions?: readonly { version?: string }[] }
    | undefined;
  return (answer?.versions ?? []).flatMap(({ version }) => version ?? []);
}

/** Undefined where there is nothing at the path. */
async function found(client: Client, path: string, signal: AbortSignal): Promise<unknown> {
  try {
    return await client.read(path, { signal });
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}

const pathOf = ({ group, version }: GroupVersion) =>
  group === '' ? `/api/${version}` : `/apis/${encodeURIComponent(group)}/${encodeURIComponent(version)}`;
