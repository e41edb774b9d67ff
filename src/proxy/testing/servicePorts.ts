/** Plans of services, for tests of what becomes of them in the kernel. */
import fc from 'fast-check';
import type { Family } from '../backends.ts';
import type { ServicePort } from '../plan.ts';

interface Step {
  readonly service: string;
  /** undefined: the service is gone */
  readonly ports: readonly ServicePort[] | undefined;
}

export const port = (more: Partial<ServicePort> = {}): ServicePort => ({
  name: 'default/web:http',
  family: 4,
  protocol: 'tcp',
  port: 80,
  clusterIPs: ['10.96.0.5'],
  internal: backends('10.244.0.3', '10.244.0.9'),
  externalIPs: [],
  balancerIPs: [],
  external: backends('10.244.0.3', '10.244.0.9'),
  nodePort: undefined,
  sourceRanges: undefined,
  affinitySeconds: undefined,
  ...more,
});
/** None: nothing is behind it. */
export const backends = (...ips: string[]): ServicePort['internal'] =>
  ips.length === 0
    ? { to: 'refuse' }
    : { to: 'backends', backends: ips.map((ip) => ({ ip, port: 8080 })), keepsSource: false };

/** Services that come, change and go, one step after the other; their addresses are of one family. */
export function historiesOf(family: Family): fc.Arbitrary<readonly Step[]> {
  const [pods, services, outside] =
    family === 4 ? ['10.244.0.', '10.96.0.', '192.0.2.'] : ['fd00:10:244::', 'fd00:10:96::', '2001:db8::'];
  const ranges = family === 4 ? ['10.0.0.0/8', '192.0.2.0/24'] : ['fd00::/8', '2001:db8::/32'];
  const ip = fc.integer({ min: 1, max: 6 }).map((n) => `${pods}${n}`);
  const treatment = fc.oneof(
    fc.uniqueArray(ip, { minLength: 1, maxLength: 4 }).chain((ips) =>
      fc.boolean().map((keepsSource): ServicePort['internal'] => ({
        to: 'backends',
        backends: ips.map((address) => ({ ip: address, port: 8080 })),
        keepsSource,
      })),
    ),
    fc.constant<ServicePort['internal']>({ to: 'refuse' }),
    fc.constant<ServicePort['internal']>({ to: 'drop' }),
  );
  const servicePort = fc.record({
    protocol: fc.constantFrom<ServicePort['protocol']>('tcp', 'udp', 'sctp'),
    port: fc.constantFrom(80, 81),
    internal: treatment,
    external: treatment,
    externalIPs: fc.subarray([`${outside}1`, `${outside}2`]),
    balancerIPs: fc.subarray([`${outside}3`]),
    nodePort: fc.constantFrom(undefined, 30080, 30081),
    sourceRanges: fc.constantFrom(undefined, ranges),
    affinitySeconds: fc.constantFrom(undefined, 10, 3600),
  });
  const steps = fc.array(
    fc.record({ service: fc.constantFrom('a', 'b', 'c'), ports: fc.array(servicePort, { maxLength: 2 }) }),
    { minLength: 1, maxLength: 12 },
  );
  const portOf = (service: string, own: Partial<ServicePort>, i: number) => {
    const clusterIPs = [`${services}${service.charCodeAt(0)}`];
    return port({ ...own, family, name: `default/${service}:${i}`, clusterIPs });
  };
  return steps.map((all) =>
    all.map(({ service, ports }) => ({
      service,
      ports: ports.length === 0 ? undefined : ports.map((own, i) => portOf(service, own, i)),
    })),
  );
}
