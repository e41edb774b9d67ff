/** Everything that the stages are given: who is believed, who decides, what changes writes, what answers besides the verbs. */

import { X509Certificate } from 'node:crypto';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/createClient.ts';
import type { Transport } from '../client/transport.ts';
import {
  certificateApproval,
  certificateRequester,
  certificateSigning,
  certificateSubjectRestriction,
} from './admission/certificateRequests.ts';
import { defaultIngressClass } from './admission/defaultIngressClass.ts';
import { defaultStorageClass } from './admission/defaultStorageClass.ts';
import { defaultTolerationSeconds } from './admission/defaultTolerationSeconds.ts';
import { dynamicResources } from './admission/dynamicResources.ts';
import { limitRanger } from './admission/limitRanger.ts';
import { namespaceLifecycle } from './admission/namespaceLifecycle.ts';
import { nodeRestriction } from './admission/nodeRestriction.ts';
import { persistentVolumeClaimResize } from './admission/persistentVolumeClaimResize.ts';
import { podResizeValidator } from './admission/podResize.ts';
import { podSecurity } from './admission/podSecurity/podSecurity.ts';
import { deviceSelectorCheck } from './admission/policies/deviceSelectorCheck.ts';
import { expressionCheck } from './admission/policies/expressionCheck.ts';
import { MutatingPolicies } from './admission/policies/mutatingPolicies.ts';
import { parameterRights } from './admission/policies/parameterRights.ts';
import { PolicyStatus } from './admission/policies/policyStatus.ts';
import { ValidatingPolicies } from './admission/policies/validatingPolicies.ts';
import { priorityAdmission } from './admission/priority.ts';
import { resourceQuota } from './admission/resourceQuota.ts';
import { rightsEscalation } from './admission/rightsEscalation.ts';
import { runtimeClassAdmission } from './admission/runtimeClass.ts';
import { serviceAccountAdmission } from './admission/serviceAccount.ts';
import { ServiceAllocation } from './admission/serviceAllocation.ts';
import { storageObjectInUseProtection } from './admission/storageObjectInUseProtection.ts';
import { taintNodesByCondition } from './admission/taintNodesByCondition.ts';
import { MutatingWebhooks } from './admission/webhooks/mutating.ts';
import { ValidatingWebhooks } from './admission/webhooks/validating.ts';
import { Aggregation } from './aggregation/aggregation.ts';
import { publishAuthentication } from './aggregation/extensionAuthentication.ts';
import { LocalApiServices } from './aggregation/localApiServices.ts';
import type { Audit } from './audit/audit.ts';
import type { Authenticator } from './authentication/authenticator.ts';
import { bearerTokenAuthenticator } from './authentication/bearerToken.ts';
import { BootstrapTokens } from './authentication/bootstrapTokens.ts';
import { LegacyTokens } from './authentication/legacyTokens.ts';
import { openIdPaths } from './authentication/openIdDiscovery.ts';
import { requestHeaderAuthenticator } from './authentication/requestHeader.ts';
import { authenticationReviewHandlers } from './authentication/reviews.ts';
import { ServiceAccountTokens } from './authentication/serviceAccountTokens.ts';
import { ClientCertificates } from './authentication/x509.ts';
import type { Abac } from './authorization/abac.ts';
import { authorizationOf, DEFAULT_AUTHORIZATION } from './authorization/modes.ts';
import { NodeAuthorizer } from './authorization/node.ts';
import { Rbac } from './authorization/rbac.ts';
import { accessReviewHandlers } from './authorization/reviews.ts';
import { ensureDefaultObjects, ensureFlowControl } from './bootstrap/defaultObjects.ts';
import { KubernetesService } from './bootstrap/kubernetesService.ts';
import { ServiceAddresses } from './bootstrap/serviceAddresses.ts';
import { ServiceCIDRs } from './bootstrap/serviceCIDRs.ts';
import { startUpkeep } from './bootstrap/upkeep.ts';
import { componentStatusHandlers } from './componentStatuses.ts';
import { CustomResources } from './customResources/customResources.ts';
import { discoveryPaths } from './discovery/handlers.ts';
import { watchDanglingSchemas } from './flowControl/danglingSchemas.ts';
import { FlowControl } from './flowControl/flowControl.ts';
import type { HealthCheck } from './health.ts';
import { aggregationFamilies, auditFamilies, metricsHandler } from './metrics/handler.ts';
import { RequestMetrics } from './metrics/requestMetrics.ts';
import { openApiPaths } from './openapi/handlers.ts';
import type { ApiServerOptions } from './options.ts';
import type { Registry } from './registry/registry.ts';
import { UsageCollector } from './resourceMetrics/collector.ts';
import { resourceMetricsHandlers } from './resourceMetrics/handlers.ts';
import { readKubelet } from './resourceMetrics/kubeletMetrics.ts';
import type { UsageSource } from './resourceMetrics/usage.ts';
import type { ApiServerParts, Handler } from './stage.ts';
import { bindingHandlers } from './subresources/binding.ts';
import { evictionHandlers } from './subresources/eviction.ts';
import { Kubelets } from './subresources/kubelet.ts';
import { podStreamHandlers } from './subresources/podStreams.ts';
import { proxyHandlers } from './subresources/proxy.ts';
import { tokenHandlers } from './subresources/token.ts';
import { MASTERS_GROUP, type User } from './user.ts';

