/** Signs tokens of service accounts that do not expire: they are good for as long as their secret is there. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { TokenSubject } from './plan.ts';

const ISSUER = 'kubernetes/serviceaccount';
const CLAIM = 'kubernetes.io/serviceaccount/';
const ALGORITHM = 'ES256';

/** @param privateKey PEM, EC P-256: the same by which the API server knows the tokens that it issues */
export function tokenSigner(privateKey: string): (subject: TokenSubject) => Promise<string> {
  const key = createPrivateKey(privateKey);
  return async ({ namespace, account, accountUid, secret }) => {
    const { SignJWT, calculateJwkThumbprint, exportJWK } = await import('jose');
    const kid = await calculateJwkThumbprint(await exportJWK(createPublicKey(key)));
    const claims = {
      [`${CLAIM}namespace`]: namespace,
      [`${CLAIM}secret.name`]: secret,
      [`${CLAIM}service-account.name`]: account,
      [`${CLAIM}service-account.uid`]: accountUid,
    };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, kid })
      .setIssuer(ISSUER)
      .setSubject(`system:serviceaccount:${namespace}:${account}`)
      .sign(key);
  };
}
