/**
 * Tokens of service accounts that do not expire: they are in a secret, and good for as long as it holds them.
 * Source: https://kubernetes.io/docs/concepts/security/service-accounts/#authenticating-credentials
 */
import type { JWTPayload } from 'jose';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { formatTime } from '../../machinery/time.ts';
import type { Registry } from '../registry/registry.ts';

export const LEGACY_ISSUER = 'kubernetes/serviceaccount';
const CLAIM = 'kubernetes.io/serviceaccount/';
const INVALID_SINCE = 'kubernetes.io/legacy-token-invalid-since';
const LAST_USED = 'kubernetes.io/legacy-token-last-used';

export interface LegacyClaims {
  readonly namespace: string;
  readonly account: string;
  readonly accountUid: string;
  readonly secret: string;
}

export interface LegacyTokensOptions {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly log: Logger;
  /** notes the use of tokens; undefined until the server has started */
  client(): Client | undefined;
}

export class LegacyTokens {
  readonly #o: LegacyTokensOptions;
  /** the day for which the use of a secret was noted, by its key */
  readonly #noted = new Map<string, string>();

  constructor(options: LegacyTokensOptions) {
    this.#o = options;
  }

  /** Undefined for a token that does not say whose it is. */
  read(payload: JWTPayload): LegacyClaims | undefined {
    const claim = (name: string) => {
      const value = payload[`${CLAIM}${name}`];
      return typeof value === 'string' ? value : '';
    };
    const namespace = claim('namespace');
    const account = claim('service-account.name');
    const claims = { namespace, account, accountUid: claim('service-account.uid'), secret: claim('secret.name') };
    const isWhole = Object.values(claims).every((value) => value !== '');
    return isWhole && payload.sub === `system:serviceaccount:${namespace}:${account}` ? claims : undefined;
  }

  /** Why the token is not good any more; undefined where it is, which is noted then. */
  fault(claims: LegacyClaims, token: string): string | undefined {
    const found = this.#o.registry.cache(secrets).object(claims.namespace, claims.secret);
    if (found === undefined || found.metadata.deletionTimestamp !== undefined) return 'the token has been invalidated';
    if (Buffer.from(found.data?.token ?? '', 'base64').toString() !== token) {
      return 'the token is not the one in its secret';
    }
    if (found.metadata.labels?.[INVALID_SINCE] !== undefined) {
      return 'the token has not been used for long and is marked invalid: use tokens that expire instead';
    }
    this.#note(found);
    return undefined;
  }

  /** Once a day, and not while anybody waits. */
  #note(secret: Stored<Secret>): void {
    const { namespace, name, labels } = secret.metadata;
    const today = formatTime(this.#o.clock.now()).slice(0, 10);
    const key = `${namespace}/${name}`;
    if (labels?.[LAST_USED] === today || this.#noted.get(key) === today) return;
    this.#noted.set(key, today);
    const patch = { metadata: { labels: { [LAST_USED]: today } } };
    this.#o
      .client()
      ?.patch(secrets as Kind, { namespace, name }, 'merge', patch)
      .catch((error: unknown) => {
        this.#noted.delete(key);
        this.#o.log.warn('the use of a token could not be noted', { secret: key, err: error });
      });
  }
}
