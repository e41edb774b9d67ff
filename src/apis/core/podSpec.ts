import {
  bool,
  type Infer,
  int32,
  int64,
  list,
  map,
  object,
  opt,
  quantity,
  req,
  str,
} from '../../machinery/schema/types.ts';
import { Affinity, Toleration, TopologySpreadConstraint } from './affinity.ts';
import {
  AppArmorProfile,
  Container,
  EphemeralContainer,
  ResourceRequirements,
  SELinuxOptions,
  SeccompProfile,
  WindowsSecurityContextOptions,
} from './container.ts';
import { LocalObjectReference } from './references.ts';
import { Volume } from './volumes.ts';

export const PodSpec = object('io.k8s.api.core.v1.PodSpec', () => ({
  volumes: opt(1, list(Volume, { type: 'map', keys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' })),
  containers: req(2, list(Container, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  restartPolicy: opt(3, str),
  terminationGracePeriodSeconds: opt(4, int64),
  activeDeadlineSeconds: opt(5, int64),
  dnsPolicy: opt(6, str),
  nodeSelector: opt(7, map(str, { atomic: true })),
  serviceAccountName: opt(8, str),
  serviceAccount: opt(9, str),
  nodeName: opt(10, str),
  hostNetwork: opt(11, bool, { pointer: false }),
  hostPID: opt(12, bool, { pointer: false }),
  hostIPC: opt(13, bool, { pointer: false }),
  securityContext: opt(14, PodSecurityContext),
  imagePullSecrets: opt(
    15,
    list(LocalObjectReference, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' }),
  ),
  hostname: opt(16, str),
  subdomain: opt(17, str),
  affinity: opt(18, Affinity),
  schedulerName: opt(19, str),
  initContainers: opt(20, list(Container, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  automountServiceAccountToken: opt(21, bool),
  tolerations: opt(22, list(Toleration)),
  hostAliases: opt(23, list(HostAlias, { type: 'map', keys: ['ip'], patch: 'merge', mergeKey: 'ip' })),
  priorityClassName: opt(24, str),
  priority: opt(25, int32),
  dnsConfig: opt(26, PodDNSConfig),
  shareProcessNamespace: opt(27, bool),
  readinessGates: opt(28, list(PodReadinessGate)),
  runtimeClassName: opt(29, str, { pointer: true }),
  enableServiceLinks: opt(30, bool),
  preemptionPolicy: opt(31, str, { pointer: true }),
  overhead: opt(32, map(quantity)),
  topologySpreadConstraints: opt(
    33,
    list(TopologySpreadConstraint, {
      type: 'map',
      keys: ['topologyKey', 'whenUnsatisfiable'],
      patch: 'merge',
      mergeKey: 'topologyKey',
    }),
  ),
  ephemeralContainers: opt(
    34,
    list(EphemeralContainer, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' }),
  ),
  setHostnameAsFQDN: opt(35, bool),
  os: opt(36, PodOS),
  hostUsers: opt(37, bool),
  schedulingGates: opt(38, list(PodSchedulingGate, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  resourceClaims: opt(
    39,
    list(PodResourceClaim, { type: 'map', keys: ['name'], patch: 'merge,retainKeys', mergeKey: 'name' }),
  ),
  resources: opt(40, ResourceRequirements),
  hostnameOverride: opt(41, str, { pointer: true }),
  schedulingGroup: opt(43, PodSchedulingGroup),
}));
export interface PodSpec extends Infer<typeof PodSpec> {}

export const PodSecurityContext = object('io.k8s.api.core.v1.PodSecurityContext', () => ({
  seLinuxOptions: opt(1, SELinuxOptions),
  runAsUser: opt(2, int64),
  runAsNonRoot: opt(3, bool),
  supplementalGroups: opt(4, list(int64)),
  fsGroup: opt(5, int64),
  runAsGroup: opt(6, int64),
  sysctls: opt(7, list(Sysctl)),
  windowsOptions: opt(8, WindowsSecurityContextOptions),
  fsGroupChangePolicy: opt(9, str, { pointer: true }),
  seccompProfile: opt(10, SeccompProfile),
  appArmorProfile: opt(11, AppArmorProfile),
  supplementalGroupsPolicy: opt(12, str, { pointer: true }),
  seLinuxChangePolicy: opt(13, str, { pointer: true }),
}));
export interface PodSecurityContext extends Infer<typeof PodSecurityContext> {}

export const Sysctl = object('io.k8s.api.core.v1.Sysctl', () => ({
  name: req(1, str),
  value: req(2, str),
}));
export interface Sysctl extends Infer<typeof Sysctl> {}

export const PodSchedulingGroup = object('io.k8s.api.core.v1.PodSchedulingGroup', () => ({
  podGroupName: opt(1, str, { pointer: true }),
}));
export interface PodSchedulingGroup extends Infer<typeof PodSchedulingGroup> {}

export const PodSchedulingGate = object('io.k8s.api.core.v1.PodSchedulingGate', () => ({
  name: req(1, str),
}));
export interface PodSchedulingGate extends Infer<typeof PodSchedulingGate> {}

export const PodResourceClaim = object('io.k8s.api.core.v1.PodResourceClaim', () => ({
  name: req(1, str),
  resourceClaimName: opt(3, str, { pointer: true }),
  resourceClaimTemplateName: opt(4, str, { pointer: true }),
}));
export interface PodResourceClaim extends Infer<typeof PodResourceClaim> {}

export const PodReadinessGate = object('io.k8s.api.core.v1.PodReadinessGate', () => ({
  conditionType: req(1, str),
}));
export interface PodReadinessGate extends Infer<typeof PodReadinessGate> {}

export const PodOS = object('io.k8s.api.core.v1.PodOS', () => ({
  name: req(1, str),
}));
export interface PodOS extends Infer<typeof PodOS> {}

export const HostAlias = object('io.k8s.api.core.v1.HostAlias', () => ({
  ip: req(1, str),
  hostnames: opt(2, list(str)),
}));
export interface HostAlias extends Infer<typeof HostAlias> {}

export const PodDNSConfig = object('io.k8s.api.core.v1.PodDNSConfig', () => ({
  nameservers: opt(1, list(str)),
  searches: opt(2, list(str)),
  options: opt(3, list(PodDNSConfigOption)),
}));
export interface PodDNSConfig extends Infer<typeof PodDNSConfig> {}

export const PodDNSConfigOption = object('io.k8s.api.core.v1.PodDNSConfigOption', () => ({
  name: opt(1, str),
  value: opt(2, str, { pointer: true }),
}));
export interface PodDNSConfigOption extends Infer<typeof PodDNSConfigOption> {}
