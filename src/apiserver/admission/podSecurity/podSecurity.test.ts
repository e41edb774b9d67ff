import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PodSpec } from '../../../apis/core/podSpec.ts';
import { serviceAccounts } from '../../../apis/core/serviceAccount.ts';
import { type OverHttp, overHttp } from '../../testing/overHttp.ts';
import { startTestServer, type TestServer } from '../../testing/testServer.ts';
import { violations } from './evaluate.ts';
import { isStricter, labelFaults, standardOf, standardText } from './level.ts';
import { judged } from './pod.ts';

const spec = (own: object = {}, shared: object = {}): PodSpec =>
  ({ containers: [{ name: 'a', image: 'x', ...own }], ...shared }) as PodSpec;
const secured = (securityContext: object, shared: object = {}) => spec({ securityContext }, shared);
/** What the restricted standard wants. */
const GOOD = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

describe('the baseline standard forbids', () => {
  it.each<[PodSpec, string[]]>([
    [spec(), []],
    [secured(GOOD), []],
    [spec({}, { hostNetwork: true, hostIPC: true }), ['host namespaces (hostNetwork=true, hostIPC=true)']],
    [secured({ privileged: true }), ['privileged (container "a" must not set securityContext.privileged=true)']],
    [
      spec({}, { containers: ['a', 'b'].map((name) => ({ name, securityContext: { privileged: true } })) }),
      ['privileged (containers "a", "b" must not set securityContext.privileged=true)'],
    ],
    [
      secured({ capabilities: { add: ['NET_ADMIN', 'CHOWN', 'BPF'] } }),
      [
        'non-default capabilities (container "a" must not include "BPF", "NET_ADMIN" in securityContext.capabilities.add)',
      ],
    ],
    [spec({}, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }), ['hostPath volumes (volume "v")']],
    [spec({ ports: [{ containerPort: 80, hostPort: 80 }] }), ['hostPort (container "a" uses hostPort 80)']],
    [
      spec({ livenessProbe: { httpGet: { port: 80, host: '10.0.0.1' } } }),
      ['probe or lifecycle host (container "a" uses probe or lifecycle host "10.0.0.1")'],
    ],
    [
      secured({ procMount: 'Unmasked' }),
      ['procMount (container "a" must not set securityContext.procMount to "Unmasked")'],
    ],
    [
      secured({ seLinuxOptions: { type: 'spc_t', user: 'u' } }),
      [
        'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
      ],
    ],
    [secured({ seLinuxOptions: { type: 'container_t', level: 's0' } }), []],
    [
      secured({ seccompProfile: { type: 'Unconfined' } }),
      ['seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")'],
    ],
    [
      secured({ appArmorProfile: { type: 'Unconfined' } }),
      ['forbidden AppArmor profile (container "a" must not set AppArmor profile type to "Unconfined")'],
    ],
    [
      spec({}, { securityContext: { sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.ipv4.tcp_syncookies' }] } }),
      ['forbidden sysctls (kernel.msgmax)'],
    ],
    [
      spec({}, { securityContext: { windowsOptions: { hostProcess: true } } }),
      ['hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)'],
    ],
  ])('%#', (pod, expected) => {
    expect(violations(judged(pod), { level: 'baseline' })).toEqual(expected);
  });

  it('confinement that was annotated away', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' };
    expect(violations(judged(spec(), annotations), { level: 'baseline' })).toEqual([
      'forbidden AppArmor profile (annotation container.apparmor.security.beta.kubernetes.io/a="unconfined")',
    ]);
  });
});

describe('the restricted standard wants', () => {
  it.each<[PodSpec, string[]]>([
    [secured(GOOD), []],
    [
      spec(),
      [
        'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false)',
        'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"])',
        'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
        'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ],
    ],
    [
      secured(
        { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } },
        { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } },
      ),
      [],
    ],
    [
      secured({ ...GOOD, capabilities: { drop: ['ALL'], add: ['CHOWN'] } }),
      ['unrestricted capabilities (container "a" must not include "CHOWN" in securityContext.capabilities.add)'],
    ],
    [
      secured(GOOD, {
        volumes: [
          { name: 'v', hostPath: { path: '/' } },
          { name: 'w', emptyDir: {} },
        ],
      }),
      ['restricted volume types (volume "v" uses restricted volume type "hostPath")'],
    ],
    [secured({ ...GOOD, runAsUser: 0 }), ['runAsUser=0 (container "a" must not set runAsUser=0)']],
    [
      secured({ ...GOOD, runAsNonRoot: false }),
      ['runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)'],
    ],
    [
      secured({ ...GOOD, seccompProfile: { type: 'Unconfined' } }),
      ['seccompProfile (container "a" must not set securityContext.seccompProfile.type to "Unconfined")'],
    ],
    [spec({ securityContext: { runAsNonRoot: true } }, { os: { name: 'windows' } }), []],
  ])('%#', (pod, expected) => {
    expect(violations(judged(pod), { level: 'restricted' })).toEqual(expected);
  });

  it('no more than the standards of its version', () => {
    expect(violations(judged(spec()), { level: 'restricted', minor: 7 })).toEqual([
      'runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)',
    ]);
    expect(violations(judged(secured({ ...GOOD, runAsUser: 0 })), { level: 'restricted', minor: 22 })).toEqual([]);
  });
});

