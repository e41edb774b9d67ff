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

/** A write to `resize` changes the resources of containers, and nothing else. */
export function keepAllButResources(pod: Pod, old: Pod): void {
  const asked = pod.spec ?? NOTHING;
  keepPodStatus(pod, old);
  const spec = { ...(old.spec ?? NOTHING) };
  spec.containers = withResources(spec.containers ?? [], asked.containers ?? []);
  if (spec.initContainers !== undefined) {
    spec.initContainers = withResources(spec.initContainers, asked.initContainers ?? []);
  }
  pod.spec = spec;
}

function withResources(containers: readonly Container[], asked: readonly Container[]): Container[] {
  return containers.map((container) => {
    const resources = asked.find(({ name }) => name === container.name)?.resources;
    return resources === undefined ? container : { ...container, resources };
  });
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
  const qos = was === NOTHING ? undefined : (old.status?.qosClass ?? qosClassOf(was));
  if (qos !== undefined && qosClassOf(spec) !== qos) {
    errors.push(invalid('spec', qosClassOf(spec), 'Pod QOS Class may not change as a result of resizing'));
  }
  return errors;
}

function changesOf(container: Container, before: Container, path: string): FieldError[] {
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
