import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, map, object, opt, req, str } from '../../machinery/schema/types.ts';

export const VolumeAttributesClass = object('io.k8s.api.storage.v1.VolumeAttributesClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  driverName: req(2, str),
  parameters: opt(3, map(str)),
}));
export interface VolumeAttributesClass extends Infer<typeof VolumeAttributesClass> {}
