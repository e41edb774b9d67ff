import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, bytes, type Infer, map, object, opt, str } from '../../machinery/schema/types.ts';

export const Secret = object('io.k8s.api.core.v1.Secret', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  data: opt(2, map(bytes)),
  type: opt(3, str),
  stringData: opt(4, map(str)),
  immutable: opt(5, bool),
}));
export interface Secret extends Infer<typeof Secret> {}

/** Secrets: data that only those see who may. */
export const secrets = defineKind<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  schema: Secret,
});
