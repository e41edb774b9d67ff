/**
 * A container runtime within the process: sandboxes and containers are entries of a table, and containers end
 * when their behavior says so. It answers as the CRI does, in whatever time the clock has.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Clock, Timer } from '../../lib/clock.ts';
import { formatMicroTime } from '../../machinery/time.ts';
import type { CallName, CallRequest, CallResponse } from '../cri/calls.ts';
import {
  CONTAINER_STATE,
  type ContainerConfig,
  type ContainerStats,
  type ContainerStatus,
  type PodSandboxConfig,
  SANDBOX_READY,
} from '../cri/messages.ts';
import { type ContainerRuntime, GRPC, RuntimeError } from '../cri/runtime.ts';
import { LABEL } from '../pods/labels.ts';
import type { Behavior } from './behavior.ts';

export interface SimulatedRuntimeOptions {
  /** tells this node's containers from those of others */
  readonly nodeName: string;
  readonly clock: Clock;
  /** The address of the next sandbox; undefined where there is none left. */
  nextAddress(): string | undefined;
}

interface Sandbox {
  readonly id: string;
  readonly config: PodSandboxConfig;
  readonly createdAt: number;
  readonly ip: string;
  ready: boolean;
}

interface SimulatedContainer {
  readonly id: string;
  readonly sandbox: Sandbox;
  readonly config: ContainerConfig;
  readonly behavior: Behavior;
  readonly createdAt: number;
  state: number;
  startedAt: number;
  finishedAt: number;
  exitCode: number;
  reason: string;
  timer: Timer | undefined;
  /** called when it has ended */
  readonly onEnd: (() => void)[];
}

const NS_PER_MS = 1e6;
const SANDBOX_NOT_READY = 1;
const UNIMPLEMENTED = 12;
const KILLED = 137;
const TERMINATED = 143;
/** Whom programs run as is nothing to be seen here: pods that may not run as root run, too. */
const IMAGE_USER = 65_532;
/** A top-level domain that no registry has (RFC 2606): images from there cannot be pulled. */
const NOWHERE = /^[^/]+\.invalid(?::\d+)?\//;
const IMAGE_BYTES = 10 << 20;

type Calls = { [N in CallName]: (request: CallRequest<N>) => CallResponse<N> | Promise<CallResponse<N>> };

export class SimulatedRuntime implements ContainerRuntime {
  readonly tellsAll = true;
  readonly #o: SimulatedRuntimeOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, SimulatedContainer>();
  /** by `uid/container`: how the next run of it will behave */
  readonly #expected = new Map<string, Behavior>();
  readonly #images = new Set<string>();
  #listeners: ((exited: string | undefined) => void)[] = [];
  /** what containers took that run no more */
  readonly #ended = { cpuNanoseconds: 0 };
  #count = 0;

  constructor(options: SimulatedRuntimeOptions) {
    this.#o = options;
  }

  /** How the container that is made next for this pod and name will behave. */
  expect(podUid: string, container: string, behavior: Behavior): void {
    this.#expected.set(`${podUid}/${container}`, behavior);
  }

  /** Whether a container is healthy now; undefined where it does not run. */
  healthOf(id: string): boolean | undefined {
    const container = this.#containers.get(id);
    if (container?.state !== CONTAINER_STATE.running) return undefined;
    const { healthyAfterMs } = container.behavior;
    return healthyAfterMs !== undefined && this.#o.clock.now() - container.startedAt >= healthyAfterMs;
  }

