import type { FieldError } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { pathSegment } from '../../machinery/names.ts';
import { type Infer, list, object, opt, str } from '../../machinery/schema/types.ts';
import { PolicyRule } from './rules.ts';
import { validateRules } from './validation.ts';

export const Role = object('io.k8s.api.rbac.v1.Role', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  rules: opt(2, list(PolicyRule)),
}));
export interface Role extends Infer<typeof Role> {}

/** Roles: what may be done in one namespace. */
export const roles = defineKind<Role>({
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  kind: 'Role',
  plural: 'roles',
  schema: Role,
  nameRule: pathSegment,
  createOnUpdate: true,
  validate: validateRole,
  update: { validate: validateRole },
});

function validateRole(role: Role): FieldError[] {
  const errors: FieldError[] = [];
  validateRules(role.rules, true, errors);
  return errors;
}
