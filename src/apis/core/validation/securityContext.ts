/**
 * What is wrong with the security of a pod or a container.
 * Source: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
 */
import { duplicate, type FieldError, forbidden, invalid, required } from '../../../machinery/fieldError.ts';
import type { AppArmorProfile, SeccompProfile, SecurityContext } from '../container.ts';
import type { PodSecurityContext, PodSpec } from '../podSpec.ts';
import { checkChoice, checkId, checkLocalPath } from './rules.ts';

const PROFILES = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const PROC_MOUNTS = ['Default', 'Unmasked'];
const GROUP_CHANGES = ['Always', 'OnRootMismatch'];
const GROUP_POLICIES = ['Merge', 'Strict'];
const SELINUX_CHANGES = ['MountOption', 'Recursive'];
const SYSCTL = /^[a-z0-9]([-_a-z0-9]*[a-z0-9])?([./][a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/;
const SYSCTL_LONGEST = 253;
const PROFILE_LONGEST = 4095;

export function validatePodSecurity(
  security: PodSecurityContext,
  spec: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  checkId(security.runAsUser, `${path}.runAsUser`, errors);
  checkId(security.runAsGroup, `${path}.runAsGroup`, errors);
  checkId(security.fsGroup, `${path}.fsGroup`, errors);
  if (security.supplementalGroups !== undefined) {
    for (const [i, group] of security.supplementalGroups.entries()) {
      checkId(group, `${path}.supplementalGroups[${i}]`, errors);
    }
  }
  if (security.sysctls !== undefined) validateSysctls(security.sysctls, spec, `${path}.sysctls`, errors);
  if (security.fsGroupChangePolicy !== undefined) {
    checkChoice(security.fsGroupChangePolicy, GROUP_CHANGES, `${path}.fsGroupChangePolicy`, errors);
  }
  if (security.supplementalGroupsPolicy !== undefined) {
    checkChoice(security.supplementalGroupsPolicy, GROUP_POLICIES, `${path}.supplementalGroupsPolicy`, errors);
  }
  if (security.seLinuxChangePolicy !== undefined) {
    checkChoice(security.seLinuxChangePolicy, SELINUX_CHANGES, `${path}.seLinuxChangePolicy`, errors);
  }
  if (security.seccompProfile !== undefined) {
    validateProfile(security.seccompProfile, false, `${path}.seccompProfile`, errors);
  }
  if (security.appArmorProfile !== undefined) {
    validateProfile(security.appArmorProfile, true, `${path}.appArmorProfile`, errors);
  }
}

function validateSysctls(
  sysctls: NonNullable<PodSecurityContext['sysctls']>,
  spec: PodSpec,
  path: string,
  errors: FieldError[],
): void {
  const seen = new Set<string>();
  for (const [i, sysctl] of sysctls.entries()) {
    const at = `${path}[${i}].name`;
    const name = sysctl.name ?? '';
    if (name === '') errors.push(required(at));
    else if (name.length > SYSCTL_LONGEST || !SYSCTL.test(name)) {
      errors.push(
        invalid(at, name, `must have at most ${SYSCTL_LONGEST} characters and consist of names joined by '.' or '/'`),
      );
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    const dotted = name.replaceAll('/', '.');
    if (spec.hostNetwork === true && dotted.startsWith('net.')) {
      errors.push(invalid(at, name, 'may not be set when `hostNetwork` is true'));
    }
    if (spec.hostIPC === true && (/^kernel\.(shm|msg|sem)/.test(dotted) || dotted.startsWith('fs.mqueue.'))) {
      errors.push(invalid(at, name, 'may not be set when `hostIPC` is true'));
    }
  }
}

function validateProfile(
  profile: SeccompProfile | AppArmorProfile,
  appArmor: boolean,
  path: string,
  errors: FieldError[],
): void {
  checkChoice(profile.type, PROFILES, `${path}.type`, errors);
  const file = profile.localhostProfile;
  const at = `${path}.localhostProfile`;
  if (profile.type !== 'Localhost') {
    if (file !== undefined) errors.push(invalid(at, file, 'may only be set if type is "Localhost"'));
    return;
  }
  if (!file?.trim()) {
    errors.push(required(at, 'must be set when type is "Localhost"'));
    return;
  }
  if (!appArmor) checkLocalPath(file, at, errors);
  else if (file !== file.trim()) errors.push(invalid(at, file, 'must not be padded with whitespace'));
  else if (file.length > PROFILE_LONGEST) {
    errors.push({ type: 'FieldValueTooLong', field: at, detail: `may not be more than ${PROFILE_LONGEST} bytes` });
  }
}

export function validateContainerSecurity(
  security: SecurityContext,
  hostUsers: boolean | undefined,
  path: string,
  errors: FieldError[],
): void {
  checkId(security.runAsUser, `${path}.runAsUser`, errors);
  checkId(security.runAsGroup, `${path}.runAsGroup`, errors);
  if (security.procMount !== undefined) {
    checkChoice(security.procMount, PROC_MOUNTS, `${path}.procMount`, errors);
    if (security.procMount === 'Unmasked' && hostUsers !== false) {
      errors.push(invalid(`${path}.procMount`, security.procMount, '`hostUsers` must be false to use `Unmasked`'));
    }
  }
  if (security.seccompProfile !== undefined) {
    validateProfile(security.seccompProfile, false, `${path}.seccompProfile`, errors);
  }
  if (security.appArmorProfile !== undefined) {
    validateProfile(security.appArmorProfile, true, `${path}.appArmorProfile`, errors);
  }
  if (security.allowPrivilegeEscalation === false) {
    if (security.privileged === true) {
      errors.push(invalid(path, security, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
    }
    if (security.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
      const detail = 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN';
      errors.push(invalid(path, security, detail));
    }
  }
}

/** A pod with users of its own shares nothing else with the node. */
export function validateHostNamespaces(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (spec.shareProcessNamespace === true && spec.hostPID === true) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalid(`${path}.shareProcessNamespace`, true, detail));
  }
  if (spec.hostUsers !== false) return;
  for (const field of ['hostNetwork', 'hostPID', 'hostIPC'] as const) {
    if (spec[field] === true) errors.push(forbidden(`${path}.${field}`, 'when `hostUsers` is false'));
  }
}
