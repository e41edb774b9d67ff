/** What is wrong with environment variables and where they come from. */
import { type FieldError, invalid, notFound, notSupported, required } from '../../../machinery/fieldError.ts';
import { configMapKey, dnsLabel, dnsSubdomain, envVarName, qualifiedName } from '../../../machinery/names.ts';
import type { EnvFromSource, EnvVar, EnvVarSource, FileKeySelector } from '../container.ts';
import type { ObjectFieldSelector, ResourceFieldSelector } from '../volumes.ts';
import type { Volumes } from './mounts.ts';
import { checkLocalPath, checkName, needName } from './rules.ts';

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

const CONTAINER_RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

/** `metadata.labels['app']` */
const SUBSCRIPT = /^metadata\.(?:labels|annotations)\['([^']*)'\]$/;
const HUGE_PAGES = /^(limits|requests)\.hugepages-/;
const CPU_DIVISORS = ['0', '1', '1m'];
const BYTE_DIVISORS = ['0', '1', '1E', '1Ei', '1G', '1Gi', '1Ki', '1M', '1Mi', '1P', '1Pi', '1T', '1Ti', '1k'];

/** @param volumes the pod's, in which files of variables may lie */
export function validateEnv(env: readonly EnvVar[], volumes: Volumes, path: string, errors: FieldError[]): void {
  for (const [i, variable] of env.entries()) {
    const at = `${path}[${i}]`;
    needName(variable.name, envVarName, `${at}.name`, errors);
    if (variable.valueFrom !== undefined)
      validateSource(variable.valueFrom, variable.value, volumes, `${at}.valueFrom`, errors);
  }
}

function validateSource(
  from: EnvVarSource,
  value: string | undefined,
  volumes: Volumes,
  path: string,
  errors: FieldError[],
): void {
  let sources = 0;
  if (from.fieldRef !== undefined) {
    sources++;
    validateFieldRef(from.fieldRef, ENV_FIELDS, `${path}.fieldRef`, errors);
  }
  if (from.resourceFieldRef !== undefined) {
    sources++;
    validateResourceFieldRef(from.resourceFieldRef, false, `${path}.resourceFieldRef`, errors);
  }
  if (from.configMapKeyRef !== undefined) {
    sources++;
    needName(from.configMapKeyRef.name, dnsSubdomain, `${path}.configMapKeyRef.name`, errors);
    needName(from.configMapKeyRef.key, configMapKey, `${path}.configMapKeyRef.key`, errors);
  }
  if (from.secretKeyRef !== undefined) {
    sources++;
    needName(from.secretKeyRef.name, dnsSubdomain, `${path}.secretKeyRef.name`, errors);
    needName(from.secretKeyRef.key, configMapKey, `${path}.secretKeyRef.key`, errors);
  }
  if (from.fileKeyRef !== undefined) {
    sources++;
    validateFileKey(from.fileKeyRef, volumes, `${path}.fileKeyRef`, errors);
  }
  if (sources === 0) {
    const detail =
      'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalid(path, '', detail));
  } else if (value) errors.push(invalid(path, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) errors.push(invalid(path, '', 'may not have more than one field specified at a time'));
}

/** A variable in a file that another container of the pod writes. */
function validateFileKey(ref: FileKeySelector, volumes: Volumes, path: string, errors: FieldError[]): void {
  needName(ref.volumeName, dnsLabel, `${path}.volumeName`, errors);
  needName(ref.key, envVarName, `${path}.key`, errors);
  if (!ref.path) errors.push(required(`${path}.path`));
  else checkLocalPath(ref.path, `${path}.path`, errors);
  if (!ref.volumeName) return;
  const volume = volumes.get(ref.volumeName);
  if (volume === undefined) errors.push(notFound(`${path}.volumeName`, ref.volumeName));
  else if (volume.emptyDir === undefined) {
    errors.push(invalid(`${path}.volumeName`, ref.volumeName, 'must be the name of an emptyDir volume'));
  }
}

/** A field of the pod itself. @param fields those that can be had here */
export function validateFieldRef(
  ref: ObjectFieldSelector,
  fields: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  if (!ref.apiVersion) errors.push(required(`${path}.apiVersion`));
  else if (ref.apiVersion !== 'v1') errors.push(notSupported(`${path}.apiVersion`, ref.apiVersion, ['v1']));
  if (!ref.fieldPath) {
    errors.push(required(`${path}.fieldPath`));
    return;
  }
  const key = SUBSCRIPT.exec(ref.fieldPath)?.[1];
  if (key !== undefined) checkName(key.toLowerCase(), qualifiedName, path, errors);
  else if (!fields.includes(ref.fieldPath)) errors.push(notSupported(`${path}.fieldPath`, ref.fieldPath, fields));
}

/** A resource of a container of the pod. */
export function validateResourceFieldRef(
  ref: ResourceFieldSelector,
  needsContainer: boolean,
  path: string,
  errors: FieldError[],
): void {
  if (needsContainer && !ref.containerName) errors.push(required(`${path}.containerName`));
  if (!ref.resource) errors.push(required(`${path}.resource`));
  else if (!CONTAINER_RESOURCES.includes(ref.resource) && !HUGE_PAGES.test(ref.resource)) {
    errors.push(notSupported(`${path}.resource`, ref.resource, CONTAINER_RESOURCES));
  }
  const divisor = ref.divisor ?? '0';
  const divisors = ref.resource?.endsWith('.cpu') ? CPU_DIVISORS : BYTE_DIVISORS;
  if (!divisors.includes(divisor))
    errors.push(invalid(`${path}.divisor`, divisor, `must be one of ${divisors.join(', ')}`));
}

export function validateEnvFrom(sources: readonly EnvFromSource[], path: string, errors: FieldError[]): void {
  for (const [i, source] of sources.entries()) {
    const at = `${path}[${i}]`;
    if (source.prefix) checkName(source.prefix, envVarName, `${at}.prefix`, errors);
    const { configMapRef, secretRef } = source;
    if (configMapRef !== undefined) needName(configMapRef.name, dnsSubdomain, `${at}.configMapRef.name`, errors);
    if (secretRef !== undefined) needName(secretRef.name, dnsSubdomain, `${at}.secretRef.name`, errors);
    if (configMapRef === undefined && secretRef === undefined) {
      errors.push(invalid(at, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef !== undefined && secretRef !== undefined) {
      errors.push(invalid(at, '', 'may not have more than one field specified at a time'));
    }
  }
}
