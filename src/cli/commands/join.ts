/** `kubets join` */
import { createClient } from '../../client/createClient.ts';
import { createHttpTransport } from '../../client/http.ts';
import { type ClusterConfig, type ClusterPaths, dataDirOf, pathsOf, readConfig } from '../../cluster/config.ts';
import { discover, serverUrl } from '../../cluster/discovery.ts';
import { assertCanProxy, makeJoinedConfig } from '../../cluster/ensureConfig.ts';
import { ClusterError } from '../../cluster/errors.ts';
import { becomeNode, keepIdentity } from '../../cluster/nodeCertificates.ts';
import { assertCanRunContainers } from '../../cluster/prerequisites.ts';
import { defaultNodeName } from '../../kubelet/node/nodeStatus.ts';
import { SystemClock } from '../../lib/clock.ts';
import { dnsSubdomain } from '../../machinery/names.ts';
import { isApiError } from '../../machinery/status.ts';
import type { ProxyMode } from '../../proxy/modes.ts';
import type { ClusterFlags } from '../flags.ts';
import { Steps } from '../steps.ts';
import { install, startNode } from './up.ts';

export interface JoinFlags extends ClusterFlags {
  readonly token: string;
  readonly caHash: string;
  readonly nodeName?: string;
  readonly nodeIp?: string;
  readonly proxyMode?: ProxyMode;
  readonly foreground?: boolean;
  /** false with --no-install */
  readonly install: boolean;
}

/** @throws ClusterError */
export async function join(server: string, flags: JoinFlags): Promise<void> {
  const dataDir = dataDirOf(flags.name, flags.dataDir);
  const known = readConfig(pathsOf(dataDir));
  if (known !== undefined) {
    throw new ClusterError(
      known.joined === undefined
        ? `there is a cluster in ${dataDir} already; join under another --name, or remove it with kubets delete`
        : `this machine is a node of ${known.joined.server} already; start it with kubets up, or remove it with kubets delete`,
    );
  }
  assertCanRunContainers();
  assertCanProxy(flags.proxyMode);
  await install(flags.install);
  const nodeName = flags.nodeName ?? defaultNodeName();
  if (dnsSubdomain(nodeName).length > 0)
    throw new ClusterError(`${JSON.stringify(nodeName)} cannot be the name of a node`);
  const clock = new SystemClock();
  const steps = new Steps(process.stdout, clock);
  const { config, paths } = await become(serverUrl(server), nodeName, flags, dataDir, steps, clock);
  await startNode(flags, config, paths, steps, clock);
  process.stdout.write(`\nThis machine is node ${nodeName} of the cluster at ${serverUrl(server)}.\n`);
}

/** Finds the cluster and gets the node's certificate; what a later start needs is then in the folder. */
async function become(
  server: string,
  nodeName: string,
  flags: JoinFlags,
  dataDir: string,
  steps: Steps,
  clock: SystemClock,
): Promise<{ config: ClusterConfig; paths: ClusterPaths }> {
  const step = `cluster at ${server}`;
  steps.begin(step);
  try {
    const found = await discover({ server, token: flags.token, caHash: flags.caHash }, clock);
    const nodeIP = flags.nodeIp ?? found.localAddress;
    const transport = createHttpTransport({ server, ca: found.ca, token: flags.token, clock });
    const names = { nodeName, nodeIP };
    const pair = await becomeNode(names, createClient(transport), clock).finally(() => transport.close());
    const joined = { ...found.network, server, nodeIP };
    const node = makeJoinedConfig(dataDir, {
      name: flags.name,
      nodeName,
      joined,
      proxyMode: flags.proxyMode,
    });
    await keepIdentity(node.paths.pki, found.ca, pair);
    steps.done(step);
    return node;
  } catch (error) {
    steps.failed();
    const { name, message } = error as Error;
    throw name === 'TransportError' || isApiError(error) ? new ClusterError(`${server}: ${message}`) : error;
  }
}
