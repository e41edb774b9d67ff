/** Tokens of service accounts for projected volumes: asked for, kept, renewed before they run out. */
import type { TokenRequest } from '../../apis/authentication/tokenRequest.ts';
import { type Pod, pods } from '../../apis/core/pod.ts';
import { serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';

/** A token is renewed when this part of its life is over, and daily at the latest. */
const RENEW_AT = 0.8;
const DAY_MS = 24 * 3600 * 1000;

interface Kept {
  readonly token: string;
  readonly renewAt: number;
}

export class PodTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();

  constructor(client: Client, clock: Clock) {
    this.#client = client;
    this.#clock = clock;
  }

  /** @throws ApiError, TransportError */
  async token(pod: Pod, audience: string, expirationSeconds: number): Promise<string> {
    const { uid = '', name = '', namespace = '' } = pod.metadata ?? {};
    const key = `${uid}/${audience}/${expirationSeconds}`;
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.renewAt > this.#clock.now()) return kept.token;
    const request: TokenRequest = {
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: pods.kind, name, uid },
      },
    };
    const account = { namespace, name: pod.spec?.serviceAccountName || 'default' };
    const answer = await this.#client.createSubresource<TokenRequest, TokenRequest>(
      serviceAccounts,
      account,
      'token',
      request,
    );
    const now = this.#clock.now();
    const until = Date.parse(answer.status?.expirationTimestamp ?? '') || now + expirationSeconds * 1000;
    const token = answer.status?.token ?? '';
    this.#kept.set(key, { token, renewAt: now + Math.min((until - now) * RENEW_AT, DAY_MS) });
    return token;
  }

  /** When the first of a pod's tokens is to be renewed, in ms since the epoch. */
  renewAt(uid: string): number | undefined {
    const times = [...this.#kept].filter(([key]) => key.startsWith(`${uid}/`)).map(([, kept]) => kept.renewAt);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** A pod is gone. */
  forget(uid: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${uid}/`)) this.#kept.delete(key);
  }
}
