/** What the runtime is asked for, field by field of a pod. */
import { describe, expect, it } from 'vitest';
import type { Container } from '../../apis/core/container.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import { NAMESPACE_MODE, PROFILE_TYPE } from '../cri/messages.ts';
import { registryAuths } from '../images/pullSecrets.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { containerConfig } from './containerConfig.ts';
import { dnsOf } from './dns.ts';
import { etcHosts } from './etcHosts.ts';
import { sandboxConfig } from './sandboxConfig.ts';

const meta = {
  metadata: { name: 'web-0', namespace: 'ns', uid: 'u', labels: { app: 'web' }, annotations: { a: 'b' } },
};
const podWith = (spec: Partial<PodSpec>) => podOf({ containers: [container('main')], ...spec }, meta);
const dns = {
  clusterDNS: '10.96.0.10',
  clusterDomain: 'cluster.local',
  host: { servers: ['192.0.2.1'], searches: ['example.com'], options: ['rotate'] },
};

const sandbox = (spec: Partial<PodSpec>) =>
  sandboxConfig(podWith(spec), 0, { podLogsDir: '/logs', cgroupParent: '/kubepods/podu', dns });

function asked(own: Partial<Container>, spec: Partial<PodSpec> = {}, more: object = {}) {
  const main = container('main', own);
  return containerConfig(podOf({ containers: [main], ...spec }, meta), main, {
    imageRef: 'sha256:1',
    env: new Map([['A', '1']]),
    mounts: [],
    devices: [],
    grants: {},
    seccompDir: '/kubelet/seccomp',
    resources: {},
    restarts: 2,
    terminationMessageFile: '/message',
    imageUser: { uid: 0 },
    ...more,
  });
}
const secured = (own: Container['securityContext'], shared: PodSpec['securityContext'] = {}) =>
  asked({ ...(own === undefined ? {} : { securityContext: own }) }, { securityContext: shared }).linux
    ?.security_context;

describe('a sandbox', () => {
  it.each<[string, Partial<PodSpec>, string]>([
    ['of a pod without a word of it', {}, 'web-0'],
    ['hostname', { hostname: 'mine' }, 'mine'],
    ['hostnameOverride', { hostname: 'mine', hostnameOverride: 'other' }, 'other'],
    ['subdomain', { subdomain: 'sub' }, 'web-0'],
    ['setHostnameAsFQDN', { subdomain: 'sub', setHostnameAsFQDN: true }, 'web-0.sub.ns.svc.cluster.local'],
    ['hostNetwork', { hostname: 'mine', hostNetwork: true }, ''],
  ])('has its name: %s', (_name, spec, expected) => {
    expect(sandbox(spec).hostname).toBe(expected);
  });

  it.each<[string, Partial<PodSpec>, object]>([
    ['of its own', {}, { network: 'pod', ipc: 'pod', pid: 'container' }],
    ['hostNetwork', { hostNetwork: true }, { network: 'node', ipc: 'pod', pid: 'container' }],
    ['hostIPC', { hostIPC: true }, { network: 'pod', ipc: 'node', pid: 'container' }],
    ['hostPID', { hostPID: true }, { network: 'pod', ipc: 'pod', pid: 'node' }],
    ['shareProcessNamespace', { shareProcessNamespace: true }, { network: 'pod', ipc: 'pod', pid: 'pod' }],
  ])('has namespaces: %s', (_name, spec, expected) => {
    const options = sandbox(spec).linux?.security_context?.namespace_options ?? {};
    const said = Object.entries(expected).map(([name, of]) => [name, NAMESPACE_MODE[of as 'pod']]);
    expect(options).toEqual(Object.fromEntries(said));
  });

  it('opens ports of the node', () => {
    const ports = [{ containerPort: 80, hostPort: 8080, hostIP: '192.0.2.1', protocol: 'UDP' }, { containerPort: 81 }];
    const containers = [container('main', { ports })];
    const mapping = { protocol: 1, container_port: 80, host_port: 8080, host_ip: '192.0.2.1' };
    expect(sandbox({ containers }).port_mappings).toEqual([mapping]);
    expect(sandbox({ containers, hostNetwork: true }).port_mappings).toEqual([]);
  });

  it('gets sysctls, overhead and SELinux options', () => {
    const { linux } = sandbox({
      overhead: { cpu: '100m', memory: '10Mi' },
      securityContext: {
        sysctls: [{ name: 'net.ipv4.tcp_syncookies', value: '0' }],
        seLinuxOptions: { user: 'u', role: 'r', type: 't', level: 's0' },
      },
    });
    expect(linux?.sysctls).toEqual({ 'net.ipv4.tcp_syncookies': '0' });
    expect(linux?.overhead).toMatchObject({ cpu_quota: 10_000, memory_limit_in_bytes: 10 * 2 ** 20 });
    expect(linux?.security_context?.selinux_options).toEqual({ user: 'u', role: 'r', type: 't', level: 's0' });
  });
});

