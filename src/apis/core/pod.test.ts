import { describe, expect, it } from 'vitest';
import { selectorFrom } from '../../machinery/labelSelector.ts';
import { created, updated } from '../testing/create.ts';
import { container, pod, podSpec } from '../testing/pods.ts';
import { pods } from './pod.ts';

describe('defaults of a pod', () => {
  it('fill in what a plain pod leaves out', () => {
    expect(created(pods, pod())).toEqual({
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        containers: [
          {
            name: 'web',
            image: 'nginx:1.25',
            imagePullPolicy: 'IfNotPresent',
            resources: {},
            terminationMessagePath: '/dev/termination-log',
            terminationMessagePolicy: 'File',
          },
        ],
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        schedulerName: 'default-scheduler',
        securityContext: {},
        terminationGracePeriodSeconds: 30,
        enableServiceLinks: true,
      },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    });
  });

  const first = (more: object, spec: object = {}) =>
    created(pods, pod({ containers: [container(more)], ...spec })).spec?.containers[0];

  it.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:0', 'IfNotPresent'],
    ['nginx:latest@sha256:0', 'IfNotPresent'],
  ])('pull %s: %s', (image, policy) => {
    expect(first({ image })?.imagePullPolicy).toBe(policy);
  });

  it('take requests from limits, one by one', () => {
    const resources = { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '500m' } };
    expect(first({ resources })?.resources?.requests).toEqual({ cpu: '500m', memory: '1Gi' });
  });

  it('complete probes, ports and hooks; zero is as good as nothing', () => {
    const it = first({
      livenessProbe: { httpGet: { port: 80 }, timeoutSeconds: 0, initialDelaySeconds: 0 },
      lifecycle: { preStop: { httpGet: { port: 80 } } },
      ports: [{ containerPort: 80, protocol: '', hostPort: 0 }],
      tty: false,
    });
    expect(it?.livenessProbe).toEqual({
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
    expect(it?.lifecycle).toEqual({ preStop: { httpGet: { port: 80, path: '/', scheme: 'HTTP' } } });
    expect(it?.ports).toEqual([{ containerPort: 80, protocol: 'TCP' }]);
    expect(it).not.toHaveProperty('tty');
  });

  it('give ports on the host network to the host', () => {
    const it = first({ ports: [{ containerPort: 80 }] }, { hostNetwork: true });
    expect(it?.ports).toEqual([{ containerPort: 80, protocol: 'TCP', hostPort: 80 }]);
  });

  it('mirror the service account', () => {
    expect(created(pods, pod({ serviceAccount: 'a' })).spec).toMatchObject({
      serviceAccountName: 'a',
      serviceAccount: 'a',
    });
    expect(created(pods, pod({ serviceAccountName: 'b' })).spec).toMatchObject({ serviceAccount: 'b' });
  });

  it('complete volumes', () => {
    const volumes = [
      { name: 'a' },
      { name: 'b', secret: { secretName: 's' } },
      { name: 'c', hostPath: { path: '/x' } },
      {
        name: 'd',
        projected: {
          sources: [
            { serviceAccountToken: { path: 't' } },
            { downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.name' } }] } },
          ],
        },
      },
      { name: 'e', configMap: { name: 'm', defaultMode: 0 } },
    ];
    expect(created(pods, pod({ volumes })).spec?.volumes).toEqual([
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
      { name: 'c', hostPath: { path: '/x', type: '' } },
      {
        name: 'd',
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { path: 't', expirationSeconds: 3600 } },
            { downwardAPI: { items: [{ path: 'p', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } }] } },
          ],
        },
      },
      { name: 'e', configMap: { name: 'm', defaultMode: 0 } },
    ]);
  });

  it('take out what belongs to features that are off', () => {
    const it = first({ lifecycle: { stopSignal: 'SIGUSR1', preStop: { exec: { command: ['x'] } } } });
    expect(it?.lifecycle).toEqual({ preStop: { exec: { command: ['x'] } } });
    expect(created(pods, pod({ schedulingGroup: { podGroupName: 'g' } })).spec).not.toHaveProperty('schedulingGroup');
  });

  it('round amounts up to thousandths', () => {
    expect(first({ resources: { requests: { cpu: '100u' } } })?.resources?.requests).toEqual({ cpu: '1m' });
  });

  it('of the pod as a whole follow from its containers', () => {
    const spec = {
      containers: [container({ resources: { requests: { cpu: '1' } } })],
      resources: { limits: { cpu: '2', memory: '1Gi' } },
    };
    expect(created(pods, pod(spec)).spec?.resources?.requests).toEqual({ cpu: '1', memory: '1Gi' });
  });
});

