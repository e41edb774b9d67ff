/**
 * Secrets that hold a token of a service account which does not expire: they are filled for the account that they name,
 * and go with it.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#token-controller
 */
import { type Secret, secrets } from '../../apis/core/secret.ts';
import { type ServiceAccount, serviceAccounts } from '../../apis/core/serviceAccount.ts';
import type { Client } from '../../client/client.ts';
import type { Kind, Stored } from '../../machinery/kind.ts';
import { isApiError } from '../../machinery/status.ts';
import type { Action } from '../action.ts';

export const TOKEN_TYPE = 'kubernetes.io/service-account-token';
const ACCOUNT_NAME = 'kubernetes.io/service-account.name';
const ACCOUNT_UID = 'kubernetes.io/service-account.uid';

/** Which account a token speaks for, and in which secret it is. */
export interface TokenSubject {
  readonly namespace: string;
  readonly account: string;
  readonly accountUid: string;
  readonly secret: string;
}

export interface TokenWorld {
  readonly secret: Stored<Secret>;
  readonly account: Stored<ServiceAccount> | undefined;
  /** PEM */
  readonly clusterCA: string;
  sign(subject: TokenSubject): Promise<string>;
  /** asked whether an account is truly gone before its token is taken away */
  readonly client: Client;
}

/** The name of the account that a secret is for; undefined for other secrets. */
export function accountOf(secret: Secret): string | undefined {
  return secret.type === TOKEN_TYPE ? secret.metadata?.annotations?.[ACCOUNT_NAME] : undefined;
}

function isOf(secret: Secret, account: Stored<ServiceAccount>): boolean {
  const uid = secret.metadata?.annotations?.[ACCOUNT_UID] ?? '';
  return uid === '' || uid === account.metadata.uid;
}

export function planToken(world: TokenWorld): Action[] {
  const { secret, account, client } = world;
  const name = accountOf(secret);
  if (name === undefined || secret.metadata.deletionTimestamp !== undefined) return [];
  if (account !== undefined && isOf(secret, account)) return filling(world, account);
  const run = async (signal: AbortSignal): Promise<Action[]> => {
    const ref = { namespace: secret.metadata.namespace, name };
    const live = await client.get(serviceAccounts, ref, { signal }).catch(absent);
    return live !== undefined && isOf(secret, live) ? [] : [{ verb: 'delete', kind: secrets as Kind, object: secret }];
  };
  return [{ verb: 'work', run }];
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'NotFound')) return undefined;
  throw error;
}

/** What a token's secret must hold: the token, and what its bearer needs besides. */
function filling({ secret, clusterCA, sign }: TokenWorld, account: Stored<ServiceAccount>): Action[] {
  const { name, namespace = '', annotations } = secret.metadata;
  const { uid } = account.metadata;
  const wanted = { 'ca.crt': base64(clusterCA), namespace: base64(namespace) };
  const hasToken = (secret.data?.token ?? '') !== '';
  const isWhole =
    hasToken &&
    secret.data?.['ca.crt'] === wanted['ca.crt'] &&
    secret.data.namespace === wanted.namespace &&
    annotations?.[ACCOUNT_UID] === uid;
  if (isWhole) return [];
  const run = async (): Promise<Action[]> => {
    const subject = { namespace, account: account.metadata.name, accountUid: uid, secret: name };
    const token: Record<string, string> = hasToken ? {} : { token: base64(await sign(subject)) };
    const object: Secret = {
      ...secret,
      metadata: { ...secret.metadata, annotations: { ...annotations, [ACCOUNT_UID]: uid } },
      data: { ...secret.data, ...wanted, ...token },
    };
    return [{ verb: 'update', kind: secrets as Kind, object }];
  };
  return [{ verb: 'work', run }];
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** An account lists no secret that is gone. */
export function withoutSecret(account: Stored<ServiceAccount>, secret: string): Action[] {
  const left = (account.secrets ?? []).filter((reference) => reference.name !== secret);
  if (left.length === (account.secrets ?? []).length) return [];
  const object: ServiceAccount = { ...account, secrets: left };
  return [{ verb: 'update', kind: serviceAccounts as Kind, object }];
}
