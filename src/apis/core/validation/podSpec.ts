/** What is wrong with a pod's spec. Shared by pods and by everything that has a pod template. */
import { type FieldError, invalid, notSupported, required } from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, ipAddress, labelValue, qualifiedName } from '../../../machinery/names.ts';
import { validateLabels } from '../../../machinery/validateMeta.ts';
import type { Toleration } from '../affinity.ts';
import type { PodSpec } from '../podSpec.ts';
import { validateAffinity, validateTopologySpread } from './affinity.ts';
import { validateContainers } from './containers.ts';
import { validateVolumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const EFFECTS = ['NoExecute', 'NoSchedule', 'PreferNoSchedule'];

export function validatePodSpec(spec: PodSpec, path: string, errors: FieldError[]): void {
  validateVolumes(spec.volumes ?? [], `${path}.volumes`, errors);
  validateContainers(spec, path, errors);
  if (!RESTART_POLICIES.includes(spec.restartPolicy ?? '')) {
    errors.push(notSupported(`${path}.restartPolicy`, spec.restartPolicy, RESTART_POLICIES));
  }
  if (!DNS_POLICIES.includes(spec.dnsPolicy ?? ''))
    errors.push(notSupported(`${path}.dnsPolicy`, spec.dnsPolicy, DNS_POLICIES));
  if (spec.dnsPolicy === 'None' && (spec.dnsConfig?.nameservers ?? []).length === 0) {
    errors.push(
      required(`${path}.dnsConfig.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'),
    );
  }
  if (spec.serviceAccountName) check(spec.serviceAccountName, dnsSubdomain, `${path}.serviceAccountName`, errors);
  if (spec.nodeName) check(spec.nodeName, dnsSubdomain, `${path}.nodeName`, errors);
  if (spec.hostname) check(spec.hostname, dnsLabel, `${path}.hostname`, errors);
  if (spec.subdomain) check(spec.subdomain, dnsLabel, `${path}.subdomain`, errors);
  if (spec.priorityClassName) check(spec.priorityClassName, dnsSubdomain, `${path}.priorityClassName`, errors);
  if (spec.runtimeClassName) check(spec.runtimeClassName, dnsSubdomain, `${path}.runtimeClassName`, errors);
  validateLabels(spec.nodeSelector, `${path}.nodeSelector`, errors);
  const grace = spec.terminationGracePeriodSeconds ?? 0;
  if (grace < 0)
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, grace, 'must be greater than or equal to 0'));
  const deadline = spec.activeDeadlineSeconds;
  if (deadline !== undefined && (deadline < 1 || deadline > 2147483647)) {
    errors.push(invalid(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'));
  }
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    errors.push(
      invalid(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  }
  for (const [i, toleration] of (spec.tolerations ?? []).entries())
    validateToleration(toleration, `${path}.tolerations[${i}]`, errors);
  for (const [i, alias] of (spec.hostAliases ?? []).entries())
    check(alias.ip ?? '', ipAddress, `${path}.hostAliases[${i}].ip`, errors);
  for (const [i, gate] of (spec.readinessGates ?? []).entries()) {
    check(gate.conditionType ?? '', qualifiedName, `${path}.readinessGates[${i}].conditionType`, errors);
  }
  if (spec.affinity !== undefined) validateAffinity(spec.affinity, `${path}.affinity`, errors);
  validateTopologySpread(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`, errors);
}

function check(value: string, rule: (value: string) => string[], path: string, errors: FieldError[]): void {
  for (const fault of rule(value)) errors.push(invalid(path, value, fault));
}

function validateToleration(toleration: Toleration, path: string, errors: FieldError[]): void {
  if (toleration.key) check(toleration.key, qualifiedName, `${path}.key`, errors);
  if (!toleration.key && toleration.operator !== 'Exists') {
    errors.push(
      invalid(
        `${path}.operator`,
        toleration.operator,
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  switch (toleration.operator) {
    case 'Equal':
    case '':
    case undefined:
      if (toleration.value) check(toleration.value, labelValue, `${path}.value`, errors);
      break;
    case 'Exists':
      if (toleration.value)
        errors.push(invalid(`${path}.operator`, toleration.value, 'value must be empty when `operator` is `Exists`'));
      break;
    default:
      errors.push(notSupported(`${path}.operator`, toleration.operator, ['Equal', 'Exists']));
  }
  if (toleration.effect && !EFFECTS.includes(toleration.effect))
    errors.push(notSupported(`${path}.effect`, toleration.effect, EFFECTS));
  if (toleration.tolerationSeconds !== undefined && toleration.effect !== 'NoExecute') {
    errors.push(
      invalid(`${path}.effect`, toleration.effect, 'effect must be `NoExecute` when `tolerationSeconds` is set'),
    );
  }
}
