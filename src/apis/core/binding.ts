import { type FieldError, notSupported, required } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { ObjectReference } from './references.ts';

export const Binding = object('io.k8s.api.core.v1.Binding', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  target: req(2, ObjectReference),
}));
export interface Binding extends Infer<typeof Binding> {}

/** Bindings: what a scheduler sends to place a pod on a node. */
export const bindings = defineKind<Binding>({
  group: '',
  version: 'v1',
  kind: 'Binding',
  plural: 'bindings',
  schema: Binding,
  verbs: ['create'],
  stored: false,
  validate(binding) {
    const errors: FieldError[] = [];
    const target = binding.target;
    if (target?.kind && target.kind !== 'Node') errors.push(notSupported('target.kind', target.kind, ['Node']));
    if (!target?.name) errors.push(required('target.name'));
    return errors;
  },
});
