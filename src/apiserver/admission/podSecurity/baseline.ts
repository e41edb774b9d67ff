/**
 * The baseline standard: what lets a pod take over its node is refused. Each check says what it found, or nothing.
 * Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline
 */
import type { LifecycleHandler, Probe, SELinuxOptions } from '../../../apis/core/container.ts';
import { type AnyContainer, type Judged, named, quoted } from './pod.ts';

export interface Check {
  readonly name: string;
  /** the minor version of Kubernetes from which on it is part of the standard */
  readonly since: number;
  /** the check of the baseline standard in whose place it stands */
  readonly instead?: string;
  /** What is forbidden in the pod; undefined where nothing is. */
  find(pod: Judged, minor: number): string | undefined;
}

const namesOf = (containers: readonly AnyContainer[]) => containers.map(({ name }) => name);

/** One of the pod's own and of its containers' settings that must not be. */
function within(pod: boolean, containers: readonly string[], what: string): string | undefined {
  if (!pod && containers.length === 0) return undefined;
  const who = [...(pod ? ['pod'] : []), ...(containers.length === 0 ? [] : [named('container', containers)])];
  return `${who.join(' and ')} ${what}`;
}

const CAPABILITIES: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]);

/** Containers that are given what they must not have. */
export function forbiddenCapabilities({ containers }: Judged, allowed: ReadonlySet<string>): string | undefined {
  const found = new Set<string>();
  const wanting = containers.filter(({ securityContext }) => {
    const more = (securityContext?.capabilities?.add ?? []).filter((capability) => !allowed.has(capability));
    for (const capability of more) found.add(capability);
    return more.length > 0;
  });
  if (wanting.length === 0) return undefined;
  return `${named('container', namesOf(wanting))} must not include ${quoted([...found].sort())} in securityContext.capabilities.add`;
}

/** By the version from which on each is allowed. */
const SYSCTLS: Readonly<Record<string, number>> = {
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
};

const SELINUX_TYPES: Readonly<Record<string, number>> = {
  '': 0,
  container_t: 0,
  container_init_t: 0,
  container_kvm_t: 0,
  container_engine_t: 31,
};
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/';

function allowedSelinux({ type = '', user, role }: SELinuxOptions, minor: number): boolean {
  const since = Object.hasOwn(SELINUX_TYPES, type) ? SELINUX_TYPES[type] : undefined;
  return since !== undefined && minor >= since && !user && !role;
}

function selinuxFaults(all: readonly SELinuxOptions[], minor: number): string {
  const types = new Set(
    all.filter(({ type }) => !allowedSelinux({ type: type ?? '' }, minor)).map(({ type }) => type ?? ''),
  );
  return [
    ...(types.size === 0 ? [] : [`type${types.size === 1 ? '' : 's'} ${quoted([...types].sort())}`]),
    ...(all.some(({ user }) => user) ? ['user may not be set'] : []),
    ...(all.some(({ role }) => role) ? ['role may not be set'] : []),
  ].join('; ');
}

/** Where probes and hooks of a container are sent besides to the pod itself. */
function hostsOf(container: AnyContainer): string[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  const handlers: (Probe | LifecycleHandler | undefined)[] = [
    livenessProbe,
    readinessProbe,
    startupProbe,
    lifecycle?.postStart,
    lifecycle?.preStop,
  ];
  return handlers
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
    .filter((host): host is string => host !== undefined && host !== '');
}

