/**
 * Bootstrap tokens as bearer tokens: `ID.SECRET`, good while a secret in kube-system says so.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/
 */
import { timingSafeEqual } from 'node:crypto';
import { type Secret, secrets } from '../../apis/core/secret.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Stored } from '../../machinery/kind.ts';
import type { Registry } from '../registry/registry.ts';
import type { User } from '../user.ts';
import type { Authenticator } from './authenticator.ts';
import { bearerToken } from './bearerToken.ts';

const TOKEN = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const TYPE = 'bootstrap.kubernetes.io/token';
const GROUP = 'system:bootstrappers';
const EXTRA_GROUP = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

export class BootstrapTokens {
  readonly #registry: Registry;
  readonly #clock: Clock;

  constructor(registry: Registry, clock: Clock) {
    this.#registry = registry;
    this.#clock = clock;
  }

  /** Must stand before what refuses tokens that it does not know. */
  readonly authenticator: Authenticator = (ctx) => this.userOf(bearerToken(ctx) ?? '');

  /** Whom a token stands for; undefined for one that is none of these, or not good any more. */
  userOf(token: string): Promise<User | undefined> | undefined {
    const parts = TOKEN.exec(token);
    if (parts === null) return undefined;
    const [, id = '', secret = ''] = parts;
    const cache = this.#registry.cache(secrets);
    return cache.start().then(() => {
      const found = cache.object('kube-system', `bootstrap-token-${id}`);
      return found === undefined ? undefined : userOf(found, id, secret, this.#clock.now());
    });
  }
}

function userOf(found: Stored<Secret>, id: string, secret: string, now: number): User | undefined {
  const text = (key: string) => Buffer.from(found.data?.[key] ?? '', 'base64').toString();
  if (found.metadata.deletionTimestamp !== undefined || found.type !== TYPE) return undefined;
  if (text('token-id') !== id || !same(text('token-secret'), secret)) return undefined;
  const expiration = text('expiration');
  // A time that cannot be read is no time to come.
  if (expiration !== '' && !(Date.parse(expiration) > now)) return undefined;
  if (text('usage-bootstrap-authentication') !== 'true') return undefined;
  const extra = text('auth-extra-groups');
  const groups = extra === '' ? [] : extra.split(',');
  if (!groups.every((group) => EXTRA_GROUP.test(group))) return undefined;
  return { name: `system:bootstrap:${id}`, groups: [...new Set([GROUP, ...groups])] };
}

function same(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}