describe('names are resolved', () => {
  const cluster = ['ns.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'];
  const own = {
    nameservers: ['192.0.2.9'],
    searches: ['mine'],
    options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
  };
  it.each<[string, Partial<PodSpec>, object]>([
    [
      'ClusterFirst',
      { dnsPolicy: 'ClusterFirst' },
      { servers: ['10.96.0.10'], searches: cluster, options: ['ndots:5'] },
    ],
    ['ClusterFirst on the network of the node', { dnsPolicy: 'ClusterFirst', hostNetwork: true }, dns.host],
    [
      'ClusterFirstWithHostNet',
      { dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true },
      { servers: ['10.96.0.10'], searches: cluster, options: ['ndots:5'] },
    ],
    ['Default', { dnsPolicy: 'Default' }, dns.host],
    [
      'None',
      { dnsPolicy: 'None', dnsConfig: own },
      { servers: ['192.0.2.9'], searches: ['mine'], options: ['ndots:2', 'edns0'] },
    ],
    [
      'with more',
      { dnsConfig: own },
      { servers: ['10.96.0.10', '192.0.2.9'], searches: [...cluster, 'mine'], options: ['ndots:2', 'edns0'] },
    ],
  ])('dnsPolicy %s', (_name, spec, expected) => {
    expect(dnsOf(podWith(spec), dns)).toEqual(expected);
  });

  it('hostAliases, and the name of the pod, stand in /etc/hosts', () => {
    const hosts = etcHosts(
      podWith({ subdomain: 'sub', hostAliases: [{ ip: '192.0.2.7', hostnames: ['a.example', 'b'] }] }),
      ['10.0.0.5', 'fd00::5'],
      'cluster.local',
    );
    expect(hosts).toContain('10.0.0.5\tweb-0.sub.ns.svc.cluster.local\tweb-0\n');
    expect(hosts).toContain('fd00::5\tweb-0.sub.ns.svc.cluster.local\tweb-0\n');
    expect(hosts).toContain('192.0.2.7\ta.example\tb\n');
  });
});

