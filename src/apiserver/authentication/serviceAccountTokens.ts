/**
 * Tokens of service accounts: signed here, bound to an account and often to a pod, good as long as both live.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#bound-service-account-tokens
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import type { JWK, JWTPayload } from 'jose';
import { nodes } from '../../apis/core/node.ts';
import { pods } from '../../apis/core/pod.ts';
import { secrets } from '../../apis/core/secret.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Random } from '../../lib/random.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import { CREDENTIAL_ID, type User } from '../user.ts';
import { LEGACY_ISSUER, type LegacyClaims, type LegacyTokens } from './legacyTokens.ts';

const ALGORITHM = 'ES256';
/** Verified tokens that are remembered; the oldest make room. */
const REMEMBERED_TOKENS = 4096;
/** What a token is bound to may be gone this long before the token is refused: it may still be shutting down. */
const DELETION_LEEWAY_MS = 60_000;

export interface TokenOptions {
  /** PEM, EC P-256 */
  readonly privateKey: string;
  /** `https://kubernetes.default.svc.cluster.local` */
  readonly issuer: string;
  /** The audiences of the API server itself, and of tokens that ask for none. */
  readonly audiences: readonly string[];
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  /** tokens that do not expire */
  readonly legacy: LegacyTokens;
}

export interface Reference {
  readonly name: string;
  readonly uid: string;
}

/** The private claims, under `kubernetes.io`. */
interface KubernetesClaims {
  readonly namespace: string;
  readonly serviceaccount: Reference;
  readonly pod?: Reference;
  readonly secret?: Reference;
  readonly node?: Reference;
}

export interface TokenContent {
  readonly namespace: string;
  readonly serviceAccount: Reference;
  readonly audiences: readonly string[];
  readonly lifetimeSeconds: number;
  readonly pod?: Reference | undefined;
  readonly secret?: Reference | undefined;
  readonly node?: Reference | undefined;
}

interface Verified {
  readonly claims: KubernetesClaims;
  /** of a token that does not expire */
  readonly legacy?: { readonly claims: LegacyClaims; readonly token: string };
  readonly audiences: readonly string[];
  readonly expiresAtMs: number;
  readonly user: User;
}

export interface TokenVerdict {
  readonly user: User;
  readonly audiences: readonly string[];
}

/** The token is not ours, or not good any more; the message says why, for TokenReview. */
export class InvalidTokenError extends Error {
  override readonly name = 'InvalidTokenError';
}

export class ServiceAccountTokens {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly #private: KeyObject;
  readonly #public: KeyObject;
  readonly #options: TokenOptions;
  readonly #verified = new Map<string, Verified>();
  #kid: Promise<string> | undefined;

  constructor(options: TokenOptions) {
    this.#options = options;
    this.issuer = options.issuer;
    this.audiences = options.audiences;
    this.#private = createPrivateKey(options.privateKey);
    this.#public = createPublicKey(this.#private);
  }

  async sign(content: TokenContent): Promise<{ token: string; expiresAtMs: number }> {
    const { SignJWT } = await import('jose');
    const now = Math.floor(this.#options.clock.now() / 1000);
    const expires = now + content.lifetimeSeconds;
    const claims: KubernetesClaims = {
      namespace: content.namespace,
      ...(content.node === undefined ? {} : { node: content.node }),
      ...(content.pod === undefined ? {} : { pod: content.pod }),
      ...(content.secret === undefined ? {} : { secret: content.secret }),
      serviceaccount: content.serviceAccount,
    };
    const token = await new SignJWT({ 'kubernetes.io': claims })
      .setProtectedHeader({ alg: ALGORITHM, kid: await this.keyId() })
      .setAudience([...content.audiences])
      .setIssuer(this.issuer)
      .setSubject(`system:serviceaccount:${content.namespace}:${content.serviceAccount.name}`)
      .setJti(this.#options.random.uuid())
      .setIssuedAt(now)
      .setNotBefore(now)
      .setExpirationTime(expires)
      .sign(this.#private);
    return { token, expiresAtMs: expires * 1000 };
  }

  /**
   * Who a token stands for. Answers at once for a token that was seen before.
   * @param audiences one of which the token must be for
   * @throws InvalidTokenError
   */
  verify(token: string, audiences: readonly string[] = this.audiences): TokenVerdict | Promise<TokenVerdict> {
    const seen = this.#verified.get(token);
    return seen === undefined
      ? this.#read(token).then((verified) => this.#judge(verified, audiences))
      : this.#judge(seen, audiences);
  }

  async #read(token: string): Promise<Verified> {
    const { decodeJwt, jwtVerify } = await import('jose');
    let payload: JWTPayload;
    let isLegacy: boolean;
    try {
      isLegacy = decodeJwt(token).iss === LEGACY_ISSUER;
      ({ payload } = await jwtVerify(token, this.#public, {
        issuer: isLegacy ? LEGACY_ISSUER : this.issuer,
        algorithms: [ALGORITHM],
        requiredClaims: isLegacy ? ['sub'] : ['exp', 'sub', 'aud'],
        currentDate: new Date(this.#options.clock.now()),
      }));
    } catch (e) {
      throw new InvalidTokenError(`the token cannot be verified: ${(e as Error).message}`);
    }
    if (isLegacy) return this.#remember(token, await this.#readLegacy(token, payload));
    const claims = payload['kubernetes.io'] as KubernetesClaims | undefined;
    if (claims?.serviceaccount === undefined) throw new InvalidTokenError('the token is of no service account');
    // The pods' cache and its like may not have been asked for yet.
    const { registry } = this.#options;
    await registry.cache(serviceAccounts).start();
    if (claims.pod !== undefined) await registry.cache(pods).start();
    if (claims.secret !== undefined) await registry.cache(secrets).start();
    if (claims.node !== undefined) await registry.cache(nodes).start();
    const verified: Verified = {
      claims,
      audiences: [payload.aud ?? []].flat(),
      expiresAtMs: (payload.exp ?? 0) * 1000,
      user: userOf(claims, payload.jti),
    };
    return this.#remember(token, verified);
  }

  async #readLegacy(token: string, payload: JWTPayload): Promise<Verified> {
    const { legacy, registry } = this.#options;
    const claims = legacy.read(payload);
    if (claims === undefined) throw new InvalidTokenError('the token does not say whose it is');
    await registry.cache(serviceAccounts).start();
    await registry.cache(secrets).start();
    const { namespace, account, accountUid } = claims;
    return {
      claims: { namespace, serviceaccount: { name: account, uid: accountUid } },
      legacy: { claims, token },
      audiences: this.audiences,
      expiresAtMs: Number.POSITIVE_INFINITY,
      user: { ...serviceAccountUser(namespace, account), uid: accountUid },
    };
  }

  #remember(token: string, verified: Verified): Verified {
    if (this.#verified.size >= REMEMBERED_TOKENS) {
      const oldest = this.#verified.keys().next();
      if (!oldest.done) this.#verified.delete(oldest.value);
    }
    this.#verified.set(token, verified);
    return verified;
  }

