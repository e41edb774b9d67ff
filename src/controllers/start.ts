/** Starts every controller. */
import { events } from '../apis/core/event.ts';
import type { Client } from '../client/client.ts';
import { Informers } from '../client/informers.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Random } from '../lib/random.ts';
import type { Kind } from '../machinery/kind.ts';
import { startAttachDetachController } from './attachDetach/controller.ts';
import { startTokenCleaner } from './bootstrapToken/cleaner.ts';
import { startBootstrapSigner } from './bootstrapToken/signer.ts';
import { startCertificateController } from './certificateSigningRequest/controller.ts';
import type { CertificateAuthority } from './certificateSigningRequest/plan.ts';
import { startClusterRoleAggregationController } from './clusterRoleAggregation.ts';
import type { ControllerContext } from './context.ts';
import { startCronJobController } from './cronJob/controller.ts';
import { CustomKinds } from './customKinds.ts';
import { startDaemonSetController } from './daemonSet/controller.ts';
import { startDeploymentController } from './deployment/controller.ts';
import { startDisruptionController } from './disruption/controller.ts';
import { startEndpointSliceController, startEndpointsController } from './endpointSlice/controller.ts';
import { startEndpointSliceMirroringController } from './endpointSliceMirroring/controller.ts';
import { startEphemeralVolumeController } from './ephemeralVolume.ts';
import { startGarbageCollector } from './garbageCollector/controller.ts';
import { startHorizontalPodAutoscalerController } from './horizontalPodAutoscaler/controller.ts';
import { startJobController } from './job/controller.ts';
import { startLoadBalancerController } from './loadBalancer.ts';
import { startNamespaceController } from './namespace/controller.ts';
import { startNodeIpamController } from './nodeIpam/controller.ts';
import { startNodeLifecycleController } from './nodeLifecycle/controller.ts';
import { startPersistentVolumeController } from './persistentVolume/controller.ts';
import { startClaimProtectionController, startVolumeProtectionController } from './persistentVolume/protection.ts';
import { startPodGarbageCollector } from './podGarbageCollector.ts';
import { startReplicaSetController } from './replicaSet/controller.ts';
import { startReplicationControllerController } from './replicationController/controller.ts';
import { startResourceClaimController } from './resourceClaim/controller.ts';
import { startResourceQuotaController } from './resourceQuota/controller.ts';
import { startRootCAPublisher } from './rootCAPublisher.ts';
import { startServiceAccountController } from './serviceAccount.ts';
import { startTokenController } from './serviceAccountToken/controller.ts';
import { startLegacyTokenCleaner } from './serviceAccountToken/legacyCleaner.ts';
import { tokenSigner } from './serviceAccountToken/sign.ts';
import { startStatefulSetController } from './statefulSet/controller.ts';
import { startTaintEvictionController } from './taintEviction.ts';
import { startTTLAfterFinishedController } from './ttlAfterFinished.ts';

export interface ControllersOptions {
  /** what all controllers read through: may list and watch everything (`system:kube-controller-manager`) */
  readonly client: Client;
  /**
   * The client of one controller, by its service account in kube-system: `deployment-controller`,
   * `generic-garbage-collector`, … It writes as `system:serviceaccount:kube-system:<name>`.
   */
  clientFor(controllerName: string): Client;
  /** all that the API server serves */
  readonly kinds: readonly Kind[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** stops all of them */
  readonly signal: AbortSignal;
  /** PEM: by which pods know the API server */
  readonly clusterCA: string;
  /** PEM, EC P-256: signs tokens of service accounts that are kept in secrets; absent: nobody fills such secrets */
  readonly serviceAccountKey?: string;
  /** signs certificates that were approved; absent: somebody else does */
  readonly certificateAuthority?: CertificateAuthority;
  /** of all pods, one or one for each family: nodes get parts of these; absent: somebody else gives them */
  readonly podCIDRs?: readonly string[];
  /** of all services */
  readonly serviceCIDR?: string;
  /** of the addresses of load balancers, IPv4; absent: somebody else gives them */
  readonly loadBalancerRange?: string;
}

/** What gives others their identities has none of its own but the controller manager's. */
const AS_MANAGER: ReadonlySet<string> = new Set(['tokens-controller']);

/** Returns at once; the controllers begin as soon as their informers have synced. */
export function startControllers(options: ControllersOptions): void {
  const { client, clock, random, signal, kinds } = options;
  const log = options.log.child({ component: 'controllers' });
  const clients = new Map<string, Client>();
  const context: ControllerContext = {
    informers: new Informers({ client, clock, random, log, signal }),
    clientFor(name) {
      const known = clients.get(name) ?? (AS_MANAGER.has(name) ? client : options.clientFor(name));
      clients.set(name, known);
      return known;
    },
    clock,
    random,
    log,
    signal,
  };
  const collectable = kinds.filter(isCollectable);
  const custom = new CustomKinds(context);
  startServiceAccountController(context);
  startRootCAPublisher(context, options.clusterCA);
  if (options.serviceAccountKey !== undefined) {
    startTokenController(context, { clusterCA: options.clusterCA, sign: tokenSigner(options.serviceAccountKey) });
  }
  startLegacyTokenCleaner(context);
  startTokenCleaner(context);
  startBootstrapSigner(context);
  if (options.certificateAuthority !== undefined) startCertificateController(context, options.certificateAuthority);
  startNodeLifecycleController(context);
  if (options.podCIDRs !== undefined) {
    const serviceCIDRs = options.serviceCIDR === undefined ? [] : [options.serviceCIDR];
    startNodeIpamController(context, { podCIDRs: options.podCIDRs, serviceCIDRs });
  }
  startTaintEvictionController(context);
  startReplicaSetController(context);
  startReplicationControllerController(context);
  startDeploymentController(context);
  startStatefulSetController(context);
  startDaemonSetController(context);
  startJobController(context);
  startCronJobController(context);
  startDisruptionController(context, custom);
  startHorizontalPodAutoscalerController(context);
  startTTLAfterFinishedController(context);
  startPersistentVolumeController(context);
  startEphemeralVolumeController(context);
  startAttachDetachController(context);
  startClaimProtectionController(context);
  startVolumeProtectionController(context);
  startClusterRoleAggregationController(context);
  startResourceClaimController(context);
  startEndpointSliceController(context);
  startEndpointsController(context);
  startEndpointSliceMirroringController(context);
  if (options.loadBalancerRange !== undefined) startLoadBalancerController(context, options.loadBalancerRange);
  startGarbageCollector(context, collectable, custom);
  startNamespaceController(context, kinds, collectable, custom);
  startResourceQuotaController(context, kinds, custom);
  startPodGarbageCollector(context);
}

/** Events are many, are owned by nobody and own nothing. */
function isCollectable(kind: Kind): boolean {
  const verbs = ['list', 'watch', 'delete'] as const;
  const isEvent = kind.plural === events.plural && kind.group === events.group;
  return kind.stored && !isEvent && verbs.every((verb) => kind.verbs.includes(verb));
}
