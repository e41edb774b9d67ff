/**
 * UDP has no connections that end: the kernel goes on sending a client's datagrams to where it sent them before.
 * When an endpoint is gone, or a service without endpoints gets some, that must be forgotten.
 */
import { spawn } from 'node:child_process';
import type { Family } from './backends.ts';
import type { ServicePlan, ServicePort } from './plan.ts';

/** What `conntrack` is asked to delete. */
export interface Forgotten {
  readonly family: Family;
  readonly address: string | undefined;
  readonly port: number;
  /** undefined: whatever it was sent to */
  readonly backend: string | undefined;
}

/** Pure: what to forget when services change from one plan to the other. */
export function staleConnections(before: readonly ServicePlan[], after: readonly ServicePlan[]): Forgotten[] {
  const old = byName(before);
  const now = byName(after);
  const forgotten: Forgotten[] = [];
  for (const [name, port] of old) {
    const kept = new Set(backendIPs(now.get(name)));
    for (const backend of backendIPs(port)) {
      if (!kept.has(backend)) forgotten.push(...entrancesOf(port).map((entrance) => ({ ...entrance, backend })));
    }
  }
  for (const [name, port] of now) {
    const was = old.get(name);
    // Until now its clients were refused, or reached something else under its addresses.
    const isNew = backendIPs(port).length > 0 && (was === undefined || backendIPs(was).length === 0);
    if (isNew) forgotten.push(...entrancesOf(port).map((entrance) => ({ ...entrance, backend: undefined })));
  }
  return forgotten;
}

/** @throws Error where the program `conntrack` cannot be run */
export async function forgetConnections(before: readonly ServicePlan[], after: readonly ServicePlan[]): Promise<void> {
  for (const { family, address, port, backend } of staleConnections(before, after)) {
    const to = address === undefined ? [] : ['--orig-dst', address];
    const at = backend === undefined ? [] : ['--dst-nat', backend];
    await conntrack(['-D', '-f', `ipv${family}`, '-p', 'udp', ...to, '--dport', String(port), ...at]);
  }
}

function byName(plans: readonly ServicePlan[]): Map<string, ServicePort> {
  const ports = plans.flatMap((plan) => plan.ports).filter(({ protocol }) => protocol === 'udp');
  return new Map(ports.map((port) => [`${port.family} ${port.name}`, port]));
}

function backendIPs(port: ServicePort | undefined): string[] {
  const treatments = port === undefined ? [] : [port.internal, port.external];
  return [...new Set(treatments.flatMap((t) => (t.to === 'backends' ? t.backends.map(({ ip }) => ip) : [])))];
}

function entrancesOf({ family, clusterIPs, externalIPs, balancerIPs, port, nodePort }: ServicePort) {
  const addresses = [...clusterIPs, ...externalIPs, ...balancerIPs].map((address) => ({ family, address, port }));
  return nodePort === undefined ? addresses : [...addresses, { family, address: undefined, port: nodePort }];
}

/** That there was nothing to delete is its exit code 1, and no failure. */
function conntrack(args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('conntrack', args, { stdio: 'ignore' });
    child.once('error', reject);
    child.once('close', () => resolve());
  });
}
