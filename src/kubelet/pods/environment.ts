/**
 * A container's environment: literal, from config maps, secrets and the pod itself, with $(NAME)
 * expanded.
 *
 * Source: https://kubernetes.io/docs/tasks/inject-data-application/define-interdependent-environment-variables/
 */
import type { ConfigMap } from '../../apis/core/configMap.ts';
import type { Container, EnvFromSource, EnvVarSource, FileKeySelector } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Secret } from '../../apis/core/secret.ts';
import type { Service } from '../../apis/core/service.ts';
import { downwardField, downwardResource } from './downward.ts';
import { EnvFileError, envFileValue } from './envFile.ts';

/** A container cannot be made as its spec says. Shows as CreateContainerConfigError. */
export class ContainerConfigError extends Error {
  override readonly name = 'ContainerConfigError';
}

/** What a container's environment is made from, read before. */
export interface EnvironmentSources {
  configMap(name: string): Promise<ConfigMap | undefined>;
  secret(name: string): Promise<Secret | undefined>;
  /** the text of a file in a volume of the pod; undefined where there is none */
  file(volume: string, path: string): Promise<string | undefined>;
  readonly services: readonly Service[];
  readonly nodeAllocatable: Readonly<Record<string, string>>;
  /** Keys of a config map or secret that cannot be names of variables were left out. */
  skipped?(keys: readonly string[], source: string): void;
}

/** The variables in order; a later one wins over an earlier of the same name. @throws ContainerConfigError */
export async function environmentOf(
  pod: Pod,
  container: Container,
  sources: EnvironmentSources,
): Promise<Map<string, string>> {
  const env = serviceVariables(pod, sources.services);
  let size = 0;
  for (const from of container.envFrom ?? []) {
    const skipped: string[] = [];
    for (const [name, value] of await bulk(from, sources)) {
      size += value.length;
      assertStartable(size);
      if (VARIABLE_NAME.test(name)) env.set(name, value);
      else skipped.push(name);
    }
    const [kind, ref] = from.configMapRef === undefined ? ['secret', from.secretRef] : ['configMap', from.configMapRef];
    if (skipped.length > 0) sources.skipped?.(skipped, `${kind} ${pod.metadata?.namespace}/${ref?.name}`);
  }
  for (const { name, value, valueFrom } of container.env ?? []) {
    const found = valueFrom === undefined ? expand(value ?? '', env) : await single(pod, container, valueFrom, sources);
    if (found === undefined) continue;
    size += found.length;
    assertStartable(size);
    env.set(name, found);
  }
  return env;
}

/** Printable ASCII without the sign that ends a name. */
const VARIABLE_NAME = /^[ -<>-~]+$/;

async function bulk(from: EnvFromSource, sources: EnvironmentSources): Promise<[string, string][]> {
  const prefix = from.prefix ?? '';
  const { configMapRef, secretRef } = from;
  if (configMapRef !== undefined) {
    const map = await sources.configMap(configMapRef.name ?? '');
    if (map === undefined) {
      if (configMapRef.optional === true) return [];
      throw new ContainerConfigError(`configmap ${JSON.stringify(configMapRef.name)} not found`);
    }
    return Object.entries(map.data ?? {}).map(([key, value]) => [prefix + key, value]);
  }
  if (secretRef !== undefined) {
    const secret = await sources.secret(secretRef.name ?? '');
    if (secret === undefined) {
      if (secretRef.optional === true) return [];
      throw new ContainerConfigError(`secret ${JSON.stringify(secretRef.name)} not found`);
    }
    return Object.entries(secret.data ?? {}).map(([key, value]) => [
      prefix + key,
      Buffer.from(value, 'base64').toString('utf8'),
    ]);
  }
  return [];
}

async function single(
  pod: Pod,
  container: Container,
  from: EnvVarSource,
  sources: EnvironmentSources,
): Promise<string | undefined> {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, fileKeyRef } = from;
  if (configMapKeyRef !== undefined) {
    const map = await sources.configMap(configMapKeyRef.name ?? '');
    const value = map?.data?.[configMapKeyRef.key];
    if (value !== undefined || configMapKeyRef.optional === true) return value;
    throw new ContainerConfigError(
      map === undefined
        ? `configmap ${JSON.stringify(configMapKeyRef.name)} not found`
        : `couldn't find key ${configMapKeyRef.key} in ConfigMap ${pod.metadata?.namespace}/${configMapKeyRef.name}`,
    );
  }
  if (secretKeyRef !== undefined) {
    const secret = await sources.secret(secretKeyRef.name ?? '');
    const value = secret?.data?.[secretKeyRef.key];
    if (value !== undefined) return Buffer.from(value, 'base64').toString('utf8');
    if (secretKeyRef.optional === true) return undefined;
    throw new ContainerConfigError(
      secret === undefined
        ? `secret ${JSON.stringify(secretKeyRef.name)} not found`
        : `couldn't find key ${secretKeyRef.key} in Secret ${pod.metadata?.namespace}/${secretKeyRef.name}`,
    );
  }
  if (fieldRef !== undefined) {
    const value = downwardField(pod, fieldRef.fieldPath);
    if (value === undefined) throw new ContainerConfigError(`the field ${fieldRef.fieldPath} is not supported`);
    return value;
  }
  if (resourceFieldRef !== undefined) {
    return downwardResource(pod, resourceFieldRef, container.name, sources.nodeAllocatable);
  }
  if (fileKeyRef !== undefined) return fileKey(fileKeyRef, sources);
  throw new ContainerConfigError('the source of an environment variable is not supported');
}

