/**
 * What lets further nodes join: tokens, the public description of the cluster, and the rights of those who come with a
 * token. Made when the first token is, so that a cluster of one node has none of it.
 *
 * Source: https://kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens/ and
 * https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/
 */
import { randomInt } from 'node:crypto';
import { type ConfigMap, configMaps } from '../apis/core/configMap.ts';
import { type Secret, secrets } from '../apis/core/secret.ts';
import { type ClusterRole, clusterRoles } from '../apis/rbac/clusterRole.ts';
import { type ClusterRoleBinding, clusterRoleBindings } from '../apis/rbac/clusterRoleBinding.ts';
import { type Role, roles } from '../apis/rbac/role.ts';
import { type RoleBinding, roleBindings } from '../apis/rbac/roleBinding.ts';
import type { PolicyRule, Subject } from '../apis/rbac/rules.ts';
import type { Client } from '../client/client.ts';
import type { Clock } from '../lib/clock.ts';
import { jsonEqual } from '../machinery/jsonEqual.ts';
import type { Kind, KubeObject } from '../machinery/kind.ts';
import { isApiError, type StatusReason } from '../machinery/status.ts';
import { formatTime } from '../machinery/time.ts';
import type { ClusterNetwork } from './config.ts';
import { ClusterError } from './errors.ts';
import { serverKubeconfig } from './kubeconfig.ts';
import { NODE_USERS } from './machineNode.ts';

const TOKEN_TYPE = 'bootstrap.kubernetes.io/token';
const TOKEN_NAMESPACE = 'kube-system';
const NAME_PREFIX = 'bootstrap-token-';
const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const ID_LENGTH = 6;
const SECRET_LENGTH = 16;

/** Who comes with a token. */
const NEW_NODES = 'system:bootstrappers:kubets:default-node-token';
const NODES = 'system:nodes';

/** Where a new node reads what all nodes must agree on. */
export const NETWORK_MAP = { namespace: 'kube-system', name: 'kubets-network' } as const;
export const CLUSTER_INFO = { namespace: 'kube-public', name: 'cluster-info' } as const;

export interface TokenInfo {
  readonly id: string;
  /** ms since the epoch; undefined: never */
  readonly expiresAt: number | undefined;
  readonly description: string;
}

/** Before the id of a token, where the description of the cluster is signed with it. */
export const SIGNATURE_PREFIX = 'jws-kubeconfig-';
const SIGNED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

/** Of which the cluster's description must be there. @returns `ID.SECRET` @param ttlMs 0: it does not expire */
export async function createToken(
  client: Client,
  clock: Clock,
  { ttlMs, description = '' }: { ttlMs: number; description?: string },
): Promise<string> {
  const id = randomText(ID_LENGTH);
  const secret = randomText(SECRET_LENGTH);
  const text: Record<string, string> = {
    'token-id': id,
    'token-secret': secret,
    'usage-bootstrap-authentication': 'true',
    'usage-bootstrap-signing': 'true',
    'auth-extra-groups': NEW_NODES,
    ...(ttlMs === 0 ? {} : { expiration: formatTime(clock.now() + ttlMs) }),
    ...(description === '' ? {} : { description }),
  };
  const data = Object.fromEntries(Object.entries(text).map(([k, v]) => [k, Buffer.from(v).toString('base64')]));
  const metadata = { namespace: TOKEN_NAMESPACE, name: `${NAME_PREFIX}${id}` };
  await client.create<Secret>(secrets, { metadata, type: TOKEN_TYPE, data });
  await isSigned(client, clock, id);
  return `${id}.${secret}`;
}

/** Resolves when the description of the cluster is signed with a token. @throws ClusterError where nobody does that */
async function isSigned(client: Client, clock: Clock, id: string): Promise<void> {
  const deadline = clock.monotonic() + SIGNED_WITHIN_MS;
  for (;;) {
    const found = await client.get(configMaps, CLUSTER_INFO).catch(absent);
    if (found?.data?.[`${SIGNATURE_PREFIX}${id}`] !== undefined) return;
    if (clock.monotonic() > deadline)
      throw new ClusterError('the cluster does not sign with the token; kubets logs says why');
    await clock.sleep(LOOK_EVERY_MS);
  }
}

