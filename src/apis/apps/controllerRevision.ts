import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int64, object, opt, rawObject, req, str } from '../../machinery/schema/types.ts';

export const ControllerRevision = object('io.k8s.api.apps.v1.ControllerRevision', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  data: opt(2, rawObject),
  revision: req(3, int64),
}));
export interface ControllerRevision extends Infer<typeof ControllerRevision> {}
