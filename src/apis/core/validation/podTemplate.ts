/** What is wrong with the template of pods. */
import { type FieldError, forbidden, required } from '../../../machinery/fieldError.ts';
import { validateAnnotations, validateLabels } from '../../../machinery/validateMeta.ts';
import type { PodTemplateSpec } from '../podTemplate.ts';
import { validatePodSpec } from './podSpec.ts';

/** Labels, annotations and spec of a template. Names are given to the pods that are made from it. */
export function validatePodTemplate(template: PodTemplateSpec, path: string, errors: FieldError[]): void {
  validateLabels(template.metadata?.labels, `${path}.labels`, errors);
  validateAnnotations(template.metadata?.annotations, `${path}.annotations`, errors);
  if (template.spec === undefined) {
    errors.push(required(`${path}.spec.containers`));
    return;
  }
  validatePodSpec(template.spec, `${path}.spec`, errors);
  if ((template.spec.ephemeralContainers ?? []).length > 0) {
    errors.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}
