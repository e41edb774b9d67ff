/**
 * What is wrong with where a persistent volume comes from.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#types-of-persistent-volumes
 */
import { type FieldError, invalid, notSupported, required } from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain } from '../../../machinery/names.ts';
import { validateDriverName } from '../../storage/validation.ts';
import type { PersistentVolumeSource } from '../persistentVolume.ts';
import type { SecretReference } from '../references.ts';
import { checkChoice, checkName, checkNoBacksteps, checkRange, needName } from './rules.ts';
import { validateHostPath, validateNfs } from './volumes.ts';

const MOST_LUN = 255;
const MOST_PARTITION = 255;
const MOST_TENANT = 64;
const AZURE_CACHING = ['None', 'ReadOnly', 'ReadWrite'];
const AZURE_KINDS = ['Dedicated', 'Managed', 'Shared'];
const IQN = /^iqn\.\d{4}-\d{2}\.([a-z0-9]([-.a-z0-9]*[a-z0-9])?)(:[^,;*&$|\s]+)?$/i;
const EUI = /^eui\.[a-f0-9]{16}$/i;
const NAA = /^naa\.([a-f0-9]{16}|[a-f0-9]{32})$/i;
/** What stands before the slash of an option that is the system's own. */
const RESERVED = /(^|\.)(kubernetes\.io|k8s\.io)$/i;

type Sources = Required<PersistentVolumeSource>;
type Rule<S> = (source: S, path: string, errors: FieldError[]) => void;

/** The fields of each source that must not be empty. */
const NEEDED: { readonly [S in keyof Sources]: readonly (keyof Sources[S])[] } = {
  awsElasticBlockStore: ['volumeID'],
  azureDisk: ['diskName', 'diskURI'],
  azureFile: ['secretName', 'shareName'],
  cephfs: ['monitors'],
  cinder: ['volumeID'],
  csi: ['volumeHandle'],
  fc: [],
  flexVolume: ['driver'],
  flocker: [],
  gcePersistentDisk: ['pdName'],
  glusterfs: ['endpoints', 'path'],
  hostPath: [],
  iscsi: ['targetPortal', 'iqn'],
  local: ['path'],
  nfs: [],
  photonPersistentDisk: ['pdID'],
  portworxVolume: ['volumeID'],
  quobyte: ['registry', 'volume'],
  rbd: ['monitors', 'image'],
  scaleIO: ['gateway', 'system', 'volumeName'],
  storageos: ['volumeName'],
  vsphereVolume: ['volumePath'],
};

