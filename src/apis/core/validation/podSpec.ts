/** What is wrong with a pod's spec. Shared by pods and by everything that has a pod template. */
import { duplicate, type FieldError, forbidden, invalid } from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, qualifiedName } from '../../../machinery/names.ts';
import { validateLabels } from '../../../machinery/validateMeta.ts';
import type { PodResourceClaim, PodSpec } from '../podSpec.ts';
import { validateAffinity, validateTopologySpread } from './affinity.ts';
import { validateContainers } from './containers.ts';
import { validateDns } from './dns.ts';
import { validateOperatingSystem } from './operatingSystem.ts';
import { validatePodResources, validateResources } from './resources.ts';
import { checkChoice, checkName, checkRange, needName } from './rules.ts';
import { validateHostNamespaces, validatePodSecurity } from './securityContext.ts';
import { validateTolerations } from './tolerations.ts';
import { validateVolumes } from './volumes.ts';

const RESTART_POLICIES = ['Always', 'Never', 'OnFailure'];
const PREEMPTION_POLICIES = ['Never', 'PreemptLowerPriority'];
const LONGEST_DEADLINE = 2 ** 31 - 1;
const NO_CLAIMS: ReadonlySet<string> = new Set();

export function validatePodSpec(spec: PodSpec, path: string, errors: FieldError[]): void {
  const volumes = validateVolumes(spec.volumes, `${path}.volumes`, errors);
  const claims =
    spec.resourceClaims === undefined
      ? NO_CLAIMS
      : validateClaims(spec.resourceClaims, `${path}.resourceClaims`, errors);
  validateContainers(spec, volumes, claims, path, errors);
  if (spec.resources !== undefined) validatePodResources(spec, spec.resources, claims, `${path}.resources`, errors);
  checkChoice(spec.restartPolicy, RESTART_POLICIES, `${path}.restartPolicy`, errors);
  validateDns(spec, path, errors);
  if (spec.securityContext !== undefined) {
    validatePodSecurity(spec.securityContext, spec, `${path}.securityContext`, errors);
  }
  validateHostNamespaces(spec, path, errors);
  validateNames(spec, path, errors);
  validatePlacement(spec, path, errors);
  checkRange(spec.activeDeadlineSeconds, 1, LONGEST_DEADLINE, `${path}.activeDeadlineSeconds`, errors);
  if (spec.preemptionPolicy !== undefined) {
    checkChoice(spec.preemptionPolicy, PREEMPTION_POLICIES, `${path}.preemptionPolicy`, errors);
  }
  if (spec.readinessGates !== undefined) {
    for (const [i, gate] of spec.readinessGates.entries()) {
      checkName(gate.conditionType ?? '', qualifiedName, `${path}.readinessGates[${i}].conditionType`, errors);
    }
  }
  validateOperatingSystem(spec, path, errors);
  if (spec.overhead !== undefined) {
    validateResources({ limits: spec.overhead }, NO_CLAIMS, `${path}.overhead`, errors);
  }
}

function validateNames(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.serviceAccountName) checkName(spec.serviceAccountName, dnsSubdomain, `${path}.serviceAccountName`, errors);
  if (spec.nodeName) checkName(spec.nodeName, dnsSubdomain, `${path}.nodeName`, errors);
  if (spec.priorityClassName) checkName(spec.priorityClassName, dnsSubdomain, `${path}.priorityClassName`, errors);
  if (spec.runtimeClassName) checkName(spec.runtimeClassName, dnsSubdomain, `${path}.runtimeClassName`, errors);
}

function validatePlacement(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.nodeSelector !== undefined) validateLabels(spec.nodeSelector, `${path}.nodeSelector`, errors);
  if (spec.tolerations !== undefined) validateTolerations(spec.tolerations, `${path}.tolerations`, errors);
  if (spec.affinity !== undefined) validateAffinity(spec.affinity, `${path}.affinity`, errors);
  if (spec.topologySpreadConstraints !== undefined) {
    validateTopologySpread(spec.topologySpreadConstraints, `${path}.topologySpreadConstraints`, errors);
  }
  if (spec.schedulingGates === undefined || spec.schedulingGates.length === 0) return;
  const seen = new Set<string>();
  for (const [i, gate] of spec.schedulingGates.entries()) {
    const at = `${path}.schedulingGates[${i}]`;
    checkName(gate.name ?? '', qualifiedName, at, errors);
    if (seen.has(gate.name)) errors.push(duplicate(at, gate.name));
    seen.add(gate.name);
  }
  if (spec.nodeName) {
    errors.push(forbidden(`${path}.nodeName`, 'cannot be set until all schedulingGates have been cleared'));
  }
}

/** The names of the claims, for the containers that use them. */
function validateClaims(claims: readonly PodResourceClaim[], path: string, errors: FieldError[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [i, claim] of claims.entries()) {
    const at = `${path}[${i}]`;
    needName(claim.name, dnsLabel, `${at}.name`, errors);
    if (names.has(claim.name)) errors.push(duplicate(`${at}.name`, claim.name));
    names.add(claim.name);
    const { resourceClaimName, resourceClaimTemplateName } = claim;
    if ((resourceClaimName === undefined) === (resourceClaimTemplateName === undefined)) {
      const detail = 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`';
      errors.push(invalid(at, claim, detail));
    }
    if (resourceClaimName) checkName(resourceClaimName, dnsSubdomain, `${at}.resourceClaimName`, errors);
    if (resourceClaimTemplateName) {
      checkName(resourceClaimTemplateName, dnsSubdomain, `${at}.resourceClaimTemplateName`, errors);
    }
  }
  return names;
}
