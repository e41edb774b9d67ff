/** What is wrong with a new status of a pod. */
import { type FieldError, forbidden, invalid } from '../../../machinery/fieldError.ts';
import { dnsSubdomain, ipAddress, qualifiedName } from '../../../machinery/names.ts';
import type { Container } from '../container.ts';
import type { Pod } from '../pod.ts';
import { isSidecar } from '../podResources.ts';
import type { ContainerStatus } from '../podStatus.ts';
import { checkName } from './rules.ts';

export function validatePodStatusUpdate(pod: Pod, old: Pod): FieldError[] {
  const errors: FieldError[] = [];
  const status = pod.status ?? {};
  const before = old.status ?? {};
  if (status.qosClass !== before.qosClass) {
    errors.push(invalid('status.qosClass', status.qosClass, 'Pod QoS is immutable'));
  }
  if (status.nominatedNodeName) checkName(status.nominatedNodeName, dnsSubdomain, 'status.nominatedNodeName', errors);
  for (const [i, condition] of (status.conditions ?? []).entries()) {
    checkName(condition.type ?? '', qualifiedName, `status.conditions[${i}].type`, errors);
  }
  for (const field of ['podIPs', 'hostIPs'] as const) {
    for (const [i, entry] of (status[field] ?? []).entries()) {
      checkName(entry.ip ?? '', ipAddress, `status.${field}[${i}].ip`, errors);
    }
  }
  const spec = pod.spec;
  const policy = spec?.restartPolicy;
  const path = 'status.containerStatuses';
  validateStates(status.containerStatuses, before.containerStatuses, spec?.containers, policy, path, errors);
  const initPath = 'status.initContainerStatuses';
  // Init containers are run again until they succeed, except where nothing is ever run again.
  const initPolicy = policy === 'Always' ? 'OnFailure' : policy;
  const { initContainerStatuses: now } = status;
  validateStates(now, before.initContainerStatuses, spec?.initContainers, initPolicy, initPath, errors);
  return errors;
}

/** A container that has ended, and that nothing restarts, does not run again. */
function validateStates(
  statuses: readonly ContainerStatus[] | undefined,
  before: readonly ContainerStatus[] | undefined,
  containers: readonly Container[] | undefined,
  podPolicy: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (before === undefined || podPolicy === 'Always') return;
  for (const was of before) {
    const ended = was.state?.terminated;
    if (ended === undefined) continue;
    const container = containers?.find((c) => c.name === was.name);
    if (container !== undefined && (isSidecar(container) || container.restartPolicyRules !== undefined)) continue;
    const policy = container?.restartPolicy ?? podPolicy;
    if (policy === 'OnFailure' && ended.exitCode !== 0) continue;
    const i = (statuses ?? []).findIndex((status) => status.name === was.name);
    if (i >= 0 && statuses?.[i]?.state?.terminated === undefined) {
      errors.push(forbidden(`${path}[${i}].state`, 'may not be transitioned to non-terminated state'));
    }
  }
}
