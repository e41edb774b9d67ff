import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, bytes, type Infer, map, object, opt, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { sizeOf, validateImmutableData, validateKeysOf, validateSize } from './validation/data.ts';

export const ConfigMap = object('io.k8s.api.core.v1.ConfigMap', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  data: opt(2, map(str)),
  binaryData: opt(3, map(bytes)),
  immutable: opt(4, bool),
}));
export interface ConfigMap extends Infer<typeof ConfigMap> {}

/** Config maps: data for pods to read. */
export const configMaps = defineKind<ConfigMap>({
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  shortNames: ['cm'],
  schema: ConfigMap,
  validate: validateConfigMap,
  update: {
    validate: (map, old) => [...validateConfigMap(map), ...validateImmutableData(map, old, ['data', 'binaryData'])],
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Data',
      type: 'string',
      description: 'How many keys it has.',
      value: (map) => Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length,
    },
    AGE_COLUMN,
  ],
});

function validateConfigMap(map: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  validateKeysOf(map.data, 'data', errors);
  validateKeysOf(map.binaryData, 'binaryData', errors);
  for (const key of Object.keys(map.binaryData ?? {})) {
    if (Object.hasOwn(map.data ?? {}, key)) {
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    }
  }
  validateSize(sizeOf(map.data, 'text') + sizeOf(map.binaryData, 'base64'), '[]', errors);
  return errors;
}
