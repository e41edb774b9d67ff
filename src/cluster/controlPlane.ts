/** The control plane: API server, controllers, scheduler, each under its own identity. */
import { builtinKinds } from '../apis/registry.ts';
import type { HealthCheck } from '../apiserver/health.ts';
import type { ApiServerOptions } from '../apiserver/options.ts';
import { type ApiServer, createApiServer } from '../apiserver/server.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/createClient.ts';
import { type Clock, SystemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Storage } from '../storage/storage.ts';
import { certificateAuthority } from './certificateAuthority.ts';
import type { ClusterCertificates } from './certificates.ts';
import { componentOf } from './componentNames.ts';

export const CLUSTER_DOMAIN = 'cluster.local';
/** where simulated nodes have their addresses */
export const SIMULATED_POD_CIDR = '100.64.0.0/10';

export interface ControlPlaneOptions {
  readonly storage: Storage;
  readonly certificates: ClusterCertificates;
  readonly serviceCIDR: string;
  /** of the IPv6 addresses of services; absent: they have none */
  readonly serviceCIDRv6?: string;
  /** of all pods, one or one for each family: nodes that bring none get parts of these */
  readonly podCIDRs: readonly string[];
  /** of the addresses of load balancers; absent: somebody else gives them */
  readonly loadBalancerRange?: string;
  /** under which pods and other machines reach the API server */
  readonly advertiseAddress: string;
  /** what the API server is told besides */
  readonly apiServer?: Pick<ApiServerOptions, 'audit' | 'authorization' | 'anonymous'>;
  /** What nodes of this process use; the others are asked over the network. */
  readonly nodeUsage: NonNullable<ApiServerOptions['nodeUsage']>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** ends controllers and scheduler; the API server is closed by itself */
  readonly signal: AbortSignal;
}

export interface ControlPlane {
  readonly apiServer: ApiServer;
  /** The API within the process, as that user. */
  clientAs(name: string, groups?: readonly string[]): Client;
  /** as cluster administrator */
  readonly admin: Client;
  /** Resolves when the scheduler knows the cluster. */
  startControllers(): Promise<void>;
}

/**
 * Encoded objects are 1 to 10 KB; with Node's pool of 8 KB nearly each of them is an allocation of its own, which costs
 * more than filling it.
 */
const BUFFER_POOL_BYTES = 64 << 10;

/** Resolves when the API server answers within the process; who listens for others is the caller's choice. */
export async function createControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const { storage, certificates, clock, random, log, signal } = options;
  Buffer.poolSize = Math.max(Buffer.poolSize, BUFFER_POOL_BYTES);
  const started = { controllers: false, scheduler: false };
  const apiServer = await createApiServer({
    ...options.apiServer,
    storage,
    clock,
    random,
    log: log.child({ component: 'apiserver' }),
    tls: { ...certificates.apiserver, clientCA: certificates.ca.cert },
    kubeletClient: { ...certificates.apiserverKubeletClient, ca: certificates.ca.cert },
    frontProxy: { ...certificates.frontProxyClient, ca: certificates.frontProxyCA.cert },
    serviceAccountKey: certificates.serviceAccountKey,
    serviceAccountIssuer: `https://kubernetes.default.svc.${CLUSTER_DOMAIN}`,
    nodeUsage: options.nodeUsage,
    serviceCIDR: options.serviceCIDR,
    ...(options.serviceCIDRv6 === undefined ? {} : { serviceCIDRv6: options.serviceCIDRv6 }),
    advertiseAddress: options.advertiseAddress,
    components: [
      runs('controller-manager', () => started.controllers && !signal.aborted),
      runs('scheduler', () => started.scheduler && !signal.aborted),
    ],
  });
  const clientAs = (name: string, groups: readonly string[] = []) =>
    createClient(apiServer.transport({ name, groups }, componentOf(name)));
  return {
    apiServer,
    clientAs,
    admin: clientAs('kubernetes-admin', ['system:masters']),
    async startControllers() {
      const [{ startControllers }, { startScheduler }] = await Promise.all([
        import('../controllers/start.ts'),
        import('../scheduler/scheduler.ts'),
      ]);
      startControllers({
        client: clientAs('system:kube-controller-manager'),
        clientFor: (name) => clientAs(`system:serviceaccount:kube-system:${name}`, SERVICE_ACCOUNT_GROUPS),
        kinds: builtinKinds,
        clock,
        random,
        log,
        signal,
        clusterCA: certificates.ca.cert,
        serviceAccountKey: certificates.serviceAccountKey,
        certificateAuthority: certificateAuthority(certificates.ca, new SystemClock()),
        podCIDRs: options.podCIDRs,
        serviceCIDR: options.serviceCIDR,
        ...(options.loadBalancerRange === undefined ? {} : { loadBalancerRange: options.loadBalancerRange }),
      });
      started.controllers = true;
      await startScheduler({ client: clientAs('system:kube-scheduler'), clock, random, log, signal });
      started.scheduler = true;
    },
  };
}

/** A part of this process is well while it runs: what goes wrong in it for good ends the process. */
function runs(name: string, isRunning: () => boolean): HealthCheck {
  return {
    name,
    async check() {
      if (!isRunning()) throw new Error(`${name} is not running`);
    },
  };
}

const SERVICE_ACCOUNT_GROUPS = ['system:serviceaccounts', 'system:serviceaccounts:kube-system'];
