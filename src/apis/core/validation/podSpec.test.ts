import { describe, expect, it } from 'vitest';
import { createFaults, updated } from '../../testing/create.ts';
import { container, pod } from '../../testing/pods.ts';
import { pods } from '../pod.ts';

const faults = (spec: object) => createFaults(pods, pod(spec));
const faultsOf = (more: object) => faults({ containers: [container(more)] });
const C = 'spec.containers[0]';

describe('a pod', () => {
  it('that is plain has no faults', () => {
    expect(faults({})).toEqual([]);
  });

  it('without anything lacks its containers', () => {
    expect(createFaults(pods, { metadata: { name: 'x', namespace: 'default' } })).toContain(
      'spec.containers: Required',
    );
  });

  it('names all its faults at once', () => {
    expect(
      faults({ containers: [{ name: 'UPPER', image: '' }, { name: 'b' }], restartPolicy: 'Sometimes', dnsPolicy: 'x' }),
    ).toEqual([
      `${C}.name: Invalid`,
      `${C}.image: Required`,
      'spec.containers[1].image: Required',
      'spec.restartPolicy: NotSupported',
      'spec.dnsPolicy: NotSupported',
    ]);
  });

  it.each<[string, object, string[]]>([
    ['two containers of one name', { containers: [container(), container()] }, ['spec.containers[1].name: Duplicate']],
    [
      'an init container named as another',
      { initContainers: [container()] },
      ['spec.initContainers[0].name: Duplicate'],
    ],
    [
      'a probe on an init container that ends',
      { initContainers: [container({ name: 'i', readinessProbe: { exec: { command: ['x'] } } })] },
      ['spec.initContainers[0].readinessProbe: Forbidden'],
    ],
    [
      'a probe on a sidecar',
      {
        initContainers: [
          container({ name: 'i', restartPolicy: 'Always', readinessProbe: { exec: { command: ['x'] } } }),
        ],
      },
      [],
    ],
    [
      'an ephemeral container from the start',
      { ephemeralContainers: [container({ name: 'debug' })] },
      ['spec.ephemeralContainers: Forbidden'],
    ],
    [
      'an ephemeral container with probes, for nobody',
      {
        ephemeralContainers: [
          container({ name: 'debug', livenessProbe: { exec: { command: ['x'] } }, targetContainerName: 'gone' }),
        ],
      },
      [
        'spec.ephemeralContainers[0].livenessProbe: Forbidden',
        'spec.ephemeralContainers[0].targetContainerName: NotFound',
        'spec.ephemeralContainers: Forbidden',
      ],
    ],
    ['a bad node name', { nodeName: 'A_b' }, ['spec.nodeName: Invalid']],
    ['a deadline of nothing', { activeDeadlineSeconds: 0 }, ['spec.activeDeadlineSeconds: Invalid']],
    ['gates and a node', { nodeName: 'n', schedulingGates: [{ name: 'g' }] }, ['spec.nodeName: Forbidden']],
    ['a gate twice', { schedulingGates: [{ name: 'g' }, { name: 'g' }] }, ['spec.schedulingGates[1]: Duplicate']],
    ['DNS of its own without a server', { dnsPolicy: 'None' }, ['spec.dnsConfig.nameservers: Required']],
    [
      'DNS options',
      { dnsConfig: { nameservers: ['x'], searches: ['a.b', 'A b'], options: [{ value: '1' }] } },
      [
        'spec.dnsConfig.nameservers[0]: Invalid',
        'spec.dnsConfig.searches[1]: Invalid',
        'spec.dnsConfig.options[0].name: Required',
      ],
    ],
    [
      'an alias of no address',
      { hostAliases: [{ ip: 'x', hostnames: ['B'] }] },
      ['spec.hostAliases[0].ip: Invalid', 'spec.hostAliases[0].hostnames[0]: Invalid'],
    ],
    [
      'shared processes of the host',
      { shareProcessNamespace: true, hostPID: true },
      ['spec.shareProcessNamespace: Invalid'],
    ],
    ['users of its own on the host network', { hostUsers: false, hostNetwork: true }, ['spec.hostNetwork: Forbidden']],
    ['a user below zero', { securityContext: { runAsUser: -1 } }, ['spec.securityContext.runAsUser: Invalid']],
    [
      'a seccomp profile without its file',
      { securityContext: { seccompProfile: { type: 'Localhost' } } },
      ['spec.securityContext.seccompProfile.localhostProfile: Required'],
    ],
    [
      'a net sysctl on the host network',
      { hostNetwork: true, securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1' }] } },
      ['spec.securityContext.sysctls[0].name: Invalid'],
    ],
    ['a label value that is none', { nodeSelector: { a: '-' } }, ['spec.nodeSelector: Invalid']],
  ])('with %s', (_what, spec, expected) => {
    expect(faults(spec)).toEqual(expected);
  });
});

describe('a container', () => {
  it.each<[string, object, string[]]>([
    ['an image in spaces', { image: ' nginx' }, [`${C}.image: Invalid`]],
    ['an unknown pull policy', { imagePullPolicy: 'Maybe' }, [`${C}.imagePullPolicy: NotSupported`]],
    ['a port 0', { ports: [{ containerPort: 0 }] }, [`${C}.ports[0].containerPort: Required`]],
    ['a port too high', { ports: [{ containerPort: 70000 }] }, [`${C}.ports[0].containerPort: Invalid`]],
    [
      'a protocol that is none',
      { ports: [{ containerPort: 1, protocol: 'ICMP' }] },
      [`${C}.ports[0].protocol: NotSupported`],
    ],
    [
      'two ports of one name',
      {
        ports: [
          { name: 'http', containerPort: 80 },
          { name: 'http', containerPort: 81 },
        ],
      },
      [`${C}.ports[1].name: Duplicate`],
    ],
    [
      'one host port twice',
      {
        ports: [
          { containerPort: 80, hostPort: 80 },
          { containerPort: 81, hostPort: 80 },
        ],
      },
      [`${C}.ports[1].hostPort: Duplicate`],
    ],
    ['a variable without a name', { env: [{ value: 'x' }] }, [`${C}.env[0].name: Required`]],
    ['a variable with =', { env: [{ name: 'a=b' }] }, [`${C}.env[0].name: Invalid`]],
    ['a variable from nowhere', { env: [{ name: 'a', valueFrom: {} }] }, [`${C}.env[0].valueFrom: Invalid`]],
    [
      'a variable from two places',
      {
        env: [
          {
            name: 'a',
            valueFrom: { fieldRef: { fieldPath: 'metadata.name' }, configMapKeyRef: { name: 'c', key: 'k' } },
          },
        ],
      },
      [`${C}.env[0].valueFrom: Invalid`],
    ],
    [
      'a variable from an unknown field',
      { env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } }] },
      [`${C}.env[0].valueFrom.fieldRef.fieldPath: NotSupported`],
    ],
    [
      'a variable from a label',
      { env: [{ name: 'a', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } }] },
      [],
    ],
    [
      'a variable from a secret without name or key',
      { env: [{ name: 'a', valueFrom: { secretKeyRef: {} } }] },
      [`${C}.env[0].valueFrom.secretKeyRef.name: Required`, `${C}.env[0].valueFrom.secretKeyRef.key: Required`],
    ],
    [
      'a variable from a resource, divided by what it cannot be',
      { env: [{ name: 'a', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1Mi' } } }] },
      [`${C}.env[0].valueFrom.resourceFieldRef.divisor: Invalid`],
    ],
    ['variables from nowhere', { envFrom: [{}] }, [`${C}.envFrom[0]: Invalid`]],
    [
      'a mount of no volume',
      { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      [`${C}.volumeMounts[0].name: NotFound`],
    ],
    [
      'requests above limits',
      { resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } },
      [`${C}.resources.requests: Invalid`],
    ],
    [
      'requests equal to limits, written otherwise',
      { resources: { limits: { cpu: '1' }, requests: { cpu: '1000m' } } },
      [],
    ],
    [
      'an amount below nothing',
      { resources: { limits: { memory: '-1' } } },
      [`${C}.resources.limits[memory]: Invalid`, `${C}.resources.requests[memory]: Invalid`],
    ],
    [
      'a resource nobody knows',
      { resources: { limits: { disk: '1' } } },
      [`${C}.resources.limits[disk]: Invalid`, `${C}.resources.requests[disk]: Invalid`],
    ],
    [
      'half a device',
      { resources: { limits: { 'example.com/gpu': '500m' } } },
      [`${C}.resources.limits[example.com/gpu]: Invalid`, `${C}.resources.requests[example.com/gpu]: Invalid`],
    ],
    [
      'a device without a limit',
      { resources: { requests: { 'example.com/gpu': '1' } } },
      [`${C}.resources.limits: Required`],
    ],
    ['huge pages alone', { resources: { limits: { 'hugepages-2Mi': '4Mi' } } }, [`${C}.resources: Forbidden`]],
    ['a probe of no sort', { livenessProbe: {} }, [`${C}.livenessProbe: Required`]],
    [
      'a probe of two sorts',
      { livenessProbe: { exec: { command: ['x'] }, tcpSocket: { port: 1 } } },
      [`${C}.livenessProbe.tcpSocket: Forbidden`],
    ],
    [
      'a liveness probe that must succeed twice',
      { livenessProbe: { exec: { command: ['x'] }, successThreshold: 2 } },
      [`${C}.livenessProbe.successThreshold: Invalid`],
    ],
    ['a readiness probe that must', { readinessProbe: { exec: { command: ['x'] }, successThreshold: 2 } }, []],
    [
      'a probe of a port that is none',
      { readinessProbe: { httpGet: { port: 0, scheme: 'FTP' } } },
      [`${C}.readinessProbe.httpGet.port: Invalid`, `${C}.readinessProbe.httpGet.scheme: NotSupported`],
    ],
    [
      'a hook that sleeps too long',
      { lifecycle: { preStop: { sleep: { seconds: 31 } } } },
      [`${C}.lifecycle.preStop.sleep.seconds: Invalid`],
    ],
    [
      'privilege that may not grow',
      { securityContext: { privileged: true, allowPrivilegeEscalation: false } },
      [`${C}.securityContext: Invalid`],
    ],
    [
      'rules of restart without a policy',
      { restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }] },
      [`${C}.restartPolicy: Required`],
    ],
  ])('with %s', (_what, more, expected) => {
    expect(faultsOf(more)).toEqual(expected);
  });
});

