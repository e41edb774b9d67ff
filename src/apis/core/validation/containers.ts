/**
 * What is wrong with the containers of a pod: those that run, those that run before, those that are added for
 * debugging. This is on the way of every write of a pod: no closures and no regular expressions are made here.
 */
import { duplicate, type FieldError, forbidden, invalid, notFound, required } from '../../../machinery/fieldError.ts';
import { dnsLabel, ipAddress, portName, portNumber } from '../../../machinery/names.ts';
import type { Container, ContainerPort, ContainerRestartRule, EphemeralContainer } from '../container.ts';
import { isSidecar } from '../podResources.ts';
import type { PodSpec } from '../podSpec.ts';
import { validateEnv, validateEnvFrom } from './env.ts';
import { type Volumes, validateDevices, validateMounts } from './mounts.ts';
import { validateProbesOf } from './probes.ts';
import { validateResizePolicy, validateResources } from './resources.ts';
import { checkChoice, checkName, checkRange } from './rules.ts';
import { validateContainerSecurity } from './securityContext.ts';

const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MESSAGE_POLICIES = ['FallbackToLogsOnError', 'File'];
const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const MOST_RESTART_RULES = 20;
const MOST_EXIT_CODES = 255;

/** What the containers of a pod have in common. */
interface Surroundings {
  readonly spec: PodSpec;
  readonly volumes: Volumes;
  /** names of the pod's resourceClaims */
  readonly claims: ReadonlySet<string>;
  /** names seen so far; they are unique over all containers */
  readonly names: Set<string>;
  /** ports on the node seen so far, of what runs together */
  readonly hostPorts: Set<string>;
}

/** All containers of a pod. @param volumes the pod's volumes by name */
export function validateContainers(
  spec: PodSpec,
  volumes: Volumes,
  claims: ReadonlySet<string>,
  path: string,
  errors: FieldError[],
): void {
  const around: Surroundings = { spec, volumes, claims, names: new Set(), hostPorts: new Set() };
  const containers = spec.containers ?? [];
  if (containers.length === 0) errors.push(required(`${path}.containers`));
  for (let i = 0; i < containers.length; i++) {
    // Within the list's bounds.
    const container = containers[i] as Container;
    const at = `${path}.containers[${i}]`;
    validateContainer(container, around, at, errors);
    validateRunning(container, around, at, errors);
  }
  const init = spec.initContainers;
  if (init !== undefined) {
    for (let i = 0; i < init.length; i++) {
      // Within the list's bounds.
      const container = init[i] as Container;
      const at = `${path}.initContainers[${i}]`;
      validateContainer(container, around, at, errors);
      if (isSidecar(container)) validateRunning(container, around, at, errors);
      else validateInitOnly(container, at, errors);
    }
  }
  const ephemeral = spec.ephemeralContainers;
  if (ephemeral !== undefined) {
    for (const [i, container] of ephemeral.entries()) {
      validateEphemeral(container, around, `${path}.ephemeralContainers[${i}]`, errors);
    }
  }
}

