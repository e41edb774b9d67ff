import {
  bool,
  type Infer,
  int32,
  int64,
  intOrString,
  list,
  map,
  object,
  opt,
  quantity,
  req,
  str,
} from '../../machinery/schema/types.ts';
import { ObjectFieldSelector, ResourceFieldSelector } from './volumes.ts';

export const EphemeralContainer = object('io.k8s.api.core.v1.EphemeralContainer', () => ({
  targetContainerName: opt(2, str),
  args: opt(undefined, list(str)),
  command: opt(undefined, list(str)),
  env: opt(undefined, list(EnvVar, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  envFrom: opt(undefined, list(EnvFromSource)),
  image: opt(undefined, str),
  imagePullPolicy: opt(undefined, str),
  lifecycle: opt(undefined, Lifecycle),
  livenessProbe: opt(undefined, Probe),
  name: req(undefined, str),
  ports: opt(
    undefined,
    list(ContainerPort, {
      type: 'map',
      keys: ['containerPort', 'protocol'],
      patch: 'merge',
      mergeKey: 'containerPort',
    }),
  ),
  readinessProbe: opt(undefined, Probe),
  resizePolicy: opt(undefined, list(ContainerResizePolicy)),
  resources: opt(undefined, ResourceRequirements, { pointer: false }),
  restartPolicy: opt(undefined, str, { pointer: true }),
  restartPolicyRules: opt(undefined, list(ContainerRestartRule)),
  securityContext: opt(undefined, SecurityContext),
  startupProbe: opt(undefined, Probe),
  stdin: opt(undefined, bool, { pointer: false }),
  stdinOnce: opt(undefined, bool, { pointer: false }),
  terminationMessagePath: opt(undefined, str),
  terminationMessagePolicy: opt(undefined, str),
  tty: opt(undefined, bool, { pointer: false }),
  volumeDevices: opt(
    undefined,
    list(VolumeDevice, { type: 'map', keys: ['devicePath'], patch: 'merge', mergeKey: 'devicePath' }),
  ),
  volumeMounts: opt(
    undefined,
    list(VolumeMount, { type: 'map', keys: ['mountPath'], patch: 'merge', mergeKey: 'mountPath' }),
  ),
  workingDir: opt(undefined, str),
}));
export interface EphemeralContainer extends Infer<typeof EphemeralContainer> {}

export const Container = object('io.k8s.api.core.v1.Container', () => ({
  name: req(1, str),
  image: opt(2, str),
  command: opt(3, list(str)),
  args: opt(4, list(str)),
  workingDir: opt(5, str),
  ports: opt(
    6,
    list(ContainerPort, {
      type: 'map',
      keys: ['containerPort', 'protocol'],
      patch: 'merge',
      mergeKey: 'containerPort',
    }),
  ),
  env: opt(7, list(EnvVar, { type: 'map', keys: ['name'], patch: 'merge', mergeKey: 'name' })),
  resources: opt(8, ResourceRequirements, { pointer: false }),
  volumeMounts: opt(9, list(VolumeMount, { type: 'map', keys: ['mountPath'], patch: 'merge', mergeKey: 'mountPath' })),
  livenessProbe: opt(10, Probe),
  readinessProbe: opt(11, Probe),
  lifecycle: opt(12, Lifecycle),
  terminationMessagePath: opt(13, str),
  imagePullPolicy: opt(14, str),
  securityContext: opt(15, SecurityContext),
  stdin: opt(16, bool, { pointer: false }),
  stdinOnce: opt(17, bool, { pointer: false }),
  tty: opt(18, bool, { pointer: false }),
  envFrom: opt(19, list(EnvFromSource)),
  terminationMessagePolicy: opt(20, str),
  volumeDevices: opt(
    21,
    list(VolumeDevice, { type: 'map', keys: ['devicePath'], patch: 'merge', mergeKey: 'devicePath' }),
  ),
  startupProbe: opt(22, Probe),
  resizePolicy: opt(23, list(ContainerResizePolicy)),
  restartPolicy: opt(24, str, { pointer: true }),
  restartPolicyRules: opt(25, list(ContainerRestartRule)),
}));
export interface Container extends Infer<typeof Container> {}

export const VolumeMount = object('io.k8s.api.core.v1.VolumeMount', () => ({
  name: req(1, str),
  readOnly: opt(2, bool, { pointer: false }),
  mountPath: req(3, str),
  subPath: opt(4, str),
  mountPropagation: opt(5, str, { pointer: true }),
  subPathExpr: opt(6, str),
  recursiveReadOnly: opt(7, str, { pointer: true }),
}));
export interface VolumeMount extends Infer<typeof VolumeMount> {}

export const VolumeDevice = object('io.k8s.api.core.v1.VolumeDevice', () => ({
  name: req(1, str),
  devicePath: req(2, str),
}));
export interface VolumeDevice extends Infer<typeof VolumeDevice> {}

export const SecurityContext = object('io.k8s.api.core.v1.SecurityContext', () => ({
  capabilities: opt(1, Capabilities),
  privileged: opt(2, bool),
  seLinuxOptions: opt(3, SELinuxOptions),
  runAsUser: opt(4, int64),
  runAsNonRoot: opt(5, bool),
  readOnlyRootFilesystem: opt(6, bool),
  allowPrivilegeEscalation: opt(7, bool),
  runAsGroup: opt(8, int64),
  procMount: opt(9, str, { pointer: true }),
  windowsOptions: opt(10, WindowsSecurityContextOptions),
  seccompProfile: opt(11, SeccompProfile),
  appArmorProfile: opt(12, AppArmorProfile),
}));
export interface SecurityContext extends Infer<typeof SecurityContext> {}

export const WindowsSecurityContextOptions = object('io.k8s.api.core.v1.WindowsSecurityContextOptions', () => ({
  gmsaCredentialSpecName: opt(1, str, { pointer: true }),
  gmsaCredentialSpec: opt(2, str, { pointer: true }),
  runAsUserName: opt(3, str, { pointer: true }),
  hostProcess: opt(4, bool),
}));
export interface WindowsSecurityContextOptions extends Infer<typeof WindowsSecurityContextOptions> {}

export const SeccompProfile = object('io.k8s.api.core.v1.SeccompProfile', () => ({
  type: req(1, str),
  localhostProfile: opt(2, str, { pointer: true }),
}));
export interface SeccompProfile extends Infer<typeof SeccompProfile> {}

export const SELinuxOptions = object('io.k8s.api.core.v1.SELinuxOptions', () => ({
  user: opt(1, str),
  role: opt(2, str),
  type: opt(3, str),
  level: opt(4, str),
}));
export interface SELinuxOptions extends Infer<typeof SELinuxOptions> {}

export const Capabilities = object('io.k8s.api.core.v1.Capabilities', () => ({
  add: opt(1, list(str)),
  drop: opt(2, list(str)),
}));
export interface Capabilities extends Infer<typeof Capabilities> {}

export const AppArmorProfile = object('io.k8s.api.core.v1.AppArmorProfile', () => ({
  type: req(1, str),
  localhostProfile: opt(2, str, { pointer: true }),
}));
export interface AppArmorProfile extends Infer<typeof AppArmorProfile> {}

export const ContainerRestartRule = object('io.k8s.api.core.v1.ContainerRestartRule', () => ({
  action: req(1, str),
  exitCodes: opt(2, ContainerRestartRuleOnExitCodes),
}));
export interface ContainerRestartRule extends Infer<typeof ContainerRestartRule> {}

export const ContainerRestartRuleOnExitCodes = object('io.k8s.api.core.v1.ContainerRestartRuleOnExitCodes', () => ({
  operator: req(1, str),
  values: opt(2, list(int32, { type: 'set' })),
}));
export interface ContainerRestartRuleOnExitCodes extends Infer<typeof ContainerRestartRuleOnExitCodes> {}

export const ResourceRequirements = object('io.k8s.api.core.v1.ResourceRequirements', () => ({
  limits: opt(1, map(quantity)),
  requests: opt(2, map(quantity)),
  claims: opt(3, list(ResourceClaim, { type: 'map', keys: ['name'] })),
}));
export interface ResourceRequirements extends Infer<typeof ResourceRequirements> {}

export const ResourceClaim = object('io.k8s.api.core.v1.ResourceClaim', () => ({
  name: req(1, str),
  request: opt(2, str),
}));
export interface ResourceClaim extends Infer<typeof ResourceClaim> {}

export const ContainerResizePolicy = object('io.k8s.api.core.v1.ContainerResizePolicy', () => ({
  resourceName: req(1, str),
  restartPolicy: req(2, str),
}));
export interface ContainerResizePolicy extends Infer<typeof ContainerResizePolicy> {}

export const ContainerPort = object('io.k8s.api.core.v1.ContainerPort', () => ({
  name: opt(1, str),
  hostPort: opt(2, int32, { pointer: false }),
  containerPort: req(3, int32),
  protocol: opt(4, str, { default: 'TCP' }),
  hostIP: opt(5, str),
}));
export interface ContainerPort extends Infer<typeof ContainerPort> {}

export const Probe = object('io.k8s.api.core.v1.Probe', () => ({
  initialDelaySeconds: opt(2, int32, { pointer: false }),
  timeoutSeconds: opt(3, int32, { pointer: false }),
  periodSeconds: opt(4, int32, { pointer: false }),
  successThreshold: opt(5, int32, { pointer: false }),
  failureThreshold: opt(6, int32, { pointer: false }),
  terminationGracePeriodSeconds: opt(7, int64),
  exec: opt(undefined, ExecAction),
  grpc: opt(undefined, GRPCAction),
  httpGet: opt(undefined, HTTPGetAction),
  tcpSocket: opt(undefined, TCPSocketAction),
}));
export interface Probe extends Infer<typeof Probe> {}

export const GRPCAction = object('io.k8s.api.core.v1.GRPCAction', () => ({
  port: req(1, int32),
  service: opt(2, str, { pointer: true }),
}));
export interface GRPCAction extends Infer<typeof GRPCAction> {}

export const Lifecycle = object('io.k8s.api.core.v1.Lifecycle', () => ({
  postStart: opt(1, LifecycleHandler),
  preStop: opt(2, LifecycleHandler),
  stopSignal: opt(3, str, { pointer: true }),
}));
export interface Lifecycle extends Infer<typeof Lifecycle> {}

export const LifecycleHandler = object('io.k8s.api.core.v1.LifecycleHandler', () => ({
  exec: opt(1, ExecAction),
  httpGet: opt(2, HTTPGetAction),
  tcpSocket: opt(3, TCPSocketAction),
  sleep: opt(4, SleepAction),
}));
export interface LifecycleHandler extends Infer<typeof LifecycleHandler> {}

export const TCPSocketAction = object('io.k8s.api.core.v1.TCPSocketAction', () => ({
  port: req(1, intOrString),
  host: opt(2, str),
}));
export interface TCPSocketAction extends Infer<typeof TCPSocketAction> {}

export const SleepAction = object('io.k8s.api.core.v1.SleepAction', () => ({
  seconds: req(1, int64),
}));
export interface SleepAction extends Infer<typeof SleepAction> {}

export const HTTPGetAction = object('io.k8s.api.core.v1.HTTPGetAction', () => ({
  path: opt(1, str),
  port: req(2, intOrString),
  host: opt(3, str),
  scheme: opt(4, str),
  httpHeaders: opt(5, list(HTTPHeader)),
}));
export interface HTTPGetAction extends Infer<typeof HTTPGetAction> {}

export const HTTPHeader = object('io.k8s.api.core.v1.HTTPHeader', () => ({
  name: req(1, str),
  value: req(2, str),
}));
export interface HTTPHeader extends Infer<typeof HTTPHeader> {}

export const ExecAction = object('io.k8s.api.core.v1.ExecAction', () => ({
  command: opt(1, list(str)),
}));
export interface ExecAction extends Infer<typeof ExecAction> {}

export const EnvFromSource = object('io.k8s.api.core.v1.EnvFromSource', () => ({
  prefix: opt(1, str),
  configMapRef: opt(2, ConfigMapEnvSource),
  secretRef: opt(3, SecretEnvSource),
}));
export interface EnvFromSource extends Infer<typeof EnvFromSource> {}

export const SecretEnvSource = object('io.k8s.api.core.v1.SecretEnvSource', () => ({
  optional: opt(2, bool),
  name: opt(undefined, str),
}));
export interface SecretEnvSource extends Infer<typeof SecretEnvSource> {}

export const ConfigMapEnvSource = object('io.k8s.api.core.v1.ConfigMapEnvSource', () => ({
  optional: opt(2, bool),
  name: opt(undefined, str),
}));
export interface ConfigMapEnvSource extends Infer<typeof ConfigMapEnvSource> {}

export const EnvVar = object('io.k8s.api.core.v1.EnvVar', () => ({
  name: req(1, str),
  value: opt(2, str),
  valueFrom: opt(3, EnvVarSource),
}));
export interface EnvVar extends Infer<typeof EnvVar> {}

export const EnvVarSource = object('io.k8s.api.core.v1.EnvVarSource', () => ({
  fieldRef: opt(1, ObjectFieldSelector),
  resourceFieldRef: opt(2, ResourceFieldSelector),
  configMapKeyRef: opt(3, ConfigMapKeySelector),
  secretKeyRef: opt(4, SecretKeySelector),
  fileKeyRef: opt(5, FileKeySelector),
}));
export interface EnvVarSource extends Infer<typeof EnvVarSource> {}

export const SecretKeySelector = object(
  'io.k8s.api.core.v1.SecretKeySelector',
  () => ({
    key: req(2, str),
    optional: opt(3, bool),
    name: opt(undefined, str),
  }),
  { atomic: true },
);
export interface SecretKeySelector extends Infer<typeof SecretKeySelector> {}

export const FileKeySelector = object(
  'io.k8s.api.core.v1.FileKeySelector',
  () => ({
    volumeName: req(1, str),
    path: req(2, str),
    key: req(3, str),
    optional: opt(4, bool),
  }),
  { atomic: true },
);
export interface FileKeySelector extends Infer<typeof FileKeySelector> {}

export const ConfigMapKeySelector = object(
  'io.k8s.api.core.v1.ConfigMapKeySelector',
  () => ({
    key: req(2, str),
    optional: opt(3, bool),
    name: opt(undefined, str),
  }),
  { atomic: true },
);
export interface ConfigMapKeySelector extends Infer<typeof ConfigMapKeySelector> {}