describe('words that are not known', () => {
  it.each<[string, object, string[]]>([
    [
      'seLinuxChangePolicy',
      { securityContext: { seLinuxChangePolicy: 'Some' } },
      ['spec.securityContext.seLinuxChangePolicy: NotSupported'],
    ],
    [
      'apiVersion of a fieldRef',
      {
        containers: [
          container({
            env: [{ name: 'A', valueFrom: { fieldRef: { apiVersion: 'v2', fieldPath: 'metadata.name' } } }],
          }),
        ],
      },
      [`${C}.env[0].valueFrom.fieldRef.apiVersion: NotSupported`],
    ],
  ])('%s', (_name, spec, expected) => {
    expect(faults(spec)).toEqual(expected);
  });

  it('what an ephemeral container cannot have', () => {
    const exec = { exec: { command: ['x'] } };
    const debug = {
      name: 'debug',
      image: 'busybox',
      startupProbe: exec,
      resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }],
      resources: { limits: { cpu: '1' } },
    };
    const before = pod();
    const after = pod({ ephemeralContainers: [debug] });
    const rules = pods.subresources?.ephemeralcontainers?.rules;
    expect(updated(pods, rules, before, after).faults).toEqual(
      ['startupProbe', 'resizePolicy', 'resources'].map((field) => `spec.ephemeralContainers[0].${field}: Forbidden`),
    );
  });
});