/** What holds for every container. */
function validateContainer(
  container: Container | EphemeralContainer,
  around: Surroundings,
  path: string,
  errors: FieldError[],
): void {
  const { name, image } = container;
  if (!name) errors.push(required(`${path}.name`));
  else {
    checkName(name, dnsLabel, `${path}.name`, errors);
    if (around.names.has(name)) errors.push(duplicate(`${path}.name`, name));
    around.names.add(name);
  }
  if (!image) errors.push(required(`${path}.image`));
  else if (image !== image.trim()) {
    errors.push(invalid(`${path}.image`, image, 'must not have leading or trailing whitespace'));
  }
  checkChoice(container.imagePullPolicy, PULL_POLICIES, `${path}.imagePullPolicy`, errors);
  checkChoice(container.terminationMessagePolicy, MESSAGE_POLICIES, `${path}.terminationMessagePolicy`, errors);
  if (container.ports !== undefined) validatePorts(container.ports, around.spec, `${path}.ports`, errors);
  if (container.env !== undefined) validateEnv(container.env, around.volumes, `${path}.env`, errors);
  if (container.envFrom !== undefined) validateEnvFrom(container.envFrom, `${path}.envFrom`, errors);
  if (container.volumeMounts !== undefined) {
    validateMounts(container.volumeMounts, around.volumes, container.securityContext, `${path}.volumeMounts`, errors);
  }
  if (container.volumeDevices !== undefined) {
    const mounts = container.volumeMounts ?? [];
    validateDevices(container.volumeDevices, mounts, around.volumes, `${path}.volumeDevices`, errors);
  }
  if (container.resources !== undefined) {
    validateResources(container.resources, around.claims, `${path}.resources`, errors);
  }
  if (container.securityContext !== undefined) {
    validateContainerSecurity(container.securityContext, around.spec.hostUsers, `${path}.securityContext`, errors);
  }
  if (container.restartPolicy !== undefined) {
    checkChoice(container.restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`, errors);
  }
  if (container.restartPolicyRules !== undefined) {
    validateRestartRules(container.restartPolicyRules, container.restartPolicy, `${path}.restartPolicyRules`, errors);
  }
}

/** What holds for those that run as long as the pod does: probes, hooks, ports on the node. */
function validateRunning(container: Container, around: Surroundings, path: string, errors: FieldError[]): void {
  validateProbesOf(container, around.spec.terminationGracePeriodSeconds ?? 0, path, errors);
  if (container.resizePolicy !== undefined) {
    validateResizePolicy(container.resizePolicy, around.spec.restartPolicy, `${path}.resizePolicy`, errors);
  }
  if (container.ports === undefined) return;
  for (const [i, port] of container.ports.entries()) {
    if (!port.hostPort) continue;
    const id = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`;
    if (around.hostPorts.has(id)) errors.push(duplicate(`${path}.ports[${i}].hostPort`, id));
    around.hostPorts.add(id);
  }
}

const RUNNING_ONLY = ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** Init containers that end before the others start. */
function validateInitOnly(container: Container, path: string, errors: FieldError[]): void {
  for (const field of RUNNING_ONLY) {
    if (container[field] !== undefined) {
      errors.push(forbidden(`${path}.${field}`, 'may not be set for init containers without restartPolicy=Always'));
    }
  }
  if (container.resizePolicy !== undefined && container.resizePolicy.length > 0) {
    errors.push(invalid(`${path}.resizePolicy`, container.resizePolicy, 'must not be set for init containers'));
  }
}

const NOT_EPHEMERAL = [
  'ports',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const;

/** Containers that are added to a running pod, to look into it. */
function validateEphemeral(
  container: EphemeralContainer,
  around: Surroundings,
  path: string,
  errors: FieldError[],
): void {
  validateContainer(container, around, path, errors);
  for (const field of NOT_EPHEMERAL) {
    if (container[field] !== undefined) {
      errors.push(forbidden(`${path}.${field}`, 'cannot be set for an Ephemeral Container'));
    }
  }
  const { limits, requests, claims } = container.resources ?? {};
  if (limits !== undefined || requests !== undefined || claims !== undefined) {
    errors.push(forbidden(`${path}.resources`, 'cannot be set for an Ephemeral Container'));
  }
  const target = container.targetContainerName;
  if (target) {
    const { containers = [], initContainers = [] } = around.spec;
    if (![...containers, ...initContainers].some((c) => c.name === target)) {
      errors.push(notFound(`${path}.targetContainerName`, target));
    }
  }
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    for (const field of ['subPath', 'subPathExpr'] as const) {
      if (mount[field]) {
        errors.push(forbidden(`${path}.volumeMounts[${i}].${field}`, 'cannot be set for an Ephemeral Container'));
      }
    }
  }
}

function validatePorts(ports: readonly ContainerPort[], spec: PodSpec, path: string, errors: FieldError[]): void {
  const names = new Set<string>();
  for (let i = 0; i < ports.length; i++) {
    // Within the list's bounds.
    const port = ports[i] as ContainerPort;
    const at = `${path}[${i}]`;
    if (port.name) {
      checkName(port.name, portName, `${at}.name`, errors);
      if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    if (!port.containerPort) errors.push(required(`${at}.containerPort`));
    else {
      for (const fault of portNumber(port.containerPort)) {
        errors.push(invalid(`${at}.containerPort`, port.containerPort, fault));
      }
    }
    if (port.hostPort) {
      for (const fault of portNumber(port.hostPort)) errors.push(invalid(`${at}.hostPort`, port.hostPort, fault));
      if (spec.hostNetwork === true && port.hostPort !== port.containerPort) {
        const detail = 'must match `hostPort` when `hostNetwork` is true';
        errors.push(invalid(`${at}.containerPort`, port.containerPort, detail));
      }
    }
    checkChoice(port.protocol, PROTOCOLS, `${at}.protocol`, errors);
    if (port.hostIP) checkName(port.hostIP, ipAddress, `${at}.hostIP`, errors);
  }
}

/** When a container is restarted though its pod would not restart it. */
function validateRestartRules(
  rules: readonly ContainerRestartRule[],
  policy: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (rules.length > 0 && policy === undefined) {
    errors.push(required(path.replace(/Rules$/, ''), 'must specify restartPolicy when restart rules are used'));
  }
  if (rules.length > MOST_RESTART_RULES) {
    errors.push({ type: 'FieldValueTooLong', field: path, detail: `may not be more than ${MOST_RESTART_RULES} rules` });
  }
  for (const [i, rule] of rules.entries()) {
    const at = `${path}[${i}]`;
    checkChoice(rule.action, ['Restart'], `${at}.action`, errors);
    const codes = rule.exitCodes;
    if (codes === undefined) {
      errors.push(required(`${at}.exitCodes`, 'must be specified'));
      continue;
    }
    checkChoice(codes.operator, ['In', 'NotIn'], `${at}.exitCodes.operator`, errors);
    const values = codes.values ?? [];
    if (values.length === 0) errors.push(required(`${at}.exitCodes.values`, 'must specify at least one value'));
    if (values.length > MOST_EXIT_CODES) {
      errors.push(invalid(`${at}.exitCodes.values`, values.length, `must have at most ${MOST_EXIT_CODES} values`));
    }
    for (const [j, code] of values.entries()) checkRange(code, 0, 255, `${at}.exitCodes.values[${j}]`, errors);
    if (new Set(values).size !== values.length) {
      errors.push(duplicate(`${at}.exitCodes.values`, values));
    }
  }
}
