import { type FieldError, forbidden, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, map, object, opt, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN } from '../../machinery/table.ts';
import { isDefaultClass, nameColumn } from '../defaultClass.ts';
import { validateParameters, validateProvisioner } from './validation.ts';

export const VolumeAttributesClass = object('io.k8s.api.storage.v1.VolumeAttributesClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  driverName: req(2, str, { doc: 'The CSI driver for whose volumes this is.' }),
  parameters: opt(3, map(str), { doc: 'What the driver gives a volume, e.g. its throughput. Never changes.' }),
}));
export interface VolumeAttributesClass extends Infer<typeof VolumeAttributesClass> {}

const isDefault = isDefaultClass(['volumeattributesclass.alpha.kubernetes.io/is-default-class']);

/** Volume attributes classes: what of a volume may change while it is in use. */
export const volumeAttributesClasses = defineKind<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  plural: 'volumeattributesclasses',
  schema: VolumeAttributesClass,
  shortNames: ['vac'],
  namespaced: false,
  returnsDeleted: true,
  validate: validateClass,
  update: {
    validate(attributes, old) {
      const errors = validateClass(attributes);
      for (const field of ['driverName', 'parameters'] as const) {
        if (!jsonEqual(attributes[field], old[field])) {
          errors.push(forbidden(field, `updates to ${field} are forbidden.`));
        }
      }
      return errors;
    },
  },
  columns: [
    nameColumn(isDefault),
    {
      name: 'DriverName',
      type: 'string',
      description: 'The CSI driver for whose volumes this is.',
      value: (attributes) => attributes.driverName ?? '',
    },
    AGE_COLUMN,
  ],
});

function validateClass(attributes: VolumeAttributesClass): FieldError[] {
  const errors: FieldError[] = [];
  validateProvisioner(attributes.driverName, 'driverName', errors);
  validateParameters(attributes.parameters, 'parameters', errors);
  if (Object.keys(attributes.parameters ?? {}).length === 0) {
    errors.push(required('parameters', 'must contain at least one key/value pair'));
  }
  return errors;
}