/** As whom the API server writes its own default objects. */
const API_SERVER: User = { name: 'system:apiserver', groups: [MASTERS_GROUP] };

export interface Builtins {
  readonly parts: ApiServerParts;
  /** Fills what decisions are made from, then writes what every cluster has. */
  start(transport: (user: User, agent?: string) => Transport): Promise<void>;
  /** The server listens: tells pods where. */
  listening(port: number): Promise<void>;
  stop(): void;
}

/** What was read from files before the server was put together. */
export interface Configured {
  readonly audit?: Audit | undefined;
  readonly abac?: Abac | undefined;
}

/** What nodes use, read from the source that is given, and from kubelets that it does not know. */
function measurements(
  source: UsageSource,
  { registry, kubelets, clock, log }: Pick<ApiServerParts, 'registry' | 'clock' | 'log'> & { kubelets: Kubelets },
): [string, Handler][] {
  const remote = async (node: string, signal: AbortSignal) =>
    readKubelet(await kubelets.target(node, '/metrics/resource'), () => clock.now(), signal);
  const collector = new UsageCollector({
    source: (node, signal) => source(node, signal) ?? remote(node, signal),
    clock,
    log,
  });
  return resourceMetricsHandlers({ registry, collector, clock });
}

export function createBuiltins(
  options: ApiServerOptions,
  registry: Registry,
  paths: Iterable<[string, Handler]>,
  configured: Configured,
): Builtins {
  const { audit } = configured;
  const { clock, random, log } = options;
  let port = 0;
  const address = () => `${options.advertiseAddress}:${port}`;
  const metrics = new RequestMetrics();
  const rbac = new Rbac(registry);
  const node = new NodeAuthorizer(registry);
  const { authorizers, resolvers } = authorizationOf(options.authorization ?? DEFAULT_AUTHORIZATION, {
    rbac,
    node,
    abac: configured.abac,
  });
  let client: Client | undefined;
  const tokens = new ServiceAccountTokens({
    privateKey: options.serviceAccountKey,
    issuer: options.serviceAccountIssuer,
    audiences: [options.serviceAccountIssuer],
    registry,
    clock,
    random,
    legacy: new LegacyTokens({ registry, clock, log, client: () => client }),
  });
  const bootstrapTokens = new BootstrapTokens(registry, clock);
  const serviceRanges = [options.serviceCIDR, options.serviceCIDRv6].filter((cidr) => cidr !== undefined);
  const allocation = new ServiceAllocation(registry, serviceRanges, random);
  const defaulting = [
    serviceAccountAdmission(registry, clock, random),
    limitRanger(registry),
    priorityAdmission(registry),
    defaultTolerationSeconds,
    defaultStorageClass(registry),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(registry),
    runtimeClassAdmission(registry),
    defaultIngressClass(registry),
  ];
  const mutatingPolicies = new MutatingPolicies({ registry, authorizers }, clock);
  const mutatingWebhooks = new MutatingWebhooks({ registry, clock, random, log, authorizers }, [
    ...defaulting,
    mutatingPolicies.again,
  ]);
  const validatingWebhooks = new ValidatingWebhooks({ registry, clock, random, log, authorizers });
  const validatingPolicies = new ValidatingPolicies({ registry, authorizers });
  const flowControl = new FlowControl(registry, clock);
  const kubelets = new Kubelets(registry, options.kubeletClient);
  const aggregation = new Aggregation({ registry, clock, random, log, frontProxy: options.frontProxy });
  const builtin = registry.kinds.groupVersions();
  const certificates = new ClientCertificates();
  const parts: ApiServerParts = {
    registry,
    aggregation,
    clock,
    random,
    log,
    metrics,
    ...(audit === undefined ? {} : { audit }),
    anonymous: options.anonymous !== false,
    authenticators: [
      ...requestHeaders(options, certificates),
      certificates.authenticator(options.tls.clientCA),
      bootstrapTokens.authenticator,
      bearerTokenAuthenticator(tokens),
    ],
    authorizers,
    flowControl,
    admission: [
      namespaceLifecycle(registry),
      taintNodesByCondition,
      ...defaulting,
      mutatingPolicies,
      mutatingWebhooks,
      allocation,
      certificateRequester,
      dynamicResources(registry, clock),
      nodeRestriction(registry),
      rightsEscalation(rbac, authorizers),
      parameterRights(registry, authorizers),
      certificateApproval(authorizers),
      certificateSigning(authorizers),
      certificateSubjectRestriction,
      expressionCheck,
      deviceSelectorCheck,
      podResizeValidator(registry),
      podSecurity(registry),
      validatingPolicies,
      validatingWebhooks,
      // Last: what is refused by others takes nothing.
      resourceQuota(registry, () => client),
    ],
    handlers: new Map([
      ...accessReviewHandlers(authorizers, resolvers),
      ...authenticationReviewHandlers(tokens, bootstrapTokens, clock),
      ...componentStatusHandlers(registry, [...(options.components ?? []), etcd(registry)]),
      ...tokenHandlers({ registry, tokens, authorizers }),
      ...bindingHandlers(() => parts),
      ...evictionHandlers(() => parts),
      ...podStreamHandlers({ registry, kubelets, authorizers }),
      ...proxyHandlers({ registry, kubelets, random }),
      ...(options.nodeUsage === undefined ? [] : measurements(options.nodeUsage, { registry, kubelets, clock, log })),
    ]),
    paths: new Map([
      ...paths,
      [
        '/metrics',
        metricsHandler(metrics, registry, clock, () => [
          ...auditFamilies(audit),
          ...aggregationFamilies(aggregation.remotes),
        ]),
      ],
      ...discoveryPaths(registry, aggregation, address, () => parts.paths.keys()),
      ...openApiPaths(registry, aggregation, clock),
      ...openIdPaths(tokens, address),
    ]),
  };
  let customResources: CustomResources | undefined;
  let localApiServices: LocalApiServices | undefined;
  let policyStatus: PolicyStatus | undefined;
  let stopDangling: (() => void) | undefined;
  let stopUpkeep: (() => void) | undefined;
  let service: KubernetesService | undefined;
  let ranges: ServiceCIDRs | undefined;
  let addresses: ServiceAddresses | undefined;
  return {
    parts,
    async start(transport) {
      await Promise.all([
        rbac.start(),
        flowControl.start(),
        mutatingPolicies.start(),
        validatingPolicies.start(),
        mutatingWebhooks.start(),
        validatingWebhooks.start(),
      ]);
      const own = createClient(transport(API_SERVER, 'kube-apiserver'));
      client = own;
      const bootstrap = { registry, client: own, log, clock };
      const publish = () => publishAuthentication(registry, own, authenticationOf(options));
      await ensureDefaultObjects(bootstrap);
      customResources = new CustomResources({ registry, client, clock, random, log });
      await customResources.start();
      policyStatus = new PolicyStatus({ registry, client, clock, log });
      localApiServices = new LocalApiServices({ registry, client, clock, log, builtin, replaceable: REPLACEABLE });
      await Promise.all([localApiServices.start(), policyStatus.start(), aggregation.start(client), publish()]);
      stopUpkeep = startUpkeep(clock, log, {
        'flow control': () => ensureFlowControl(bootstrap),
        'authentication of extensions': publish,
      });
      stopDangling = watchDanglingSchemas({ registry, client, clock, log });
      await allocation.start();
      ranges = new ServiceCIDRs({ registry, client, clock, log, allocation, serviceRanges });
      addresses = new ServiceAddresses({ registry, client, clock, log });
      await Promise.all([ranges.start(), addresses.start()]);
    },
    async listening(at) {
      port = at;
      if (client === undefined) throw new Error('the API server listens before it was started');
      service = new KubernetesService({
        registry,
        client,
        clock,
        log,
        serviceCIDR: options.serviceCIDR,
        address: options.advertiseAddress,
        port,
      });
      await service.start();
      await addresses?.idle();
    },
    stop() {
      aggregation.stop();
      localApiServices?.stop();
      customResources?.stop();
      policyStatus?.stop();
      service?.stop();
      ranges?.stop();
      addresses?.stop();
      allocation.stop();
      flowControl.stop();
      stopDangling?.();
      stopUpkeep?.();
      mutatingPolicies.stop();
      validatingPolicies.stop();
      mutatingWebhooks.stop();
      validatingWebhooks.stop();
      rbac.stop();
      node.stop();
    },
  };
}

/** What metrics-server serves elsewhere: its API service takes the place of what is served here. */
const REPLACEABLE: ReadonlySet<string> = new Set(['metrics.k8s.io']);

function authenticationOf({ tls, frontProxy }: ApiServerOptions) {
  if (frontProxy === undefined) return { clientCA: tls.clientCA, frontProxy: undefined };
  return { clientCA: tls.clientCA, frontProxy: { ca: frontProxy.ca, commonName: nameOf(frontProxy) } };
}

const nameOf = ({ cert }: { cert: string }) => /^CN=(.*)$/m.exec(new X509Certificate(cert).subject)?.[1] ?? '';

/** Who is believed by other API servers is believed by this one, too. */
function requestHeaders({ frontProxy }: ApiServerOptions, certificates: ClientCertificates): Authenticator[] {
  if (frontProxy === undefined) return [];
  return [requestHeaderAuthenticator(certificates.nameFrom(frontProxy.ca), new Set([nameOf(frontProxy)]))];
}

/** The store, under the name that it has where it is an etcd. */
function etcd({ storage }: Registry): HealthCheck {
  return {
    name: 'etcd-0',
    async check() {
      await storage.check();
    },
  };
}
