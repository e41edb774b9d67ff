import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { validateLabelSelector } from '../../machinery/labelSelector.ts';
import { LabelSelector, ObjectMeta } from '../../machinery/meta.ts';
import { dnsSubdomain } from '../../machinery/names.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import { type Infer, object, opt, quantity, req, str } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';

export const CSIStorageCapacity = object('io.k8s.api.storage.v1.CSIStorageCapacity', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  nodeTopology: opt(2, LabelSelector, { doc: 'From which nodes the storage can be reached.' }),
  storageClassName: req(3, str, { doc: 'The class whose volumes are made from it.' }),
  capacity: opt(4, quantity, { doc: 'How much of it is left.' }),
  maximumVolumeSize: opt(5, quantity, { doc: 'How large a volume can be.' }),
}));
export interface CSIStorageCapacity extends Infer<typeof CSIStorageCapacity> {}

/** CSI storage capacities: what a driver has left, by class and place. */
export const csiStorageCapacities = defineKind<CSIStorageCapacity>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIStorageCapacity',
  plural: 'csistoragecapacities',
  schema: CSIStorageCapacity,
  validate: validateCapacity,
  update: {
    validate(capacity, old) {
      const errors = validateCapacity(capacity);
      const { nodeTopology: now, storageClassName: name } = capacity;
      if (!semanticEqual(LabelSelector, now, old.nodeTopology)) {
        errors.push(invalid('nodeTopology', now, 'field is immutable'));
      }
      if (name !== old.storageClassName) errors.push(invalid('storageClassName', name, 'field is immutable'));
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'StorageClassName',
      type: 'string',
      description: 'The class whose volumes are made from it.',
      value: (capacity) => capacity.storageClassName ?? '',
    },
    {
      name: 'Capacity',
      type: 'string',
      description: 'How much of it is left.',
      value: (capacity) => capacity.capacity ?? '<unset>',
    },
  ],
});

function validateCapacity(capacity: CSIStorageCapacity): FieldError[] {
  const errors: FieldError[] = [];
  if (capacity.nodeTopology !== undefined) {
    errors.push(...validateLabelSelector(capacity.nodeTopology, 'nodeTopology'));
  }
  const name = capacity.storageClassName ?? '';
  for (const fault of dnsSubdomain(name)) errors.push(invalid('storageClassName', name, fault));
  if (capacity.capacity !== undefined && (parseQuantity(capacity.capacity)?.nano ?? 0n) < 0n) {
    errors.push(invalid('capacity', capacity.capacity, 'must be greater than or equal to 0'));
  }
  return errors;
}
