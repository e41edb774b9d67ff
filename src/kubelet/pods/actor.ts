/** Carries out the actions of a plan on the runtime. */
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configMaps } from '../../apis/core/configMap.ts';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { secrets } from '../../apis/core/secret.ts';
import type { Service } from '../../apis/core/service.ts';
import type { Client } from '../../client/client.ts';
import { type EventRecorder, referenceTo } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';
import type { AuthConfig, Mount } from '../cri/messages.ts';
import { type ContainerRuntime, isNotFound } from '../cri/runtime.ts';
import { ImageError, type ImagePuller } from '../images/puller.ts';
import { perform } from '../probes/actions.ts';
import { type Cgroups, podCgroup } from '../resources/cgroups.ts';
import { containerResources } from '../resources/limits.ts';
import type { PodVolumes } from '../volumes/podVolumes.ts';
import { containerConfig } from './containerConfig.ts';
import type { DnsConfig } from './dns.ts';
import { ContainerConfigError, environmentOf } from './environment.ts';
import { etcHosts } from './etcHosts.ts';
import type { ObservedPod } from './observed.ts';
import type { Action, Waiting } from './plan.ts';
import { podLogDirectory, sandboxConfig } from './sandboxConfig.ts';

export interface ActorOptions {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly images: ImagePuller;
  readonly volumes: PodVolumes;
  readonly cgroups: Cgroups;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  readonly podLogsDir: string;
  readonly dns: DnsConfig;
  readonly memoryCapacity: number;
  readonly nodeAllocatable: Readonly<Record<string, string>>;
  services(): readonly Service[];
}

/** An action failed in a way that the container's status tells. */
export interface ActionFailure {
  readonly container: string;
  readonly waiting: Waiting;
  /** when to try again, in ms since the epoch */
  readonly retryAt?: number;
}

const RETRY_MS = 10_000;
const MIN_STOP_TIMEOUT_S = 2;

export class Actor {
  readonly #o: ActorOptions;

  constructor(options: ActorOptions) {
    this.#o = options;
  }

  /** Makes the pod's folders, cgroup and volumes. @throws VolumeError and what the API server throws */
  async prepare(pod: Pod): Promise<void> {
    await this.#o.volumes.setUp(pod);
    await this.#o.cgroups.ensurePod(pod);
  }

  /** @throws RuntimeError */
  async createSandbox(pod: Pod, attempt: number): Promise<void> {
    const { runtime, podLogsDir, dns } = this.#o;
    const config = sandboxConfig(pod, attempt, { podLogsDir, cgroupParent: podCgroup(pod), dns });
    mkdirSync(config.log_directory ?? '', { recursive: true });
    await runtime.call('runPodSandbox', { config });
  }

  /** Undefined where the container runs now. */
  async startContainer(
    pod: Pod,
    observed: ObservedPod,
    action: Extract<Action, { action: 'startContainer' }>,
  ): Promise<ActionFailure | undefined> {
    const { container } = action;
    try {
      await this.#start(pod, observed, container, action.restarts);
      return undefined;
    } catch (error) {
      return this.#explain(pod, container, error as Error);
    }
  }

