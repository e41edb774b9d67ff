/** What is wrong with files that a volume makes out of objects of the API. */
import { type FieldError, forbidden, invalid, required } from '../../../machinery/fieldError.ts';
import { validateLabelSelector } from '../../../machinery/labelSelector.ts';
import { configMapKey, dnsSubdomain } from '../../../machinery/names.ts';
import type {
  ClusterTrustBundleProjection,
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from '../volumes.ts';
import { validateFieldRef, validateResourceFieldRef } from './env.ts';
import { checkChoice, checkLocalPath, checkMode, needName } from './rules.ts';

const FILE_FIELDS = ['metadata.annotations', 'metadata.labels', 'metadata.name', 'metadata.namespace', 'metadata.uid'];
const KEY_TYPES = ['ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519', 'RSA3072', 'RSA4096'];
const SHORTEST_TOKEN_SECONDS = 600;
const LONGEST_TOKEN_SECONDS = 2 ** 32;

export function validateConfigMapFiles(source: ConfigMapVolumeSource, path: string, errors: FieldError[]): void {
  checkMode(source.defaultMode, `${path}.defaultMode`, errors);
  if (source.items !== undefined) validateKeys(source.items, `${path}.items`, errors);
}

/** Which keys become which files. */
export function validateKeys(items: readonly KeyToPath[], path: string, errors: FieldError[]): void {
  for (const [i, item] of items.entries()) {
    const at = `${path}[${i}]`;
    needName(item.key, configMapKey, `${at}.key`, errors);
    needLocalPath(item.path, `${at}.path`, errors);
    checkMode(item.mode, `${at}.mode`, errors);
  }
}

/** A path within the volume; a first part that begins with two dots is the kubelet's own. */
function needLocalPath(value: string | undefined, path: string, errors: FieldError[]): void {
  if (!value) {
    errors.push(required(path));
    return;
  }
  const before = errors.length;
  checkLocalPath(value, path, errors);
  if (errors.length === before && value.startsWith('..')) errors.push(invalid(path, value, "must not start with '..'"));
}

export function validateDownwardFiles(
  files: readonly DownwardAPIVolumeFile[],
  path: string,
  errors: FieldError[],
): void {
  for (const [i, file] of files.entries()) {
    const at = `${path}[${i}]`;
    needLocalPath(file.path, `${at}.path`, errors);
    checkMode(file.mode, `${at}.mode`, errors);
    if (file.fieldRef !== undefined) {
      validateFieldRef(file.fieldRef, FILE_FIELDS, `${at}.fieldRef`, errors);
      if (file.resourceFieldRef !== undefined) {
        errors.push(invalid(at, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'));
      }
    } else if (file.resourceFieldRef !== undefined) {
      validateResourceFieldRef(file.resourceFieldRef, true, `${at}.resourceFieldRef`, errors);
    } else errors.push(required(at, 'one of fieldRef and resourceFieldRef is required'));
  }
}

export function validateProjected(projected: ProjectedVolumeSource, path: string, errors: FieldError[]): void {
  checkMode(projected.defaultMode, `${path}.defaultMode`, errors);
  const files = new Set<string>();
  for (const [i, source] of (projected.sources ?? []).entries()) {
    const at = `${path}.sources[${i}]`;
    const kinds = Object.keys(source);
    if (kinds.length === 0) errors.push(required(at, 'must specify one source'));
    for (const extra of kinds.slice(1)) {
      errors.push(forbidden(`${at}.${extra}`, 'may not specify more than 1 volume type per source'));
    }
    if (kinds.length > 0) validateProjection(source, at, errors);
    for (const file of pathsOf(source)) {
      if (files.has(file)) errors.push(invalid(at, file, 'conflicting duplicate paths'));
      files.add(file);
    }
  }
}

function validateProjection(source: VolumeProjection, at: string, errors: FieldError[]): void {
  for (const kind of ['secret', 'configMap'] as const) {
    const data = source[kind];
    if (data === undefined) continue;
    if (!data.name) errors.push(required(`${at}.${kind}.name`));
    if (data.items !== undefined) validateKeys(data.items, `${at}.${kind}.items`, errors);
  }
  if (source.downwardAPI !== undefined) {
    validateDownwardFiles(source.downwardAPI.items ?? [], `${at}.downwardAPI.items`, errors);
  }
  if (source.serviceAccountToken !== undefined) {
    validateToken(source.serviceAccountToken, `${at}.serviceAccountToken`, errors);
  }
  if (source.clusterTrustBundle !== undefined) {
    validateTrustBundle(source.clusterTrustBundle, `${at}.clusterTrustBundle`, errors);
  }
  if (source.podCertificate !== undefined) {
    validateCertificate(source.podCertificate, `${at}.podCertificate`, errors);
  }
}

/** The files that a source names; those of whole secrets and config maps are not known before they are read. */
function pathsOf(source: VolumeProjection): string[] {
  const items = [
    ...(source.secret?.items ?? []),
    ...(source.configMap?.items ?? []),
    ...(source.downwardAPI?.items ?? []),
  ];
  const paths = items.map((item) => item.path);
  for (const path of [source.serviceAccountToken?.path, source.clusterTrustBundle?.path]) {
    if (path !== undefined) paths.push(path);
  }
  return paths.filter((path) => path !== undefined && path !== '');
}

function validateToken(token: ServiceAccountTokenProjection, path: string, errors: FieldError[]): void {
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < SHORTEST_TOKEN_SECONDS) {
    errors.push(invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
  } else if (seconds > LONGEST_TOKEN_SECONDS) {
    errors.push(invalid(`${path}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  needLocalPath(token.path, `${path}.path`, errors);
}

function validateTrustBundle(bundle: ClusterTrustBundleProjection, path: string, errors: FieldError[]): void {
  needLocalPath(bundle.path, `${path}.path`, errors);
  if (bundle.name !== undefined && bundle.signerName !== undefined) {
    errors.push(invalid(path, bundle, 'only one of name and signerName may be used'));
  } else if (bundle.name === undefined && bundle.signerName === undefined) {
    errors.push(required(path, 'either name or signerName must be specified'));
  }
  if (bundle.labelSelector !== undefined) {
    errors.push(...validateLabelSelector(bundle.labelSelector, `${path}.labelSelector`));
    if (bundle.signerName === undefined) {
      errors.push(invalid(`${path}.labelSelector`, bundle.labelSelector, 'must be unset if name is specified'));
    }
  }
}

function validateCertificate(certificate: PodCertificateProjection, path: string, errors: FieldError[]): void {
  const slash = certificate.signerName?.indexOf('/') ?? -1;
  if (!certificate.signerName) errors.push(required(`${path}.signerName`));
  else if (slash < 0) {
    errors.push(invalid(`${path}.signerName`, certificate.signerName, 'must be of the form domain/name'));
  } else needName(certificate.signerName.slice(0, slash), dnsSubdomain, `${path}.signerName`, errors);
  checkChoice(certificate.keyType, KEY_TYPES, `${path}.keyType`, errors);
  const files = ['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const;
  if (files.every((file) => !certificate[file])) {
    errors.push(required(path, 'must specify at least one of credentialBundlePath, keyPath or certificateChainPath'));
  }
  for (const file of files) if (certificate[file]) needLocalPath(certificate[file], `${path}.${file}`, errors);
}
