/** The kubelet with real containers: needs root, containerd, runc and the CNI plugins. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { configMaps } from '../src/apis/core/configMap.ts';
import type { Container } from '../src/apis/core/container.ts';
import { events } from '../src/apis/core/event.ts';
import { nodes } from '../src/apis/core/node.ts';
import { type Pod, pods } from '../src/apis/core/pod.ts';
import type { PodSpec } from '../src/apis/core/podSpec.ts';
import type { ContainerStatus } from '../src/apis/core/podStatus.ts';
import { secrets } from '../src/apis/core/secret.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import type { Stored } from '../src/machinery/kind.ts';
import { isApiError } from '../src/machinery/status.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';

describe.skipIf(!isRoot)('the kubelet', () => {
  let node: TestNode;

  beforeAll(async () => {
    node = await startTestNode({ network: '10.199.1', bridge: 'kubets-t1' });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
  });
  afterAll(() => node?.stop());

  const get = (name: string) =>
    node.client.get(pods, { namespace, name }).catch((error: unknown) => {
      if (isApiError(error, 'NotFound')) return undefined;
      throw error;
    });

  /** A pod of one busybox container that runs a shell script, unless said otherwise. */
  function create(name: string, script: string, more: Partial<PodSpec> = {}, container: Partial<Container> = {}) {
    const main = {
      name: 'main',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', script],
      ...container,
    };
    const spec = { nodeName: node.name, terminationGracePeriodSeconds: 1, containers: [main], ...more };
    return node.client.create(pods, { metadata: { name, namespace, labels: { app: name } }, spec });
  }

  async function podWhere(name: string, what: string, holds: (pod: Stored<Pod>) => boolean): Promise<Stored<Pod>> {
    let last: Stored<Pod> | undefined;
    try {
      return await until(what, async () => {
        last = await get(name);
        return last !== undefined && holds(last) ? last : undefined;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}: ${JSON.stringify(last?.status, null, 1)}`);
    }
  }

  const condition = (pod: Pod, type: string) => pod.status?.conditions?.find((c) => c.type === type)?.status;
  const ready = (name: string) => podWhere(name, `${name} is Ready`, (p) => condition(p, 'Ready') === 'True');
  const over = (name: string) =>
    podWhere(name, `${name} is over`, (p) => p.status?.phase === 'Succeeded' || p.status?.phase === 'Failed');
  const mainOf = (pod: Pod): ContainerStatus => {
    const [status] = pod.status?.containerStatuses ?? [];
    if (status === undefined) throw new Error('no container status');
    return status;
  };
  const idOf = (status: ContainerStatus) => (status.containerID ?? '').replace('containerd://', '');

  function logOf(pod: Pod, container = 'main', run = 0): string {
    const dir = `${namespace}_${pod.metadata?.name}_${pod.metadata?.uid}`;
    return readFileSync(join(node.dir, 'logs', dir, container, `${run}.log`), 'utf8')
      .split('\n')
      .map((line) => line.split(' ').slice(3).join(' '))
      .join('\n');
  }

  async function exec(pod: Pod, ...cmd: string[]): Promise<string> {
    const { stdout } = await node.runtime.call('execSync', { container_id: idOf(mainOf(pod)), cmd, timeout: 10 });
    return Buffer.from(stdout ?? '', 'base64').toString('utf8');
  }

  async function eventsOf(name: string) {
    const { items } = await node.client.list(events, { namespace });
    return items.filter((e) => e.involvedObject?.name === name);
  }

  async function gone(name: string): Promise<void> {
    const pod = await get(name);
    await node.client.delete(pods, { namespace, name });
    await until(`${name} is gone`, async () => (await get(name)) === undefined);
    await until(`nothing is left of ${name}`, async () => leftOf(pod?.metadata.uid ?? '').length === 0);
  }

  /** Folders, mounts and cgroups that name a pod. */
  function leftOf(uid: string): string[] {
    const found = ['kubelet/pods', 'kubelet/memory', 'logs']
      .map((d) => join(node.dir, d))
      .flatMap((d) => (existsSync(d) ? readdirSync(d).map((f) => join(d, f)) : []));
    const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
    // Cgroups of others may go while it looks, which it calls an error.
    const cgroups = spawnSync('find', ['/sys/fs/cgroup', '-maxdepth', '5', '-name', `pod${uid}`], {
      encoding: 'utf8',
    }).stdout.split('\n');
    return [...found, ...mounts, ...cgroups].filter((line) => line.includes(uid));
  }

  it('registers its node, Ready', async () => {
    const found = await until('the node is Ready', async () => {
      const n = await node.client.get(nodes, { name: node.name }).catch(() => undefined);
      return n?.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ? n : undefined;
    });
    expect(found.metadata.labels).toMatchObject({
      'kubernetes.io/hostname': node.name,
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
    });
    expect(found.status?.nodeInfo?.containerRuntimeVersion).toMatch(/^containerd:\/\//);
    expect(found.spec?.podCIDR).toBe('10.199.1.0/24');
  });

  it('runs a pod with its environment, and takes everything away with it', async () => {
    await create(
      'env',
      'echo "$GREETING $(hostname) $CPU"; exec sleep 1000',
      {},
      {
        env: [
          { name: 'WHO', value: 'world' },
          { name: 'GREETING', value: 'hello $(WHO) $(NOBODY) $$(WHO)' },
          { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          { name: 'HOST', valueFrom: { fieldRef: { fieldPath: 'status.hostIP' } } },
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
        ],
        resources: { limits: { cpu: '250m', memory: '32Mi' } },
      },
    );
    const pod = await ready('env');
    expect(pod.status).toMatchObject({ phase: 'Running', qosClass: 'Guaranteed', hostIP: '10.199.1.1' });
    expect(pod.status?.podIPs).toEqual([{ ip: pod.status?.podIP }]);
    expect(logOf(pod)).toBe('hello world $(NOBODY) $(WHO) env 250\n');
    const env = await exec(pod, 'env');
    expect(env).toContain(`NODE=${node.name}\n`);
    expect(env).toContain(`IP=${pod.status?.podIP}\n`);
    expect(env).toContain('HOST=10.199.1.1\n');
    expect(env).toContain('KUBERNETES_SERVICE_HOST=10.96.0.1\n');
    expect(await exec(pod, 'cat', '/etc/hosts')).toContain(`${pod.status?.podIP}\tenv\n`);
    expect(await exec(pod, 'cat', '/etc/resolv.conf')).toContain('nameserver 10.96.0.10');
    expect(await exec(pod, 'cat', '/sys/fs/cgroup/memory/memory.limit_in_bytes')).toBe(`${32 << 20}\n`);
    expect(leftOf(pod.metadata.uid)).not.toEqual([]);
    const said = (await eventsOf('env')).map((e) => e.reason);
    expect(said).toEqual(expect.arrayContaining(['Pulled', 'Created', 'Started']));
    await gone('env');
    const { items = [] } = await node.runtime.call('listPodSandbox', {});
    expect(items.filter((s) => s.metadata?.uid === pod.metadata.uid)).toEqual([]);
  });

  it('mounts volumes of every kind, live', async () => {
    await node.client.create(configMaps, { metadata: { name: 'conf', namespace }, data: { a: 'one', b: 'two' } });
    await node.client.create(secrets, { metadata: { name: 'hush', namespace }, stringData: { key: 'secret' } });
    const host = join(node.dir, 'hostpath');
    mkdirSync(host);
    await create(
      'volumes',
      'exec sleep 1000',
      {
        securityContext: { fsGroup: 2000 },
        volumes: [
          { name: 'conf', configMap: { name: 'conf', items: [{ key: 'a', path: 'deep/a', mode: 0o400 }] } },
          { name: 'whole', configMap: { name: 'conf' } },
          { name: 'hush', secret: { secretName: 'hush' } },
          { name: 'perhaps', configMap: { name: 'nobody', optional: true } },
          { name: 'disk', emptyDir: {} },
          { name: 'memory', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
          { name: 'host', hostPath: { path: host, type: 'Directory' } },
          { name: 'me', downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
        ],
      },
      {
        volumeMounts: [
          { name: 'conf', mountPath: '/conf' },
          { name: 'whole', mountPath: '/whole' },
          { name: 'whole', mountPath: '/one', subPath: 'a' },
          { name: 'hush', mountPath: '/hush' },
          { name: 'perhaps', mountPath: '/perhaps' },
          { name: 'disk', mountPath: '/disk' },
          { name: 'disk', mountPath: '/part', subPath: 'made/here' },
          { name: 'memory', mountPath: '/memory' },
          { name: 'host', mountPath: '/host', readOnly: true },
          { name: 'me', mountPath: '/me' },
        ],
      },
    );
    const pod = await ready('volumes');
    expect(await exec(pod, 'cat', '/conf/deep/a', '/one', '/hush/key', '/me/labels')).toBe('oneonesecretapp="volumes"');
    expect(
      await exec(pod, 'sh', '-c', 'touch /part/x /memory/y; ls /disk/made/here; ls /perhaps; df /memory | tail -1'),
    ).toMatch(/^x\ntmpfs +1024 /);
    expect(
      await exec(
        pod,
        'sh',
        '-c',
        'touch /host/no /conf/no 2>/dev/null; stat -c %g /disk /disk/made; grep hush /proc/mounts',
      ),
    ).toMatch(/^2000\n2000\ntmpfs /);
    expect(readdirSync(host)).toEqual([]);
    const token = await exec(pod, 'cat', '/var/run/secrets/kubernetes.io/serviceaccount/token');
    expect(token.split('.')).toHaveLength(3);
    expect(await exec(pod, 'cat', '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt')).toBe(
      node.certificates.ca.cert,
    );
    expect(await exec(pod, 'cat', '/var/run/secrets/kubernetes.io/serviceaccount/namespace')).toBe(namespace);

    await node.client.patch(configMaps, { namespace, name: 'conf' }, 'merge', { data: { a: 'changed', b: null } });
    await node.client.patch(pods, { namespace, name: 'volumes' }, 'merge', { metadata: { labels: { more: 'x' } } });
    await until('the files change', async () => (await exec(pod, 'cat', '/whole/a')) === 'changed');
    expect(await exec(pod, 'ls', '/whole')).toBe('a\n');
    expect(await exec(pod, 'cat', '/one')).toBe('one');
    await until('the labels change', async () => (await exec(pod, 'cat', '/me/labels')) === 'app="volumes"\nmore="x"');
    await gone('volumes');
  });

  it('waits for a volume that cannot be made yet', async () => {
    await create(
      'late',
      'exec sleep 1000',
      { volumes: [{ name: 'v', secret: { secretName: 'late' } }] },
      {
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
      },
    );
    await until('FailedMount', async () =>
      (await eventsOf('late')).find(
        (e) => e.reason === 'FailedMount' && e.message?.includes('secret "late" not found'),
      ),
    );
    await node.client.create(secrets, { metadata: { name: 'late', namespace }, stringData: { x: 'y' } });
    await ready('late');
    await gone('late');
  });

  it('runs init containers in their order, a sidecar beside the main one, and completes', async () => {
    const own = { image: 'busybox', imagePullPolicy: 'IfNotPresent' };
    const mounts = { volumeMounts: [{ name: 'v', mountPath: '/v' }] };
    const say = (what: string) => ['sh', '-c', `echo ${what} >> /v/order`];
    await create(
      'order',
      'cat /v/order; echo bye > /dev/termination-log',
      {
        restartPolicy: 'Never',
        volumes: [{ name: 'v', emptyDir: {} }],
        initContainers: [
          { name: 'first', ...own, ...mounts, command: say('first') },
          {
            name: 'side',
            ...own,
            ...mounts,
            restartPolicy: 'Always',
            command: [
              'sh',
              '-c',
              'echo side >> /v/order; touch /v/up; trap "exit 0" TERM; while :; do sleep 0.1; done',
            ],
            startupProbe: { exec: { command: ['test', '-e', '/v/up'] }, periodSeconds: 1 },
          },
          { name: 'second', ...own, ...mounts, command: say('second') },
        ],
      },
      mounts,
    );
    const pod = await over('order');
    expect(pod.status?.phase).toBe('Succeeded');
    expect(logOf(pod)).toBe('first\nside\nsecond\n');
    expect(mainOf(pod).state?.terminated).toMatchObject({ exitCode: 0, reason: 'Completed', message: 'bye\n' });
    await podWhere('order', 'the sidecar ends', (p) =>
      (p.status?.initContainerStatuses ?? []).every((s) => s.state?.terminated !== undefined),
    );
    expect(condition(pod, 'Initialized')).toBe('True');
    expect(condition(pod, 'Ready')).toBe('False');
    await gone('order');
  });

  it('fails a pod whose init container fails and must not run again', async () => {
    const initContainers = [{ name: 'init', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['false'] }];
    await create('init', 'exec sleep 1000', { restartPolicy: 'Never', initContainers });
    const pod = await over('init');
    expect(pod.status?.phase).toBe('Failed');
    expect(mainOf(pod).state?.waiting?.reason ?? mainOf(pod).state?.terminated?.reason).toBeDefined();
    expect(condition(pod, 'Initialized')).toBe('False');
    await gone('init');
  });

  it('restarts what fails, at once, then with back-off', async () => {
    await create('crash', 'echo oops >&2; exit 3', {}, { terminationMessagePolicy: 'FallbackToLogsOnError' });
    const pod = await podWhere(
      'crash',
      'back-off',
      (p) => p.status?.containerStatuses?.[0]?.state?.waiting?.reason === 'CrashLoopBackOff',
    );
    const status = mainOf(pod);
    expect(status.restartCount).toBe(1);
    expect(status.state?.waiting?.message).toContain(
      'back-off 10s restarting failed container=main pod=crash_default(',
    );
    expect(status.lastState?.terminated).toMatchObject({ exitCode: 3, reason: 'Error', message: 'oops\n' });
    expect(pod.status?.phase).toBe('Running');
    await until('the event', async () => (await eventsOf('crash')).find((e) => e.reason === 'BackOff'));
    await gone('crash');
  });

  it('restarts a container that was killed, and no other', async () => {
    const beside = { name: 'beside', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sleep', '1000'] };
    const main = { ...beside, name: 'main', command: ['sh', '-c', 'sleep 1000 & wait'] };
    await create('killed', '', { containers: [main, beside] });
    const before = await ready('killed');
    await exec(before, 'kill', '-9', '1').catch(() => {});
    await node.runtime.call('stopContainer', { container_id: idOf(mainOf(before)), timeout: 0 });
    const after = await podWhere(
      'killed',
      'it runs again',
      (p) => mainOf(p).restartCount === 1 && condition(p, 'Ready') === 'True',
    );
    expect(mainOf(after).lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
    expect(after.status?.containerStatuses?.[1]?.restartCount).toBe(0);
    await gone('killed');
  });

  it('tells of a container that took too much memory', async () => {
    await create('oom', 'tail /dev/zero', { restartPolicy: 'Never' }, { resources: { limits: { memory: '16Mi' } } });
    const pod = await over('oom');
    const seen = await podWhere('oom', 'OOMKilled', (p) => mainOf(p).state?.terminated?.reason === 'OOMKilled');
    expect(mainOf(seen).state?.terminated?.exitCode).toBe(137);
    expect(pod.status?.phase).toBe('Failed');
    await gone('oom');
  });

  it('tells why a container cannot start', async () => {
    await create('image', '', {}, { image: 'nobody', imagePullPolicy: 'Never' });
    await create('name', '', {}, { image: 'NO BODY' });
    await create('command', '', { restartPolicy: 'Never' }, { command: ['/does/not/exist'] });
    await create(
      'config',
      '',
      {},
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] },
    );
    await create('root', '', {}, { securityContext: { runAsNonRoot: true } });
    const waiting = (name: string, reason: string) =>
      podWhere(name, reason, (p) => p.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason);
    await waiting('image', 'ErrImageNeverPull');
    await waiting('name', 'InvalidImageName');
    const config = await waiting('config', 'CreateContainerConfigError');
    expect(mainOf(config).state?.waiting?.message).toBe('configmap "none" not found');
    await waiting('root', 'CreateContainerConfigError');
    expect((await eventsOf('image')).map((e) => e.reason)).toContain('ErrImageNeverPull');
    expect((await eventsOf('name')).map((e) => e.reason)).toContain('InspectFailed');
    const command = await over('command');
    expect(mainOf(command).state?.terminated).toMatchObject({ exitCode: 128, reason: 'StartError' });
    await Promise.all(['image', 'name', 'command', 'config', 'root'].map(gone));
  });

  it('probes', async () => {
    await create(
      'probed',
      'mkdir /www; echo hi > /www/ok; touch /alive /ready; httpd -f -p 8080 -h /www',
      {},
      {
        ports: [{ name: 'http', containerPort: 8080 }],
        startupProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
        livenessProbe: { exec: { command: ['cat', '/alive'] }, periodSeconds: 1, failureThreshold: 1 },
        readinessProbe: { httpGet: { path: '/ok', port: 'http' }, periodSeconds: 1, failureThreshold: 1 },
      },
    );
    const pod = await ready('probed');
    expect(mainOf(pod)).toMatchObject({ started: true, ready: true });
    await exec(pod, 'mv', '/www/ok', '/www/no');
    const unready = await podWhere('probed', 'it is not ready', (p) => condition(p, 'Ready') === 'False');
    expect(mainOf(unready).restartCount).toBe(0);
    await until('the event', async () =>
      (await eventsOf('probed')).find(
        (e) => e.message === 'Readiness probe failed: HTTP probe failed with statuscode: 404',
      ),
    );
    await exec(pod, 'rm', '/alive');
    const again = await podWhere(
      'probed',
      'it runs again',
      (p) => mainOf(p).restartCount === 1 && condition(p, 'Ready') === 'True',
    );
    const messages = (await eventsOf('probed')).map((e) => `${e.reason} ${e.message}`);
    expect(messages).toContain('Killing Container main failed liveness probe, will be restarted');
    expect(messages.some((m) => m.startsWith('Unhealthy Liveness probe failed: cat: '))).toBe(true);
    expect(mainOf(again).lastState?.terminated?.exitCode).toBeGreaterThan(0);
    await gone('probed');
  });

  it('ends pods gracefully: hooks, the signal, and no longer than allowed', async () => {
    const host = join(node.dir, 'words');
    mkdirSync(host);
    await create(
      'grace',
      'trap "echo term >> /words/said; exit 0" TERM; while :; do sleep 0.1; done',
      { terminationGracePeriodSeconds: 20, volumes: [{ name: 'words', hostPath: { path: host } }] },
      {
        volumeMounts: [{ name: 'words', mountPath: '/words' }],
        lifecycle: {
          postStart: { exec: { command: ['sh', '-c', 'echo started >> /words/said'] } },
          preStop: { exec: { command: ['sh', '-c', 'echo stopping >> /words/said'] } },
        },
      },
    );
    await ready('grace');
    await gone('grace');
    expect(readFileSync(join(host, 'said'), 'utf8')).toBe('started\nstopping\nterm\n');

    // Deaf to the signal; then somebody has no patience.
    await create('deaf', 'trap "" TERM; while :; do sleep 1; done', { terminationGracePeriodSeconds: 600 });
    const deaf = await ready('deaf');
    await node.client.delete(pods, { namespace, name: 'deaf' });
    await until('it is being killed', async () => (await eventsOf('deaf')).find((e) => e.reason === 'Killing'));
    await node.client.delete(pods, { namespace, name: 'deaf' }, { gracePeriodSeconds: 0 });
    expect(await get('deaf')).toBeUndefined();
    await until('nothing is left', async () => leftOf(deaf.metadata.uid).length === 0, 10_000);
  });

  it('replaces a sandbox that died', async () => {
    await create('sandbox', 'exec sleep 1000');
    const before = await ready('sandbox');
    const { items = [] } = await node.runtime.call('listPodSandbox', {});
    const sandbox = items.find((s) => s.metadata?.uid === before.metadata.uid);
    const isOfSandbox = (pid: string) => {
      try {
        return readFileSync(`/proc/${pid}/cgroup`, 'utf8').includes(sandbox?.id ?? '-');
      } catch {
        return false;
      }
    };
    const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isOfSandbox(name));
    process.kill(Number(pid), 'SIGKILL');
    const after = await podWhere(
      'sandbox',
      'it runs again',
      (p) => mainOf(p).restartCount === 1 && condition(p, 'Ready') === 'True',
    );
    expect(after.status?.podIPs).toEqual([{ ip: after.status?.podIP }]);
    expect(after.status?.podIP).not.toBe(before.status?.podIP);
    await gone('sandbox');
  });

  it('runs as the security context says', async () => {
    await create(
      'secure',
      'id; cat /proc/1/status | grep -E "CapEff|NoNewPrivs|Seccomp:"; touch /x; hostname; exec sleep 1000',
      {
        securityContext: {
          runAsUser: 1000,
          runAsGroup: 3000,
          supplementalGroups: [4000],
          seccompProfile: { type: 'RuntimeDefault' },
        },
        hostname: 'other',
      },
      {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    );
    const pod = await ready('secure');
    const log = await until('it said all', async () => {
      const text = logOf(pod);
      return text.includes('other') ? text : undefined;
    });
    expect(log).toContain('uid=1000 gid=3000 groups=3000,4000');
    expect(log).toMatch(/CapEff:\s*0+\n/);
    expect(log).toMatch(/NoNewPrivs:\s*1/);
    expect(log).toMatch(/Seccomp:\s*2/);
    expect(log).toContain('Read-only file system');
    await gone('secure');
  });

  it('shares what the pod says it shares', async () => {
    const beside = { name: 'beside', image: 'busybox', imagePullPolicy: 'IfNotPresent', command: ['sleep', '4321'] };
    const main = { ...beside, name: 'main', command: ['sh', '-c', 'exec sleep 1234'] };
    await create('shared', '', { shareProcessNamespace: true, containers: [main, beside] });
    const pod = await ready('shared');
    expect(await exec(pod, 'ps')).toContain('sleep 4321');
    await gone('shared');
    await create('host', 'exec sleep 1000', { hostNetwork: true, hostPID: true });
    const host = await ready('host');
    expect(host.status?.podIP).toBe(host.status?.hostIP);
    expect(await exec(host, 'ip', 'link')).toContain('kubets-t1');
    await gone('host');
  });

  it('ends a pod that runs too long, and does not start it again', async () => {
    await create('deadline', 'exec sleep 1000', { activeDeadlineSeconds: 2 });
    const pod = await over('deadline');
    expect(pod.status).toMatchObject({ phase: 'Failed', reason: 'DeadlineExceeded' });
    await node.stopKubelet();
    await node.startKubelet();
    await until('the pods are looked at', async () => (await get('deadline'))?.status?.phase === 'Failed');
    await gone('deadline');
  });

  it('refuses a pod that it cannot run', async () => {
    await create('big', 'true', {}, { resources: { requests: { cpu: '1000' } } });
    const pod = await over('big');
    expect(pod.status).toMatchObject({ phase: 'Failed', reason: 'OutOfcpu' });
    await gone('big');
  });

  it('goes on after a restart: what runs is adopted, what ended meanwhile is told, what was deleted goes', async () => {
    await create(
      'stays',
      'exec sleep 1000',
      {},
      {
        readinessProbe: { exec: { command: ['true'] }, periodSeconds: 60, initialDelaySeconds: 1 },
      },
    );
    await create('ends', 'while [ ! -e /end ]; do sleep 0.1; done', { restartPolicy: 'Never' });
    await create('goes', 'exec sleep 1000');
    const [stays, ends, goes] = await Promise.all(['stays', 'ends', 'goes'].map(ready));
    await node.stopKubelet();
    await exec(ends as Pod, 'touch', '/end');
    await node.client.delete(pods, { namespace, name: 'goes' }, { gracePeriodSeconds: 0 });
    await node.startKubelet();
    await until('nothing is left', async () => leftOf(goes?.metadata.uid ?? '').length === 0);
    expect((await over('ends')).status?.phase).toBe('Succeeded');
    const now = await ready('stays');
    expect(mainOf(now)).toEqual(mainOf(stays as Pod));
    expect(now.status).toEqual(stays?.status);
    await Promise.all(['stays', 'ends'].map(gone));
  });

  it('goes on when containerd was away', async () => {
    await create('through', 'exec sleep 1000');
    await create('restarts', 'while [ ! -e /end ]; do sleep 0.1; done; sleep 1; exit 7');
    const [through, restarts] = await Promise.all(['through', 'restarts'].map(ready));
    await exec(restarts as Pod, 'touch', '/end');
    await node.killContainerd();
    await create('meanwhile', 'exec sleep 1000');
    await node.startContainerd();
    await ready('meanwhile');
    const again = await podWhere('restarts', 'it runs again', (p) => mainOf(p).restartCount === 1);
    expect(mainOf(again).lastState?.terminated?.exitCode).toBe(7);
    expect((await ready('through')).status).toEqual(through?.status);
    await Promise.all(['through', 'restarts', 'meanwhile'].map(gone));
  });

  it('starts many pods at a time', async () => {
    const names = Array.from({ length: 20 }, (_, i) => `many-${i}`);
    const started = performance.now();
    await Promise.all(names.map((name) => create(name, 'exec sleep 1000')));
    const all = await Promise.all(names.map(ready));
    expect(new Set(all.map((p) => p.status?.podIP)).size).toBe(names.length);
    expect(performance.now() - started).toBeLessThan(30_000);
    await Promise.all(names.map(gone));
  });

  it('leaves no sandbox, address or network namespace', async () => {
    const { items } = await node.client.list(pods);
    expect(items).toEqual([]);
    const { items: sandboxes = [] } = await node.runtime.call('listPodSandbox', {});
    expect(sandboxes).toEqual([]);
    const addresses = readdirSync(join(node.dir, 'ipam', 'kubets-t1')).filter((f) => /^\d+\./.test(f));
    expect(addresses).toEqual([]);
  });
});
