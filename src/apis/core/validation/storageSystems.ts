/**
 * What is wrong with volumes of storage systems, whether a pod names them itself or a persistent volume does.
 * Source: https://kubernetes.io/docs/concepts/storage/volumes/#volume-types
 */
import { type FieldError, invalid, notSupported, required } from '../../../machinery/fieldError.ts';
import type {
  AzureDiskVolumeSource,
  FCVolumeSource,
  FlexVolumeSource,
  FlockerVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
} from '../volumes.ts';
import { checkChoice, checkRange } from './rules.ts';

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

export function validatePartition(source: { partition?: number }, path: string, errors: FieldError[]): void {
  checkRange(source.partition, 0, MOST_PARTITION, `${path}.partition`, errors);
}

export function validateAzureDisk(disk: AzureDiskVolumeSource, path: string, errors: FieldError[]): void {
  const { kind, diskURI = '' } = disk;
  if (disk.cachingMode !== undefined) checkChoice(disk.cachingMode, AZURE_CACHING, `${path}.cachingMode`, errors);
  if (kind === undefined) return;
  checkChoice(kind, AZURE_KINDS, `${path}.kind`, errors);
  const start = kind === 'Managed' ? '/subscriptions/' : 'https://';
  if (!diskURI.startsWith(start)) errors.push(notSupported(`${path}.diskURI`, diskURI, [`${start}...`]));
}

export function validateFibreChannel(fc: FCVolumeSource, path: string, errors: FieldError[]): void {
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

export function validateIscsi(
  iscsi: Omit<ISCSIVolumeSource, 'secretRef'> & { secretRef?: { name?: string } },
  path: string,
  errors: FieldError[],
): void {
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

export function validateQuobyte(quobyte: QuobyteVolumeSource, path: string, errors: FieldError[]): void {
  const { registry = '', tenant = '' } = quobyte;
  if (tenant.length > MOST_TENANT) {
    errors.push(required(`${path}.tenant`, `must be a UUID and may not exceed a length of ${MOST_TENANT} characters`));
  }
  if (registry !== '' && registry.split(',').some((pair) => pair.split(':').length !== 2)) {
    const detail = 'must be a host:port pair or multiple pairs separated by commas';
    errors.push(invalid(`${path}.registry`, registry, detail));
  }
}

/** @param flex of any kind of secret */
export function validateFlexVolume(flex: Pick<FlexVolumeSource, 'options'>, path: string, errors: FieldError[]): void {
  for (const key in flex.options) {
    if (!RESERVED.test(key.split('/', 1)[0] ?? '')) continue;
    errors.push(invalid(`${path}.options[${key}]`, key, 'kubernetes.io and k8s.io namespaces are reserved'));
  }
}

export function validateFlocker(
  { datasetName = '', datasetUUID = '' }: FlockerVolumeSource,
  path: string,
  errors: FieldError[],
): void {
  if (datasetName === '' && datasetUUID === '') {
    errors.push(required(path, 'one of datasetName and datasetUUID is required'));
  } else if (datasetName !== '' && datasetUUID !== '') {
    errors.push(invalid(path, 'resource', 'datasetName and datasetUUID can not be specified simultaneously'));
  }
  if (datasetName.includes('/')) errors.push(invalid(`${path}.datasetName`, datasetName, "must not contain '/'"));
}

/** The name of an iSCSI node: iqn, eui or naa. */
function validateQualifiedNode(name: string, path: string, errors: FieldError[]): void {
  if (!IQN.test(name) && !EUI.test(name) && !NAA.test(name)) errors.push(invalid(path, name, 'must be valid format'));
}