describe('a container', () => {
  it('is given its command, its folder, its terminal and where it leaves its last words', () => {
    const config = asked({
      command: ['run', '$(A)', '$$(A)'],
      args: ['$(NONE)'],
      workingDir: '/work',
      stdin: true,
      stdinOnce: true,
      tty: true,
      terminationMessagePath: '/dev/last',
      terminationMessagePolicy: 'FallbackToLogsOnError',
    });
    expect(config).toMatchObject({
      metadata: { name: 'main', attempt: 2 },
      command: ['run', '1', '$(A)'],
      args: ['$(NONE)'],
      working_dir: '/work',
      stdin: true,
      stdin_once: true,
      tty: true,
    });
    expect(Object.values(config.annotations ?? {})).toEqual(
      expect.arrayContaining(['/dev/last', 'FallbackToLogsOnError', '/message']),
    );
  });

  it.each<[string, Container['securityContext'], PodSpec['securityContext'], object]>([
    [
      'runAsUser of its own',
      { runAsUser: 1, runAsGroup: 2 },
      { runAsUser: 3 },
      { run_as_user: { value: 1 }, run_as_group: { value: 2 } },
    ],
    [
      'runAsUser of the pod',
      undefined,
      { runAsUser: 3, runAsGroup: 4 },
      { run_as_user: { value: 3 }, run_as_group: { value: 4 } },
    ],
    [
      'supplementalGroups and fsGroup',
      undefined,
      { supplementalGroups: [5, 6], fsGroup: 6 },
      { supplemental_groups: [5, 6] },
    ],
    ['privileged', { privileged: true }, {}, { privileged: true }],
    ['readOnlyRootFilesystem', { readOnlyRootFilesystem: true }, {}, { readonly_rootfs: true }],
    ['allowPrivilegeEscalation', { allowPrivilegeEscalation: false }, {}, { no_new_privs: true }],
    [
      'capabilities',
      { capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] } },
      {},
      { capabilities: { add_capabilities: ['NET_ADMIN'], drop_capabilities: ['ALL'] } },
    ],
    [
      'seccompProfile of its own',
      { seccompProfile: { type: 'Localhost', localhostProfile: 'a.json' } },
      { seccompProfile: { type: 'RuntimeDefault' } },
      { seccomp: { profile_type: PROFILE_TYPE.localhost, localhost_ref: '/kubelet/seccomp/a.json' } },
    ],
    [
      'seccompProfile of the pod',
      undefined,
      { seccompProfile: { type: 'RuntimeDefault' } },
      { seccomp: { profile_type: PROFILE_TYPE.runtimeDefault } },
    ],
    [
      'seLinuxOptions of its own',
      { seLinuxOptions: { level: 's1' } },
      { seLinuxOptions: { level: 's0' } },
      { selinux_options: { level: 's1' } },
    ],
    [
      'appArmorProfile of its own',
      { appArmorProfile: { type: 'Localhost', localhostProfile: 'strict' } },
      { appArmorProfile: { type: 'RuntimeDefault' } },
      { apparmor: { profile_type: PROFILE_TYPE.localhost, localhost_ref: 'strict' } },
    ],
    [
      'appArmorProfile of the pod',
      undefined,
      { appArmorProfile: { type: 'RuntimeDefault' } },
      { apparmor: { profile_type: PROFILE_TYPE.runtimeDefault } },
    ],
    ['supplementalGroupsPolicy', undefined, { supplementalGroupsPolicy: 'Strict' }, { supplemental_groups_policy: 1 }],
    ['seLinuxOptions of the pod', undefined, { seLinuxOptions: { level: 's0' } }, { selinux_options: { level: 's0' } }],
  ])('%s', (_name, own, shared, expected) => {
    expect(secured(own, shared)).toMatchObject(expected);
  });

  it('procMount leaves nothing hidden', () => {
    expect(secured({})?.masked_paths).not.toEqual([]);
    expect(secured({ procMount: 'Unmasked' })).not.toHaveProperty('masked_paths');
  });

  it.each<[string, Container['securityContext'], object, boolean]>([
    ['an image of root', { runAsNonRoot: true }, { imageUser: { uid: 0 } }, false],
    ['an image of somebody with a name only', { runAsNonRoot: true }, { imageUser: { username: 'web' } }, false],
    ['an image of somebody else', { runAsNonRoot: true }, { imageUser: { uid: 7 } }, true],
    ['a user of its own', { runAsNonRoot: true, runAsUser: 8 }, { imageUser: { uid: 0 } }, true],
  ])('runAsNonRoot: %s', (_name, own, more, runs) => {
    const config = () => asked({ ...(own === undefined ? {} : { securityContext: own }) }, {}, more);
    if (runs) expect(config).not.toThrow();
    else expect(config).toThrow(/non-?root.* \(pod: ".+_.+\(.+\)", container: \w+\)$/i);
  });

  it('targetContainerName: it sees the processes of another', () => {
    const options = asked({}, {}, { target: 'id-of-other' }).linux?.security_context?.namespace_options;
    expect(options).toMatchObject({ pid: NAMESPACE_MODE.target, target_id: 'id-of-other' });
  });
});

it('imagePullSecrets are read in both forms', () => {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64');
  const entry = { 'registry.example': { username: 'u', password: 'p' } };
  const auth = [{ server_address: 'registry.example', username: 'u', password: 'p' }];
  expect(registryAuths({ data: { '.dockerconfigjson': encoded({ auths: entry }) } })).toEqual(auth);
  expect(registryAuths({ data: { '.dockercfg': encoded(entry) } })).toEqual(auth);
  expect(registryAuths({ data: { '.dockerconfigjson': 'bm9uc2Vuc2U=' } })).toEqual([]);
});
