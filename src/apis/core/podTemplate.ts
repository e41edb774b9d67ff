import type { FieldError } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, str } from '../../machinery/schema/types.ts';
import { NAME_COLUMN } from '../../machinery/table.ts';
import { CONTAINER_COLUMNS, labelsText } from '../apps/workloadColumns.ts';
import { setPodSpecDefaults } from './podDefaults.ts';
import { PodSpec } from './podSpec.ts';
import { templateWarnings } from './podWarnings.ts';
import { validatePodTemplate } from './validation/podTemplate.ts';

export const PodTemplateSpec = object('io.k8s.api.core.v1.PodTemplateSpec', () => ({
  metadata: opt(1, ObjectMeta),
  spec: opt(2, PodSpec),
}));
export interface PodTemplateSpec extends Infer<typeof PodTemplateSpec> {}

export const PodTemplate = object('io.k8s.api.core.v1.PodTemplate', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  template: opt(2, PodTemplateSpec, { doc: 'What pods are to be made from.' }),
}));
export interface PodTemplate extends Infer<typeof PodTemplate> {}

/** Pod templates: kept for whoever makes pods from them. */
export const podTemplates = defineKind<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  plural: 'podtemplates',
  schema: PodTemplate,
  hasGeneration: true,
  setDefaults(template) {
    if (template.template?.spec !== undefined) setPodSpecDefaults(template.template.spec);
  },
  validate: validateTemplate,
  update: { validate: validateTemplate },
  warnings: (template) => templateWarnings(template.template, 'template'),
  columns: [
    NAME_COLUMN,
    ...CONTAINER_COLUMNS.map((column) => ({
      ...column,
      priority: 0,
      value: ({ template }: PodTemplate, now: number) =>
        column.value(template === undefined ? {} : { spec: { template } }, now),
    })),
    {
      name: 'Pod Labels',
      type: 'string',
      description: 'The labels that the pods get.',
      value: (template) => labelsText(template.template?.metadata?.labels),
    },
  ],
});

function validateTemplate(template: PodTemplate): FieldError[] {
  const errors: FieldError[] = [];
  validatePodTemplate(template.template ?? {}, 'template', errors);
  return errors;
}
