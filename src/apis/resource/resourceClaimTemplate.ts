import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { defineKind } from '../../machinery/kind.ts';
import { ObjectMeta } from '../../machinery/meta.ts';
import { type Infer, object, opt, req, str } from '../../machinery/schema/types.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { AGE_COLUMN, NAME_COLUMN } from '../../machinery/table.ts';
import { validateAnnotations, validateLabels } from '../../machinery/validateMeta.ts';
import { setClaimDefaults, validateDeviceClaim } from './claimValidation.ts';
import { ResourceClaimSpec } from './resourceClaim.ts';

export const ResourceClaimTemplate = object('io.k8s.api.resource.v1.ResourceClaimTemplate', () => ({
  apiVersion: opt(undefined, str),
  kind: opt(undefined, str),
  metadata: opt(1, ObjectMeta),
  spec: req(2, ResourceClaimTemplateSpec),
}));
export interface ResourceClaimTemplate extends Infer<typeof ResourceClaimTemplate> {}

export const ResourceClaimTemplateSpec = object('io.k8s.api.resource.v1.ResourceClaimTemplateSpec', () => ({
  metadata: opt(1, ObjectMeta),
  spec: req(2, ResourceClaimSpec),
}));
export interface ResourceClaimTemplateSpec extends Infer<typeof ResourceClaimTemplateSpec> {}

/** Claim templates: from which each pod that names one gets a claim of its own. */
export const resourceClaimTemplates = defineKind<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  plural: 'resourceclaimtemplates',
  schema: ResourceClaimTemplate,
  setDefaults(template) {
    setClaimDefaults(template.spec?.spec?.devices);
  },
  validate(template) {
    const errors: FieldError[] = [];
    const { metadata, spec } = template.spec ?? {};
    validateLabels(metadata?.labels, 'spec.metadata.labels', errors);
    validateAnnotations(metadata?.annotations, 'spec.metadata.annotations', errors);
    if (spec?.devices !== undefined) validateDeviceClaim(spec.devices, 'spec.spec.devices', errors);
    return errors;
  },
  update: {
    validate(template, old) {
      if (semanticEqual(ResourceClaimTemplateSpec, template.spec, old.spec)) return [];
      return [invalid('spec', template.spec, 'field is immutable')];
    },
  },
  columns: [NAME_COLUMN, AGE_COLUMN],
});