describe('a new pod', () => {
  it('waits at its gates', () => {
    const status = created(pods, pod({ schedulingGates: [{ name: 'g' }] })).status;
    expect(status?.conditions).toMatchObject([{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }]);
  });

  it('brings no status of its own', () => {
    expect(created(pods, pod({}, { status: { phase: 'Running' } })).status?.phase).toBe('Pending');
  });

  it('has its own labels written into terms that speak of them', () => {
    const required = [
      {
        topologyKey: 'z',
        labelSelector: { matchLabels: { app: 'a' } },
        matchLabelKeys: ['hash'],
        mismatchLabelKeys: ['team'],
      },
    ];
    const json = pod({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } } });
    json.metadata = { name: 'web', labels: { hash: '1', team: 'x' } };
    const term = created(pods, json).spec?.affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.[0];
    expect(selectorFrom(term?.labelSelector)).toEqual([
      { key: 'app', operator: 'In', values: ['a'] },
      { key: 'hash', operator: 'In', values: ['1'] },
      { key: 'team', operator: 'NotIn', values: ['x'] },
    ]);
  });
});

describe('an update of a pod', () => {
  const change = (before: object, after: object) => updated(pods, pods.update, pod(before), pod(after)).faults;
  const gates = { schedulingGates: [{ name: 'g' }] };
  const nodeAffinity = (...terms: object[]) => ({
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } },
  });
  const inZone = { key: 'zone', operator: 'In', values: ['a'] };
  const onDisk = { key: 'disk', operator: 'Exists' };

  it.each<[string, object, object, string[]]>([
    ['nothing', {}, {}, []],
    ['an image', {}, { containers: [container({ image: 'nginx:2', imagePullPolicy: 'IfNotPresent' })] }, []],
    [
      'an image to nothing',
      {},
      { containers: [container({ image: '', imagePullPolicy: 'IfNotPresent' })] },
      ['spec.containers[0].image: Required'],
    ],
    ['a variable', {}, { containers: [container({ env: [{ name: 'a' }] })] }, ['spec: Forbidden']],
    ['an empty list for none', {}, { containers: [container({ env: [] })], volumes: [] }, []],
    [
      'an amount, written otherwise',
      { containers: [container({ resources: { limits: { cpu: '1' } } })] },
      { containers: [container({ resources: { limits: { cpu: '1000m' } } })] },
      [],
    ],
    ['a container more', {}, { containers: [container(), container({ name: 'b' })] }, ['spec.containers: Forbidden']],
    ['a deadline that is new', {}, { activeDeadlineSeconds: 10 }, []],
    [
      'a deadline farther off',
      { activeDeadlineSeconds: 10 },
      { activeDeadlineSeconds: 11 },
      ['spec.activeDeadlineSeconds: Invalid'],
    ],
    ['a deadline away', { activeDeadlineSeconds: 10 }, {}, ['spec.activeDeadlineSeconds: Invalid']],
    ['a toleration more', {}, { tolerations: [{ operator: 'Exists' }] }, []],
    [
      'a toleration before another',
      { tolerations: [{ key: 'b', operator: 'Exists' }] },
      {
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'Exists' },
        ],
      },
      [],
    ],
    [
      'the time of a toleration',
      { tolerations: [{ key: 'a', effect: 'NoExecute', tolerationSeconds: 1 }] },
      { tolerations: [{ key: 'a', effect: 'NoExecute', tolerationSeconds: 9 }] },
      [],
    ],
    ['a toleration away', { tolerations: [{ operator: 'Exists' }] }, {}, ['spec.tolerations: Forbidden']],
    ['a negative grace to one', { terminationGracePeriodSeconds: -5 }, { terminationGracePeriodSeconds: 1 }, []],
    ['a grace', {}, { terminationGracePeriodSeconds: 1 }, ['spec: Forbidden']],
    ['a gate away', gates, {}, []],
    ['a gate more', {}, gates, ['spec.schedulingGates[0].name: Forbidden']],
    ['a node selector behind gates', gates, { ...gates, nodeSelector: { a: 'b' } }, []],
    ['a node selector otherwise', {}, { nodeSelector: { a: 'b' } }, ['spec: Forbidden']],
    [
      'affinity to nodes behind gates, narrower',
      { ...gates, ...nodeAffinity({ matchExpressions: [inZone] }) },
      { ...gates, ...nodeAffinity({ matchExpressions: [inZone, onDisk] }) },
      [],
    ],
    [
      'affinity to nodes behind gates, other',
      { ...gates, ...nodeAffinity({ matchExpressions: [inZone] }) },
      { ...gates, ...nodeAffinity({ matchExpressions: [onDisk] }) },
      ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]: Invalid'],
    ],
    ['affinity to nodes otherwise', {}, nodeAffinity({ matchExpressions: [inZone] }), ['spec: Forbidden']],
  ])('%s', (_what, before, after, expected) => {
    expect(change(before, after)).toEqual(expected);
  });

  it('leaves the status', () => {
    const { object } = updated(pods, pods.update, pod(), pod({}, { status: { phase: 'Failed' } }));
    expect(object.status?.phase).toBe('Pending');
  });
});

