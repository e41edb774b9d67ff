/** What is wrong with the volumes of a pod. */
import { duplicate, type FieldError, forbidden, invalid, required } from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain } from '../../../machinery/names.ts';
import { parseQuantity } from '../../../machinery/quantity.ts';
import { validateAnnotations, validateLabels } from '../../../machinery/validateMeta.ts';
import type {
  EmptyDirVolumeSource,
  EphemeralVolumeSource,
  HostPathVolumeSource,
  ImageVolumeSource,
  NFSVolumeSource,
  Volume,
} from '../volumes.ts';
import type { Volumes } from './mounts.ts';
import { validateClaimSpec } from './persistentVolumeClaim.ts';
import { validateStorage } from './podStorage.ts';
import { validateConfigMapFiles, validateDownwardFiles, validateKeys, validateProjected } from './projections.ts';
import { checkChoice, checkMode, checkName, checkNoBacksteps, needName } from './rules.ts';

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
];
const MEDIA = ['', 'HugePages', 'Memory'];
const PULL_POLICIES = ['Always', 'IfNotPresent', 'Never'];

const NONE: Volumes = new Map();

/** Validates the volumes, and gives them back by name for those who mount them. */
export function validateVolumes(volumes: readonly Volume[] | undefined, path: string, errors: FieldError[]): Volumes {
  if (volumes === undefined || volumes.length === 0) return NONE;
  const byName = new Map<string, Volume>();
  for (let i = 0; i < volumes.length; i++) {
    // Within the list's bounds.
    const volume = volumes[i] as Volume;
    const at = `${path}[${i}]`;
    if (!volume.name) errors.push(required(`${at}.name`));
    else {
      checkName(volume.name, dnsLabel, `${at}.name`, errors);
      if (byName.has(volume.name)) errors.push(duplicate(`${at}.name`, volume.name));
      byName.set(volume.name, volume);
    }
    let sources = 0;
    for (const source in volume) {
      if (source === 'name' || volume[source as keyof Volume] === undefined) continue;
      if (sources++ > 0) errors.push(forbidden(`${at}.${source}`, 'may not specify more than 1 volume type'));
      else validateSource(volume, source as keyof Volume, `${at}.${source}`, errors);
    }
    if (sources === 0) errors.push(required(at, 'must specify a volume type'));
  }
  return byName;
}

function validateSource(volume: Volume, source: keyof Volume, path: string, errors: FieldError[]): void {
  switch (source) {
    case 'emptyDir':
      if (volume.emptyDir !== undefined) validateEmptyDir(volume.emptyDir, path, errors);
      break;
    case 'hostPath':
      if (volume.hostPath !== undefined) validateHostPath(volume.hostPath, path, errors);
      break;
    case 'configMap':
      if (volume.configMap === undefined) break;
      needName(volume.configMap.name, dnsSubdomain, `${path}.name`, errors);
      validateConfigMapFiles(volume.configMap, path, errors);
      break;
    case 'secret':
      if (volume.secret === undefined) break;
      if (!volume.secret.secretName) errors.push(required(`${path}.secretName`));
      checkMode(volume.secret.defaultMode, `${path}.defaultMode`, errors);
      if (volume.secret.items !== undefined) validateKeys(volume.secret.items, `${path}.items`, errors);
      break;
    case 'downwardAPI':
      if (volume.downwardAPI === undefined) break;
      checkMode(volume.downwardAPI.defaultMode, `${path}.defaultMode`, errors);
      validateDownwardFiles(volume.downwardAPI.items ?? [], `${path}.items`, errors);
      break;
    case 'projected':
      if (volume.projected !== undefined) validateProjected(volume.projected, path, errors);
      break;
    case 'persistentVolumeClaim':
      if (!volume.persistentVolumeClaim?.claimName) errors.push(required(`${path}.claimName`));
      break;
    case 'image':
      if (volume.image !== undefined) validateImage(volume.image, path, errors);
      break;
    case 'nfs':
      if (volume.nfs !== undefined) validateNfs(volume.nfs, path, errors);
      break;
    case 'ephemeral':
      if (volume.ephemeral !== undefined) validateEphemeral(volume.ephemeral, path, errors);
      break;
    default:
      validateStorage(volume, source, path, errors);
  }
}

function validateEmptyDir(dir: EmptyDirVolumeSource, path: string, errors: FieldError[]): void {
  if (dir.medium && !dir.medium.startsWith('HugePages-')) checkChoice(dir.medium, MEDIA, `${path}.medium`, errors);
  if (dir.sizeLimit === undefined) return;
  const size = parseQuantity(dir.sizeLimit);
  if (size === undefined || size.nano < 0n) {
    errors.push(forbidden(`${path}.sizeLimit`, 'SizeLimit field must be a valid resource quantity'));
  }
}

/** A path of the node itself. */
export function validateHostPath(host: HostPathVolumeSource, path: string, errors: FieldError[]): void {
  if (!host.path) errors.push(required(`${path}.path`));
  else checkNoBacksteps(host.path, `${path}.path`, errors);
  if (host.type) checkChoice(host.type, HOST_PATH_TYPES, `${path}.type`, errors);
}

function validateImage(image: ImageVolumeSource, path: string, errors: FieldError[]): void {
  if (!image.reference) errors.push(required(`${path}.reference`));
  else if (image.reference !== image.reference.trim()) {
    errors.push(invalid(`${path}.reference`, image.reference, 'must not have leading or trailing whitespace'));
  }
  checkChoice(image.pullPolicy, PULL_POLICIES, `${path}.pullPolicy`, errors);
}

/** A share of an NFS server. */
export function validateNfs(nfs: NFSVolumeSource, path: string, errors: FieldError[]): void {
  if (!nfs.server) errors.push(required(`${path}.server`));
  if (!nfs.path) errors.push(required(`${path}.path`));
  else if (!nfs.path.startsWith('/')) errors.push(invalid(`${path}.path`, nfs.path, 'must be an absolute path'));
}

/** A claim that is made for the pod and lives as long as it does. */
function validateEphemeral(ephemeral: EphemeralVolumeSource, path: string, errors: FieldError[]): void {
  const at = `${path}.volumeClaimTemplate`;
  const claim = ephemeral.volumeClaimTemplate?.spec;
  if (claim === undefined) {
    errors.push(required(at));
    return;
  }
  validateClaimSpec(claim, `${at}.spec`, errors);
  const { labels, annotations, ...others } = ephemeral.volumeClaimTemplate?.metadata ?? {};
  validateLabels(labels, `${at}.metadata.labels`, errors);
  validateAnnotations(annotations, `${at}.metadata.annotations`, errors);
  for (const field in others) {
    errors.push(forbidden(`${at}.metadata.${field}`, 'cannot be set for an ephemeral volume'));
  }
}
