/** Columns of role bindings of both sorts. */
import type { Column, KubeObject } from '../../machinery/kind.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import type { RoleBindingParts } from './validation.ts';

type Binding = KubeObject & RoleBindingParts;

function subjectsOf(binding: Binding, kind: string): string {
  return (binding.subjects ?? [])
    .filter((subject) => subject.kind === kind)
    .map((subject) => (kind === 'ServiceAccount' ? `${subject.namespace}/${subject.name}` : subject.name))
    .join(', ');
}

export const BINDING_COLUMNS: readonly Column<Binding>[] = [
  NAME_COLUMN,
  {
    name: 'Role',
    type: 'string',
    description: 'The role that it gives.',
    value: (binding) => `${binding.roleRef?.kind ?? ''}/${binding.roleRef?.name ?? ''}`,
  },
  AGE_COLUMN,
  {
    name: 'Users',
    type: 'string',
    description: 'The users who get it.',
    priority: 1,
    value: (binding) => subjectsOf(binding, 'User'),
  },
  {
    name: 'Groups',
    type: 'string',
    description: 'The groups whose members get it.',
    priority: 1,
    value: (binding) => subjectsOf(binding, 'Group'),
  },
  {
    name: 'ServiceAccounts',
    type: 'string',
    description: 'The service accounts that get it.',
    priority: 1,
    value: (binding) => subjectsOf(binding, 'ServiceAccount'),
  },
];
