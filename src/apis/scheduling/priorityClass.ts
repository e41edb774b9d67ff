import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { bool, type Infer, int32, object, opt, str } from '../../machinery/schema/types.ts';

export const PriorityClass = object('io.k8s.api.scheduling.v1.PriorityClass', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  value: opt(2, int32),
  globalDefault: opt(3, bool),
  description: opt(4, str),
  preemptionPolicy: opt(5, str),
}));
export interface PriorityClass extends Infer<typeof PriorityClass> {}

/** Priority classes: how important pods are. */
export const priorityClasses = defineKind<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  schema: PriorityClass,
  shortNames: ['pc'],
  namespaced: false,
});