  #explain(pod: Pod, container: Container, error: Error): ActionFailure {
    const { images, clock, log } = this.#o;
    const retryAt = clock.now() + RETRY_MS;
    const path = `spec.containers{${container.name}}`;
    if (error instanceof ImageError) {
      if (error.reason !== 'ImagePullBackOff') this.#say(pod, 'Warning', 'Failed', `Error: ${error.reason}`, path);
      return {
        container: container.name,
        waiting: { reason: error.reason, message: error.message },
        retryAt: error.reason === 'ErrImageNeverPull' ? retryAt : (images.retryAt(container.image ?? '') ?? retryAt),
      };
    }
    const reason =
      error instanceof ContainerConfigError
        ? 'CreateContainerConfigError'
        : error instanceof StartError
          ? 'RunContainerError'
          : 'CreateContainerError';
    this.#say(pod, 'Warning', 'Failed', `Error: ${error.message}`, path);
    log.warn('a container could not be started', { err: error, container: container.name, pod: pod.metadata?.name });
    return { container: container.name, waiting: { reason, message: error.message }, retryAt };
  }

  async #start(pod: Pod, observed: ObservedPod, container: Container, restarts: number): Promise<void> {
    const o = this.#o;
    const path = `spec.containers{${container.name}}`;
    const sandbox = observed.sandboxes.find((s) => s.ready);
    if (sandbox === undefined) throw new Error('the pod has no sandbox');
    const image = await o.images.ensure(container, await this.#pullSecrets(pod), {
      pulling: (name) => this.#say(pod, 'Normal', 'Pulling', `Pulling image ${JSON.stringify(name)}`, path),
      pulled: (name, ms) =>
        this.#say(
          pod,
          'Normal',
          'Pulled',
          ms === undefined
            ? `Container image ${JSON.stringify(name)} already present on machine`
            : `Successfully pulled image ${JSON.stringify(name)} in ${Math.round(ms)}ms`,
          path,
        ),
      failed: (name, why) =>
        this.#say(pod, 'Warning', 'Failed', `Failed to pull image ${JSON.stringify(name)}: ${why}`, path),
      backingOff: (name) => this.#say(pod, 'Normal', 'BackOff', `Back-off pulling image ${JSON.stringify(name)}`, path),
    });
    const located: Pod = {
      ...pod,
      status: {
        ...pod.status,
        podIPs: sandbox.ips.map((ip) => ({ ip })),
        ...(sandbox.ips[0] === undefined ? {} : { podIP: sandbox.ips[0] }),
      },
    };
    const namespace = pod.metadata?.namespace ?? '';
    const env = await environmentOf(located, container, {
      configMap: (name) => found(o.client.get(configMaps, { namespace, name })),
      secret: (name) => found(o.client.get(secrets, { namespace, name })),
      services: o.services(),
      nodeAllocatable: o.nodeAllocatable,
    });
    const messageFile = this.#messageFile(pod, container, restarts);
    const mounts: Mount[] = [
      ...(await o.volumes.mountsOf(pod, container.volumeMounts ?? [], env)),
      ...this.#systemMounts(located, container, sandbox.ips, messageFile),
    ];
    const config = containerConfig(pod, container, {
      imageRef: image.id,
      env,
      mounts,
      devices: [],
      resources: containerResources(pod, container, o.memoryCapacity),
      restarts,
      terminationMessageFile: messageFile,
      imageUser: {
        ...(image.uid === undefined ? {} : { uid: image.uid.value ?? 0 }),
        ...(image.username ? { username: image.username } : {}),
      },
      fsGroups: [],
    });
    mkdirSync(join(podLogDirectory(o.podLogsDir, pod), container.name), { recursive: true });
    const { container_id: id = '' } = await o.runtime.call('createContainer', {
      pod_sandbox_id: sandbox.id,
      config,
      sandbox_config: sandboxConfig(pod, sandbox.attempt, {
        podLogsDir: o.podLogsDir,
        cgroupParent: podCgroup(pod),
        dns: o.dns,
      }),
    });
    this.#say(pod, 'Normal', 'Created', `Container created`, path);
    try {
      await o.runtime.call('startContainer', { container_id: id });
    } catch (error) {
      throw new StartError((error as Error).message);
    }
    this.#say(pod, 'Normal', 'Started', `Container started`, path);
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return;
    const result = await perform(
      hook,
      { containerId: id, container, podIP: sandbox.ips[0] ?? '' },
      HOOK_TIMEOUT_MS,
      o.runtime,
      o.clock,
    );
    if (result.ok) return;
    this.#say(pod, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${result.message}`, path);
    await o.runtime.call('stopContainer', { container_id: id, timeout: pod.spec?.terminationGracePeriodSeconds ?? 30 });
    throw new Error(`PostStartHookError: ${result.message}`);
  }

  /** The files that every container gets: /etc/hosts, and the one for its last words. */
  #systemMounts(pod: Pod, container: Container, ips: readonly string[], messageFile: string): Mount[] {
    const mounts: Mount[] = [];
    const taken = new Set((container.volumeMounts ?? []).map((m) => m.mountPath));
    const dir = this.#o.volumes.podDir(pod.metadata?.uid ?? '');
    if (!taken.has('/etc/hosts')) {
      const hosts = join(dir, 'etc-hosts');
      mkdirSync(dir, { recursive: true });
      writeFileSync(hosts, etcHosts(pod, ips, this.#o.dns.clusterDomain));
      mounts.push({ container_path: '/etc/hosts', host_path: hosts, readonly: false });
    }
    if (messageFile !== '') {
      writeFileSync(messageFile, '');
      chmodSync(messageFile, 0o666);
      mounts.push({ container_path: container.terminationMessagePath ?? '', host_path: messageFile, readonly: false });
    }
    return mounts;
  }

  #messageFile(pod: Pod, container: Container, restarts: number): string {
    if (!container.terminationMessagePath) return '';
    const dir = join(this.#o.volumes.podDir(pod.metadata?.uid ?? ''), 'containers', container.name);
    mkdirSync(dir, { recursive: true });
    return join(dir, `termination-message-${restarts}`);
  }

  /** Stops a container as its pod wants: first its own hook, then SIGTERM, then SIGKILL when the grace is over. */
  async killContainer(
    pod: Pod,
    observed: ObservedPod | undefined,
    action: Extract<Action, { action: 'killContainer' }>,
  ): Promise<void> {
    const { runtime, clock } = this.#o;
    const { container, id } = action;
    const name = container?.name ?? id;
    let grace = action.grace ?? pod.spec?.terminationGracePeriodSeconds ?? 30;
    if (action.reason === 'Unhealthy') {
      grace =
        container?.livenessProbe?.terminationGracePeriodSeconds ??
        container?.startupProbe?.terminationGracePeriodSeconds ??
        grace;
    }
    this.#say(
      pod,
      'Normal',
      'Killing',
      action.reason === 'Unhealthy' ? `Container ${name} ${action.message}` : action.message,
      `spec.containers{${name}}`,
    );
    const hook = container?.lifecycle?.preStop;
    if (hook !== undefined && container !== undefined && grace > 0) {
      const started = clock.monotonic();
      const podIP = observed?.sandboxes.find((s) => s.ready)?.ips[0] ?? '';
      const within = new AbortController();
      const timer = clock.after(grace * 1000, () => within.abort());
      const result = await Promise.race([
        perform(hook, { containerId: id, container, podIP }, grace * 1000, runtime, clock, within.signal),
        clock.sleep(grace * 1000, within.signal).then(
          () => ({ ok: false, message: 'the grace period is over' }),
          () => ({ ok: false, message: 'the grace period is over' }),
        ),
      ]);
      timer.cancel();
      within.abort();
      if (!result.ok)
        this.#say(
          pod,
          'Warning',
          'FailedPreStopHook',
          `PreStopHook failed: ${result.message}`,
          `spec.containers{${name}}`,
        );
      grace = Math.max(MIN_STOP_TIMEOUT_S, Math.ceil(grace - (clock.monotonic() - started) / 1000));
    }
    await ignoreMissing(
      runtime.call('stopContainer', { container_id: id, timeout: grace }, { timeoutMs: (grace + 60) * 1000 }),
    );
  }

  async removeContainer(id: string): Promise<void> {
    await ignoreMissing(this.#o.runtime.call('removeContainer', { container_id: id }));
  }

  async stopSandbox(id: string): Promise<void> {
    await ignoreMissing(this.#o.runtime.call('stopPodSandbox', { pod_sandbox_id: id }));
  }

  /** Takes away all that is left of a pod: containers, sandboxes, logs, volumes, cgroups. */
  async removePod(uid: string, observed: ObservedPod | undefined): Promise<void> {
    const { runtime, volumes, cgroups, podLogsDir } = this.#o;
    await Promise.all(
      (observed?.containers ?? []).map((c) => ignoreMissing(runtime.call('removeContainer', { container_id: c.id }))),
    );
    for (const sandbox of observed?.sandboxes ?? []) {
      await this.stopSandbox(sandbox.id);
      await ignoreMissing(runtime.call('removePodSandbox', { pod_sandbox_id: sandbox.id }));
    }
    await volumes.tearDown(uid);
    await cgroups.removePod(uid);
    if (observed !== undefined) {
      rmSync(join(podLogsDir, `${observed.namespace}_${observed.name}_${uid}`), { recursive: true, force: true });
    }
  }

  /** The last words of a container that ended: at most 4 KiB, or the end of its log where the policy says so. */
  terminationMessage(file: string | undefined): string {
    if (file === undefined || file === '' || !existsSync(file)) return '';
    return readFileSync(file).subarray(0, MAX_MESSAGE_BYTES).toString('utf8');
  }

  #say(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string, fieldPath: string): void {
    this.#o.events.event(referenceTo(pod, fieldPath), type, reason, message);
  }

  async #pullSecrets(pod: Pod): Promise<AuthConfig[]> {
    const namespace = pod.metadata?.namespace ?? '';
    const auths: AuthConfig[] = [];
    for (const { name = '' } of pod.spec?.imagePullSecrets ?? []) {
      const secret = await found(this.#o.client.get(secrets, { namespace, name }));
      const json = secret?.data?.['.dockerconfigjson'];
      if (json === undefined) continue;
      auths.push(...registryAuths(Buffer.from(json, 'base64').toString('utf8')));
    }
    return auths;
  }
}

const MAX_MESSAGE_BYTES = 4096;
const HOOK_TIMEOUT_MS = 600_000;

class StartError extends Error {}

/** The credentials of a docker configuration; none where it is malformed. */
function registryAuths(text: string): AuthConfig[] {
  try {
    const { auths = {} } = JSON.parse(text) as {
      auths?: Record<string, { username?: string; password?: string; auth?: string }>;
    };
    return Object.entries(auths).map(([server, { username, password, auth }]) => ({
      server_address: server,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(auth === undefined ? {} : { auth }),
    }));
  } catch {
    return [];
  }
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}

async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isNotFound(error)) throw error;
  }
}
