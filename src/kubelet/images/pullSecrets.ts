/**
 * Credentials of registries in the secrets that a pod names.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/pull-image-private-registry/
 */
import type { Secret } from '../../apis/core/secret.ts';
import type { AuthConfig } from '../cri/messages.ts';

type Entries = Record<string, { username?: string; password?: string; auth?: string }>;

/** None where the secret is of another type or malformed. */
export function registryAuths(secret: Secret): AuthConfig[] {
  const json = secret.data?.['.dockerconfigjson'];
  const legacy = secret.data?.['.dockercfg'];
  const encoded = json ?? legacy;
  if (encoded === undefined) return [];
  try {
    const parsed: unknown = JSON.parse(Buffer.from(encoded, 'base64').toString('utf8'));
    const entries = (json === undefined ? parsed : (parsed as { auths?: Entries }).auths) as Entries | undefined;
    return Object.entries(entries ?? {}).map(([server, { username, password, auth }]) => ({
      server_address: server,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(auth === undefined ? {} : { auth }),
    }));
  } catch {
    return [];
  }
}

/** The credentials for an image's registry; without any, one try with none. */
export function authsFor(image: string, auths: readonly AuthConfig[]): readonly (AuthConfig | undefined)[] {
  const registry = hostOf(image);
  const fitting = auths.filter((a) => hostOf(a.server_address ?? '') === registry);
  return fitting.length === 0 ? [undefined] : fitting;
}

/** `https://index.docker.io/v1/`, `docker.io/library/nginx` and `docker.io` have one host. */
function hostOf(address: string): string {
  const host = address.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? 'docker.io' : host;
}