describe('labels', () => {
  const of = (value: string, version?: string) => ({
    'pod-security.kubernetes.io/enforce': value,
    ...(version === undefined ? {} : { 'pod-security.kubernetes.io/enforce-version': version }),
  });
  it.each([
    [{}, 'privileged:latest', 0],
    [of('baseline'), 'baseline:latest', 0],
    [of('restricted', 'v1.24'), 'restricted:v1.24', 0],
    [of('restricted', 'latest'), 'restricted:latest', 0],
    [of('strict'), 'restricted:latest', 1],
    [of('baseline', '1.24'), 'baseline:latest', 1],
  ])('%j', (labels, text, faults) => {
    expect(standardText(standardOf(labels, 'enforce'))).toBe(text);
    expect(labelFaults(labels)).toHaveLength(faults);
  });

  it.each([
    ['privileged', 'baseline', true],
    ['baseline', 'restricted', true],
    ['restricted', 'baseline', false],
    ['baseline', 'baseline', false],
  ])('from %s to %s is stricter: %s', (before, now, expected) => {
    expect(isStricter(standardOf(of(now), 'enforce'), standardOf(of(before), 'enforce'))).toBe(expected);
  });
});

describe('namespaces', () => {
  let server: TestServer;
  let api: OverHttp;
  beforeAll(async () => {
    server = await startTestServer();
    api = await overHttp(server);
    const labels = {
      'pod-security.kubernetes.io/enforce': 'baseline',
      'pod-security.kubernetes.io/warn': 'restricted',
    };
    for (const [name, more] of Object.entries({ guarded: labels, open: {} })) {
      expect((await api.send('POST', '/api/v1/namespaces', { metadata: { name, labels: more } })).status).toBe(201);
      await server.client.create(serviceAccounts, { metadata: { namespace: name, name: 'default' } });
    }
  });
  afterAll(() => server.stop());

  const create = (namespace: string, name: string, pod: PodSpec) =>
    api.send('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name }, spec: pod });

  it('refuse what they enforce, and tell of what they warn of', async () => {
    const refused = await create('guarded', 'p', secured({ privileged: true }));
    expect(refused.status).toBe(403);
    expect(refused.json.message).toBe(
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": privileged (container "a" must not set securityContext.privileged=true)',
    );
    const made = await create('guarded', 'q', spec());
    expect(made.status).toBe(201);
    expect(String(made.headers.warning)).toContain(
      'would violate PodSecurity \\"restricted:latest\\": allowPrivilegeEscalation',
    );
    expect((await create('open', 'p', secured({ privileged: true }))).status).toBe(201);
  });

  it('let workloads in, and tell of their pods', async () => {
    const labels = { app: 'w' };
    const deployment = {
      metadata: { name: 'w' },
      spec: {
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: secured({ privileged: true }) },
      },
    };
    const made = await api.send('POST', '/apis/apps/v1/namespaces/guarded/deployments', deployment);
    expect(made.status).toBe(201);
    expect(String(made.headers.warning)).toContain('would violate PodSecurity');
  });

  it('let pods stay as they are', async () => {
    await api.patch('merge', '/api/v1/namespaces/open', {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    });
    const kept = await api.patch('merge', '/api/v1/namespaces/open/pods/p', { metadata: { labels: { a: 'b' } } });
    expect(kept.status).toBe(200);
    const changed = await api.patch('strategic', '/api/v1/namespaces/open/pods/p', {
      spec: { containers: [{ name: 'a', image: 'y' }] },
    });
    expect(changed.status).toBe(403);
  });

  it('say which pods would not do, when they become stricter', async () => {
    await api.patch('merge', '/api/v1/namespaces/open', {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': null } },
    });
    const answer = await api.patch('merge', '/api/v1/namespaces/open', {
      metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
    });
    expect(answer.status).toBe(200);
    expect(String(answer.headers.warning)).toContain(
      'existing pods in namespace \\"open\\" violate the new PodSecurity enforce level \\"baseline:latest\\"',
    );
    expect(String(answer.headers.warning)).toContain('p: privileged');
  });

  it('refuse labels that nobody understands', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'strict' };
    const answer = await api.send('POST', '/api/v1/namespaces', { metadata: { name: 'odd', labels } });
    expect(answer.status).toBe(422);
  });
});
