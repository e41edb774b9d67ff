import { expect, it } from 'vitest';
import { container, podOf } from '../testing/observedPods.ts';
import { createAdmission } from './admission.ts';

const { refusal } = createAdmission(() => ({ cpu: '2', memory: '1Gi', pods: '3', 'example.com/gpu': '1' }));
const asking = (cpu: string) => podOf({ containers: [container('main', { resources: { requests: { cpu } } })] });
const onPort = (hostPort: number, hostIP?: string) =>
  podOf({
    containers: [
      container('main', { ports: [{ containerPort: 1, hostPort, ...(hostIP === undefined ? {} : { hostIP }) }] }),
    ],
  });

it('lets in what fits', () => {
  expect(refusal(asking('1'), [asking('1')])).toBeUndefined();
  expect(refusal(podOf({}), [podOf({}), podOf({})])).toBeUndefined();
  expect(refusal(onPort(80, '127.0.0.1'), [onPort(80, '127.0.0.2'), onPort(81)])).toBeUndefined();
});

it('refuses what does not', () => {
  expect(refusal(asking('1500m'), [asking('501m')])).toEqual({
    reason: 'OutOfcpu',
    message: "Node didn't have enough resource: cpu, requested: 1500, used: 501, capacity: 2000",
  });
  expect(refusal(podOf({}), [podOf({}), podOf({}), podOf({})])?.reason).toBe('OutOfpods');
  expect(refusal(onPort(80), [onPort(80, '127.0.0.2')])?.reason).toBe('NodePorts');
  const wanting = (resource: string) =>
    podOf({ containers: [container('main', { resources: { requests: { [resource]: '2' } } })] });
  expect(refusal(wanting('example.com/gpu'), [])?.reason).toBe('OutOfexample.com/gpu');
  expect(refusal(wanting('hugepages-1Gi'), [])?.reason).toBe('OutOfhugepages-1Gi');
  // What the node knows nothing of is somebody else's to count.
  expect(refusal(wanting('example.com/licence'), [])).toBeUndefined();
  expect(refusal(podOf({ hostUsers: false }), [])?.reason).toBe('UnsupportedUserNamespaces');
  expect(refusal(podOf({ os: { name: 'windows' } }), [])?.reason).toBe('PodOSNotSupported');
  const sysctl = (name: string) => podOf({ securityContext: { sysctls: [{ name, value: '1' }] } });
  expect(refusal(sysctl('kernel.msgmax'), [])?.reason).toBe('SysctlForbidden');
  expect(refusal(sysctl('net/ipv4/tcp_syncookies'), [])).toBeUndefined();
  const strict = { supplementalGroupsPolicy: 'Strict' };
  expect(refusal(podOf({ securityContext: strict }), [])?.reason).toBe('SupplementalGroupsPolicyNotSupported');
  const profile = { appArmorProfile: { type: 'RuntimeDefault' } };
  expect(refusal(podOf({ securityContext: profile }), [])?.reason).toBe('AppArmor');
});

const able = { unsafeSysctls: [], appArmor: true, supplementalGroupsPolicy: () => true };

it('allows what the node can do', () => {
  const wanting = [
    podOf({ securityContext: { appArmorProfile: { type: 'RuntimeDefault' } } }),
    podOf({ securityContext: { supplementalGroupsPolicy: 'Strict' } }),
  ];
  const reasons = (abilities?: typeof able) =>
    wanting.map((pod) => createAdmission(() => ({}), abilities).refusal(pod, [])?.reason);
  expect(reasons()).toEqual(['AppArmor', 'SupplementalGroupsPolicyNotSupported']);
  expect(reasons(able)).toEqual([undefined, undefined]);
});

it('allows the sysctls that it is told to', () => {
  const { refusal } = createAdmission(() => ({}), {
    ...able,
    unsafeSysctls: ['kernel.msg*', 'net.core.somaxconn'],
  });
  const reason = (name: string) => refusal(podOf({ securityContext: { sysctls: [{ name, value: '1' }] } }), [])?.reason;
  expect(['kernel.msgmax', 'net/core/somaxconn', 'net.ipv4.tcp_syncookies'].map(reason)).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(['kernel.sem', 'net.core.somaxconn2'].map(reason)).toEqual(['SysctlForbidden', 'SysctlForbidden']);
});

it('knows what never fits, of what can be changed in a pod that runs', () => {
  const { infeasibility } = createAdmission(() => ({ cpu: '2', memory: '1Gi', pods: '0' }));
  expect(infeasibility(podOf({}))).toBeUndefined();
  const asking = (requests: Record<string, string>) =>
    podOf({ containers: [container('main', { resources: { requests } })] });
  expect(infeasibility(asking({ cpu: '2', memory: '1Gi', 'example.com/gpu': '9' }))).toBeUndefined();
  expect(infeasibility(asking({ cpu: '2500m' }))).toBe(
    "Node didn't have enough capacity: cpu, requested: 2500, capacity: 2000",
  );
  expect(infeasibility(asking({ memory: '2Gi' }))).toBe(
    "Node didn't have enough capacity: memory, requested: 2147483648, capacity: 1073741824",
  );
});
