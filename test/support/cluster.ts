/** A cluster of a test file's own, made and removed by the `kubets` command, and used with kubectl. */
import { mkdtempSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ClusterConfig, type ClusterPaths, pathsOf, rangesOf, readConfig } from '../../src/cluster/config.ts';
import { type Outcome, Running, type RunOptions, run } from './process.ts';

export const KUBETS = fileURLToPath(new URL('../../bin/kubets', import.meta.url));
export const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));

/** Nothing is made before the first command; `remove` belongs into `afterAll`. */
export class TestCluster {
  readonly name: string;
  /** holds all of this cluster's files, and is free for the test's own */
  readonly dir: string;
  readonly dataDir: string;
  readonly kubeconfig: string;
  readonly env: NodeJS.ProcessEnv;
  readonly #running = new Set<Running>();
  readonly #namespace: string | undefined;

  /** @param namespace the network namespace that it lives in; absent: the machine's own */
  constructor(name: string, namespace?: string) {
    this.name = name;
    this.#namespace = namespace;
    this.dir = mkdtempSync(join(tmpdir(), `kubets-${name}-`));
    this.dataDir = join(this.dir, 'data');
    this.kubeconfig = join(this.dir, 'kubeconfig');
    this.env = { ...process.env, KUBECONFIG: this.kubeconfig, KUBECACHEDIR: join(this.dir, 'kubectl-cache') };
  }

  get config(): ClusterConfig {
    const config = readConfig(this.paths);
    if (config === undefined) throw new Error(`there is no cluster in ${this.dataDir}`);
    return config;
  }

  get paths(): ClusterPaths {
    return pathsOf(this.dataDir);
  }

  /** Runs `kubets <command> …` for this cluster, whatever comes of it. */
  kubets(command: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const [verb = '', ...rest] = command;
    // `image load` and `token create` are commands of two words.
    const words = verb === 'image' || verb === 'token' ? [verb, rest.shift() ?? ''] : [verb];
    return this.run(KUBETS, [...words, '--name', this.name, '--data-dir', this.dataDir, ...rest], {
      env: this.env,
      timeoutMs: 100_000,
      ...options,
    });
  }

