/**
 * What is wrong with where a persistent volume comes from.
 * Source: https://kubernetes.io/docs/concepts/storage/persistent-volumes/#types-of-persistent-volumes
 */
import { type FieldError, required } from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain } from '../../../machinery/names.ts';
import { validateDriverName } from '../../storage/validation.ts';
import type { PersistentVolumeSource } from '../persistentVolume.ts';
import type { SecretReference } from '../references.ts';
import { checkName, checkNoBacksteps, needName } from './rules.ts';
import {
  validateAzureDisk,
  validateFibreChannel,
  validateFlexVolume,
  validateFlocker,
  validateIscsi,
  validatePartition,
  validateQuobyte,
} from './storageSystems.ts';
import { validateHostPath, validateNfs } from './volumes.ts';

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
  flexVolume: validateFlexVolume,
  flocker: validateFlocker,
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
