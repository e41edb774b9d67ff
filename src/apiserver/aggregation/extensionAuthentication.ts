/**
 * What other API servers must know to believe this one and the users that it tells them of: published in a ConfigMap
 * that they may read.
 * Source: https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/#original-request-username-and-group
 */
import { type ConfigMap, configMaps } from '../../apis/core/configMap.ts';
import type { Client } from '../../client/client.ts';
import { isApiError } from '../../machinery/status.ts';
import type { Registry } from '../registry/registry.ts';
import { HEADER_NAMES } from './identityHeaders.ts';

const NAMESPACE = 'kube-system';
const NAME = 'extension-apiserver-authentication';

export interface ExtensionAuthentication {
  /** PEM: who issues the certificates of clients */
  readonly clientCA: string;
  /** absent: this server has no certificate for other API servers */
  readonly frontProxy: { readonly ca: string; readonly commonName: string } | undefined;
}

/** @throws ApiError */
export async function publishAuthentication(
  registry: Registry,
  client: Client,
  { clientCA, frontProxy }: ExtensionAuthentication,
): Promise<void> {
  const list = (...names: string[]) => JSON.stringify(names);
  const data: Record<string, string> = { 'client-ca-file': clientCA };
  if (frontProxy !== undefined) {
    Object.assign(data, {
      'requestheader-allowed-names': list(frontProxy.commonName),
      'requestheader-client-ca-file': frontProxy.ca,
      'requestheader-extra-headers-prefix': list(HEADER_NAMES.extraPrefix),
      'requestheader-group-headers': list(HEADER_NAMES.group),
      'requestheader-uid-headers': list(HEADER_NAMES.uid),
      'requestheader-username-headers': list(HEADER_NAMES.username),
    });
  }
  const cache = registry.cache(configMaps);
  await cache.freshen();
  const found = cache.object(NAMESPACE, NAME);
  try {
    if (found === undefined) {
      await client.create(configMaps, { metadata: { namespace: NAMESPACE, name: NAME }, data });
    } else if (Object.entries(data).some(([key, value]) => found.data?.[key] !== value)) {
      await client.update(configMaps, { ...found, data: { ...found.data, ...data } } as ConfigMap);
    }
  } catch (error) {
    // Another API server was faster.
    if (!isApiError(error, 'AlreadyExists') && !isApiError(error, 'Conflict')) throw error;
  }
}