describe('volumes', () => {
  const volume = (source: object) => faults({ serviceAccountName: 'default', volumes: [{ name: 'v', ...source }] });
  const V = 'spec.volumes[0]';

  it.each<[string, object, string[]]>([
    ['of two sorts', { emptyDir: {}, hostPath: { path: '/x' } }, [`${V}.hostPath: Forbidden`]],
    ['of the host, without a path', { hostPath: {} }, [`${V}.hostPath.path: Required`]],
    ['of the host, upwards', { hostPath: { path: '/a/../b' } }, [`${V}.hostPath.path: Invalid`]],
    ['of a config map without a name', { configMap: {} }, [`${V}.configMap.name: Required`]],
    [
      'of a secret without a name',
      { secret: { defaultMode: 0o1000 } },
      [`${V}.secret.secretName: Required`, `${V}.secret.defaultMode: Invalid`],
    ],
    [
      'with keys into places where they must not be',
      {
        configMap: {
          name: 'c',
          items: [
            { key: 'a/b', path: '/x' },
            { key: 'k', path: '..data' },
          ],
        },
      },
      [
        `${V}.configMap.items[0].key: Invalid`,
        `${V}.configMap.items[0].path: Invalid`,
        `${V}.configMap.items[1].path: Invalid`,
      ],
    ],
    [
      'with a token that ends too soon',
      { projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 10 } }] } },
      [`${V}.projected.sources[0].serviceAccountToken.expirationSeconds: Invalid`],
    ],
    [
      'with two files at one path',
      {
        projected: {
          sources: [
            { serviceAccountToken: { path: 'a' } },
            { configMap: { name: 'c', items: [{ key: 'k', path: 'a' }] } },
          ],
        },
      },
      [`${V}.projected.sources[1]: Invalid`],
    ],
    [
      'of storage that is not told where',
      { iscsi: { lun: 1 } },
      [`${V}.iscsi.targetPortal: Required`, `${V}.iscsi.iqn: Required`],
    ],
    ['of a share with a relative path', { nfs: { server: 's', path: 'x' } }, [`${V}.nfs.path: Invalid`]],
    [
      'of memory below nothing',
      { emptyDir: { medium: 'Memory', sizeLimit: '-1' } },
      [`${V}.emptyDir.sizeLimit: Forbidden`],
    ],
  ])('%s', (_what, source, expected) => {
    expect(volume(source)).toEqual(expected);
  });

  it('of one name twice', () => {
    expect(faults({ volumes: [{ name: 'v' }, { name: 'v' }] })).toEqual(['spec.volumes[1].name: Duplicate']);
  });

  it('are mounted at one path each', () => {
    const mounts = [
      { name: 'v', mountPath: '/v' },
      { name: 'v', mountPath: '/v', subPath: '../x' },
      { name: 'v', mountPath: '/w', mountPropagation: 'Bidirectional' },
    ];
    expect(faults({ volumes: [{ name: 'v' }], containers: [container({ volumeMounts: mounts })] })).toEqual([
      `${C}.volumeMounts[1].mountPath: Invalid`,
      `${C}.volumeMounts[1].subPath: Invalid`,
      `${C}.volumeMounts[2].mountPropagation: Forbidden`,
    ]);
  });
});

