/**
 * Bootstrap tokens: secrets in kube-system by which a new node proves itself, and knows the cluster.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
import type { Secret } from '../../apis/core/secret.ts';

export const BOOTSTRAP_TYPE = 'bootstrap.kubernetes.io/token';

export function textOf(secret: Secret, key: string): string {
  return Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
}

/** When the token expires, in ms since the epoch; undefined: never. What cannot be read has expired. */
export function expirationOf(secret: Secret): number | undefined {
  const text = textOf(secret, 'expiration');
  if (text === '') return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? Number.NEGATIVE_INFINITY : at;
}
