import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, str } from '../../machinery/schema/types.ts';
import { PodSpec } from './podSpec.ts';
import { PodStatus } from './podStatus.ts';

export const Pod = object('io.k8s.api.core.v1.Pod', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PodSpec),
  status: opt(3, PodStatus),
}));
export interface Pod extends Infer<typeof Pod> {}
