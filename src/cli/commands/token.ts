/** `kubets token create|list|delete` */

import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/createClient.ts';
import { createHttpTransport } from '../../client/http.ts';
import { type ClusterConfig, nodeIPOf } from '../../cluster/config.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { createToken, deleteToken, ensureJoinable, listTokens } from '../../cluster/joining.ts';
import { hashOfCA, networkOf, tunnelNumberOf } from '../../cluster/membership.ts';
import { SystemClock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import { humanDuration } from '../../machinery/time.ts';
import { accessOf } from '../access.ts';
import { existingCluster } from '../cluster.ts';
import type { ClusterFlags } from '../flags.ts';

const say = (line: string) => process.stdout.write(`${line}\n`);
/** Each node has so many bits of the range. */
const NODE_MASK = 24;
const LOOPBACK = /^(127\.|::1$|localhost$)/;

interface Administered {
  readonly config: ClusterConfig;
  /** PEM */
  readonly ca: string;
  readonly client: Client;
}

/** @throws ClusterError */
export async function create(flags: ClusterFlags & { ttl: string; description?: string }): Promise<void> {
  const ttlMs = durationOf(flags.ttl);
  await asAdministrator(flags, async ({ config, ca, client }) => {
    const address = config.advertiseAddress ?? nodeIPOf(config);
    if (LOOPBACK.test(config.bindAddress)) {
      throw new ClusterError(`nodes cannot reach ${config.bindAddress}; start the cluster with another --bind-address`);
    }
    const network = networkOf(config);
    if (Number(network.clusterCIDR.split('/')[1]) >= NODE_MASK) {
      throw new ClusterError(
        `${network.clusterCIDR}, where the pods of ${config.name} have their addresses, is too small for further nodes; start another cluster, with --cluster-cidr`,
      );
    }
    const server = `https://${address}:${config.port}`;
    await ensureJoinable(client, { server, ca, network: { ...network, vni: tunnelNumberOf(ca) } });
    const description = flags.description === undefined ? {} : { description: flags.description };
    const token = await createToken(client, new SystemClock(), { ttlMs, ...description });
    say(`kubets join ${server} --token ${token} --ca-hash ${hashOfCA(ca)}`);
  });
}

/** @throws ClusterError */
export async function list(flags: ClusterFlags): Promise<void> {
  await asAdministrator(flags, async ({ client }) => {
    const now = new SystemClock().now();
    const rows = (await listTokens(client)).map(({ id, expiresAt, description }) => [
      id,
      expiresAt === undefined ? 'never' : expiresAt > now ? `in ${humanDuration(expiresAt - now)}` : 'expired',
      description,
    ]);
    for (const [id = '', expires = '', description = ''] of [['TOKEN', 'EXPIRES', 'DESCRIPTION'], ...rows]) {
      say(`${id.padEnd(9)}${expires.padEnd(12)}${description}`.trimEnd());
    }
  });
}

/** @throws ClusterError */
export async function remove(token: string, flags: ClusterFlags): Promise<void> {
  await asAdministrator(flags, async ({ client }) => {
    await deleteToken(client, token);
    say(`deleted ${token.split('.')[0]}`);
  });
}

/** @throws ClusterError where the cluster is not this machine's, or does not answer */
async function asAdministrator(flags: ClusterFlags, work: (cluster: Administered) => Promise<void>): Promise<void> {
  const { config, paths } = existingCluster(flags);
  if (config.joined !== undefined) {
    throw new ClusterError(`this machine is a node; tokens are made where the cluster is, at ${config.joined.server}`);
  }
  const { server, ca, cert, key } = await accessOf(config, paths);
  const transport = createHttpTransport({ server, ca, cert, key, clock: new SystemClock() });
  try {
    await work({ config, ca, client: createClient(transport) });
  } catch (error) {
    if ((error as Error).name !== 'TransportError') throw error;
    throw new ClusterError(
      `the cluster ${config.name} does not answer (${(error as Error).message}); start it with kubets up`,
    );
  } finally {
    await transport.close();
  }
}

/** @throws ClusterError */
function durationOf(text: string): number {
  if (text === '0') return 0;
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new ClusterError(`--ttl ${text} is no time: write it as 24h, or 0 for no end`);
  return ms;
}
