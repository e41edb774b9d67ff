import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, bytes, type Infer, map, object, opt, str } from '../../machinery/schema/types.ts';

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
  schema: ConfigMap,
  shortNames: ['cm'],
});
