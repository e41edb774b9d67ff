/** Single pods, with the real kubectl: what goes into them and comes out, how they fail, and their way to the API server. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/apis/core/pod.ts';
import { rangesOf } from '../src/cluster/config.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually, run } from './support/process.ts';

const cluster = new TestCluster('pods');
const kubectl = (...args: string[]) => cluster.kubectl(...args);

const pod = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
const shell = (command: string, more: object = {}) => ({
  name: 'c',
  image: 'busybox',
  imagePullPolicy: 'IfNotPresent',
  command: ['sh', '-c', command],
  ...more,
});
const wait = (name: string) => kubectl('wait', `pod/${name}`, '--for=condition=Ready', '--timeout=60s');
const statusOf = async (name: string) => {
  const { status } = await cluster.get<Pod>('pod', name);
  return status?.containerStatuses?.[0];
};

/** Ends a container's process from outside, as the kernel or a person would. */
async function killContainer(name: string): Promise<void> {
  const id = (await statusOf(name))?.containerID?.replace('containerd://', '') ?? 'none';
  const line = (await cluster.ctr('tasks', 'list')).split('\n').find((row) => row.startsWith(id));
  process.kill(Number(line?.split(/\s+/)[1]), 'SIGKILL');
}

const TALKER = `mkdir /www; echo a page > /www/index.html; httpd -p 8080 -h /www
  echo ready; while read -r line; do echo "got $line"; echo "complained $line" >&2; done; echo the end; sleep 1000`;

beforeAll(async () => {
  await cluster.up();
  await cluster.apply(
    pod('talker', { terminationGracePeriodSeconds: 0, containers: [shell(TALKER, { stdin: true })] }),
  );
  await wait('talker');
});
afterAll(() => cluster.remove());

// kubectl speaks WebSocket and, where it is told so or is older, SPDY.
describe.each([
  ['WebSocket', {}],
  ['SPDY', { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' }],
])('over %s', (protocol, more) => {
  const env = { ...cluster.env, ...more };
  const exec = (args: readonly string[], input?: Buffer | string) =>
    cluster.tryKubectl(['exec', ...args], { env, timeoutMs: 20_000, ...(input === undefined ? {} : { input }) });

  it('exec has output, errors, exit codes, each time', async () => {
    expect(await exec(['talker', '--', 'sh', '-c', 'echo out; echo err >&2'])).toEqual({
      code: 0,
      stdout: 'out\n',
      stderr: 'err\n',
    });
    const codes: number[] = [];
    for (let code = 1; code <= 5; code++) codes.push((await exec(['talker', '--', 'sh', '-c', `exit ${code}`])).code);
    expect(codes).toEqual([1, 2, 3, 4, 5]);
    expect((await exec(['talker', '--', 'no-such-program'])).stderr).toContain('no-such-program');
    expect((await exec(['talker', '-c', 'nobody', '--', 'true'])).stderr).toContain('nobody');
  });

  it('exec passes standard input to its end', async () => {
    const input = randomBytes(150_000).toString('hex');
    const { stdout, code } = await exec(['-i', 'talker', '--', 'cat'], input);
    expect({ code, same: stdout === input, length: stdout.length }).toEqual({ code: 0, same: true, length: 300_000 });
    expect((await exec(['-i', 'talker', '--', 'wc', '-c'], Buffer.alloc(3 << 20))).stdout.trim()).toBe(String(3 << 20));
  });

  it('exec -it gives a shell on a terminal', async () => {
    // script(1) lends kubectl a terminal.
    const { code, stdout } = await run('script', ['-qefc', 'kubectl exec -it talker -- sh', '/dev/null'], {
      env: { ...env, TERM: 'xterm' },
      input: 'tty; echo sum $((40+2)); exit 5\n',
      timeoutMs: 20_000,
    });
    expect(stdout).toContain('/dev/pts/0');
    expect(stdout).toContain('sum 42');
    expect(code).toBe(5);
  });

  it('cp takes files and folders there and back', async () => {
    const file = join(cluster.dir, `there-${protocol}`);
    const back = join(cluster.dir, `back-${protocol}`);
    writeFileSync(file, randomBytes(300_000));
    const cp = async (...args: string[]) =>
      expect((await cluster.tryKubectl(['cp', ...args], { env, timeoutMs: 20_000 })).code).toBe(0);
    await exec(['talker', '--', 'mkdir', '-p', `/tmp/${protocol}`]);
    await cp(file, `talker:/tmp/${protocol}/file`);
    await cp(`talker:/tmp/${protocol}`, back);
    expect(readFileSync(join(back, 'file')).equals(readFileSync(file))).toBe(true);
  });

  it('attach talks with the process', async () => {
    const attached = cluster.start('kubectl', ['attach', '-i', 'talker'], env);
    attached.write(`${protocol}\n`);
    await attached.said(new RegExp(`got ${protocol}`));
    await attached.said(new RegExp(`complained ${protocol}`));
    await attached.stop();
    expect(await kubectl('logs', 'talker')).toContain(`got ${protocol}`);
  });

  it('port-forward leads to the pod, for one connection after the other and at once', async () => {
    const forward = cluster.start('kubectl', ['port-forward', 'pod/talker', ':8080'], env);
    const [, port] = await forward.said(/Forwarding from 127\.0\.0\.1:(\d+) -> 8080/);
    const page = async () => (await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(10_000) })).text();
    expect(await page()).toBe('a page\n');
    expect(await Promise.all(Array.from({ length: 10 }, page))).toEqual(Array(10).fill('a page\n'));
    await forward.stop();
  });
});

