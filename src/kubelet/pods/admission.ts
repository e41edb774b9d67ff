/**
 * Whether this node can run a pod that was bound to it, whoever bound it. Pure.
 * Source: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#nodename (OutOfmemory, OutOfcpu) and
 * https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls
 */
import type { Pod } from '../../apis/core/pod.ts';
import { containerResources, type ResourceList } from '../../apis/core/podResources.ts';
import { addQuantities, compareQuantities, milliValue, wholeValue } from '../../machinery/quantity.ts';
import type { Failure } from '../status/podStatus.ts';

export interface Admission {
  /** @param others pods that the node runs already */
  refusal(pod: Pod, others: readonly Pod[]): Failure | undefined;
  /** Why the node, with nothing else on it, could not have the pod; what can be changed in a pod that runs counts. */
  infeasibility(pod: Pod): string | undefined;
  /** Why there is not enough for a pod. */
  shortage(pod: Pod, others: readonly Pod[]): Failure | undefined;
  /** How much there is too little of. */
  missing(pod: Pod, others: readonly Pod[]): Amounts;
}

/** By resource: processors in thousandths, all else whole. */
export type Amounts = Readonly<Record<string, number>>;

/** What a node can do. */
export interface Abilities {
  /** sysctls that are allowed besides the safe ones: `kernel.msg*`, `net.core.somaxconn` */
  readonly unsafeSysctls: readonly string[];
  readonly appArmor: boolean;
  supplementalGroupsPolicy(): boolean;
}

const NO_ABILITIES: Abilities = { unsafeSysctls: [], appArmor: false, supplementalGroupsPolicy: () => false };

/** @param allocatable amounts by resource, as in the node's status */
export function createAdmission(
  allocatable: () => Readonly<ResourceList>,
  abilities: Abilities = NO_ABILITIES,
): Admission {
  return {
    refusal: (pod, others) =>
      unsupported(pod, abilities) ?? portTaken(pod, others) ?? tooMuch(pod, others, allocatable()),
    infeasibility: (pod) => beyondCapacity(pod, allocatable()),
    shortage: (pod, others) => tooMuch(pod, others, allocatable()),
    missing: (pod, others) => missingOf(pod, others, allocatable()),
  };
}

/** Sysctls that are of one pod only and harm no other. */
const SAFE_SYSCTLS: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
]);

