/** The /etc/hosts of a pod. */
import { readFileSync } from 'node:fs';
import type { Pod } from '../../apis/core/pod.ts';
import { fullHostnameOf, hostnameOf } from './sandboxConfig.ts';

const STANDARD = `# Kubernetes-managed hosts file.
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

export function etcHosts(pod: Pod, ips: readonly string[], clusterDomain: string): string {
  const lines = [pod.spec?.hostNetwork === true ? ofHost() : STANDARD];
  if (pod.spec?.hostNetwork !== true) {
    const hostname = hostnameOf(pod);
    const full = fullHostnameOf(pod, clusterDomain);
    for (const ip of ips) lines.push(`${ip}\t${full === undefined ? '' : `${full}\t`}${hostname}\n`);
  }
  const aliases = pod.spec?.hostAliases ?? [];
  if (aliases.length > 0) {
    lines.push('\n# Entries added by HostAliases.\n');
    for (const { ip, hostnames = [] } of aliases) lines.push(`${ip}\t${hostnames.join('\t')}\n`);
  }
  return lines.join('');
}

function ofHost(): string {
  try {
    return `# Kubernetes-managed hosts file (host network).\n${readFileSync('/etc/hosts', 'utf8')}`;
  } catch {
    return STANDARD;
  }
}
