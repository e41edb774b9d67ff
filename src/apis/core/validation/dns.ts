/**
 * What is wrong with how a pod resolves names, and with its own.
 * Source: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/
 */
import { type FieldError, invalid, required } from '../../../machinery/fieldError.ts';
import { dnsLabel, dnsSubdomain, ipAddress } from '../../../machinery/names.ts';
import type { HostAlias, PodDNSConfig, PodSpec } from '../podSpec.ts';
import { checkChoice, checkName } from './rules.ts';

const DNS_POLICIES = ['ClusterFirst', 'ClusterFirstWithHostNet', 'Default', 'None'];
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const SEARCHES_LONGEST = 2048;
const HOSTNAME_LONGEST = 64;

export function validateDns(spec: PodSpec, path: string, errors: FieldError[]): void {
  checkChoice(spec.dnsPolicy, DNS_POLICIES, `${path}.dnsPolicy`, errors);
  if (spec.dnsPolicy === 'None' && (spec.dnsConfig?.nameservers ?? []).length === 0) {
    const detail = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
    errors.push(required(`${path}.dnsConfig.nameservers`, detail));
  }
  if (spec.dnsConfig !== undefined) validateConfig(spec.dnsConfig, `${path}.dnsConfig`, errors);
  if (spec.hostname) checkName(spec.hostname, dnsLabel, `${path}.hostname`, errors);
  if (spec.subdomain) checkName(spec.subdomain, dnsLabel, `${path}.subdomain`, errors);
  if (spec.hostnameOverride !== undefined) validateOverride(spec, spec.hostnameOverride, path, errors);
  if (spec.hostAliases !== undefined) validateAliases(spec.hostAliases, `${path}.hostAliases`, errors);
}

function validateConfig(config: PodDNSConfig, path: string, errors: FieldError[]): void {
  const { nameservers = [], searches = [], options = [] } = config;
  if (nameservers.length > MOST_NAMESERVERS) {
    const detail = `must not have more than ${MOST_NAMESERVERS} nameservers`;
    errors.push(invalid(`${path}.nameservers`, nameservers, detail));
  }
  for (const [i, server] of nameservers.entries()) checkName(server, ipAddress, `${path}.nameservers[${i}]`, errors);
  if (searches.length > MOST_SEARCHES) {
    errors.push(invalid(`${path}.searches`, searches, `must not have more than ${MOST_SEARCHES} search paths`));
  }
  if (searches.join(' ').length > SEARCHES_LONGEST) {
    const detail = `must not have more than ${SEARCHES_LONGEST} characters (including spaces) in the search list`;
    errors.push(invalid(`${path}.searches`, searches, detail));
  }
  for (const [i, search] of searches.entries()) {
    // `.` alone is the root; names of services may begin with an underscore.
    if (search === '.') continue;
    const name = search.replace(/\.$/, '').replaceAll('_', 'x');
    for (const fault of dnsSubdomain(name)) errors.push(invalid(`${path}.searches[${i}]`, search, fault));
  }
  for (const [i, option] of options.entries()) {
    if (!option.name) errors.push(required(`${path}.options[${i}].name`, 'must not be empty'));
  }
}

function validateOverride(spec: PodSpec, name: string, path: string, errors: FieldError[]): void {
  const at = `${path}.hostnameOverride`;
  checkName(name, dnsSubdomain, at, errors);
  if (name.length > HOSTNAME_LONGEST) {
    errors.push({ type: 'FieldValueTooLong', field: at, detail: `may not be more than ${HOSTNAME_LONGEST} bytes` });
  }
  if (spec.hostNetwork === true) {
    errors.push(invalid(at, name, 'may not be set when `hostNetwork` is true'));
  }
  if (spec.setHostnameAsFQDN === true) {
    errors.push(invalid(at, name, 'may not be set when `setHostnameAsFQDN` is true'));
  }
}

function validateAliases(aliases: readonly HostAlias[], path: string, errors: FieldError[]): void {
  for (const [i, alias] of aliases.entries()) {
    checkName(alias.ip ?? '', ipAddress, `${path}[${i}].ip`, errors);
    for (const [j, name] of (alias.hostnames ?? []).entries()) {
      checkName(name, dnsSubdomain, `${path}[${i}].hostnames[${j}]`, errors);
    }
  }
}