async function fileKey(
  { volumeName, path, key, optional }: FileKeySelector,
  sources: EnvironmentSources,
): Promise<string | undefined> {
  const text = await sources.file(volumeName, path);
  const file = `file ${JSON.stringify(path)} of volume ${JSON.stringify(volumeName)}`;
  try {
    const value = text === undefined ? undefined : envFileValue(text, key);
    if (value !== undefined || optional === true) return value;
  } catch (error) {
    if (!(error instanceof EnvFileError)) throw error;
    throw new ContainerConfigError(`failed to read ${file}: ${error.message}`);
  }
  const what = text === undefined ? `${file} not found` : `couldn't find key ${key} in ${file}`;
  throw new ContainerConfigError(what);
}

/** No kernel starts a program with more; a few variables that name each other could become as large as one likes. */
const MAX_EXPANDED = 4 << 20;

/** @throws ContainerConfigError where texts together are larger than any program can be given */
export function assertStartable(sizes: number): void {
  if (sizes > MAX_EXPANDED) throw new ContainerConfigError('argument list too long: what is given to it has no end');
}

/**
 * Replaces $(NAME) by the variable; $$ stands for $; what is not known stays as it is.
 * @throws ContainerConfigError where it becomes larger than any program can be given
 */
export function expand(text: string, env: Pick<ReadonlyMap<string, string>, 'get'>): string {
  const parts: string[] = [];
  let size = 0;
  const add = (part: string) => {
    size += part.length;
    assertStartable(size);
    parts.push(part);
  };
  let from = 0;
  for (let at = text.indexOf('$'); at >= 0; at = text.indexOf('$', from)) {
    add(text.slice(from, at));
    const opens = text[at + 1] === '(';
    const end = opens ? text.indexOf(')', at + 2) : -1;
    if (opens && end < 0) {
      // Nor is there an end to those that begin behind it.
      add(text.slice(at).replaceAll('$$', () => '$'));
      return parts.join('');
    }
    if (opens) add(env.get(text.slice(at + 2, end)) ?? text.slice(at, end + 1));
    else add('$');
    from = opens ? end + 1 : at + (text[at + 1] === '$' ? 2 : 1);
  }
  add(text.slice(from));
  return parts.join('');
}

/** NAME_SERVICE_HOST and its kin; those of the API server are always there. */
function serviceVariables(pod: Pod, services: readonly Service[]): Map<string, string> {
  const env = new Map<string, string>();
  const { namespace } = pod.metadata ?? {};
  for (const service of services) {
    const { clusterIP, ports = [] } = service.spec ?? {};
    if (!clusterIP || clusterIP === 'None') continue;
    const isApi = service.metadata?.namespace === 'default' && service.metadata.name === 'kubernetes';
    const linked = pod.spec?.enableServiceLinks !== false && service.metadata?.namespace === namespace;
    const [first] = ports;
    if (!(isApi || linked) || first === undefined) continue;
    const name = (service.metadata?.name ?? '').toUpperCase().replaceAll('-', '_');
    env.set(`${name}_SERVICE_HOST`, clusterIP);
    env.set(`${name}_SERVICE_PORT`, String(first.port));
    for (const port of ports) {
      if (port.name) env.set(`${name}_SERVICE_PORT_${port.name.toUpperCase().replaceAll('-', '_')}`, String(port.port));
    }
    const url = (port: { port: number; protocol?: string }) =>
      `${(port.protocol ?? 'TCP').toLowerCase()}://${clusterIP}:${port.port}`;
    env.set(`${name}_PORT`, url(first));
    for (const port of ports) {
      const base = `${name}_PORT_${port.port}_${(port.protocol ?? 'TCP').toUpperCase()}`;
      env.set(base, url(port));
      env.set(`${base}_PROTO`, (port.protocol ?? 'TCP').toLowerCase());
      env.set(`${base}_PORT`, String(port.port));
      env.set(`${base}_ADDR`, clusterIP);
    }
  }
  return env;
}