export async function listTokens(client: Client): Promise<TokenInfo[]> {
  const { items } = await client.list(secrets, {
    namespace: TOKEN_NAMESPACE,
    fieldSelector: `type=${TOKEN_TYPE}`,
  });
  const text = (secret: Secret, key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString();
  return items.map((secret) => {
    const expiration = text(secret, 'expiration');
    return {
      id: text(secret, 'token-id'),
      expiresAt: expiration === '' ? undefined : Date.parse(expiration),
      description: text(secret, 'description'),
    };
  });
}

/** @param token whole, or its id @throws ClusterError where there is none */
export async function deleteToken(client: Client, token: string): Promise<void> {
  const name = `${NAME_PREFIX}${token.split('.')[0]}`;
  try {
    await client.delete(secrets, { namespace: TOKEN_NAMESPACE, name });
  } catch (error) {
    if (isApiError(error, 'NotFound')) throw new ClusterError(`there is no token ${token.split('.')[0]}`);
    throw error;
  }
}

function randomText(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('');
}

/**
 * Describes the cluster to those who come, and gives them the right to become nodes.
 * @param client as an administrator @param ca PEM
 */
export async function ensureJoinable(
  client: Client,
  cluster: { readonly server: string; readonly ca: string; readonly network: ClusterNetwork },
): Promise<void> {
  const { server, ca, network } = cluster;
  const wanted: [Kind, KubeObject][] = [
    pair<Role>(roles, {
      metadata: CLUSTER_INFO_READER,
      rules: [rule('get', '', 'configmaps', [CLUSTER_INFO.name])],
    }),
    // Who comes knows nothing and is nobody yet: what is read is signed with the token.
    pair<RoleBinding>(roleBindings, {
      metadata: CLUSTER_INFO_READER,
      roleRef: { apiGroup: GROUP, kind: 'Role', name: CLUSTER_INFO_READER.name },
      subjects: [{ kind: 'User', apiGroup: GROUP, name: 'system:anonymous' }],
    }),
    pair<Role>(roles, { metadata: NETWORK_READER, rules: [rule('get', '', 'configmaps', [NETWORK_MAP.name])] }),
    pair<RoleBinding>(roleBindings, {
      metadata: NETWORK_READER,
      roleRef: { apiGroup: GROUP, kind: 'Role', name: NETWORK_READER.name },
      subjects: [group(NEW_NODES), group(NODES)],
    }),
    pair<ConfigMap>(configMaps, { metadata: { ...NETWORK_MAP }, data: { network: JSON.stringify(network) } }),
    pair<ClusterRole>(clusterRoles, {
      metadata: { name: 'kubets:get-nodes' },
      rules: [{ verbs: ['get'], apiGroups: [''], resources: ['nodes'] }],
    }),
    binding('kubets:get-nodes', 'kubets:get-nodes', NEW_NODES),
    binding('kubets:kubelet-bootstrap', 'system:node-bootstrapper', NEW_NODES),
    binding('kubets:node-autoapprove-bootstrap', `${APPROVED}:nodeclient`, NEW_NODES),
    binding('kubets:node-autoapprove-certificate-rotation', `${APPROVED}:selfnodeclient`, NODES),
    pair<ClusterRole>(clusterRoles, {
      metadata: { name: 'kubets:node-parts' },
      rules: [rule('impersonate', '', 'users', Object.values(NODE_USERS))],
    }),
    binding('kubets:node-parts', 'kubets:node-parts', NODES),
  ];
  await Promise.all(wanted.map(([kind, object]) => put(client, kind, object)));
  await describe(client, serverKubeconfig(server, ca));
}

const GROUP = 'rbac.authorization.k8s.io';
const APPROVED = 'system:certificates.k8s.io:certificatesigningrequests';
const CLUSTER_INFO_READER = { namespace: CLUSTER_INFO.namespace, name: 'kubets:cluster-info' };
const NETWORK_READER = { namespace: NETWORK_MAP.namespace, name: 'kubets:network' };

const pair = <T extends KubeObject>(kind: Kind<T>, object: T): [Kind, KubeObject] => [kind as unknown as Kind, object];
const group = (name: string): Subject => ({ kind: 'Group', apiGroup: GROUP, name });
const rule = (verb: string, apiGroup: string, resource: string, resourceNames: readonly string[]): PolicyRule => ({
  verbs: [verb],
  apiGroups: [apiGroup],
  resources: [resource],
  resourceNames: [...resourceNames],
});

function binding(name: string, role: string, to: string): [Kind, KubeObject] {
  return pair<ClusterRoleBinding>(clusterRoleBindings, {
    metadata: { name },
    roleRef: { apiGroup: GROUP, kind: 'ClusterRole', name: role },
    subjects: [group(to)],
  });
}

/** The signatures on the description are the bootstrap signer's: only the rest is ours. */
const describe = (client: Client, kubeconfig: string): Promise<void> =>
  change<ConfigMap>(client, configMaps, CLUSTER_INFO, (found) => ({
    ...(found ?? { metadata: { ...CLUSTER_INFO } }),
    data: { ...found?.data, kubeconfig },
  }));

function put(client: Client, kind: Kind, wanted: KubeObject): Promise<void> {
  const { metadata, ...content } = wanted;
  const { namespace = '', name = '' } = metadata ?? {};
  return change(client, kind, { namespace, name }, (found) =>
    found === undefined ? wanted : { ...found, ...content },
  );
}

/** Others may do the same at the same time. */
const ATTEMPTS = 10;
const RACES: readonly StatusReason[] = ['AlreadyExists', 'Conflict', 'NotFound'];

async function change<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  ref: { readonly namespace: string; readonly name: string },
  wanted: (found: T | undefined) => T,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const found = await client.get(kind, ref).catch(absent);
    const object = wanted(found);
    try {
      if (found === undefined) await client.create(kind, object);
      else if (!jsonEqual(object, found)) await client.update(kind, object);
      return;
    } catch (error) {
      const isRace = RACES.some((reason) => isApiError(error, reason));
      if (!isRace || attempt >= ATTEMPTS) throw error;
    }
  }
}

function absent(error: unknown): undefined {
  if (isApiError(error, 'NotFound')) return undefined;
  throw error;
}