  /** @throws Error with what kubets said, where it fails */
  async up(...flags: string[]): Promise<string> {
    const outcome = await this.kubets(['up', ...flags]);
    if (outcome.code === 0) return outcome.stdout;
    throw new Error(`kubets up: exit code ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  }

  /** Runs kubectl and returns what it wrote. @throws Error where it fails */
  async kubectl(...args: string[]): Promise<string> {
    const outcome = await this.tryKubectl(args);
    if (outcome.code === 0) return outcome.stdout;
    throw new Error(`kubectl ${args.join(' ')}: exit code ${outcome.code}\n${outcome.stdout}${outcome.stderr}`);
  }

  /** Runs kubectl, whatever comes of it. */
  tryKubectl(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return this.run('kubectl', args, { env: this.env, ...options });
  }

  /** Runs a program where the cluster lives, whatever comes of it. */
  run(program: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const [first = '', ...rest] = this.#within(program, args);
    return run(first, rest, options);
  }

  /** Programs see the network of the cluster's node. */
  #within(program: string, args: readonly string[]): string[] {
    const namespace = this.#namespace;
    return namespace === undefined
      ? [program, ...args]
      : ['nsenter', `--net=/run/netns/${namespace}`, program, ...args];
  }

  /** Starts a program that goes on; it is stopped at the latest when the cluster is removed. */
  start(program: string, args: readonly string[], env: NodeJS.ProcessEnv = this.env): Running {
    const [first = '', ...rest] = this.#within(program, args);
    const running = new Running(first, rest, env);
    this.#running.add(running);
    return running;
  }

  /** An object, or a list of them, as JSON. */
  async get<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.kubectl('get', ...args, '-o', 'json')) as T;
  }

  async apply(manifest: unknown): Promise<void> {
    const { code, stderr } = await this.tryKubectl(['apply', '-f', '-'], { input: JSON.stringify(manifest) });
    if (code !== 0) throw new Error(`kubectl apply: ${stderr}`);
  }

  /** The process id of the kubets process. @throws Error where it does not run */
  async pid(): Promise<number> {
    const { stdout } = await this.kubets(['status']);
    const pid = /^process\s+(\d+)$/m.exec(stdout)?.[1];
    if (pid === undefined) throw new Error(`kubets status names no process:\n${stdout}`);
    return Number(pid);
  }

  /** Runs ctr on the cluster's containerd. @throws Error where it fails */
  async ctr(...args: string[]): Promise<string> {
    const outcome = await run('ctr', ['--address', this.paths.containerdSocket, '--namespace', 'k8s.io', ...args]);
    if (outcome.code === 0) return outcome.stdout;
    throw new Error(`ctr ${args.join(' ')}: exit code ${outcome.code}\n${outcome.stderr}`);
  }

  /** Removes the cluster and all files. What it says of a failure is thrown after everything was tried. */
  async remove(): Promise<void> {
    await Promise.all([...this.#running].map((running) => running.stop()));
    const there = (await readdir(this.dataDir).catch(() => [])).length > 0;
    const outcome = there ? await this.kubets(['delete']) : undefined;
    await rm(this.dir, { recursive: true, force: true });
    if (outcome !== undefined && outcome.code !== 0) throw new Error(`kubets delete: ${outcome.stderr}`);
  }

  /** What this cluster's pods hold on this machine; a pod that is gone leaves nothing in it. */
  async footprint(): Promise<Footprint> {
    const { paths } = this;
    const containers = lines(await this.ctr('containers', 'list', '-q'));
    const tasks = lines(await this.ctr('tasks', 'list', '-q'));
    const running = lines(await this.ctr('tasks', 'list')).filter((line) => /\sRUNNING\s*$/.test(line)).length;
    const { bridge } = rangesOf(this.config);
    const ports = await readdir(`/sys/class/net/${bridge}/brif`).catch(() => []);
    const mounts = (await readFile('/proc/self/mounts', 'utf8'))
      .split('\n')
      .map((line) => line.split(' ')[1] ?? '')
      .filter((path) => [paths.dataDir, paths.runDir].some((dir) => path.startsWith(`${dir}/`)))
      // One for all pods, which stays.
      .filter((path) => path !== join(paths.kubelet, 'memory'));
    const addresses = (await readdir(paths.cniState, { recursive: true }).catch(() => [])).filter((path) =>
      /\d+(\.\d+){3}$/.test(path),
    );
    const podFolders = await readdir(join(paths.kubelet, 'pods')).catch(() => []);
    const logFolders = await readdir(paths.podLogs).catch(() => []);
    return { containers, tasks, running, ports, mounts, addresses, podFolders, logFolders };
  }

  /** Network namespaces of this cluster's sandboxes, and the cgroups of its pods. */
  async namespacesAndCgroups(): Promise<string[]> {
    const found = new Set<string>();
    for (const id of lines(await this.ctr('containers', 'list', '-q'))) {
      const { Spec } = JSON.parse(await this.ctr('containers', 'info', id)) as { Spec: RuntimeSpec };
      const network = Spec.linux.namespaces.find((n) => n.type === 'network')?.path;
      if (network !== undefined) found.add(network);
      const cgroup = Spec.linux.cgroupsPath.replace(/\/[^/]+$/, '');
      for (const hierarchy of await readdir('/sys/fs/cgroup')) found.add(join('/sys/fs/cgroup', hierarchy, cgroup));
    }
    return [...found];
  }
}

interface RuntimeSpec {
  readonly linux: {
    readonly cgroupsPath: string;
    readonly namespaces: readonly { readonly type: string; readonly path?: string }[];
  };
}

export interface Footprint {
  readonly containers: readonly string[];
  readonly tasks: readonly string[];
  /** how many of the tasks run */
  readonly running: number;
  readonly ports: readonly string[];
  readonly mounts: readonly string[];
  readonly addresses: readonly string[];
  readonly podFolders: readonly string[];
  readonly logFolders: readonly string[];
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
