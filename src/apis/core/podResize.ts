/**
 * Writes to a pod's `resize` subresource: containers get other amounts of cpu and memory while they run.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/
 */
import { type FieldError, forbidden, invalid } from '../../machinery/fieldError.ts';
import { semanticEqual } from '../../machinery/semanticEqual.ts';
import { type Container, ResourceRequirements } from './container.ts';
import type { Pod } from './pod.ts';
import { isSidecar } from './podResources.ts';
import { keepPodStatus } from './podRules.ts';
import type { PodSpec } from './podSpec.ts';
import { qosClassOf } from './qos.ts';
import { validatePodSpec } from './validation/podSpec.ts';

const NOTHING: PodSpec = { containers: [] };
/** What can be changed while a container runs. */
const RESIZABLE: ReadonlySet<string> = new Set(['cpu', 'memory']);

/** A write to `resize` changes resources, and nothing else. */
export function keepAllButResources(pod: Pod, old: Pod): void {
  const asked = pod.spec ?? NOTHING;
  keepPodStatus(pod, old);
  const { resources: _before, ...spec } = old.spec ?? NOTHING;
  spec.containers = withResources(spec.containers ?? [], asked.containers ?? []);
  const inits = withResources(spec.initContainers ?? [], asked.initContainers ?? []);
  if (inits.length > 0) spec.initContainers = inits;
  else delete spec.initContainers;
  pod.spec = { ...spec, ...(asked.resources === undefined ? {} : { resources: asked.resources }) };
}

/** Other containers than before are left as they are asked for: validation says that this cannot be. */
function withResources(containers: readonly Container[], asked: readonly Container[]): Container[] {
  if (orderFaults(asked, containers, '').length > 0) return [...asked];
  return containers.map((container, i) => {
    const { resources: _before, ...rest } = container;
    const resources = asked[i]?.resources;
    return resources === undefined ? rest : { ...rest, resources };
  });
}

function orderFaults(asked: readonly Container[], was: readonly Container[], path: string): FieldError[] {
  const what = path.includes('init') ? 'initContainers' : 'containers';
  if (asked.length !== was.length) return [forbidden('spec', `${what} may not be added or removed on resize`)];
  return was.flatMap(({ name }, i) =>
    asked[i]?.name === name
      ? []
      : [forbidden(`${path}[${i}].name`, `${what} may not be renamed or reordered on resize`)],
  );
}

export function validatePodResize(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const spec = pod.spec ?? NOTHING;
  const was = old.spec ?? NOTHING;
  if (old.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) {
    errors.push(forbidden('', 'static pods cannot be resized'));
  }
  if (was.os?.name === 'windows') errors.push(forbidden('', 'windows pods cannot be resized'));
  validatePodSpec(spec, 'spec', errors);
  const qos = was === NOTHING ? undefined : (old.status?.qosClass ?? qosClassOf(was));
  if (qos !== undefined && qosClassOf(spec) !== qos) {
    errors.push(invalid('spec', qosClassOf(spec), 'Pod QOS Class may not change as a result of resizing'));
  }
  const order = [
    ...orderFaults(spec.containers ?? [], was.containers ?? [], 'spec.containers'),
    ...orderFaults(spec.initContainers ?? [], was.initContainers ?? [], 'spec.initContainers'),
  ];
  // What follows compares one container with the other.
  if (order.length > 0) return [...errors, ...order];
  if (!semanticEqual(ResourceRequirements, spec.resources, was.resources))
    errors.push(...changesOf(spec, was, 'spec.resources'));
  for (const field of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (spec[field] ?? []).entries()) {
      const before = was[field]?.[i];
      if (before === undefined || semanticEqual(ResourceRequirements, container.resources, before.resources)) continue;
      const path = `spec.${field}[${i}].resources`;
      if (field === 'initContainers' && !isSidecar(container)) {
        errors.push(forbidden(path, 'resources for non-sidecar init containers are immutable'));
      } else errors.push(...changesOf(container, before, path));
    }
  }
  return errors;
}

/** Of a container, or of a pod as a whole. */
function changesOf(
  container: Pick<Container, 'resources'>,
  before: Pick<Container, 'resources'>,
  path: string,
): FieldError[] {
  const errors: FieldError[] = [];
  for (const which of ['limits', 'requests'] as const) {
    const now = container.resources?.[which] ?? {};
    const was = before.resources?.[which] ?? {};
    for (const name of new Set([...Object.keys(now), ...Object.keys(was)])) {
      if (RESIZABLE.has(name)) {
        if (now[name] === undefined) errors.push(forbidden(`${path}.${which}`, `resource ${which} cannot be removed`));
      } else if (now[name] !== was[name]) {
        errors.push(forbidden('spec', 'only cpu and memory resources are mutable'));
      }
    }
  }
  return errors;
}
