/**
 * Who shows a token, as programs within pods do: the API server says whose it is, and that is kept for a while.
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/#kubelet-authentication
 */
import { createHash } from 'node:crypto';
import { tokenReviews } from '../../apis/authentication/tokenReview.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { KubeletUser } from './authorization.ts';

const KEPT_MS = 2 * 60_000;
const MAX_KEPT = 1000;
const BEARER = /^bearer ([^ ]+)$/i;

export class BearerTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  /** by the token's hash, so that no token is kept */
  readonly #known = new Map<string, { user: KubeletUser | undefined; until: number }>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** @param header `Authorization`; undefined where it names nobody. @throws what the API server throws */
  async userOf(header: string | undefined): Promise<KubeletUser | undefined> {
    const token = BEARER.exec(header ?? '')?.[1];
    if (token === undefined) return undefined;
    const key = createHash('sha256').update(token).digest('base64');
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#clock.now()) return known.user;
    const { status } = await this.#client.create(tokenReviews, { spec: { token } });
    const { username = '', groups = [] } = status?.user ?? {};
    const user = status?.authenticated === true ? { name: username, groups } : undefined;
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    this.#known.set(key, { user, until: this.#clock.now() + KEPT_MS });
    return user;
  }
}
