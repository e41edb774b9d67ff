import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, list, map, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN } from '../../machinery/table.ts';
import { isDefaultClass, nameColumn } from '../defaultClass.ts';
import { validateParameters, validateProvisioner, validateTopologies } from './validation.ts';

export const StorageClass = object('io.k8s.api.storage.v1.StorageClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  provisioner: req(2, str, { doc: 'Who makes the volumes of this class.' }),
  parameters: opt(3, map(str), { doc: 'What the provisioner is told about the volumes it makes.' }),
  reclaimPolicy: opt(4, str, {
    pointer: true,
    doc: 'What becomes of a volume when its claim is gone: Delete (default) or Retain.',
  }),
  mountOptions: opt(5, list(str), { doc: 'Options with which volumes are mounted; not checked.' }),
  allowVolumeExpansion: opt(6, bool, { doc: 'Whether claims may grow.' }),
  volumeBindingMode: opt(7, str, {
    pointer: true,
    doc: 'When a claim gets its volume: Immediate (default), or WaitForFirstConsumer, when a pod that uses it is scheduled.',
  }),
  allowedTopologies: opt(8, list(TopologySelectorTerm), { doc: 'Where volumes may be made; everywhere if absent.' }),
}));
export interface StorageClass extends Infer<typeof StorageClass> {}

export const TopologySelectorTerm = object(
  'io.k8s.api.core.v1.TopologySelectorTerm',
  () => ({
    matchLabelExpressions: opt(1, list(TopologySelectorLabelRequirement)),
  }),
  { atomic: true },
);
export interface TopologySelectorTerm extends Infer<typeof TopologySelectorTerm> {}

export const TopologySelectorLabelRequirement = object('io.k8s.api.core.v1.TopologySelectorLabelRequirement', () => ({
  key: req(1, str),
  values: req(2, list(str)),
}));
export interface TopologySelectorLabelRequirement extends Infer<typeof TopologySelectorLabelRequirement> {}

const DEFAULT_CLASS_ANNOTATIONS = [
  'storageclass.kubernetes.io/is-default-class',
  'storageclass.beta.kubernetes.io/is-default-class',
];

/** Whether claims that name no class get this one. */
export const isDefaultStorageClass = isDefaultClass(DEFAULT_CLASS_ANNOTATIONS);

/** Storage classes: kinds of storage that claims can ask for. */
export const storageClasses = defineKind<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  schema: StorageClass,
  shortNames: ['sc'],
  namespaced: false,
  returnsDeleted: true,
  setDefaults(storage) {
    storage.reclaimPolicy ??= 'Delete';
    storage.volumeBindingMode ??= 'Immediate';
  },
  validate: validateStorageClass,
  update: { validate: validateStorageClassUpdate },
  columns: [
    nameColumn(isDefaultStorageClass),
    {
      name: 'Provisioner',
      type: 'string',
      description: 'Who makes its volumes.',
      value: (storage) => storage.provisioner ?? '',
    },
    {
      name: 'ReclaimPolicy',
      type: 'string',
      description: 'What becomes of a volume when its claim is gone.',
      value: (storage) => storage.reclaimPolicy ?? 'Delete',
    },
    {
      name: 'VolumeBindingMode',
      type: 'string',
      description: 'When a claim gets its volume.',
      value: (storage) => storage.volumeBindingMode ?? 'Immediate',
    },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      description: 'Whether claims may grow.',
      value: (storage) => storage.allowVolumeExpansion ?? false,
    },
    AGE_COLUMN,
  ],
});

const RECLAIM_POLICIES = ['Delete', 'Retain'];
const BINDING_MODES = ['Immediate', 'WaitForFirstConsumer'];

function validateStorageClass(storage: StorageClass): FieldError[] {
  const errors: FieldError[] = [];
  validateProvisioner(storage.provisioner, 'provisioner', errors);
  validateParameters(storage.parameters, 'parameters', errors);
  if (storage.reclaimPolicy && !RECLAIM_POLICIES.includes(storage.reclaimPolicy)) {
    errors.push(notSupported('reclaimPolicy', storage.reclaimPolicy, RECLAIM_POLICIES));
  }
  if (storage.volumeBindingMode === undefined) errors.push(required('volumeBindingMode'));
  else if (!BINDING_MODES.includes(storage.volumeBindingMode)) {
    errors.push(notSupported('volumeBindingMode', storage.volumeBindingMode, BINDING_MODES));
  }
  validateTopologies(storage.allowedTopologies, 'allowedTopologies', errors);
  return errors;
}

/** Volumes exist that were made as the class says: only what concerns later ones may change. */
function validateStorageClassUpdate(storage: StorageClass, old: StorageClass): FieldError[] {
  const errors = validateStorageClass(storage);
  for (const field of ['parameters', 'provisioner', 'reclaimPolicy'] as const) {
    if (!jsonEqual(storage[field], old[field])) {
      errors.push(forbidden(field, `updates to ${field} are forbidden.`));
    }
  }
  if (storage.volumeBindingMode !== old.volumeBindingMode) {
    errors.push(invalid('volumeBindingMode', storage.volumeBindingMode, 'field is immutable'));
  }
  return errors;
}
