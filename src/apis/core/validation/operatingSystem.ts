/**
 * What of a pod goes with the operating system that it is for, and the options that only Windows has.
 * Source: https://kubernetes.io/docs/concepts/workloads/pods/#pod-os
 */
import { type FieldError, forbidden, invalid, tooLong } from '../../../machinery/fieldError.ts';
import { dnsSubdomain } from '../../../machinery/names.ts';
import type { Container, EphemeralContainer, SecurityContext, WindowsSecurityContextOptions } from '../container.ts';
import type { PodSecurityContext, PodSpec } from '../podSpec.ts';
import { checkChoice, checkName } from './rules.ts';

const SYSTEMS = ['linux', 'windows'];
const POD_ONLY_LINUX = ['hostUsers', 'hostPID', 'hostIPC', 'shareProcessNamespace'] as const;
const POD_SECURITY_ONLY_LINUX = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const satisfies readonly (keyof PodSecurityContext)[];
const SECURITY_ONLY_LINUX = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const satisfies readonly (keyof SecurityContext)[];

const MOST_CREDENTIAL_BYTES = 64 * 1024;
const MOST_USER_CHARACTERS = 104;
const MOST_DOMAIN_CHARACTERS = 256;
const NETBIOS_DOMAIN = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const USER = /^[^"/\\:;|=,+*?<>@[\]]*[^"/\\:;|=,+*?<>@[\].\s][^"/\\:;|=,+*?<>@[\]]*$/;

type Visit = (container: Container | EphemeralContainer, path: string) => void;

function eachContainer(spec: PodSpec, path: string, visit: Visit): void {
  for (const list of ['containers', 'initContainers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) visit(container, `${path}.${list}[${i}]`);
  }
}

/** Hardly any pod does, and every write of a pod comes here. */
function saysOfSystems(spec: PodSpec): boolean {
  if (spec.os !== undefined || spec.securityContext?.windowsOptions !== undefined) return true;
  const { containers, initContainers, ephemeralContainers } = spec;
  for (const list of [containers, initContainers, ephemeralContainers]) {
    if (list === undefined) continue;
    for (const { securityContext } of list) if (securityContext?.windowsOptions !== undefined) return true;
  }
  return false;
}

/** Everything of a pod that only one of the two systems knows. */
export function validateOperatingSystem(spec: PodSpec, path: string, errors: FieldError[]): void {
  if (!saysOfSystems(spec)) return;
  const os = spec.os?.name;
  if (spec.os !== undefined) checkChoice(os, SYSTEMS, `${path}.os.name`, errors);
  if (os === 'windows') validateForWindows(spec, path, errors);
  const pod = spec.securityContext?.windowsOptions;
  if (pod !== undefined) validateOptions(pod, os, `${path}.securityContext.windowsOptions`, errors);
  let hostProcesses = 0;
  let containers = 0;
  eachContainer(spec, path, (container, at) => {
    const own = container.securityContext?.windowsOptions;
    if (own !== undefined) validateOptions(own, os, `${at}.securityContext.windowsOptions`, errors);
    const hostProcess = own?.hostProcess ?? pod?.hostProcess ?? false;
    if (own?.hostProcess !== undefined && pod?.hostProcess !== undefined && own.hostProcess !== pod.hostProcess) {
      const detail = `pod hostProcess value must be identical if both are specified, was ${pod.hostProcess}`;
      errors.push(invalid(`${at}.securityContext.windowsOptions.hostProcess`, own.hostProcess, detail));
    }
    containers++;
    if (hostProcess) hostProcesses++;
  });
  if (hostProcesses === 0) return;
  if (hostProcesses < containers) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalid(path, '', detail));
  }
  if (spec.hostNetwork !== true) {
    const detail = 'hostNetwork must be true if pod contains any hostProcess containers';
    errors.push(invalid(`${path}.hostNetwork`, spec.hostNetwork ?? false, detail));
  }
}

function validateForWindows(spec: PodSpec, path: string, errors: FieldError[]): void {
  const refuse = (field: string) => errors.push(forbidden(`${path}.${field}`, 'cannot be set for a windows pod'));
  for (const field of POD_ONLY_LINUX) {
    // These two are plain flags: false is as good as absent.
    const flag = field === 'hostPID' || field === 'hostIPC';
    if (flag ? spec[field] === true : spec[field] !== undefined) refuse(field);
  }
  for (const field of POD_SECURITY_ONLY_LINUX) {
    const value = spec.securityContext?.[field];
    if (value !== undefined && !(field === 'sysctls' && (value as []).length === 0)) refuse(`securityContext.${field}`);
  }
  eachContainer(spec, path, ({ securityContext }, at) => {
    for (const field of SECURITY_ONLY_LINUX) {
      if (securityContext?.[field] === undefined) continue;
      errors.push(forbidden(`${at}.securityContext.${field}`, 'cannot be set for a windows pod'));
    }
  });
}

function validateOptions(
  options: WindowsSecurityContextOptions,
  os: string | undefined,
  path: string,
  errors: FieldError[],
): void {
  if (os === 'linux') errors.push(forbidden(path, 'windows options cannot be set for a linux pod'));
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options;
  if (name !== undefined) checkName(name, dnsSubdomain, `${path}.gmsaCredentialSpecName`, errors);
  if (spec === '')
    errors.push(invalid(`${path}.gmsaCredentialSpec`, spec, 'gmsaCredentialSpec cannot be an empty string'));
  else if (spec !== undefined && Buffer.byteLength(spec) > MOST_CREDENTIAL_BYTES) {
    errors.push(tooLong(`${path}.gmsaCredentialSpec`, MOST_CREDENTIAL_BYTES));
  }
  if (user !== undefined) validateUserName(user, `${path}.runAsUserName`, errors);
}

/** `user`, or `DOMAIN\user`. */
function validateUserName(name: string, path: string, errors: FieldError[]): void {
  const refuse = (detail: string) => errors.push(invalid(path, name, detail));
  if (name === '') {
    refuse('runAsUserName cannot be an empty string');
    return;
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(name)) refuse('runAsUserName cannot contain control characters');
  const parts = name.split('\\');
  if (parts.length > 2) {
    refuse('runAsUserName cannot contain more than one backslash');
    return;
  }
  const domain = parts.length === 2 ? parts[0] : undefined;
  const user = parts.at(-1) ?? '';
  if (domain !== undefined) {
    if (domain.length >= MOST_DOMAIN_CHARACTERS) {
      refuse(`runAsUserName's Domain length must be under ${MOST_DOMAIN_CHARACTERS} characters`);
    } else if (!NETBIOS_DOMAIN.test(domain) && dnsSubdomain(domain.toLowerCase()).length > 0) {
      refuse("runAsUserName's Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user.length === 0) refuse("runAsUserName's User cannot be empty");
  else if (user.length > MOST_USER_CHARACTERS) {
    refuse(`runAsUserName's User length must not be longer than ${MOST_USER_CHARACTERS} characters`);
  } else if (!USER.test(user)) {
    refuse("runAsUserName's User cannot contain only periods or spaces, nor characters that names of users never have");
  }
}
