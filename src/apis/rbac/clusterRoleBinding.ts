import type { FieldError } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { pathSegment } from '../../machinery/names.ts';
import { type Infer, list, object, opt, req, str } from '../../machinery/schema/types.ts';
import { BINDING_COLUMNS } from './bindingColumns.ts';
import { RoleRef, Subject } from './rules.ts';
import { setBindingDefaults, validateBinding, validateRoleRefUpdate } from './validation.ts';

export const ClusterRoleBinding = object('io.k8s.api.rbac.v1.ClusterRoleBinding', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  subjects: opt(2, list(Subject)),
  roleRef: req(3, RoleRef),
}));
export interface ClusterRoleBinding extends Infer<typeof ClusterRoleBinding> {}

/** Cluster role bindings: who has a role in the whole cluster. */
export const clusterRoleBindings = defineKind<ClusterRoleBinding>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'ClusterRoleBinding',
  plural: 'clusterrolebindings',
  schema: ClusterRoleBinding,
  namespaced: false,
  nameRule: pathSegment,
  createOnUpdate: true,
  setDefaults: setBindingDefaults,
  validate: validateClusterRoleBinding,
  update: {
    validate(binding, old) {
      const errors = validateClusterRoleBinding(binding);
      validateRoleRefUpdate(binding, old, errors);
      return errors;
    },
  },
  columns: BINDING_COLUMNS,
});

const ROLE_KINDS = ['ClusterRole'];

function validateClusterRoleBinding(binding: ClusterRoleBinding): FieldError[] {
  const errors: FieldError[] = [];
  validateBinding(binding, ROLE_KINDS, errors);
  return errors;
}
