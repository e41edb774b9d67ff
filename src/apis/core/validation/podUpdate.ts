/** What of a pod may change once it is there. */
import { isDeepStrictEqual } from 'node:util';
import { type FieldError, forbidden, invalid, required } from '../../../machinery/fieldError.ts';
import type { Pod } from '../pod.ts';
import type { PodSpec } from '../podSpec.ts';

const MESSAGE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

export function validatePodUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? { containers: [] };
  const oldSpec = old.spec ?? { containers: [] };
  if (spec.containers.length !== oldSpec.containers.length) {
    return [forbidden('spec.containers', 'pod updates may not add or remove containers')];
  }
  for (const field of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (spec[field] ?? []).entries()) {
      if (!container.image) errors.push(required(`spec.${field}[${i}].image`));
    }
  }
  const { activeDeadlineSeconds: deadline } = spec;
  const oldDeadline = oldSpec.activeDeadlineSeconds;
  if (oldDeadline !== undefined && (deadline === undefined || deadline > oldDeadline)) {
    errors.push(invalid('spec.activeDeadlineSeconds', deadline, 'must be less than or equal to previous value'));
  }
  for (const toleration of oldSpec.tolerations ?? []) {
    if (!spec.tolerations?.some((t) => isDeepStrictEqual(t, toleration))) {
      errors.push(
        forbidden('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
      );
      break;
    }
  }
  for (const gate of spec.schedulingGates ?? []) {
    if (!oldSpec.schedulingGates?.some((g) => g.name === gate.name)) {
      errors.push(forbidden('spec.schedulingGates', 'only deletion is allowed, but found new scheduling gates'));
    }
  }
  if (!isDeepStrictEqual(fixedPart(spec), fixedPart(oldSpec))) errors.push(forbidden('spec', MESSAGE));
  return errors;
}

/** The spec without what may change. */
function fixedPart(spec: PodSpec): unknown {
  const { activeDeadlineSeconds: _deadline, tolerations: _tolerations, schedulingGates: _gates, ...rest } = spec;
  const withoutImages = (containers: PodSpec['containers'] | undefined) =>
    containers?.map(({ image: _image, ...c }) => c);
  return JSON.parse(
    JSON.stringify({
      ...rest,
      containers: withoutImages(spec.containers),
      initContainers: withoutImages(spec.initContainers),
    }),
  );
}
