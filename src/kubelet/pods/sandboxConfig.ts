/** From a pod to what the runtime needs to make its sandbox. */
import { join } from 'node:path';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { milliValue, wholeValue } from '../../machinery/quantity.ts';
import { type LinuxContainerResources, NAMESPACE_MODE, type PodSandboxConfig, PROTOCOL } from '../cri/messages.ts';
import { CPU_PERIOD_US, cpuQuota, cpuShares } from '../resources/limits.ts';
import { type DnsConfig, dnsOf } from './dns.ts';
import { LABEL } from './labels.ts';

export interface SandboxSurroundings {
  readonly podLogsDir: string;
  /** e.g. `/kubepods/burstable/pod<uid>` */
  readonly cgroupParent: string;
  readonly dns: DnsConfig;
}

const MAX_HOSTNAME = 63;
/** The policy of supplemental groups, as the runtime numbers it. */
export const STRICT = 1;

/** The folder of a pod's logs. */
export function podLogDirectory(podLogsDir: string, pod: Pod): string {
  const { namespace = '', name = '', uid = '' } = pod.metadata ?? {};
  return podLogDirectoryOf(podLogsDir, { namespace, name, uid });
}

export function podLogDirectoryOf(
  podLogsDir: string,
  { namespace, name, uid }: { readonly namespace: string; readonly name: string; readonly uid: string },
): string {
  return join(podLogsDir, `${namespace}_${name}_${uid}`);
}

/** The short name of a pod's host. */
export function hostnameOf(pod: Pod): string {
  const name = pod.spec?.hostnameOverride || pod.spec?.hostname || pod.metadata?.name || '';
  return name.slice(0, MAX_HOSTNAME).replace(/[-.]+$/, '');
}

/** The name that is found by the cluster's DNS; undefined for a pod without a subdomain. */
export function fullHostnameOf(pod: Pod, clusterDomain: string): string | undefined {
  const { subdomain, hostnameOverride } = pod.spec ?? {};
  if (!subdomain || hostnameOverride) return undefined;
  return `${hostnameOf(pod)}.${subdomain}.${pod.metadata?.namespace}.svc.${clusterDomain}`;
}

export function sandboxConfig(pod: Pod, attempt: number, around: SandboxSurroundings): PodSandboxConfig {
  const spec = pod.spec ?? { containers: [] };
  const { name = '', namespace = '', uid = '', labels, annotations } = pod.metadata ?? {};
  const security = spec.securityContext;
  const ports = spec.containers.flatMap((c) => c.ports ?? []).filter((p) => (p.hostPort ?? 0) > 0);
  return {
    metadata: { name, namespace, uid, attempt },
    // With the host's network comes the host's name.
    hostname: spec.hostNetwork === true ? '' : sandboxHostname(pod, around.dns.clusterDomain),
    log_directory: podLogDirectory(around.podLogsDir, pod),
    dns_config: dnsOf(pod, around.dns),
    port_mappings: spec.hostNetwork
      ? []
      : ports.map((p) => ({
          protocol: PROTOCOL[p.protocol ?? 'TCP'] ?? 0,
          container_port: p.containerPort,
          host_port: p.hostPort ?? 0,
          host_ip: p.hostIP ?? '',
        })),
    labels: { ...labels, [LABEL.podName]: name, [LABEL.podNamespace]: namespace, [LABEL.podUid]: uid },
    annotations: { ...annotations },
    linux: {
      cgroup_parent: around.cgroupParent,
      security_context: {
        namespace_options: namespaceOptions(spec),
        privileged: spec.containers.some((c) => c.securityContext?.privileged === true),
        ...(security?.runAsUser === undefined ? {} : { run_as_user: { value: security.runAsUser } }),
        ...(security?.runAsGroup === undefined || security.runAsUser === undefined
          ? {}
          : { run_as_group: { value: security.runAsGroup } }),
        ...(security?.seLinuxOptions === undefined ? {} : { selinux_options: security.seLinuxOptions }),
        ...(security?.supplementalGroupsPolicy === 'Strict' ? { supplemental_groups_policy: STRICT } : {}),
        seccomp: { profile_type: 0 },
      },
      ...(spec.overhead === undefined ? {} : { overhead: overheadOf(spec.overhead) }),
      sysctls: Object.fromEntries((security?.sysctls ?? []).map((s) => [s.name, s.value])),
    },
  };
}

function overheadOf({ cpu, memory }: NonNullable<PodSpec['overhead']>): LinuxContainerResources {
  return {
    ...(cpu === undefined ? {} : { cpu_period: CPU_PERIOD_US, cpu_quota: cpuQuota(milliValue(cpu)) }),
    ...(cpu === undefined ? {} : { cpu_shares: cpuShares(milliValue(cpu)) }),
    ...(memory === undefined ? {} : { memory_limit_in_bytes: wholeValue(memory) }),
  };
}

function sandboxHostname(pod: Pod, clusterDomain: string): string {
  const full = pod.spec?.setHostnameAsFQDN === true ? fullHostnameOf(pod, clusterDomain) : undefined;
  return full ?? hostnameOf(pod);
}

export function namespaceOptions(spec: PodSpec) {
  return {
    network: spec.hostNetwork === true ? NAMESPACE_MODE.node : NAMESPACE_MODE.pod,
    ipc: spec.hostIPC === true ? NAMESPACE_MODE.node : NAMESPACE_MODE.pod,
    pid:
      spec.hostPID === true
        ? NAMESPACE_MODE.node
        : spec.shareProcessNamespace === true
          ? NAMESPACE_MODE.pod
          : NAMESPACE_MODE.container,
  };
}
