import type { FieldError } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { pathSegment } from '../../machinery/names.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { BINDING_COLUMNS } from './bindingColumns.ts';
import { RoleRef, Subject } from './rules.ts';
import { setBindingDefaults, validateBinding, validateRoleRefUpdate } from './validation.ts';

export const RoleBinding = object('io.k8s.api.rbac.v1.RoleBinding', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  subjects: opt(2, list(Subject)),
  roleRef: req(3, RoleRef),
}));
export interface RoleBinding extends Infer<typeof RoleBinding> {}

/** Role bindings: who has a role in one namespace. */
export const roleBindings = defineKind<RoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'RoleBinding',
  plural: 'rolebindings',
  schema: RoleBinding,
  nameRule: pathSegment,
  createOnUpdate: true,
  setDefaults: setBindingDefaults,
  validate: validateRoleBinding,
  update: {
    validate(binding, old) {
      const errors = validateRoleBinding(binding);
      validateRoleRefUpdate(binding, old, errors);
      return errors;
    },
  },
  columns: BINDING_COLUMNS,
});

const ROLE_KINDS = ['ClusterRole', 'Role'];

function validateRoleBinding(binding: RoleBinding): FieldError[] {
  const errors: FieldError[] = [];
  validateBinding(binding, ROLE_KINDS, errors);
  return errors;
}
