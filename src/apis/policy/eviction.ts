import { DeleteOptions } from '../../machinery/deleteOptions.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, str } from '../../machinery/schema/types.ts';

export const Eviction = object('io.k8s.api.policy.v1.Eviction', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  deleteOptions: opt(2, DeleteOptions),
}));
export interface Eviction extends Infer<typeof Eviction> {}

/** Evictions: what is sent to a pod's `eviction`; no resource of its own. */
export const evictions = defineKind<Eviction>({
  group: 'policy',
  version: 'v1',
  kind: 'Eviction',
  plural: 'pods/eviction',
  schema: Eviction,
  verbs: ['create'],
  stored: false,
});