describe('logs', () => {
  it('follow what is written, to the end of the container', async () => {
    await cluster.apply(
      pod('counter', {
        restartPolicy: 'Never',
        containers: [shell('i=0; while [ $i -lt 4 ]; do echo "tick $i"; i=$((i+1)); sleep 1; done')],
      }),
    );
    await eventually(async () => expect((await statusOf('counter'))?.started).toBe(true));
    const follow = cluster.start('kubectl', ['logs', '-f', 'counter']);
    await follow.said(/tick 1/);
    expect(await follow.ended()).toBe(0);
    expect(follow.output).toBe('tick 0\ntick 1\ntick 2\ntick 3\n');
    expect(await kubectl('logs', 'counter', '--tail=1')).toBe('tick 3\n');
    expect(await kubectl('logs', 'counter', '--limit-bytes=6')).toBe('tick 0');
    expect(await kubectl('logs', 'counter', '--timestamps', '--tail=1')).toMatch(
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z tick 3\n$/,
    );
    expect((await cluster.get<Pod>('pod', 'counter')).status?.phase).toBe('Succeeded');
  });
});

describe('a container', () => {
  it('over its memory limit is OOMKilled with exit code 137', async () => {
    await cluster.apply(
      pod('oom', {
        restartPolicy: 'Never',
        containers: [shell('tail /dev/zero', { resources: { limits: { memory: '32Mi' } } })],
      }),
    );
    await eventually(async () =>
      expect((await statusOf('oom'))?.state?.terminated).toMatchObject({ reason: 'OOMKilled', exitCode: 137 }),
    );
    expect(await kubectl('get', 'pod', 'oom')).toContain('OOMKilled');
    expect(await kubectl('describe', 'pod', 'oom')).toMatch(/Exit Code: +137/);
  });

  it('killed with kill -9 is started again: at once the first time, after a back-off the second', async () => {
    await cluster.apply(
      pod('killed', { terminationGracePeriodSeconds: 0, containers: [shell('echo run; sleep 1000')] }),
    );
    await wait('killed');
    await killContainer('killed');
    await eventually(async () => {
      const status = await statusOf('killed');
      expect({ restarts: status?.restartCount, ready: status?.ready }).toEqual({ restarts: 1, ready: true });
      expect(status?.lastState?.terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
    });
    await killContainer('killed');
    await eventually(async () => {
      const { waiting } = (await statusOf('killed'))?.state ?? {};
      expect(waiting).toMatchObject({ reason: 'CrashLoopBackOff', message: expect.stringContaining('back-off 10s') });
    });
    await eventually(async () =>
      expect(await statusOf('killed')).toMatchObject({ restartCount: 2, state: { running: {} } }),
    );
    const { state, lastState } = (await statusOf('killed')) ?? {};
    const pause = Date.parse(state?.running?.startedAt ?? '') - Date.parse(lastState?.terminated?.finishedAt ?? '');
    expect(pause).toBeGreaterThanOrEqual(9_000);
    expect(await kubectl('logs', 'killed', '--previous')).toBe('run\n');
  });

  it('whose image is nowhere waits, and says why', async () => {
    await cluster.apply(
      pod('nowhere', { containers: [{ name: 'c', image: 'nobody/has:this', imagePullPolicy: 'Never' }] }),
    );
    await eventually(async () => expect((await statusOf('nowhere'))?.state?.waiting?.reason).toBe('ErrImageNeverPull'));
    await kubectl('delete', 'pod', 'nowhere', '--now');
  });
});

describe('a pod', () => {
  it('reaches the API server with its service account, over the cluster IP', async () => {
    const description = join(cluster.dir, 'curl.yaml');
    writeFileSync(
      description,
      'name: curl:test\npackages: [curl, busybox-static]\nbusybox: true\ncmd: [sleep, "1000"]\n',
    );
    const built = await cluster.kubets(['image', 'build', description]);
    expect(built).toMatchObject({ code: 0, stdout: expect.stringContaining('curl:test') });
    await kubectl('run', 'curl', '--image=curl:test', '--image-pull-policy=Never', '--grace-period=0');
    await wait('curl');
    const ask = async (path: string) => {
      const folder = '/var/run/secrets/kubernetes.io/serviceaccount';
      const command = `curl -sS -m 10 --cacert ${folder}/ca.crt -H "Authorization: Bearer $(cat ${folder}/token)" https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT${path}`;
      return JSON.parse(await kubectl('exec', 'curl', '--', 'sh', '-c', command)) as Record<string, unknown>;
    };
    expect(await kubectl('exec', 'curl', '--', 'sh', '-c', 'echo $KUBERNETES_SERVICE_HOST')).toBe(
      `${rangesOf(cluster.config).serviceIP}\n`,
    );
    expect(await ask('/version')).toMatchObject({ major: '1', minor: '36' });
    expect(await ask('/api/v1/namespaces/default/pods')).toMatchObject({
      kind: 'Status',
      code: 403,
      reason: 'Forbidden',
      message: expect.stringContaining('"system:serviceaccount:default:default" cannot list resource "pods"'),
    });
    await kubectl('create', 'rolebinding', 'see', '--clusterrole=view', '--serviceaccount=default:default');
    expect(await ask('/api/v1/namespaces/default/pods/curl')).toMatchObject({
      kind: 'Pod',
      metadata: { name: 'curl' },
    });
  });
});
