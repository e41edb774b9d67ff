/** What is wrong with the containers of a pod. */
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
} from '../../../machinery/fieldError.ts';
import { configMapKey, dnsLabel, envVarName, portName, portNumber, qualifiedName } from '../../../machinery/names.ts';
import { compareQuantities, quantityOf } from '../../../machinery/quantity.ts';
import type {
  Container,
  ContainerPort,
  EnvFromSource,
  EnvVar,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
  VolumeMount,
} from '../container.ts';
import type { PodSpec } from '../podSpec.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File'];

/** All containers of a pod; names are unique over all of them. */
export function validateContainers(spec: PodSpec, path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  const volumes = new Map((spec.volumes ?? []).map((v) => [v.name, v]));
  if ((spec.containers ?? []).length === 0) errors.push(required(`${path}.containers`));
  const hostPorts = new Set<string>();
  for (const [i, container] of (spec.containers ?? []).entries()) {
    validateContainer(container, `${path}.containers[${i}]`, names, volumes, errors);
    validateHostPorts(container, `${path}.containers[${i}]`, hostPorts, errors);
  }
  for (const [i, container] of (spec.initContainers ?? []).entries()) {
    const at = `${path}.initContainers[${i}]`;
    validateContainer(container, at, names, volumes, errors);
    if (container.restartPolicy === undefined) {
      for (const field of ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle'] as const) {
        if (container[field] !== undefined) {
          errors.push(forbidden(`${at}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
        }
      }
    }
  }
}

function validateContainer(
  container: Container,
  path: string,
  names: Set<string>,
  volumes: ReadonlyMap<string, unknown>,
  errors: FieldError[],
): void {
  if (!container.name) errors.push(required(`${path}.name`));
  else {
    for (const fault of dnsLabel(container.name)) errors.push(invalid(`${path}.name`, container.name, fault));
    if (names.has(container.name)) errors.push(duplicate(`${path}.name`, container.name));
    names.add(container.name);
  }
  if (!container.image) errors.push(required(`${path}.image`));
  else if (container.image !== container.image.trim()) {
    errors.push(invalid(`${path}.image`, container.image, 'must not have leading or trailing whitespace'));
  }
  if (!PULL_POLICIES.includes(container.imagePullPolicy ?? '')) {
    errors.push(notSupported(`${path}.imagePullPolicy`, container.imagePullPolicy, PULL_POLICIES));
  }
  if (!MESSAGE_POLICIES.includes(container.terminationMessagePolicy ?? '')) {
    errors.push(notSupported(`${path}.terminationMessagePolicy`, container.terminationMessagePolicy, MESSAGE_POLICIES));
  }
  validatePorts(container.ports ?? [], `${path}.ports`, errors);
  for (const [i, env] of (container.env ?? []).entries()) validateEnv(env, `${path}.env[${i}]`, errors);
  for (const [i, source] of (container.envFrom ?? []).entries())
    validateEnvFrom(source, `${path}.envFrom[${i}]`, errors);
  validateMounts(container.volumeMounts ?? [], `${path}.volumeMounts`, volumes, errors);
  if (container.resources !== undefined) validateResources(container.resources, `${path}.resources`, errors);
  validateProbe(container.livenessProbe, `${path}.livenessProbe`, true, errors);
  validateProbe(container.readinessProbe, `${path}.readinessProbe`, false, errors);
  validateProbe(container.startupProbe, `${path}.startupProbe`, true, errors);
  validateHandler(container.lifecycle?.postStart, `${path}.lifecycle.postStart`, errors);
  validateHandler(container.lifecycle?.preStop, `${path}.lifecycle.preStop`, errors);
  const security = container.securityContext;
  if (security?.allowPrivilegeEscalation === false && security.privileged === true) {
    errors.push(
      invalid(
        `${path}.securityContext`,
        security,
        'cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ),
    );
  }
  for (const field of ['runAsUser', 'runAsGroup'] as const) {
    const id = security?.[field];
    if (id !== undefined && (id < 0 || id > 2147483647)) {
      errors.push(invalid(`${path}.securityContext.${field}`, id, 'must be between 0 and 2147483647, inclusive'));
    }
  }
}

function validatePorts(ports: readonly ContainerPort[], path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  for (const [i, port] of ports.entries()) {
    const at = `${path}[${i}]`;
    if (port.name) {
      for (const fault of portName(port.name)) errors.push(invalid(`${at}.name`, port.name, fault));
      if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (port.containerPort === undefined || port.containerPort === 0) errors.push(required(`${at}.containerPort`));
    else
      for (const fault of portNumber(port.containerPort))
        errors.push(invalid(`${at}.containerPort`, port.containerPort, fault));
    if (port.hostPort)
      for (const fault of portNumber(port.hostPort)) errors.push(invalid(`${at}.hostPort`, port.hostPort, fault));
    if (!PROTOCOLS.includes(port.protocol ?? '')) errors.push(notSupported(`${at}.protocol`, port.protocol, PROTOCOLS));
  }
}

function validateHostPorts(container: Container, path: string, seen: Set<string>, errors: FieldError[]): void {
  for (const [i, port] of (container.ports ?? []).entries()) {
    if (!port.hostPort) continue;
    const key = `${port.protocol}/${port.hostIP ?? '0.0.0.0'}/${port.hostPort}`;
    if (seen.has(key)) errors.push(duplicate(`${path}.ports[${i}].hostPort`, key));
    seen.add(key);
  }
}

function validateEnv(env: EnvVar, path: string, errors: FieldError[]): void {
  if (!env.name) errors.push(required(`${path}.name`));
  else for (const fault of envVarName(env.name)) errors.push(invalid(`${path}.name`, env.name, fault));
  const from = env.valueFrom;
  if (from === undefined) return;
  const sources = Object.keys(from).length;
  if (sources === 0)
    errors.push(
      invalid(
        `${path}.valueFrom`,
        '',
        'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
      ),
    );
  if (sources > 1)
    errors.push(invalid(`${path}.valueFrom`, '', 'may not have more than one field specified at a time'));
  if (sources > 0 && env.value)
    errors.push(invalid(`${path}.valueFrom`, '', 'may not be specified when `value` is not empty'));
  for (const field of ['configMapKeyRef', 'secretKeyRef'] as const) {
    const ref = from[field];
    if (ref === undefined) continue;
    if (!ref.name) errors.push(required(`${path}.valueFrom.${field}.name`));
    if (!ref.key) errors.push(required(`${path}.valueFrom.${field}.key`));
    else
      for (const fault of configMapKey(ref.key)) errors.push(invalid(`${path}.valueFrom.${field}.key`, ref.key, fault));
  }
  if (from.fieldRef !== undefined && !FIELD_PATH.test(from.fieldRef.fieldPath ?? '')) {
    errors.push(
      from.fieldRef.fieldPath
        ? notSupported(`${path}.valueFrom.fieldRef.fieldPath`, from.fieldRef.fieldPath, ENV_FIELDS)
        : required(`${path}.valueFrom.fieldRef.fieldPath`),
    );
  }
  if (from.resourceFieldRef !== undefined && !from.resourceFieldRef.resource) {
    errors.push(required(`${path}.valueFrom.resourceFieldRef.resource`));
  }
}

const ENV_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const FIELD_PATH =
  /^(metadata\.(name|namespace|uid|(labels|annotations)\['[^']+'\])|spec\.(nodeName|serviceAccountName)|status\.(hostIPs?|podIPs?))$/;

function validateEnvFrom(source: EnvFromSource, path: string, errors: FieldError[]): void {
  if (source.prefix)
    for (const fault of envVarName(source.prefix)) errors.push(invalid(`${path}.prefix`, source.prefix, fault));
  const { configMapRef, secretRef } = source;
  if (configMapRef === undefined && secretRef === undefined) {
    errors.push(invalid(path, '', 'must specify one of: `configMapRef` or `secretRef`'));
  }
  if (configMapRef !== undefined && secretRef !== undefined) {
    errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
  }
  if (configMapRef !== undefined && !configMapRef.name) errors.push(required(`${path}.configMapRef.name`));
  if (secretRef !== undefined && !secretRef.name) errors.push(required(`${path}.secretRef.name`));
}

function validateMounts(
  mounts: readonly VolumeMount[],
  path: string,
  volumes: ReadonlyMap<string, unknown>,
  errors: FieldError[],
): void {
  const paths = new Set<string>();
  for (const [i, mount] of mounts.entries()) {
    const at = `${path}[${i}]`;
    if (!mount.name) errors.push(required(`${at}.name`));
    else if (!volumes.has(mount.name)) errors.push(notFound(`${at}.name`, mount.name));
    if (!mount.mountPath) errors.push(required(`${at}.mountPath`));
    else if (paths.has(mount.mountPath)) errors.push(invalid(`${at}.mountPath`, mount.mountPath, 'must be unique'));
    paths.add(mount.mountPath ?? '');
    if (mount.subPath && mount.subPathExpr) {
      errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    }
    for (const field of ['subPath', 'subPathExpr'] as const) {
      const sub = mount[field];
      if (!sub) continue;
      if (sub.startsWith('/')) errors.push(invalid(`${at}.${field}`, sub, 'must be a relative path'));
      if (sub.split('/').includes('..')) errors.push(invalid(`${at}.${field}`, sub, "must not contain '..'"));
    }
  }
}

/** Requests and limits: well-formed names, not negative, requests not above limits. */
export function validateResources(resources: ResourceRequirements, path: string, errors: FieldError[]): void {
  for (const field of ['limits', 'requests'] as const) {
    for (const [name, quantity] of Object.entries(resources[field] ?? {})) {
      const at = `${path}.${field}[${name}]`;
      for (const fault of qualifiedName(name)) errors.push(invalid(at, name, fault));
      if (quantityOf(quantity).nano < 0n) errors.push(invalid(at, quantity, 'must be greater than or equal to 0'));
    }
  }
  for (const [name, request] of Object.entries(resources.requests ?? {})) {
    const limit = resources.limits?.[name];
    if (limit !== undefined && compareQuantities(request, limit) > 0) {
      errors.push(invalid(`${path}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`));
    }
  }
}

function validateProbe(probe: Probe | undefined, path: string, onceOnly: boolean, errors: FieldError[]): void {
  if (probe === undefined) return;
  const handlers = (['exec', 'httpGet', 'tcpSocket', 'grpc'] as const).filter((h) => probe[h] !== undefined);
  if (handlers.length === 0) errors.push(required(path, 'must specify a handler type'));
  for (const extra of handlers.slice(1))
    errors.push(forbidden(`${path}.${extra}`, 'may not specify more than 1 handler type'));
  validateAction(probe, path, errors);
  if (probe.grpc !== undefined) {
    for (const fault of portNumber(probe.grpc.port)) errors.push(invalid(`${path}.grpc.port`, probe.grpc.port, fault));
  }
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    const value = probe[field];
    if (value !== undefined && value < 0)
      errors.push(invalid(`${path}.${field}`, value, 'must be greater than or equal to 0'));
  }
  if (onceOnly && probe.successThreshold !== 1)
    errors.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'));
}

function validateHandler(handler: LifecycleHandler | undefined, path: string, errors: FieldError[]): void {
  if (handler === undefined) return;
  const given = (['exec', 'httpGet', 'tcpSocket', 'sleep'] as const).filter((h) => handler[h] !== undefined);
  if (given.length === 0) errors.push(required(path, 'must specify a handler type'));
  for (const extra of given.slice(1))
    errors.push(forbidden(`${path}.${extra}`, 'may not specify more than 1 handler type'));
  validateAction(handler, path, errors);
}

function validateAction(
  action: Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket'>,
  path: string,
  errors: FieldError[],
): void {
  if (action.exec !== undefined && (action.exec.command ?? []).length === 0)
    errors.push(required(`${path}.exec.command`));
  if (action.httpGet !== undefined) {
    if (!action.httpGet.path) errors.push(required(`${path}.httpGet.path`));
    validatePortReference(action.httpGet.port, `${path}.httpGet.port`, errors);
    if (!['HTTP', 'HTTPS'].includes(action.httpGet.scheme ?? '')) {
      errors.push(notSupported(`${path}.httpGet.scheme`, action.httpGet.scheme, ['HTTP', 'HTTPS']));
    }
  }
  if (action.tcpSocket !== undefined) validatePortReference(action.tcpSocket.port, `${path}.tcpSocket.port`, errors);
}

function validatePortReference(port: number | string | undefined, path: string, errors: FieldError[]): void {
  if (port === undefined) errors.push(required(path));
  else if (typeof port === 'number') for (const fault of portNumber(port)) errors.push(invalid(path, port, fault));
  else for (const fault of portName(port)) errors.push(invalid(path, port, fault));
}
