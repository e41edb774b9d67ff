import { type FieldError, invalid, required } from '../../machinery/fieldError.ts';
import { jsonEqual } from '../../machinery/jsonEqual.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, int64, object, opt, rawObject, req, str } from '../../machinery/schema/types.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateNotNegative } from './validation.ts';

export const ControllerRevision = object('io.k8s.api.apps.v1.ControllerRevision', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  data: opt(2, rawObject, { pointer: false, doc: 'What there was at this revision; never changes.' }),
  revision: req(3, int64, { default: 0, doc: 'Where it stands among the others; the highest is the newest.' }),
}));
export interface ControllerRevision extends Infer<typeof ControllerRevision> {}

/** Controller revisions: what stateful sets and daemon sets were, to roll back to. */
export const controllerRevisions = defineKind<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  plural: 'controllerrevisions',
  schema: ControllerRevision,
  validate: validateRevision,
  update: {
    validate(revision, old) {
      const errors = validateRevision(revision);
      if (!jsonEqual(revision.data, old.data)) errors.push(invalid('data', revision.data, 'field is immutable'));
      return errors;
    },
  },
  columns: [
    NAME_COLUMN,
    {
      name: 'Controller',
      type: 'string',
      description: 'Whose revision it is.',
      value: controllerText,
    },
    {
      name: 'Revision',
      type: 'string',
      description: 'Where it stands among the others.',
      value: (revision) => revision.revision ?? 0,
    },
    AGE_COLUMN,
  ],
});

function validateRevision(revision: ControllerRevision): FieldError[] {
  const errors: FieldError[] = [];
  if (revision.data === undefined) errors.push(required('data', 'data is mandatory'));
  validateNotNegative(revision.revision, 'revision', errors);
  return errors;
}

/** `statefulset.apps/web` */
function controllerText(revision: ControllerRevision): string {
  const owner = revision.metadata?.ownerReferences?.find((reference) => reference.controller === true);
  if (owner === undefined) return '<none>';
  const [group] = (owner.apiVersion ?? '').includes('/') ? owner.apiVersion.split('/') : [''];
  return `${(owner.kind ?? '').toLowerCase()}${group ? `.${group.toLowerCase()}` : ''}/${owner.name ?? ''}`;
}