describe('placement', () => {
  const T = 'spec.tolerations[0]';
  it.each<[string, object, string[]]>([
    ['no key, and not Exists', { operator: 'Equal' }, [`${T}.operator: Invalid`]],
    ['Exists with a value', { key: 'a', operator: 'Exists', value: 'b' }, [`${T}.operator: Invalid`]],
    [
      'a time where nothing is evicted',
      { key: 'a', effect: 'NoSchedule', tolerationSeconds: 1 },
      [`${T}.effect: Invalid`],
    ],
    ['an effect that is none', { key: 'a', effect: 'Maybe' }, [`${T}.effect: NotSupported`]],
    ['all taints', { operator: 'Exists' }, []],
  ])('tolerations: %s', (_what, toleration, expected) => {
    expect(faults({ tolerations: [toleration] })).toEqual(expected);
  });

  it('affinity to nodes', () => {
    const terms = [
      {
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: '-', operator: 'Near' },
        ],
      },
      { matchFields: [{ key: 'metadata.uid', operator: 'In', values: ['x'] }] },
    ];
    const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms';
    const required = { nodeSelectorTerms: terms };
    expect(
      faults({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } }),
    ).toEqual([
      `${at}[0].matchExpressions[0].values: Required`,
      `${at}[0].matchExpressions[1].operator: NotSupported`,
      `${at}[0].matchExpressions[1].key: Invalid`,
      `${at}[1].matchFields[0].key: NotSupported`,
    ]);
  });

  it('affinity to pods, and spreading', () => {
    const preferredDuringSchedulingIgnoredDuringExecution = [{ weight: 0, podAffinityTerm: { topologyKey: '' } }];
    expect(
      faults({
        affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution } },
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 },
          { maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'ScheduleAnyway', matchLabelKeys: ['a'] },
        ],
      }),
    ).toEqual([
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid',
      'spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.topologyKey: Required',
      'spec.topologySpreadConstraints[0].maxSkew: Invalid',
      'spec.topologySpreadConstraints[0].minDomains: Invalid',
      'spec.topologySpreadConstraints[1].{topologyKey, whenUnsatisfiable}: Duplicate',
      'spec.topologySpreadConstraints[1].matchLabelKeys: Forbidden',
    ]);
  });
});
