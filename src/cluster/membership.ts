/** By what nodes know their cluster, and what all of them must agree on. */
import { createHash, X509Certificate } from 'node:crypto';
import { tunnelNumber } from '../network/routes/plan.ts';
import { type ClusterConfig, type ClusterNetwork, rangesOf } from './config.ts';
import { CLUSTER_DOMAIN } from './controlPlane.ts';

/** As the configuration has it; the rest follows from the cluster's CA. */
export function networkOf(config: ClusterConfig): Omit<ClusterNetwork, 'vni'> {
  const { clusterCIDR, clusterCIDRv6, serviceCIDR, serviceCIDRv6, dnsIP } = rangesOf(config);
  return {
    clusterCIDR,
    ...(clusterCIDRv6 === undefined ? {} : { clusterCIDRv6 }),
    ...(serviceCIDRv6 === undefined ? {} : { serviceCIDRv6 }),
    serviceCIDR,
    dnsIP,
    clusterDomain: CLUSTER_DOMAIN,
    network: config.network ?? 'vxlan',
  };
}

const publicKeyOf = (ca: string) => new X509Certificate(ca).publicKey.export({ type: 'spki', format: 'der' });

/** Of the cluster's tunnels: the same on all of its nodes, and hardly that of another cluster. @param ca PEM */
export function tunnelNumberOf(ca: string): number {
  return tunnelNumber(publicKeyOf(ca).toString('base64'));
}

/** `sha256:` and the hash of the CA's public key, as other tools write it, too. @param ca PEM */
export function hashOfCA(ca: string): string {
  return `sha256:${createHash('sha256').update(publicKeyOf(ca)).digest('hex')}`;
}
