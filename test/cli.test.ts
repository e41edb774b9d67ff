/** The command: several clusters side by side, and one clear line for whatever stands in the way. */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rangesOf } from '../src/cluster/config.ts';
import { freePort, KUBETS, TestCluster } from './support/cluster.ts';
import { type Outcome, run } from './support/process.ts';

const first = new TestCluster('cli-one');
const second = new TestCluster('cli-two');

/** One line on stderr that names the program, and an exit code that is not 0. */
function expectRefusal({ code, stdout, stderr }: Outcome, what: RegExp): void {
  expect({ stdout, stderr }).toEqual({ stdout: '', stderr: expect.stringMatching(/^kubets: [^\n]+\n$/) });
  expect(stderr).toMatch(what);
  expect(code).not.toBe(0);
}

beforeAll(async () => {
  await first.up();
});
afterAll(async () => {
  await Promise.all([first.remove(), second.remove()]);
});

describe('kubets up', () => {
  it('says so where the cluster runs already', async () => {
    const { code, stdout } = await first.kubets(['up']);
    expect(stdout).toContain('is running already');
    expect(code).toBe(0);
  });

  it('refuses a port that is taken, and starts on another', async () => {
    const server = createServer().listen(0, '0.0.0.0');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expectRefusal(await second.kubets(['up', '--port', String(port)]), /port \d+ is taken/);
    server.close();
    await second.up('--port', String(await freePort()));
    expect(await second.kubectl('get', 'nodes')).toContain('Ready');
    expect(await first.kubectl('get', 'nodes')).toContain('Ready');
  });

  it('may be asked several times at once: one starts it, all wait for it', async () => {
    await first.kubets(['down']);
    const outcomes = await Promise.all(Array.from({ length: 3 }, () => first.kubets(['up'])));
    expect(outcomes.map(({ code, stderr }) => ({ code, stderr }))).toEqual(Array(3).fill({ code: 0, stderr: '' }));
    expect(await first.kubectl('get', '--raw', '/readyz')).toBe('ok');
  });

  it('is not troubled by whoever reads but its first line', async () => {
    const shell = `${KUBETS} status --name ${first.name} --data-dir ${first.dataDir} | head -1`;
    const { code, stdout, stderr } = await run('/bin/bash', ['-o', 'pipefail', '-c', shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('cluster');
  });

  it('lets nobody else into the data directory', async () => {
    expectRefusal(await first.kubets(['daemon']), /in use by another/);
    expect(await first.kubectl('get', '--raw', '/readyz')).toBe('ok');
  });

  it('keeps what else is in the kubeconfig, for its owner only', async () => {
    await second.kubectl('config', 'set-context', 'work', '--cluster=work', '--user=me');
    await second.kubets(['up']);
    expect((await second.kubectl('config', 'get-contexts', '-o', 'name')).trim().split('\n').sort()).toEqual([
      'kubets-cli-two',
      'work',
    ]);
    expect(statSync(second.kubeconfig).mode & 0o777).toBe(0o600);
  });

  it('refuses damaged and foreign directories, and damages nothing', async () => {
    await second.kubets(['down']);
    const { config, storage } = second.paths;
    const database = join(storage, 'data.mdb');
    const good = { config: readFileSync(config), database: readFileSync(database) };

    truncateSync(database, 10_000);
    expectRefusal(await second.kubets(['up']), /data\.mdb is corrupt/);
    expect(statSync(database).size).toBe(10_000);
    writeFileSync(config, '{"version":');
    expectRefusal(await second.kubets(['up']), /cluster\.json is corrupt/);
    expect(readFileSync(config, 'utf8')).toBe('{"version":');

    writeFileSync(config, good.config);
    writeFileSync(database, good.database);
    await second.up();

    const foreign = join(second.dir, 'foreign');
    mkdirSync(foreign);
    writeFileSync(join(foreign, 'mine'), 'x');
    expectRefusal(await second.kubets(['up', '--data-dir', foreign]), /is not the data directory of a cluster/);
  });

  it('leaves a kubeconfig that it cannot read alone, and starts nothing', async () => {
    await second.kubets(['down']);
    const path = join(second.dir, 'broken');
    writeFileSync(path, 'a: [b');
    const outcome = await second.kubets(['up'], { env: { ...second.env, KUBECONFIG: path } });
    expectRefusal(outcome, /cannot be understood/);
    expect(readFileSync(path, 'utf8')).toBe('a: [b');
    expect((await second.kubets(['status'])).stdout).toMatch(/^state +stopped$/m);
  });
});

describe('kubets', () => {
  it('prints a kubeconfig, its log and its state', async () => {
    const path = join(first.dir, 'printed');
    writeFileSync(path, (await first.kubets(['kubeconfig'])).stdout);
    expect(await first.kubectl('--kubeconfig', path, 'auth', 'whoami')).toContain('system:masters');
    expect((await first.kubets(['logs'])).stdout).toContain('"msg":"ready"');
    expect((await first.kubets(['status'])).stdout).toMatch(/^state +ready$/m);
  });

  it.each([['up', '--port', '0'], ['up', '--no-such-flag'], ['no-such-command'], ['status', '--name', '../x']])(
    'refuses %s %s %s',
    async (...command) => {
      expectRefusal(await run(KUBETS, command, { env: first.env }), /./);
    },
  );

  it('names what is missing instead of installing it, with --no-install', async () => {
    const script =
      'for d in /usr/lib/cni /opt/cni/bin; do test ! -d $d || mount -t tmpfs none $d; done; exec "$0" "$@"';
    const up = [KUBETS, 'up', '--no-install', '--data-dir', join(first.dir, 'none')];
    expectRefusal(
      await run('unshare', ['--mount', 'sh', '-c', script, ...up], { env: first.env }),
      /missing on this machine: containernetworking-plugins;/,
    );
  });

  it('stays in front with --foreground, until it is interrupted', async () => {
    await second.kubets(['down']);
    const args = ['up', '--foreground', '--name', second.name, '--data-dir', second.dataDir];
    const front = second.start(KUBETS, args);
    await front.said(/The cluster is ready/);
    expect(await second.kubectl('get', '--raw', '/readyz')).toBe('ok');
    front.interrupt();
    expect(await front.ended()).toBe(0);
    expect((await second.kubets(['status'])).stdout).toMatch(/^state +stopped$/m);
  });

  it('delete leaves nothing behind', async () => {
    await second.up();
    await second.kubectl('run', 'web', '--image=nginx', '--image-pull-policy=IfNotPresent');
    await second.kubectl('wait', 'pod/web', '--for=condition=Ready', '--timeout=60s');
    const { paths, config } = second;
    const { bridge, table } = rangesOf(config);
    const traces = [...(await second.namespacesAndCgroups()), paths.runDir, `/sys/class/net/${bridge}`];
    expect(traces.filter((path) => existsSync(path)).length).toBeGreaterThan(3);
    expect(await second.kubets(['delete'])).toMatchObject({ code: 0, stderr: '' });
    expect([...traces, paths.dataDir].filter((path) => existsSync(path))).toEqual([]);
    for (const table_ of (await run('nft', ['list', 'tables'])).stdout.split('\n'))
      expect(table_).not.toMatch(`${table}$`);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(paths.runDir);
    const processes = (await run('ps', ['-eo', 'args'])).stdout;
    expect(processes).not.toContain(paths.runDir);
    expect(processes).not.toContain(paths.dataDir);
    expect(await second.kubectl('config', 'get-contexts', '-o', 'name')).toBe('work\n');
    expectRefusal(await second.kubets(['delete']), /there is no cluster/);
    expect(await first.kubectl('get', 'nodes')).toContain('Ready');
  });
});

describe('kubets image', () => {
  it('loads a docker-archive', async () => {
    const folder = join(first.dir, 'archive');
    mkdirSync(folder);
    const description = join(first.dir, 'archived.yaml');
    writeFileSync(description, 'name: archived:1\nfiles: {/hello: hello}\ncmd: [/hello]\n');
    const tar = join(first.dir, 'archived.tar');
    expect((await first.kubets(['image', 'build', description, '-o', tar])).code).toBe(0);
    await run('tar', ['-xf', tar, '-C', folder]);
    const blob = (digest: string) => join('blobs', digest.replace(':', '/'));
    const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8'));
    const manifest = read(blob(read('index.json').manifests[0].digest));
    const archive = {
      Config: blob(manifest.config.digest),
      RepoTags: ['archived:docker'],
      Layers: [blob(manifest.layers[0].digest)],
    };
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify([archive]));
    await run('tar', ['-cf', tar, '-C', folder, 'manifest.json', archive.Config, ...archive.Layers]);
    const loaded = await first.kubets(['image', 'load', tar]);
    expect(loaded).toMatchObject({ code: 0, stdout: 'loaded docker.io/library/archived:docker\n' });
  });

  it('builds from a description, loads, lists, and removes', async () => {
    const description = join(first.dir, 'hello.yaml');
    const tar = join(first.dir, 'hello.tar');
    writeFileSync(
      description,
      "names: [hello:1]\npackages: [busybox-static]\nbusybox: true\nentrypoint: [/bin/sh, -c, 'echo hello from $0; sleep 1000', me]\nuser: '1000'\n",
    );
    expect((await first.kubets(['image', 'build', description, '--output', tar])).code).toBe(0);
    expect((await first.kubets(['image', 'load', tar])).stdout).toContain('docker.io/library/hello:1');
    expect((await first.kubets(['image', 'ls'])).stdout).toContain('docker.io/library/hello:1');
    await first.kubectl('run', 'hello', '--image=hello:1', '--image-pull-policy=Never');
    await first.kubectl('wait', 'pod/hello', '--for=condition=Ready', '--timeout=60s');
    expect(await first.kubectl('logs', 'hello')).toBe('hello from me\n');
    expect(await first.kubectl('exec', 'hello', '--', 'id', '-u')).toBe('1000\n');
    await first.kubectl('delete', 'pod', 'hello', '--now');
    expect((await first.kubets(['image', 'rm', 'hello:1'])).code).toBe(0);
    expect((await first.kubets(['image', 'ls'])).stdout).not.toContain('hello');
  });

  it.each<[string, string]>([
    ['is no YAML', 'a: [b'],
    ['has a field that there is not', 'name: a\npackage: x'],
    ['names a package that there is not', 'name: a\npackages: [no-such-package-anywhere]'],
  ])('refuses a description that %s', async (_what, text) => {
    const description = join(first.dir, 'bad.yaml');
    writeFileSync(description, text);
    expectRefusal(await first.kubets(['image', 'build', description]), /bad\.yaml|no-such-package/);
  });

  it('refuses what is no image', async () => {
    expectRefusal(await first.kubets(['image', 'load', process.execPath]), /is no tar of an image/);
    expectRefusal(await first.kubets(['image', 'rm', 'nobody/has:this']), /there is no image/);
  });
});
