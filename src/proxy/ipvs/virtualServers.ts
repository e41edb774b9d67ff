/**
 * From what is to be done with a service's connections to the virtual servers of IPVS, and the rules of iptables
 * that go with them: what is refused, and whose sender is replaced. Pure.
 */
import type { Backend } from '../backends.ts';
import { type ChainsOf, host, idOf, MASQUERADE, type SharedRule } from '../iptables/chains.ts';
import type { Protocol, ServicePort } from '../plan.ts';

export interface VirtualServer {
  readonly ip: string;
  readonly protocol: Protocol;
  readonly port: number;
  readonly backends: readonly Backend[];
  /** A client gets the same backend for so long. */
  readonly affinitySeconds: number | undefined;
  /** Whether the node has the address for this service only; else it is one of the node's own. */
  readonly owned: boolean;
}

/** @param nodeIPs where node ports are open */
export function virtualServersOf(ports: readonly ServicePort[], nodeIPs: readonly string[]): VirtualServer[] {
  return ports.flatMap(({ protocol, port, affinitySeconds, ...rest }) => {
    const servers: VirtualServer[] = [];
    const { internal, external, nodePort } = rest;
    const add = (ips: readonly string[], at: number, treatment: typeof internal, owned: boolean) => {
      // An address that refuses must be the node's, too: otherwise nobody would refuse.
      const backends = treatment.to === 'backends' ? treatment.backends : [];
      for (const ip of ips) servers.push({ ip, protocol, port: at, backends, affinitySeconds, owned });
    };
    add(rest.clusterIPs, port, internal, true);
    add([...rest.externalIPs, ...rest.balancerIPs], port, external, true);
    if (nodePort !== undefined) add(nodeIPs, nodePort, external, false);
    return servers;
  });
}

/** The rules of iptables beside the virtual servers. */
export const ipvsChainsOf: ChainsOf = (prefix, podCIDR, ports) => {
  const rules: SharedRule[] = [];
  const filterChains = new Map<string, readonly string[]>();
  for (const { name, protocol, port, internal, external, ...rest } of ports) {
    const at = (number: number) => `-p ${protocol} -m ${protocol} --dport ${number} -m comment --comment "${name}"`;
    const add = (match: string, treatment: typeof internal, mark: string | undefined) => {
      if (treatment.to === 'drop') rules.push({ in: 'refused', rule: `${match} -j DROP` });
      else if (treatment.to === 'refuse') rules.push({ in: 'refused', rule: `${match} -j REJECT` });
      else if (mark !== undefined) rules.push({ in: 'services', rule: `${match} ${mark}` });
    };
    // A client that is neither a pod nor on this node could not be answered directly.
    const fromOutside = `! -s ${podCIDR} -m addrtype ! --src-type LOCAL ${MASQUERADE}`;
    const always = external.to === 'backends' && external.keepsSource ? undefined : MASQUERADE;
    for (const ip of rest.clusterIPs) add(`-d ${host(ip)} ${at(port)}`, internal, fromOutside);
    for (const ip of rest.externalIPs) add(`-d ${host(ip)} ${at(port)}`, external, always);
    for (const ip of rest.balancerIPs) {
      add(`-d ${host(ip)} ${at(port)}`, external, always);
      if (rest.sourceRanges === undefined || external.to !== 'backends') continue;
      const guard = `${prefix}-FW-${idOf(`${name} ${protocol} ${port}`)}`;
      filterChains.set(guard, [...rest.sourceRanges.map((range) => `-s ${range} -j RETURN`), '-j DROP']);
      rules.push({ in: 'refused', rule: `-d ${host(ip)} ${at(port)} -j ${guard}` });
    }
    if (rest.nodePort !== undefined) add(`-m addrtype --dst-type LOCAL ${at(rest.nodePort)}`, external, always);
    const backends = [internal, external].flatMap((one) => (one.to === 'backends' ? one.backends : []));
    // A pod that reaches itself must not see its own address as the sender.
    for (const one of new Set(
      backends.map(({ ip, port: to }) => `-s ${host(ip)} -d ${host(ip)} -p ${protocol} -m ${protocol} --dport ${to}`),
    ))
      rules.push({ in: 'postrouting', rule: `${one} -j MASQUERADE` });
  }
  return { chains: new Map(), filterChains, rules };
};