describe('a write to the status of a pod', () => {
  const write = (status: object) => updated(pods, pods.status, pod(), pod({ nodeName: 'elsewhere' }, { status }));

  it('leaves the spec and the class', () => {
    const { object, faults } = write({ phase: 'Running', podIP: '10.0.0.1' });
    expect(faults).toEqual([]);
    expect(object.spec?.nodeName).toBeUndefined();
    expect(object.status).toEqual({
      phase: 'Running',
      qosClass: 'BestEffort',
      podIP: '10.0.0.1',
      podIPs: [{ ip: '10.0.0.1' }],
    });
  });

  it('has the older name of the address beside the newer', () => {
    expect(write({ podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] }).object.status?.podIP).toBe('10.0.0.1');
  });

  it('does not change the class, nor write down what is no address', () => {
    expect(write({ qosClass: 'Guaranteed', podIPs: [{ ip: 'x' }] }).faults).toEqual([
      'status.qosClass: Invalid',
      'status.podIPs[0].ip: Invalid',
    ]);
  });

  it.each<[string, string[]]>([
    ['Always', []],
    ['OnFailure', ['status.containerStatuses[0].state: Forbidden']],
    ['Never', ['status.containerStatuses[0].state: Forbidden']],
  ])('does not raise the dead: %s', (restartPolicy, expected) => {
    const state = (s: object) => ({ containerStatuses: [{ name: 'web', state: s }] });
    const old = created(pods, pod({ restartPolicy }));
    old.status = { ...old.status, ...state({ terminated: { exitCode: 0 } }) } as typeof old.status;
    const next = structuredClone(old);
    next.status = { ...next.status, ...state({ running: {} }) } as typeof next.status;
    expect((pods.status?.validate?.(next, old) ?? []).map((e) => `${e.field}: ${e.type.slice(10)}`)).toEqual(expected);
  });
});

describe('ephemeral containers', () => {
  const rules = pods.subresources?.ephemeralcontainers?.rules;

  it('are added, and nothing else changes', () => {
    const after = pod({ ephemeralContainers: [container({ name: 'debug' })], nodeName: 'elsewhere' });
    const { object, faults } = updated(pods, rules, pod(), after);
    expect(faults).toEqual([]);
    expect(object.spec?.nodeName).toBeUndefined();
    expect(object.spec?.ephemeralContainers?.[0]?.name).toBe('debug');
  });

  it('stay once they are there', () => {
    const before = pod({ ephemeralContainers: [container({ name: 'debug' }), container({ name: 'other' })] });
    const after = pod({ ephemeralContainers: [container({ name: 'debug', image: 'sh:2' })] });
    expect(updated(pods, rules, before, after).faults).toEqual([
      'spec.ephemeralContainers: Forbidden',
      'spec.ephemeralContainers: Forbidden',
    ]);
  });
});

describe('the grace of a delete', () => {
  it.each<[string, object, string, number | undefined, number]>([
    ['is what the pod says', { nodeName: 'n' }, 'Running', undefined, 30],
    ['is what is asked for', { nodeName: 'n' }, 'Running', 5, 5],
    ['is nothing before it is placed', {}, 'Pending', 5, 0],
    ['is nothing once it is over', { nodeName: 'n' }, 'Failed', undefined, 0],
    ['is never below zero', { nodeName: 'n', terminationGracePeriodSeconds: -3 }, 'Running', undefined, 1],
  ])('%s', (_what, spec, phase, asked, expected) => {
    const object = created(pods, { metadata: {}, spec: podSpec(spec) });
    object.status = { phase };
    expect(pods.gracePeriodSeconds?.(object, asked)).toBe(expected);
  });
});