  /** Hot path for every request with a token: whether all it is bound to is still there. */
  #judge(
    { claims, legacy, audiences: granted, expiresAtMs, user }: Verified,
    audiences: readonly string[],
  ): TokenVerdict {
    const now = this.#options.clock.now();
    if (expiresAtMs <= now) throw new InvalidTokenError('the token has expired');
    const common = audiences.filter((a) => granted.includes(a));
    if (common.length === 0) {
      throw new InvalidTokenError(`the token is for the audiences ${JSON.stringify(granted)}, not for this one`);
    }
    const { registry } = this.#options;
    const { namespace, serviceaccount, pod, secret, node } = claims;
    const check = (what: string, wanted: Reference, found: Stored<object> | undefined) => {
      if (found === undefined || found.metadata.uid !== wanted.uid) {
        throw new InvalidTokenError(`the ${what} ${JSON.stringify(wanted.name)} of the token is not there any more`);
      }
      const deleted = found.metadata.deletionTimestamp;
      if (deleted !== undefined && Date.parse(deleted) + DELETION_LEEWAY_MS < now) {
        throw new InvalidTokenError(`the ${what} ${JSON.stringify(wanted.name)} of the token is being deleted`);
      }
    };
    check('service account', serviceaccount, registry.cache(serviceAccounts).object(namespace, serviceaccount.name));
    if (pod !== undefined) check('pod', pod, registry.cache(pods).object(namespace, pod.name));
    if (secret !== undefined) check('secret', secret, registry.cache(secrets).object(namespace, secret.name));
    if (node !== undefined && pod === undefined)
      check('node', node, registry.cache(nodes).object(undefined, node.name));
    const fault = legacy === undefined ? undefined : this.#options.legacy.fault(legacy.claims, legacy.token);
    if (fault !== undefined) throw new InvalidTokenError(fault);
    return { user, audiences: common };
  }

  /** The public key, as the JWKS document carries it. */
  async jwk(): Promise<JWK> {
    const { exportJWK } = await import('jose');
    return { use: 'sig', alg: ALGORITHM, kid: await this.keyId(), ...(await exportJWK(this.#public)) };
  }

  /** The thumbprint of the key (RFC 7638). */
  keyId(): Promise<string> {
    this.#kid ??= import('jose').then(async (jose) => jose.calculateJwkThumbprint(await jose.exportJWK(this.#public)));
    return this.#kid;
  }
}

function userOf(claims: KubernetesClaims, jti: string | undefined): User {
  const { namespace, serviceaccount, pod, node } = claims;
  return {
    ...serviceAccountUser(namespace, serviceaccount.name),
    uid: serviceaccount.uid,
    extra: {
      ...(jti === undefined ? {} : { [CREDENTIAL_ID]: [`JTI=${jti}`] }),
      ...(pod === undefined
        ? {}
        : { 'authentication.kubernetes.io/pod-name': [pod.name], 'authentication.kubernetes.io/pod-uid': [pod.uid] }),
      ...(node === undefined
        ? {}
        : {
            'authentication.kubernetes.io/node-name': [node.name],
            'authentication.kubernetes.io/node-uid': [node.uid],
          }),
    },
  };
}

/** The user that a service account is. */
export function serviceAccountUser(namespace: string, name: string): User {
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
  };
}
