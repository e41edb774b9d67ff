/**
 * What may change in a job's pod template: nothing, but where its pods go and what they ask for while it is suspended.
 * Source: https://kubernetes.io/docs/concepts/workloads/controllers/job/#mutable-scheduling-directives
 */
import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import type { Affinity } from '../core/affinity.ts';
import type { Container } from '../core/container.ts';
import type { PodSpec } from '../core/podSpec.ts';
import { PodTemplateSpec } from '../core/podTemplate.ts';
import type { Job } from './job.ts';

export function validateTemplateUpdate(job: Job, old: Job, errors: FieldError[]): void {
  const template = job.spec?.template;
  const before = old.spec?.template;
  const expected =
    before !== undefined && template !== undefined && isAtRest(old) ? withChoices(before, template) : before;
  if (!semanticEqual(PodTemplateSpec, template, expected)) {
    errors.push(invalid('spec.template', template, 'field is immutable'));
  }
}

/** It is suspended, and never ran or has no pods any more. */
function isAtRest(job: Job): boolean {
  if (job.spec?.suspend !== true) return false;
  const { startTime, active = 0, conditions = [] } = job.status ?? {};
  if (startTime === undefined) return true;
  return active === 0 && conditions.some((condition) => condition.type === 'Suspended' && condition.status === 'True');
}

/** The template as it was, with what may be chosen anew taken from the other. */
function withChoices(before: PodTemplateSpec, template: PodTemplateSpec): PodTemplateSpec {
  const { labels: _labels, annotations: _annotations, ...metadata } = before.metadata ?? {};
  const now = template.metadata ?? {};
  const expected: PodTemplateSpec = {
    ...before,
    metadata: {
      ...metadata,
      ...(now.labels === undefined ? {} : { labels: now.labels }),
      ...(now.annotations === undefined ? {} : { annotations: now.annotations }),
    },
  };
  if (template.metadata === undefined && before.metadata === undefined) delete expected.metadata;
  if (before.spec === undefined || template.spec === undefined) return expected;
  const { nodeSelector: _node, tolerations: _t, schedulingGates: _g, affinity, ...spec } = before.spec;
  const chosen = template.spec;
  const allowed = affinityFor(affinity, chosen.affinity);
  expected.spec = {
    ...spec,
    ...(chosen.nodeSelector === undefined ? {} : { nodeSelector: chosen.nodeSelector }),
    ...(chosen.tolerations === undefined ? {} : { tolerations: chosen.tolerations }),
    ...(chosen.schedulingGates === undefined ? {} : { schedulingGates: chosen.schedulingGates }),
    ...(allowed === undefined ? {} : { affinity: allowed }),
    ...resourcesFrom(spec, chosen),
  };
  return expected;
}

/** Affinity to nodes may change; that to other pods may not. */
function affinityFor(before: Affinity | undefined, chosen: Affinity | undefined): Affinity | undefined {
  const { nodeAffinity: _nodes, ...rest } = before ?? {};
  if (chosen === undefined) return before === undefined || Object.keys(rest).length === 0 ? undefined : rest;
  return { ...rest, ...(chosen.nodeAffinity === undefined ? {} : { nodeAffinity: chosen.nodeAffinity }) };
}

function resourcesFrom(before: PodSpec, chosen: PodSpec): Partial<PodSpec> {
  const from = (list: Container[] | undefined, given: Container[] | undefined): Container[] | undefined =>
    list?.map((container, i) => {
      const { resources: _resources, ...rest } = container;
      const resources = given?.[i]?.resources;
      return resources === undefined ? rest : { ...rest, resources };
    });
  const containers = from(before.containers, chosen.containers);
  const initContainers = from(before.initContainers, chosen.initContainers);
  return {
    ...(containers === undefined ? {} : { containers }),
    ...(initContainers === undefined ? {} : { initContainers }),
  };
}
