/** The official JavaScript client against kubets: typed calls, patches, watches, informers, and the streams of pods. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import {
  ApiException,
  AppsV1Api,
  Attach,
  AuthorizationV1Api,
  CoreV1Api,
  Cp,
  Exec,
  KubeConfig,
  KubernetesObjectApi,
  Log,
  makeInformer,
  PatchStrategy,
  PortForward,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Status,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('client-node');
const config = new KubeConfig();
let core: CoreV1Api;
let namespace = '';
let namespaces = 0;

beforeAll(async () => {
  await cluster.up();
  config.loadFromFile(cluster.kubeconfig);
  core = config.makeApiClient(CoreV1Api);
});
afterAll(() => cluster.remove());
beforeEach(async () => {
  namespace = `n${++namespaces}`;
  await core.createNamespace({ body: { metadata: { name: namespace } } });
});

const configMap = (name: string, data: Record<string, string>): V1ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});
const patchedBy = (strategy: PatchStrategy) => setHeaderOptions('Content-Type', strategy);

describe('typed calls', () => {
  it('create, read, replace, list, delete', async () => {
    await core.createNamespacedConfigMap({ namespace, body: configMap('a', { x: '1' }) });
    const read = await core.readNamespacedConfigMap({ namespace, name: 'a' });
    expect(read.metadata?.creationTimestamp).toBeInstanceOf(Date);
    read.data = { x: '2' };
    const replaced = await core.replaceNamespacedConfigMap({ namespace, name: 'a', body: read });
    expect(replaced.data).toEqual({ x: '2' });
    await expect(core.replaceNamespacedConfigMap({ namespace, name: 'a', body: read })).rejects.toMatchObject({
      code: 409,
    });
    const list = await core.listNamespacedConfigMap({ namespace, fieldSelector: 'metadata.name=a' });
    expect(list.items.map((item) => item.data)).toEqual([{ x: '2' }]);
    expect(await core.deleteNamespacedConfigMap({ namespace, name: 'a' })).toMatchObject({ status: 'Success' });
    const error = await core.readNamespacedConfigMap({ namespace, name: 'a' }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ApiException);
    expect(JSON.parse((error as ApiException<string>).body)).toMatchObject({ kind: 'Status', reason: 'NotFound' });
  });

  it('pages through a list', async () => {
    await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((name) => core.createNamespacedSecret({ namespace, body: { metadata: { name } } })),
    );
    const names: (string | undefined)[] = [];
    let _continue: string | undefined;
    do {
      const page = await core.listNamespacedSecret({ namespace, limit: 2, _continue });
      names.push(...page.items.map((item) => item.metadata?.name));
      _continue = page.metadata?._continue;
    } while (_continue);
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e']);
  });

  it('deletes a collection by label', async () => {
    for (const [name, app] of [
      ['a', 'x'],
      ['b', 'x'],
      ['c', 'y'],
    ] as const)
      await core.createNamespacedConfigMap({ namespace, body: { metadata: { name, labels: { app } } } });
    await core.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'app=x' });
    const { items } = await core.listNamespacedConfigMap({ namespace, labelSelector: 'app' });
    expect(items.map((item) => item.metadata?.name)).toEqual(['c']);
  });

  it('patches in every way', async () => {
    await core.createNamespacedConfigMap({ namespace, body: configMap('p', { a: '1', b: '1' }) });
    const patch = (body: unknown, strategy: PatchStrategy) =>
      core.patchNamespacedConfigMap({ namespace, name: 'p', body }, patchedBy(strategy));
    await patch([{ op: 'replace', path: '/data/a', value: '2' }], PatchStrategy.JsonPatch);
    await patch({ data: { b: null } }, PatchStrategy.MergePatch);
    const { data } = await patch({ data: { c: '3' } }, PatchStrategy.StrategicMergePatch);
    expect(data).toEqual({ a: '2', c: '3' });
    await expect(patch([{ op: 'test', path: '/data/a', value: 'x' }], PatchStrategy.JsonPatch)).rejects.toMatchObject({
      code: 422,
    });
  });

  it('asks for access, tokens and the version', async () => {
    const review = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({
      body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods', namespace } } },
    });
    expect(review.status?.allowed).toBe(true);
    await core.createNamespacedServiceAccount({ namespace, body: { metadata: { name: 'robot' } } });
    const token = await core.createNamespacedServiceAccountToken({
      namespace,
      name: 'robot',
      body: { spec: { audiences: [] } },
    });
    expect(token.status?.expirationTimestamp).toBeInstanceOf(Date);
    expect(await config.makeApiClient(VersionApi).getCode()).toMatchObject({ major: '1', minor: '36' });
  });
});

describe('server-side apply', () => {
  it('of an object of any kind, with conflicts and force', async () => {
    const objects = KubernetesObjectApi.makeApiClient(config);
    const apply = (body: V1ConfigMap, manager: string, force = false) =>
      objects.patch(body, undefined, undefined, manager, force, PatchStrategy.ServerSideApply);
    await apply(configMap('s', { a: '1' }), 'one');
    await apply(configMap('s', { b: '1' }), 'two');
    await expect(apply(configMap('s', { a: '2' }), 'two')).rejects.toMatchObject({ code: 409 });
    await apply(configMap('s', { a: '2' }), 'two', true);
    const { data, metadata } = await core.readNamespacedConfigMap({ namespace, name: 's' });
    expect(data).toEqual({ a: '2' });
    expect(metadata?.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)).toContain('two Apply');
  });

  it('of a Deployment, twice the same', async () => {
    const apps = config.makeApiClient(AppsV1Api);
    const body = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'd', namespace },
      spec: {
        replicas: 0,
        selector: { matchLabels: { app: 'd' } },
        template: { metadata: { labels: { app: 'd' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } },
      },
    };
    const apply = () =>
      apps.patchNamespacedDeployment(
        { namespace, name: 'd', body, fieldManager: 'test', force: true },
        patchedBy(PatchStrategy.ServerSideApply),
      );
    await apply();
    await eventually(async () => {
      const { status } = await apps.readNamespacedDeployment({ namespace, name: 'd' });
      expect(status?.observedGeneration).toBe(1);
    });
    const before = await apps.readNamespacedDeployment({ namespace, name: 'd' });
    expect((await apply()).metadata?.resourceVersion).toBe(before.metadata?.resourceVersion);
  });
});

describe('watches', () => {
  it('tell of each change from a resourceVersion on, and end when they are told to', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const seen: string[] = [];
    const ended = new Promise<unknown>((resolve) => {
      void new Watch(config).watch(
        `/api/v1/namespaces/${namespace}/configmaps`,
        { resourceVersion: metadata?.resourceVersion, fieldSelector: 'metadata.name=w', timeoutSeconds: 2 },
        (type) => seen.push(type),
        resolve,
      );
    });
    await core.createNamespacedConfigMap({ namespace, body: configMap('w', {}) });
    await core.patchNamespacedConfigMap(
      { namespace, name: 'w', body: { data: { a: '1' } } },
      patchedBy(PatchStrategy.MergePatch),
    );
    await core.deleteNamespacedConfigMap({ namespace, name: 'w' });
    await ended;
    expect(seen).toEqual(['ADDED', 'MODIFIED', 'DELETED']);
  });

  it('an informer keeps a list, before and after its watch was cut', async () => {
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () =>
      core.listNamespacedConfigMap({ namespace }),
    );
    const events: string[] = [];
    for (const verb of ['add', 'update', 'delete'] as const)
      informer.on(verb, (object) => events.push(`${verb} ${object.metadata?.name}`));
    const errors: unknown[] = [];
    informer.on('error', (error) => errors.push(error));
    await core.createNamespacedConfigMap({ namespace, body: configMap('before', {}) });
    await informer.start();
    try {
      await eventually(() => expect(informer.get('before', namespace)).toBeDefined());
      await core.createNamespacedConfigMap({ namespace, body: configMap('after', {}) });
      await eventually(() => expect(informer.get('after', namespace)).toBeDefined());
      await core.deleteNamespacedConfigMap({ namespace, name: 'before' });
      await eventually(() => expect(informer.get('before', namespace)).toBeUndefined());
      expect(events).toEqual(expect.arrayContaining(['add before', 'add after', 'delete before']));
      expect(errors).toEqual([]);
    } finally {
      await informer.stop();
    }
  });
});

describe('the streams of a pod', () => {
  const run = async (command: string) => {
    await core.createNamespacedPod({
      namespace,
      body: {
        metadata: { name: 'p' },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [
            {
              name: 'c',
              image: 'busybox',
              imagePullPolicy: 'IfNotPresent',
              command: ['sh', '-c', command],
              stdin: true,
            },
          ],
        },
      },
    });
    await eventually(async () => {
      const { status } = await core.readNamespacedPod({ namespace, name: 'p' });
      expect(status?.phase).toBe('Running');
    });
  };

  it('exec: output, errors, input and exit codes', async () => {
    await run('sleep 1000');
    const exec = async (command: string[], input?: string) => {
      const [stdout, stderr] = [new PassThrough(), new PassThrough()];
      let status: V1Status | undefined;
      const stdin = input === undefined ? null : Readable.from([input]);
      const socket = await new Exec(config).exec(namespace, 'p', 'c', command, stdout, stderr, stdin, false, (s) => {
        status = s;
      });
      const outputs = Promise.all([text(stdout), text(stderr)]);
      await once(socket as unknown as NodeJS.EventEmitter, 'close');
      stdout.end();
      stderr.end();
      const [out, err] = await outputs;
      return { out, err, status };
    };
    expect(await exec(['sh', '-c', 'echo out; echo err >&2'])).toMatchObject({
      out: 'out\n',
      err: 'err\n',
      status: { status: 'Success' },
    });
    const failed = await exec(['sh', '-c', 'exit 7']);
    expect(failed.status).toMatchObject({ status: 'Failure', reason: 'NonZeroExitCode' });
    expect(failed.status?.details?.causes).toEqual([{ reason: 'ExitCode', message: '7' }]);
    expect((await exec(['head', '-c', '5'], 'hello world')).out).toBe('hello');
  });

  it('log, attach and port-forward', async () => {
    await run(
      'echo begun; mkdir /www; echo served >/www/index.html; httpd -p 8080 -h /www; read line; echo "got $line"; sleep 1000',
    );
    const log = new PassThrough();
    const logged: string[] = [];
    log.on('data', (chunk: Buffer) => logged.push(chunk.toString()));
    await new Log(config).log(namespace, 'p', 'c', log, { follow: true });
    await eventually(() => expect(logged.join('')).toContain('begun'));

    const stdout = new PassThrough();
    const attached = await new Attach(config).attach(
      namespace,
      'p',
      'c',
      stdout,
      null,
      Readable.from(['a line\n']),
      false,
    );
    await eventually(() => expect(logged.join('')).toContain('got a line'));
    attached.close();

    const server = createServer((socket) => {
      void new PortForward(config).portForward(namespace, 'p', [8080], socket, null, socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as { port: number };
      await eventually(async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/`, {
          headers: { connection: 'close' },
          signal: AbortSignal.timeout(3_000),
        });
        expect(await answer.text()).toBe('served\n');
      });
    } finally {
      server.close();
    }
    await core.deleteNamespacedPod({ namespace, name: 'p' });
    await eventually(() => expect(log.writableFinished).toBe(true));
  });

  it('cp, in and out', async () => {
    await run('mkdir /in /out; echo from-the-pod >/out/file; sleep 1000');
    const source = join(cluster.dir, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'to the pod\n');
    const cp = new Cp(config);
    await cp.cpToPod(namespace, 'p', 'c', source, '/in');
    await eventually(async () => {
      expect(await cluster.kubectl('exec', 'p', '-n', namespace, '--', 'cat', '/in/file')).toBe('to the pod\n');
    });
    const target = join(cluster.dir, 'target');
    mkdirSync(target);
    await cp.cpFromPod(namespace, 'p', 'c', 'file', target, '/out');
    await eventually(() => expect(readFileSync(join(target, 'file'), 'utf8')).toBe('from-the-pod\n'));
    // The same with kubectl.
    await cluster.kubectl('cp', join(source, 'file'), `${namespace}/p:/in/again`);
    await cluster.kubectl('cp', `${namespace}/p:/in/again`, join(target, 'again'));
    expect(readFileSync(join(target, 'again'), 'utf8')).toBe('to the pod\n');
    await cluster.kubectl('cp', source, `${namespace}/p:/in/folder`);
    expect(await cluster.kubectl('exec', 'p', '-n', namespace, '--', 'ls', '/in/folder')).toBe('file\n');
  });
});
