/** What is wrong with the volumes of storage systems that a pod names itself. */
import { type FieldError, required } from '../../../machinery/fieldError.ts';
import { dnsLabel } from '../../../machinery/names.ts';
import type { Field } from '../../../machinery/schema/types.ts';
import { validateDriverName } from '../../storage/validation.ts';
import { type Volume, Volume as VolumeSchema } from '../volumes.ts';
import { checkLocalPath, checkName } from './rules.ts';
import {
  validateAzureDisk,
  validateFibreChannel,
  validateFlexVolume,
  validateFlocker,
  validateIscsi,
  validatePartition,
  validateQuobyte,
} from './storageSystems.ts';

type Sources = Required<Omit<Volume, 'name'>>;
type Rule<S> = (source: S, path: string, errors: FieldError[]) => void;

/** What is special to a source, beside what its schema requires. */
const RULES: { readonly [S in keyof Sources]?: Rule<Sources[S]> } = {
  awsElasticBlockStore: validatePartition,
  azureDisk: validateAzureDisk,
  cinder: needSecretName,
  csi(csi, path, errors) {
    validateDriverName(csi.driver, `${path}.driver`, errors);
    if (csi.nodePublishSecretRef !== undefined && !csi.nodePublishSecretRef.name) {
      errors.push(required(`${path}.nodePublishSecretRef.name`));
    }
  },
  fc: validateFibreChannel,
  flexVolume: validateFlexVolume,
  flocker: validateFlocker,
  gcePersistentDisk: validatePartition,
  gitRepo(repository, path, errors) {
    checkLocalPath(repository.directory ?? '', `${path}.directory`, errors);
  },
  iscsi: validateIscsi,
  quobyte: validateQuobyte,
  storageos(storage, path, errors) {
    if (storage.volumeName) checkName(storage.volumeName, dnsLabel, `${path}.volumeName`, errors);
    else errors.push(required(`${path}.volumeName`));
    if (storage.volumeNamespace) checkName(storage.volumeNamespace, dnsLabel, `${path}.volumeNamespace`, errors);
    needSecretName(storage, path, errors);
  },
};

/** Fields that a rule of their own looks at. */
const OWN_RULE: ReadonlySet<string> = new Set(['csi.driver']);

/** A source of a storage system: what the schema says must be there, is there, and what is special to it holds. */
export function validateStorage(volume: Volume, source: keyof Volume, path: string, errors: FieldError[]): void {
  const type = (VolumeSchema.fields[source] as Field).type;
  if (type.kind !== 'object') return;
  const value = volume[source] as unknown as Record<string, unknown>;
  for (const name in type.fields) {
    const given = value[name];
    const absent = given === undefined || given === '' || (Array.isArray(given) && given.length === 0);
    if (type.fields[name]?.required === true && absent && !OWN_RULE.has(`${source}.${name}`)) {
      errors.push(required(`${path}.${name}`));
    }
  }
  const rule = RULES[source as keyof Sources] as Rule<unknown> | undefined;
  rule?.(value, path, errors);
}

function needSecretName(source: { secretRef?: { name?: string } }, path: string, errors: FieldError[]): void {
  if (source.secretRef !== undefined && !source.secretRef.name) errors.push(required(`${path}.secretRef.name`));
}