/** What is special to a source. */
const RULES: { readonly [S in keyof Sources]?: Rule<Sources[S]> } = {
  awsElasticBlockStore: validatePartition,
  azureDisk: validateAzureDisk,
  azureFile(file, path, errors) {
    if (file.secretNamespace === '') errors.push(required(`${path}.secretNamespace`));
  },
  cinder: (cinder, path, errors) => needSecret(cinder.secretRef, path, errors),
  csi(csi, path, errors) {
    validateDriverName(csi.driver, `${path}.driver`, errors);
    for (const field of CSI_SECRETS) validateSecret(csi[field], `${path}.${field}`, errors);
  },
  fc: validateFibreChannel,
  flexVolume(flex, path, errors) {
    for (const key in flex.options) {
      if (!RESERVED.test(key.split('/', 1)[0] ?? '')) continue;
      errors.push(invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
    }
  },
  flocker({ datasetName = '', datasetUUID = '' }, path, errors) {
    if (datasetName === '' && datasetUUID === '') {
      errors.push(required(path, 'one of datasetName and datasetUUID is required'));
    } else if (datasetName !== '' && datasetUUID !== '') {
      errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
    }
    if (datasetName.includes('/')) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
  },
  gcePersistentDisk: validatePartition,
  glusterfs({ endpointsNamespace: namespace }, path, errors) {
    if (namespace !== undefined) checkName(namespace, dnsLabel, `${path}.endpointsNamespace`, errors);
  },
  hostPath: validateHostPath,
  iscsi: validateIscsi,
  local: (local, path, errors) => checkNoBacksteps(local.path ?? '', `${path}.path`, errors),
  nfs: validateNfs,
  quobyte: validateQuobyte,
  storageos(storage, path, errors) {
    if (storage.volumeName) checkName(storage.volumeName, dnsLabel, `${path}.volumeName`, errors);
    if (storage.volumeNamespace) checkName(storage.volumeNamespace, dnsLabel, `${path}.volumeNamespace`, errors);
    needSecret(storage.secretRef, path, errors);
  },
};

const CSI_SECRETS = [
  'controllerPublishSecretRef',
  'controllerExpandSecretRef',
  'nodePublishSecretRef',
  'nodeExpandSecretRef',
] as const;

/** The names of all sources, in the order in which they are looked at. */
export const SOURCES = Object.keys(NEEDED) as (keyof Sources)[];

export function validateVolumeSource<S extends keyof Sources>(
  name: S,
  source: Sources[S],
  path: string,
  errors: FieldError[],
): void {
  for (const field of NEEDED[name]) {
    const value: unknown = source[field];
    const absent = value === undefined || value === '' || (Array.isArray(value) && value.length === 0);
    if (absent) errors.push(required(`${path}.${String(field)}`));
  }
  RULES[name]?.(source, path, errors);
}

function validatePartition(source: { partition?: number }, path: string, errors: FieldError[]): void {
  checkRange(source.partition, 0, MOST_PARTITION, `${path}.partition`, errors);
}

function validateAzureDisk(disk: Sources['azureDisk'], path: string, errors: FieldError[]): void {
  const { kind, diskURI = '' } = disk;
  if (disk.cachingMode !== undefined) checkChoice(disk.cachingMode, AZURE_CACHING, `${path}.cachingMode`, errors);
  if (kind === undefined) return;
  checkChoice(kind, AZURE_KINDS, `${path}.kind`, errors);
  const start = kind === 'Managed' ? '/subscriptions/' : 'https://';
  if (!diskURI.startsWith(start)) errors.push(notSupported(`${path}.diskURI`, diskURI, [`${start}...`]));
}

function validateFibreChannel(fc: Sources['fc'], path: string, errors: FieldError[]): void {
  const [names, ids] = [fc.targetWWNs ?? [], fc.wwids ?? []];
  if (names.length > 0 && ids.length > 0) {
    const detail = 'fc.targetWWNs and fc.wwids can not be specified simultaneously';
    errors.push(invalid(`${path}.targetWWNs`, names, detail));
  } else if (names.length === 0 && ids.length === 0) {
    errors.push(required(`${path}.targetWWNs`, 'must specify either targetWWNs or wwids, but not both'));
  }
  if (names.length === 0) return;
  if (fc.lun === undefined) errors.push(required(`${path}.lun`, 'lun is required if targetWWNs is specified'));
  else checkRange(fc.lun, 0, MOST_LUN, `${path}.lun`, errors);
}

function validateIscsi(iscsi: Sources['iscsi'], path: string, errors: FieldError[]): void {
  if (iscsi.iqn) validateQualifiedNode(iscsi.iqn, `${path}.iqn`, errors);
  checkRange(iscsi.lun, 0, MOST_LUN, `${path}.lun`, errors);
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && iscsi.secretRef === undefined) {
    errors.push(required(`${path}.secretRef`));
  }
  if (iscsi.secretRef !== undefined && !iscsi.secretRef.name) errors.push(required(`${path}.secretRef.name`));
  if (iscsi.initiatorName !== undefined) {
    validateQualifiedNode(iscsi.initiatorName, `${path}.initiatorName`, errors);
  }
}

function validateQuobyte(quobyte: Sources['quobyte'], path: string, errors: FieldError[]): void {
  const { registry = '', tenant = '' } = quobyte;
  if (tenant.length > MOST_TENANT) {
    errors.push(required(`${path}.tenant`, `must be a UUID and may not exceed a length of ${MOST_TENANT} characters`));
  }
  if (registry !== '' && registry.split(',').some((pair) => pair.split(':').length !== 2)) {
    const detail = 'must be a host:port pair or multiple pairs separated by commas';
    errors.push(invalid(`${path}.registry`, registry, detail));
  }
}

function needSecret(
  secret: { name?: string; namespace?: string } | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (secret === undefined) return;
  for (const field of ['name', 'namespace'] as const) {
    if (!secret[field]) errors.push(required(`${path}.secretRef.${field}`));
  }
}

function validateSecret(secret: SecretReference | undefined, path: string, errors: FieldError[]): void {
  if (secret === undefined) return;
  needName(secret.name, dnsSubdomain, `${path}.name`, errors);
  needName(secret.namespace, dnsLabel, `${path}.namespace`, errors);
}

/** The name of an iSCSI node: iqn, eui or naa. */
function validateQualifiedNode(name: string, path: string, errors: FieldError[]): void {
  if (!IQN.test(name) && !EUI.test(name) && !NAA.test(name)) errors.push(invalid(path, name, 'must be valid format'));
}
