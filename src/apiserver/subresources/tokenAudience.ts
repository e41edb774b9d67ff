/**
 * For whom a node may have a token of a pod: for those that the pod's volumes name, and no others.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction
 */
import { persistentVolumes } from '../../apis/core/persistentVolume.ts';
import { persistentVolumeClaims } from '../../apis/core/persistentVolumeClaim.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Volume } from '../../apis/core/volumes.ts';
import { csiDrivers } from '../../apis/storage/csiDriver.ts';
import type { Kind, KubeObject, Stored } from '../../machinery/kind.ts';
import { type Authorizer, authorizeAll } from '../authorization/authorizer.ts';
import type { Registry } from '../registry/registry.ts';
import type { User } from '../user.ts';

/** @param audience '' for the API server itself, as volumes say it */
export async function podNamesAudience(registry: Registry, pod: Stored<Pod>, audience: string): Promise<boolean> {
  const volumes = pod.spec?.volumes ?? [];
  const projected = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const isProjected = projected.some(
    (s) => s.serviceAccountToken && (s.serviceAccountToken.audience ?? '') === audience,
  );
  if (isProjected) return true;
  for (const volume of volumes) {
    const driver = await driverOf(registry, pod, volume);
    if (driver === undefined) continue;
    const found = await read(registry, csiDrivers, undefined, driver);
    if (found?.spec?.tokenRequests?.some((request) => request.audience === audience)) return true;
  }
  return false;
}

/** Whether somebody has allowed the node more than that. */
export function mayHaveAudience(
  authorizers: readonly Authorizer[],
  user: User,
  namespace: string,
  account: string,
  audience: string,
): boolean {
  return authorizeAll(authorizers, {
    user,
    verb: 'request-serviceaccounts-token-audience',
    isResource: true,
    group: '',
    version: 'v1',
    resource: audience,
    subresource: '',
    namespace,
    name: account,
    path: '',
  }).allowed;
}

/** The CSI driver of a volume, be it the pod's own or that of a claim. */
async function driverOf(registry: Registry, pod: Stored<Pod>, volume: Volume): Promise<string | undefined> {
  if (volume.csi !== undefined) return volume.csi.driver;
  const claimName =
    volume.persistentVolumeClaim?.claimName ??
    (volume.ephemeral === undefined ? undefined : `${pod.metadata.name}-${volume.name}`);
  if (claimName === undefined) return undefined;
  const claim = await read(registry, persistentVolumeClaims, pod.metadata.namespace, claimName);
  const name = claim?.spec?.volumeName;
  if (!name) return undefined;
  return (await read(registry, persistentVolumes, undefined, name))?.spec?.csi?.driver;
}

async function read<T extends KubeObject>(
  registry: Registry,
  kind: Kind<T>,
  namespace: string | undefined,
  name: string,
): Promise<Stored<T> | undefined> {
  const cache = registry.cache(kind);
  await cache.freshen();
  return cache.object(namespace, name);
}
