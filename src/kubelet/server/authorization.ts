/**
 * Who may ask the kubelet for what: the API server's answer to a SubjectAccessReview, kept for a while.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/kubelet-authn-authz/
 */
import type { TLSSocket } from 'node:tls';
import { subjectAccessReviews } from '../../apis/authorization/subjectAccessReview.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';

export interface KubeletUser {
  readonly name: string;
  readonly groups: readonly string[];
}

/** The user that a client certificate names: CN is the name, O are the groups. Undefined without a valid one. */
export function userOf(socket: TLSSocket): KubeletUser | undefined {
  if (!socket.authorized) return undefined;
  const subject = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] } | undefined;
  if (!subject?.CN) return undefined;
  const groups = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O];
  return { name: subject.CN, groups: [...groups, 'system:authenticated'] };
}

const ALLOWED_FOR_MS = 5 * 60_000;
const DENIED_FOR_MS = 30_000;
const MAX_KEPT = 1000;

/** The parts of `nodes` that a path belongs to: to be allowed one of them is enough. */
export function subresourcesOf(path: string): readonly string[] {
  const [first = ''] = path.slice(1).split('/');
  return PARTS[first] ?? [REST];
}

const REST = 'proxy';
const PARTS: Readonly<Record<string, readonly string[]>> = {
  stats: ['stats'],
  metrics: ['metrics'],
  logs: ['log'],
  pods: ['pods', REST],
  runningpods: ['pods', REST],
  healthz: ['healthz', REST],
  configz: ['configz', REST],
};

const VERB: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

export class KubeletAuthorizer {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #nodeName: string;
  readonly #known = new Map<string, { allowed: boolean; until: number }>();

  constructor(client: Client, clock: Clock, nodeName: string) {
    this.#client = client;
    this.#clock = clock;
    this.#nodeName = nodeName;
  }

  /** @throws what the API server throws: then the answer is not known, and the request is refused */
  async allows(user: KubeletUser, method: string, path: string): Promise<boolean> {
    const verb = VERB[method] ?? 'get';
    for (const subresource of subresourcesOf(path)) if (await this.#allowed(user, verb, subresource)) return true;
    return false;
  }

  async #allowed(user: KubeletUser, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([user.name, user.groups, verb, subresource]);
    const known = this.#known.get(key);
    if (known !== undefined && known.until > this.#clock.now()) return known.allowed;
    const review = await this.#client.create(subjectAccessReviews, {
      spec: {
        user: user.name,
        groups: [...user.groups],
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: this.#nodeName },
      },
    });
    const allowed = review.status?.allowed === true;
    if (this.#known.size >= MAX_KEPT) this.#known.clear();
    this.#known.set(key, { allowed, until: this.#clock.now() + (allowed ? ALLOWED_FOR_MS : DENIED_FOR_MS) });
    return allowed;
  }
}
