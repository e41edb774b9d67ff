/** Defaults of pods and pod templates that need code. */
import type { Container, Probe } from './container.ts';
import type { PodSpec } from './podSpec.ts';

/** Fills in a pod's spec, which it changes. The schema's own defaults have been applied. */
export function setPodSpecDefaults(spec: PodSpec): void {
  if (spec.serviceAccountName === undefined && spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  if (spec.serviceAccountName !== undefined) spec.serviceAccount = spec.serviceAccountName;
  for (const volume of spec.volumes ?? []) {
    const { name: _name, ...source } = volume;
    if (Object.keys(source).length === 0) volume.emptyDir = {};
  }
  for (const container of spec.initContainers ?? []) setContainerDefaults(container, spec);
  for (const container of spec.containers ?? []) setContainerDefaults(container, spec);
}

function setContainerDefaults(container: Container, spec: PodSpec): void {
  container.imagePullPolicy ??= pullPolicyFor(container.image ?? '');
  container.resources ??= {};
  const { limits } = container.resources;
  if (limits !== undefined) {
    container.resources.requests ??= {};
    for (const [name, quantity] of Object.entries(limits)) container.resources.requests[name] ??= quantity;
  }
  if (spec.hostNetwork === true) {
    for (const port of container.ports ?? []) if (!port.hostPort) port.hostPort = port.containerPort;
  }
  for (const probe of [container.livenessProbe, container.startupProbe]) clampProbe(probe);
}

/** Liveness and startup probes succeed at the first success. */
function clampProbe(probe: Probe | undefined): void {
  if (probe !== undefined && probe.successThreshold === 0) probe.successThreshold = 1;
}

/** Always for `:latest` or no tag, as its content may change. */
function pullPolicyFor(image: string): string {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([^/:]+)$/.exec(image)?.[1] ?? 'latest';
  return tag === 'latest' ? 'Always' : 'IfNotPresent';
}
