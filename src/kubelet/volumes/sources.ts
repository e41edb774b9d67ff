/** The files of volumes that are made from objects of the API: config maps, secrets, the pod itself, tokens. */
import type { ConfigMap } from '../../apis/core/configMap.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { Secret } from '../../apis/core/secret.ts';
import type { DownwardAPIVolumeFile, KeyToPath, Volume, VolumeProjection } from '../../apis/core/volumes.ts';
import type { Clock } from '../../lib/clock.ts';
import { downwardField, downwardResource } from '../pods/downward.ts';
import type { FileToProject } from './atomicWriter.ts';
import type { ClaimSources } from './claims.ts';

/** A volume cannot be made yet. Shows as a FailedMount event. */
export class VolumeError extends Error {
  override readonly name = 'VolumeError';
  /** what was being done, as Kubernetes calls it */
  readonly operation: 'MountVolume.SetUp' | 'MountVolume.WaitForAttach' | 'MountVolume.MountDevice';

  constructor(message: string, operation: VolumeError['operation'] = 'MountVolume.SetUp') {
    super(message);
    this.operation = operation;
  }
}

export interface VolumeSources extends ClaimSources {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  /** A token of the pod's service account; the same one until it is time for the next. */
  token(pod: Pod, audience: string, expirationSeconds: number): Promise<string>;
  readonly nodeAllocatable: Readonly<Record<string, string>>;
  readonly clock: Clock;
}

const DEFAULT_MODE = 0o644;

/** Undefined for a volume that is not made of files. @throws VolumeError */
export async function filesOf(
  pod: Pod,
  volume: Volume,
  sources: VolumeSources,
): Promise<Map<string, FileToProject> | undefined> {
  const files = new Map<string, FileToProject>();
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) await addConfigMap(pod, files, { ...configMap, mode: configMap.defaultMode }, sources);
  else if (secret !== undefined) {
    await addSecret(pod, files, { ...secret, name: secret.secretName ?? '', mode: secret.defaultMode }, sources);
  } else if (downwardAPI !== undefined)
    addDownward(pod, files, downwardAPI.items ?? [], downwardAPI.defaultMode, sources);
  else if (projected !== undefined) {
    for (const source of projected.sources ?? [])
      await addProjection(pod, files, source, projected.defaultMode, sources);
  } else return undefined;
  return files;
}

async function addProjection(
  pod: Pod,
  files: Map<string, FileToProject>,
  source: VolumeProjection,
  mode: number | undefined,
  sources: VolumeSources,
): Promise<void> {
  if (source.configMap !== undefined) await addConfigMap(pod, files, { ...source.configMap, mode }, sources);
  if (source.secret !== undefined)
    await addSecret(pod, files, { ...source.secret, name: source.secret.name ?? '', mode }, sources);
  if (source.downwardAPI !== undefined) addDownward(pod, files, source.downwardAPI.items ?? [], mode, sources);
  const wanted = source.serviceAccountToken;
  if (wanted !== undefined) {
    const token = await sources.token(pod, wanted.audience ?? '', wanted.expirationSeconds ?? 3600);
    const user = pod.spec?.securityContext?.runAsUser;
    const readable =
      pod.spec?.securityContext?.fsGroup === undefined ? (user === undefined ? (mode ?? DEFAULT_MODE) : 0o600) : 0o640;
    files.set(wanted.path, { data: Buffer.from(token), mode: readable, ...(user === undefined ? {} : { uid: user }) });
  }
  if (source.clusterTrustBundle !== undefined || source.podCertificate !== undefined) {
    throw new VolumeError('this source of a projected volume is not supported');
  }
}

interface Wanted {
  readonly name?: string;
  readonly items?: readonly KeyToPath[];
  readonly optional?: boolean;
  readonly mode: number | undefined;
}

async function addConfigMap(
  pod: Pod,
  files: Map<string, FileToProject>,
  wanted: Wanted,
  sources: VolumeSources,
): Promise<void> {
  const namespace = pod.metadata?.namespace ?? '';
  const map = await sources.configMap(namespace, wanted.name ?? '');
  if (map === undefined) {
    if (wanted.optional === true) return;
    throw new VolumeError(`configmap ${JSON.stringify(wanted.name)} not found`);
  }
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(map.data ?? {})) data.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(map.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'));
  addKeys(files, data, wanted, 'configmap references non-existent config key');
}

async function addSecret(
  pod: Pod,
  files: Map<string, FileToProject>,
  wanted: Wanted,
  sources: VolumeSources,
): Promise<void> {
  const namespace = pod.metadata?.namespace ?? '';
  const secret = await sources.secret(namespace, wanted.name ?? '');
  if (secret === undefined) {
    if (wanted.optional === true) return;
    throw new VolumeError(`secret ${JSON.stringify(wanted.name)} not found`);
  }
  addKeys(
    files,
    new Map(Object.entries(secret.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')])),
    wanted,
    'references non-existent secret key',
  );
}

/** @param missing what is said of a key that is not there */
function addKeys(
  files: Map<string, FileToProject>,
  data: ReadonlyMap<string, Buffer>,
  wanted: Wanted,
  missing: string,
): void {
  const mode = wanted.mode ?? DEFAULT_MODE;
  if ((wanted.items ?? []).length === 0) {
    for (const [key, value] of data) files.set(key, { data: value, mode });
    return;
  }
  for (const item of wanted.items ?? []) {
    const value = data.get(item.key);
    if (value !== undefined) files.set(item.path, { data: value, mode: item.mode ?? mode });
    else if (wanted.optional !== true) throw new VolumeError(`${missing}: ${item.key}`);
  }
}

function addDownward(
  pod: Pod,
  files: Map<string, FileToProject>,
  items: readonly DownwardAPIVolumeFile[],
  mode: number | undefined,
  sources: VolumeSources,
): void {
  for (const item of items) {
    const value =
      item.fieldRef !== undefined
        ? downwardField(pod, item.fieldRef.fieldPath)
        : item.resourceFieldRef !== undefined
          ? downwardResource(
              pod,
              item.resourceFieldRef,
              item.resourceFieldRef.containerName ?? '',
              sources.nodeAllocatable,
            )
          : undefined;
    if (value === undefined) throw new VolumeError(`the file ${item.path} asks for a field that is not supported`);
    files.set(item.path, { data: Buffer.from(value), mode: item.mode ?? mode ?? DEFAULT_MODE });
  }
}