  /** What all containers of this node took since they were there, and take now. */
  usage(): { cpuNanoseconds: number; memoryBytes: number } {
    const total = { cpuNanoseconds: this.#ended.cpuNanoseconds, memoryBytes: 0 };
    for (const container of this.#containers.values()) {
      if (container.state !== CONTAINER_STATE.running) continue;
      total.cpuNanoseconds += this.#cpuOf(container);
      total.memoryBytes += container.behavior.memoryBytes;
    }
    return total;
  }

  /** Since it started. A container that runs takes the same all the time. */
  #cpuOf({ behavior, startedAt }: SimulatedContainer): number {
    return behavior.cpuMilli * (this.#o.clock.now() - startedAt) * NS_PER_MS * 1e-3;
  }

  async call<N extends CallName>(name: N, request: CallRequest<N>): Promise<CallResponse<N>> {
    return await this.#calls[name](request);
  }

  subscribe(onEvent: (exited: string | undefined) => void, _onEnd: () => void, signal: AbortSignal): void {
    this.#listeners.push(onEvent);
    const stop = () => {
      this.#listeners = this.#listeners.filter((l) => l !== onEvent);
    };
    signal.addEventListener('abort', stop, { once: true });
  }

  close(): void {
    for (const { timer } of this.#containers.values()) timer?.cancel();
  }

  readonly #calls: Calls = {
    version: () => ({ version: '0.1.0', runtime_name: 'simulated', runtime_version: '1', runtime_api_version: 'v1' }),
    status: () => ({
      status: {
        conditions: [
          { type: 'RuntimeReady', status: true },
          { type: 'NetworkReady', status: true },
        ],
      },
    }),
    runPodSandbox: ({ config = {} }) => {
      const ip = this.#o.nextAddress();
      if (ip === undefined) throw new RuntimeError(2, 'no IP addresses available in network');
      const sandbox = { id: this.#id(), config, createdAt: this.#o.clock.now(), ip, ready: true };
      this.#sandboxes.set(sandbox.id, sandbox);
      return { pod_sandbox_id: sandbox.id };
    },
    stopPodSandbox: ({ pod_sandbox_id = '' }) => {
      const sandbox = this.#sandboxes.get(pod_sandbox_id);
      if (sandbox === undefined) return {};
      for (const c of this.#containers.values()) if (c.sandbox === sandbox) this.#end(c, KILLED, 'Error');
      sandbox.ready = false;
      return {};
    },
    removePodSandbox: ({ pod_sandbox_id = '' }) => {
      this.#sandboxes.delete(pod_sandbox_id);
      for (const [id, c] of this.#containers) if (c.sandbox.id === pod_sandbox_id) this.#containers.delete(id);
      return {};
    },
    podSandboxStatus: ({ pod_sandbox_id = '' }) => {
      const sandbox = this.#sandboxes.get(pod_sandbox_id) ?? missing('sandbox', pod_sandbox_id);
      return { status: { ...shown(sandbox), network: { ip: sandbox.ip } } };
    },
    listPodSandbox: () => ({ items: [...this.#sandboxes.values()].map(shown) }),
    createContainer: ({ pod_sandbox_id = '', config = {} }) => {
      const sandbox = this.#sandboxes.get(pod_sandbox_id) ?? missing('sandbox', pod_sandbox_id);
      const key = `${uidOf(sandbox)}/${config.metadata?.name ?? ''}`;
      const behavior = this.#expected.get(key);
      if (behavior === undefined) throw new RuntimeError(2, `nobody said how ${key} will behave`);
      this.#expected.delete(key);
      if (behavior.createError !== undefined) throw new RuntimeError(2, behavior.createError);
      const id = this.#id();
      this.#containers.set(id, {
        id,
        sandbox,
        config,
        behavior,
        createdAt: this.#o.clock.now(),
        state: CONTAINER_STATE.created,
        startedAt: 0,
        finishedAt: 0,
        exitCode: 0,
        reason: '',
        timer: undefined,
        onEnd: [],
      });
      return { container_id: id };
    },
    startContainer: async ({ container_id = '' }) => {
      const container = this.#container(container_id);
      const { behavior } = container;
      if (behavior.startMs > 0) await this.#o.clock.sleep(behavior.startMs);
      if (behavior.startError !== undefined) {
        this.#end(container, 128, 'StartError');
        throw new RuntimeError(2, behavior.startError);
      }
      this.#start(container);
      return {};
    },
    stopContainer: async ({ container_id = '', timeout = 0 }) => {
      const container = this.#container(container_id);
      if (container.state !== CONTAINER_STATE.running) {
        this.#end(container, KILLED, 'Error');
        return {};
      }
      const graceMs = timeout * 1000;
      const { stopMs } = container.behavior;
      if (stopMs <= graceMs) await this.#endAfter(container, stopMs, TERMINATED);
      else await this.#endAfter(container, graceMs, KILLED);
      return {};
    },
    updateContainerResources: ({ container_id = '' }) => {
      this.#container(container_id);
      return {};
    },
    removeContainer: ({ container_id = '' }) => {
      this.#containers.get(container_id)?.timer?.cancel();
      this.#containers.delete(container_id);
      return {};
    },
    listContainers: () => ({
      containers: [...this.#containers.values()].map(({ id, sandbox, config, state }) => ({
        id,
        pod_sandbox_id: sandbox.id,
        ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
        state,
        labels: config.labels ?? {},
        annotations: config.annotations ?? {},
      })),
    }),
    containerStats: ({ container_id = '' }) => {
      const stats = this.#statsOf(this.#container(container_id));
      return stats === undefined ? {} : { stats };
    },
    listContainerStats: () => ({ stats: [...this.#containers.values()].flatMap((c) => this.#statsOf(c) ?? []) }),
    listPodSandboxStats: () => ({ stats: [] }),
    containerStatus: ({ container_id = '' }) => ({ status: statusOf(this.#container(container_id)) }),
    execSync: () => ({ exit_code: 0 }),
    exec: () => unimplemented('run commands'),
    attach: () => unimplemented('be attached to'),
    portForward: () => unimplemented('forward ports'),
    reopenContainerLog: () => ({}),
    listImages: () => ({
      images: [...this.#images].map((name) => ({ id: imageId(name), repo_tags: [name], size: IMAGE_BYTES })),
    }),
    imageStatus: ({ image }) => {
      const name = image?.image ?? '';
      if (NOWHERE.test(name)) return {};
      this.#images.add(name);
      return { image: { id: imageId(name), repo_tags: [name], size: IMAGE_BYTES, uid: { value: IMAGE_USER } } };
    },
    pullImage: ({ image }) => {
      const name = image?.image ?? '';
      if (NOWHERE.test(name)) {
        const host = name.split('/')[0];
        throw new RuntimeError(2, `failed to pull and unpack image "${name}": lookup ${host}: no such host`);
      }
      this.#images.add(name);
      return { image_ref: imageId(name) };
    },
    imageFsInfo: () => ({ image_filesystems: [] }),
    removeImage: ({ image }) => {
      this.#images.delete(image?.image ?? '');
      return {};
    },
  };

  #statsOf(container: SimulatedContainer): ContainerStats | undefined {
    if (container.state !== CONTAINER_STATE.running) return undefined;
    const { id, config, behavior } = container;
    const timestamp = this.#o.clock.now() * NS_PER_MS;
    const bytes = { value: behavior.memoryBytes };
    return {
      attributes: {
        id,
        ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
        labels: config.labels ?? {},
      },
      cpu: { timestamp, usage_core_nano_seconds: { value: this.#cpuOf(container) } },
      memory: { timestamp, working_set_bytes: bytes, usage_bytes: bytes, rss_bytes: bytes },
    };
  }

  #container(id: string): SimulatedContainer {
    return this.#containers.get(id) ?? missing('container', id);
  }

  #id(): string {
    this.#count++;
    return `${this.#o.nodeName}-${this.#count.toString(16).padStart(8, '0')}`;
  }

  #start(container: SimulatedContainer): void {
    const { behavior } = container;
    container.state = CONTAINER_STATE.running;
    container.startedAt = this.#o.clock.now();
    if (behavior.log.length > 0) this.#writeLog(container);
    if (behavior.runMs !== undefined) {
      const [code, reason] = behavior.outOfMemory ? [KILLED, 'OOMKilled'] : [behavior.exitCode, ''];
      container.timer = this.#o.clock.after(behavior.runMs, () => this.#end(container, code, reason));
    }
    this.#tell(undefined);
  }

  #writeLog({ config, sandbox, behavior }: SimulatedContainer): void {
    const path = join(sandbox.config.log_directory ?? '', config.log_path ?? '');
    const at = formatMicroTime(this.#o.clock.now());
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, behavior.log.map((line) => `${at} stdout F ${line}\n`).join(''));
  }

  #endAfter(container: SimulatedContainer, ms: number, exitCode: number): Promise<void> {
    return new Promise((resolve) => {
      container.onEnd.push(resolve);
      if (ms === 0) this.#end(container, exitCode, '');
      else {
        container.timer?.cancel();
        container.timer = this.#o.clock.after(ms, () => this.#end(container, exitCode, ''));
      }
    });
  }

  #end(container: SimulatedContainer, exitCode: number, reason: string): void {
    if (container.state === CONTAINER_STATE.exited) return;
    container.timer?.cancel();
    if (container.state === CONTAINER_STATE.running) this.#ended.cpuNanoseconds += this.#cpuOf(container);
    container.state = CONTAINER_STATE.exited;
    container.finishedAt = this.#o.clock.now();
    container.exitCode = exitCode;
    container.reason = reason || (exitCode === 0 ? 'Completed' : 'Error');
    for (const done of container.onEnd.splice(0)) done();
    this.#tell(container.id);
  }

  #tell(exited: string | undefined): void {
    for (const listener of this.#listeners) listener(exited);
  }
}

function shown({ id, config, createdAt, ready }: Sandbox) {
  return {
    id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state: ready ? SANDBOX_READY : SANDBOX_NOT_READY,
    created_at: createdAt * NS_PER_MS,
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
  };
}

function statusOf(container: SimulatedContainer): ContainerStatus {
  const { id, config, state, createdAt, startedAt, finishedAt, exitCode, reason, behavior } = container;
  const image = config.image?.user_specified_image ?? '';
  return {
    id,
    ...(config.metadata === undefined ? {} : { metadata: config.metadata }),
    state,
    created_at: createdAt * NS_PER_MS,
    started_at: startedAt * NS_PER_MS,
    finished_at: finishedAt * NS_PER_MS,
    exit_code: exitCode,
    image: { image },
    image_ref: imageId(image),
    reason,
    message: state === CONTAINER_STATE.exited ? behavior.lastWords : '',
    labels: config.labels ?? {},
    annotations: config.annotations ?? {},
    log_path: join(container.sandbox.config.log_directory ?? '', config.log_path ?? ''),
  };
}

const uidOf = (sandbox: Sandbox) => sandbox.config.labels?.[LABEL.podUid] ?? '';

const imageId = (name: string) => `simulated:${name}`;

function missing(what: string, id: string): never {
  throw new RuntimeError(GRPC.notFound, `${what} ${JSON.stringify(id)} not found`);
}

function unimplemented(what: string): never {
  throw new RuntimeError(UNIMPLEMENTED, `simulated containers have no processes: they cannot ${what}`);
}