/** In the order of their names, in which they are told. */
export const BASELINE: readonly Check[] = [
  {
    name: 'appArmorProfile',
    since: 0,
    find({ annotations, spec, containers }) {
      const bad = (type: string | undefined) => type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost';
      const pod = bad(spec.securityContext?.appArmorProfile?.type);
      const own = containers.filter(({ securityContext }) => bad(securityContext?.appArmorProfile?.type));
      const noted = Object.entries(annotations)
        .filter(
          ([key, value]) =>
            key.startsWith(APP_ARMOR) && value !== '' && !/^(runtime\/default$|localhost\/)/.test(value),
        )
        .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
        .sort();
      const fields = within(pod, namesOf(own), 'must not set AppArmor profile type to "Unconfined"');
      const notes = noted.length === 0 ? undefined : `annotation${noted.length === 1 ? '' : 's'} ${noted.join(', ')}`;
      const all = [fields, notes].filter((text) => text !== undefined);
      return all.length === 0
        ? undefined
        : `forbidden AppArmor profile${all.length + noted.length > 2 ? 's' : ''} (${all.join('; ')})`;
    },
  },
  {
    name: 'capabilities_baseline',
    since: 0,
    find(pod) {
      const found = forbiddenCapabilities(pod, CAPABILITIES);
      return found === undefined ? undefined : `non-default capabilities (${found})`;
    },
  },
  {
    name: 'hostNamespaces',
    since: 0,
    find({ spec }) {
      const shared = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field] === true);
      return shared.length === 0 ? undefined : `host namespaces (${shared.map((field) => `${field}=true`).join(', ')})`;
    },
  },
  {
    name: 'hostPathVolumes',
    since: 0,
    find({ spec }) {
      const found = (spec.volumes ?? []).filter(({ hostPath }) => hostPath !== undefined).map(({ name }) => name);
      return found.length === 0 ? undefined : `hostPath volumes (${named('volume', found)})`;
    },
  },
  {
    name: 'hostPorts',
    since: 0,
    find({ containers }) {
      const portsOf = ({ ports = [] }: AnyContainer) =>
        ports.map(({ hostPort }) => hostPort ?? 0).filter((p) => p !== 0);
      const found = containers.filter((container) => portsOf(container).length > 0);
      if (found.length === 0) return undefined;
      const ports = [...new Set(found.flatMap(portsOf))].sort((a, b) => a - b);
      const uses = `${found.length === 1 ? 'uses' : 'use'} hostPort${ports.length === 1 ? '' : 's'}`;
      return `hostPort (${named('container', namesOf(found))} ${uses} ${ports.join(', ')})`;
    },
  },
  {
    name: 'hostProbesAndHostLifecycle',
    since: 34,
    find({ containers }) {
      const found = containers.filter((container) => hostsOf(container).length > 0);
      if (found.length === 0) return undefined;
      const hosts = new Set(found.flatMap(hostsOf));
      const uses = `${found.length === 1 ? 'uses' : 'use'} probe or lifecycle host${hosts.size === 1 ? '' : 's'}`;
      return `probe or lifecycle host (${named('container', namesOf(found))} ${uses} ${quoted([...hosts].sort())})`;
    },
  },
  {
    name: 'privileged',
    since: 0,
    find({ containers }) {
      const found = containers.filter(({ securityContext }) => securityContext?.privileged === true);
      if (found.length === 0) return undefined;
      return `privileged (${named('container', namesOf(found))} must not set securityContext.privileged=true)`;
    },
  },
  {
    name: 'procMount',
    since: 0,
    find({ containers }) {
      const found = containers.filter(({ securityContext }) => (securityContext?.procMount ?? 'Default') !== 'Default');
      if (found.length === 0) return undefined;
      const mounts = new Set(found.map(({ securityContext }) => securityContext?.procMount ?? ''));
      return `procMount (${named('container', namesOf(found))} must not set securityContext.procMount to ${quoted(mounts)})`;
    },
  },
  {
    name: 'seLinuxOptions',
    since: 0,
    find({ spec, containers }, minor) {
      const shared = spec.securityContext?.seLinuxOptions;
      const pod = shared !== undefined && !allowedSelinux(shared, minor);
      const found = containers.filter(({ securityContext }) => {
        const own = securityContext?.seLinuxOptions;
        return own !== undefined && !allowedSelinux(own, minor);
      });
      const all = [...(pod ? [shared] : []), ...found.map((c) => c.securityContext?.seLinuxOptions ?? {})];
      const faults = `set forbidden securityContext.seLinuxOptions: ${selinuxFaults(all, minor)}`;
      const said = within(pod, namesOf(found), faults);
      return said === undefined ? undefined : `seLinuxOptions (${said})`;
    },
  },
  {
    name: 'seccompProfile_baseline',
    since: 19,
    find({ spec, containers }) {
      const unconfined = 'Unconfined';
      const pod = spec.securityContext?.seccompProfile?.type === unconfined;
      const found = containers.filter((c) => c.securityContext?.seccompProfile?.type === unconfined);
      const said = within(
        pod,
        namesOf(found),
        `must not set securityContext.seccompProfile.type to ${quoted([unconfined])}`,
      );
      return said === undefined ? undefined : `seccompProfile (${said})`;
    },
  },
  {
    name: 'sysctls',
    since: 0,
    find({ spec }, minor) {
      const found = (spec.securityContext?.sysctls ?? [])
        .map(({ name = '' }) => name)
        .filter((name) => !Object.hasOwn(SYSCTLS, name) || minor < (SYSCTLS[name] ?? 0));
      return found.length === 0 ? undefined : `forbidden sysctls (${found.join(', ')})`;
    },
  },
  {
    name: 'windowsHostProcess',
    since: 0,
    find({ spec, containers }) {
      const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
      const found = containers.filter((c) => c.securityContext?.windowsOptions?.hostProcess === true);
      const said = within(pod, namesOf(found), 'must not set securityContext.windowsOptions.hostProcess=true');
      return said === undefined ? undefined : `hostProcess (${said})`;
    },
  },
];