/** What this kubelet would have to ignore, or must not allow. */
function unsupported({ spec }: Pod, able: Abilities): Failure | undefined {
  const shared = spec?.securityContext;
  if (spec?.os?.name !== undefined && spec.os.name !== 'linux')
    return { reason: 'PodOSNotSupported', message: "Failed to admit pod as the OS field doesn't match node OS" };
  const profiles = [shared, ...(spec?.containers ?? []).map((c) => c.securityContext)].map(
    (c) => c?.appArmorProfile?.type,
  );
  if (!able.appArmor && profiles.some((type) => type !== undefined && type !== 'Unconfined'))
    return { reason: 'AppArmor', message: 'Cannot enforce AppArmor: AppArmor is not enabled on the host' };
  if (spec?.hostUsers === false) {
    const message = 'user namespaces (hostUsers: false) are not supported by the container runtime';
    return { reason: 'UnsupportedUserNamespaces', message };
  }
  if (shared?.supplementalGroupsPolicy === 'Strict' && !able.supplementalGroupsPolicy()) {
    const message = 'SupplementalGroupsPolicy=Strict is not supported in this node';
    return { reason: 'SupplementalGroupsPolicyNotSupported', message };
  }
  const unsafe = (shared?.sysctls ?? []).find((s) => !isAllowedSysctl(s.name.replaceAll('/', '.'), able.unsafeSysctls));
  if (unsafe !== undefined)
    return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(unsafe.name)} not allowlisted` };
  return undefined;
}

function isAllowedSysctl(name: string, unsafe: readonly string[]): boolean {
  if (SAFE_SYSCTLS.has(name)) return true;
  return unsafe.some((pattern) => {
    const dotted = pattern.replaceAll('/', '.');
    return dotted.endsWith('*') ? name.startsWith(dotted.slice(0, -1)) : name === dotted;
  });
}

function portTaken(pod: Pod, others: readonly Pod[]): Failure | undefined {
  const wanted = hostPortsOf(pod);
  if (wanted.length === 0) return undefined;
  const taken = others.flatMap(hostPortsOf);
  const clash = wanted.some((w) =>
    taken.some(
      (t) => t.port === w.port && t.protocol === w.protocol && (t.ip === w.ip || t.ip === ANY || w.ip === ANY),
    ),
  );
  if (!clash) return undefined;
  const message = "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
  return { reason: 'NodePorts', message };
}

const ANY = '0.0.0.0';

function hostPortsOf(pod: Pod): { port: number; protocol: string; ip: string }[] {
  return (pod.spec?.containers ?? [])
    .flatMap((c) => c.ports ?? [])
    .filter((p) => (p.hostPort ?? 0) > 0)
    .map((p) => ({ port: p.hostPort ?? 0, protocol: p.protocol ?? 'TCP', ip: p.hostIP || ANY }));
}

function tooMuch(pod: Pod, others: readonly Pod[], allocatable: Readonly<ResourceList>): Failure | undefined {
  const room = allocatable.pods;
  if (room !== undefined && others.length + 1 > Number(room)) return outOf('pods', '1', String(others.length), room);
  for (const [name, asked] of Object.entries(requestsOf(pod))) {
    // What somebody wrote into the node's status is for whoever wrote it to keep count of.
    if (allocatable[name] === undefined && isExtended(name)) continue;
    const capacity = allocatable[name] ?? '0';
    if (compareQuantities(asked, 0) <= 0) continue;
    let used = '0';
    for (const other of others) used = addQuantities(used, requestsOf(other)[name] ?? '0');
    if (compareQuantities(addQuantities(used, asked), capacity) > 0) return outOf(name, asked, used, capacity);
  }
  return undefined;
}

function missingOf(pod: Pod, others: readonly Pod[], allocatable: Readonly<ResourceList>): Amounts {
  const missing: Record<string, number> = {};
  const pods = others.length + 1 - Number(allocatable.pods ?? Number.POSITIVE_INFINITY);
  if (pods > 0) missing.pods = pods;
  const used = others.map(amountsOf);
  for (const [name, asked] of Object.entries(amountsOf(pod))) {
    if (asked === 0 || (allocatable[name] === undefined && isExtended(name))) continue;
    const taken = used.reduce((sum, amounts) => sum + (amounts[name] ?? 0), 0);
    const beyond = taken + asked - numberOf(name, allocatable[name] ?? '0');
    if (beyond > 0) missing[name] = beyond;
  }
  return missing;
}

/** What a pod asks for. */
export function amountsOf(pod: Pod): Amounts {
  return Object.fromEntries(Object.entries(requestsOf(pod)).map(([name, amount]) => [name, numberOf(name, amount)]));
}

function beyondCapacity(pod: Pod, allocatable: Readonly<ResourceList>): string | undefined {
  const requests = requestsOf(pod);
  for (const name of ['cpu', 'memory']) {
    const [asked, capacity] = [numberOf(name, requests[name] ?? '0'), numberOf(name, allocatable[name] ?? '0')];
    if (asked > capacity)
      return `Node didn't have enough capacity: ${name}, requested: ${asked}, capacity: ${capacity}`;
  }
  return undefined;
}

/** Of some other domain than Kubernetes' own. */
function isExtended(name: string): boolean {
  return name.includes('/') && !name.split('/')[0]?.endsWith('kubernetes.io');
}

/** As messages tell of it: processors in thousandths, all else whole. */
const numberOf = (name: string, amount: string) => (name === 'cpu' ? milliValue(amount) : wholeValue(amount));

function outOf(name: string, asked: string, used: string, capacity: string): Failure {
  const [wanted, taken, all] = [asked, used, capacity].map((amount) => numberOf(name, amount));
  const amounts = `requested: ${wanted}, used: ${taken}, capacity: ${all}`;
  const message = `Node didn't have enough resource: ${name}, ${amounts}`;
  return { reason: `OutOf${name}`, message };
}

function requestsOf(pod: Pod): ResourceList {
  const spec = pod.spec ?? { containers: [] };
  const requests = { ...containerResources(spec, 'requests'), ...spec.resources?.requests };
  for (const [name, amount] of Object.entries(spec.overhead ?? {}))
    requests[name] = addQuantities(requests[name] ?? '0', amount);
  return requests;
}
