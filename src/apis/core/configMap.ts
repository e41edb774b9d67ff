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
