/** Brings one container of a pod to life: its image, its configuration, the container, its postStart hook. */
import { join } from 'node:path';
import { configMaps } from '../../apis/core/configMap.ts';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { secrets } from '../../apis/core/secret.ts';
import type { Service } from '../../apis/core/service.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/eventRecorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Gate } from '../../lib/gate.ts';
import type { Logger } from '../../lib/log.ts';
import { isApiError } from '../../machinery/status.ts';
import type { RuntimeFeatures } from '../cri/features.ts';
import type { AuthConfig, Image } from '../cri/messages.ts';
import type { ContainerRuntime } from '../cri/runtime.ts';
import type { AtFaultPoint } from '../faultPoints.ts';
import type { Grantor } from '../grants.ts';
import { ImageError, type ImagePuller } from '../images/puller.ts';
import { registryAuths } from '../images/pullSecrets.ts';
import type { Machine } from '../machine/machine.ts';
import { podCgroup } from '../resources/cgroups.ts';
import { containerResources } from '../resources/limits.ts';
import { podIPsOf } from '../status/podStatus.ts';
import { unlessAborted } from './aborting.ts';
import { containerConfig } from './containerConfig.ts';
import { containerReference } from './containerReference.ts';
import type { DnsConfig } from './dns.ts';
import { ContainerConfigError, environmentOf } from './environment.ts';
import type { ObservedSandbox } from './observed.ts';
import type { Waiting } from './plan.ts';
import type { RuntimeHandlers } from './runtimeHandlers.ts';
import { sandboxConfig } from './sandboxConfig.ts';

/** What is said of images that are not even asked for. */
const EVENT_OF_IMAGE: { readonly [reason in ImageError['reason']]?: string } = {
  ErrImageNeverPull: 'ErrImageNeverPull',
  InvalidImageName: 'InspectFailed',
};

export interface ContainerStartOptions {
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly images: ImagePuller;
  readonly machine: Machine;
  readonly grantor: Grantor;
  readonly features: RuntimeFeatures;
  readonly handlers: RuntimeHandlers;
  readonly at?: AtFaultPoint | undefined;
  readonly events: EventRecorder;
  /** how many containers are made at the same time; pulls do not count */
  readonly gate: Gate;
  readonly clock: Clock;
  readonly log: Logger;
  readonly podLogsDir: string;
  readonly dns: DnsConfig;
  readonly hostIPs: readonly string[];
  services(): readonly Service[];
}

/** What is to be started. */
export interface Start {
  readonly container: Container;
  /** which run of the container this is */
  readonly restarts: number;
  /** the id of the container whose processes it is to see */
  readonly target?: string;
}

/** A start failed in a way that the container's status tells. */
export interface StartFailure {
  readonly container: string;
  readonly waiting: Waiting;
  /** the image that could not be had, where it is not the container's own but the content of a volume */
  readonly image?: string;
  /** when to try again, in ms since the epoch */
  readonly retryAt: number;
}

const RETRY_MS = 10_000;
const HOOK_TIMEOUT_MS = 600_000;

/** What a container's status waits for after a start that failed so. */
class StartError extends Error {
  readonly reason: 'RunContainerError' | 'PostStartHookError' | 'CreateContainerError';
  constructor(reason: StartError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export class ContainerStarter {
  readonly #o: ContainerStartOptions;

  constructor(options: ContainerStartOptions) {
    this.#o = options;
  }

  /**
   * Undefined where the container runs now, or where the signal said that it need not.
   */
  async start(
    pod: Pod,
    sandbox: ObservedSandbox,
    start: Start,
    signal: AbortSignal,
  ): Promise<StartFailure | undefined> {
    const { container } = start;
    try {
      const image = await unlessAborted(signal, this.#image(pod, container));
      await unlessAborted(signal, this.#imageVolumes(pod, container));
      await this.#o.at?.('imageThere', pod.metadata?.uid ?? '');
      const id = await this.#o.gate.pass(async () => {
        signal.throwIfAborted();
        return this.#run(pod, sandbox, start, image);
      });
      await unlessAborted(signal, this.#postStart(pod, sandbox, container, id));
      await this.#o.at?.('postStartDone', pod.metadata?.uid ?? '');
      return undefined;
    } catch (error) {
      if (signal.aborted) return undefined;
      return this.#explain(pod, container, error as Error);
    }
  }

  #explain(pod: Pod, container: Container, error: Error): StartFailure {
    const { images, clock, log } = this.#o;
    const failure = (reason: string, retryAt = clock.now() + RETRY_MS) => ({
      container: container.name,
      waiting: { reason, message: error.message },
      retryAt,
    });
    if (error instanceof ImageError) {
      const event = EVENT_OF_IMAGE[error.reason];
      if (event !== undefined) this.#say(pod, container, 'Warning', event, error.message);
      if (error.reason !== 'ImagePullBackOff') this.#say(pod, container, 'Warning', 'Failed', `Error: ${error.reason}`);
      const { volume } = error;
      const failed = failure(error.reason, images.retryAt(volume ?? container.image ?? ''));
      return volume === undefined ? failed : { ...failed, image: volume };
    }
    const reason =
      error instanceof ContainerConfigError
        ? 'CreateContainerConfigError'
        : error instanceof StartError
          ? error.reason
          : 'CreateContainerError';
    this.#say(pod, container, 'Warning', 'Failed', `Error: ${error.message}`);
    log.info('a container could not be started', {
      err: error,
      container: container.name,
      pod: pod.metadata?.name,
      namespace: pod.metadata?.namespace,
    });
    return failure(reason);
  }

  /** The images that the container has as volumes. @throws ImageError and VolumeError */
  async #imageVolumes(pod: Pod, container: Container): Promise<void> {
    const used = new Set(container.volumeMounts?.map((mount) => mount.name));
    for (const { name, image } of pod.spec?.volumes ?? []) {
      if (image === undefined || !used.has(name)) continue;
      const { reference = '', pullPolicy } = image;
      const wanted = {
        ...container,
        image: reference,
        ...(pullPolicy === undefined ? {} : { imagePullPolicy: pullPolicy }),
      };
      const { id } = await this.#image(pod, wanted).catch((error: unknown) => {
        throw error instanceof ImageError ? new ImageError(error.reason, error.message, reference) : error;
      });
      await this.#o.machine.mountImage(pod, name, id);
    }
  }

  async #image(pod: Pod, container: Container): Promise<Image & { id: string }> {
    const say = (type: 'Normal' | 'Warning', reason: string, message: string) =>
      this.#say(pod, container, type, reason, message);
    return this.#o.images.ensure(container, await this.#pullSecrets(pod), {
      pulling: (name) => say('Normal', 'Pulling', `Pulling image ${JSON.stringify(name)}`),
      present: (name) =>
        say(
          'Normal',
          'Pulled',
          `Container image ${JSON.stringify(name)} already present on machine and can be accessed by the pod`,
        ),
      pulled: (name, ms, wholeMs, bytes) =>
        say(
          'Normal',
          'Pulled',
          `Successfully pulled image ${JSON.stringify(name)} in ${ms}ms (${wholeMs}ms including waiting). Image size: ${bytes} bytes.`,
        ),
      failed: (name, why) => say('Warning', 'Failed', `Failed to pull image ${JSON.stringify(name)}: ${why}`),
      backingOff: (name) => say('Normal', 'BackOff', `Back-off pulling image ${JSON.stringify(name)}`),
    });
  }

  /** Makes and starts the container; returns its id. */
  async #run(
    pod: Pod,
    sandbox: ObservedSandbox,
    { container, restarts, target }: Start,
    image: Image & { id: string },
  ): Promise<string> {
    const o = this.#o;
    const located = locate(pod, sandbox, o.hostIPs);
    const namespace = pod.metadata?.namespace ?? '';
    const env = await environmentOf(located, container, {
      configMap: (name) => found(o.client.get(configMaps, { namespace, name })),
      secret: (name) => found(o.client.get(secrets, { namespace, name })),
      file: (volume, path) => o.machine.volumeFile(pod, volume, path),
      services: o.services(),
      nodeAllocatable: o.machine.allocatable,
      skipped: (keys, source) => {
        const message = `Keys [${keys.join(', ')}] from the EnvFrom ${source} were skipped since they are considered invalid environment variable names.`;
        this.#say(pod, container, 'Warning', 'InvalidEnvironmentVariableNames', message);
      },
    });
    const { clusterDomain } = o.dns;
    const recursiveReadOnly = o.features.recursiveReadOnly(await o.handlers.of(pod));
    const files = { pod: located, container, restarts, env, ips: sandbox.ips, clusterDomain, recursiveReadOnly };
    const { mounts, devices, messageFile } = await o.machine.containerFiles(files);
    const config = containerConfig(pod, container, {
      imageRef: image.id,
      env,
      mounts,
      devices,
      grants: await o.grantor.grants(pod, container),
      seccompDir: join(o.machine.rootDir, 'seccomp'),
      resources: containerResources(pod, container, o.machine.memoryBytes),
      restarts,
      ...(target === undefined ? {} : { target }),
      terminationMessageFile: messageFile,
      imageUser: {
        ...(image.uid === undefined ? {} : { uid: image.uid.value ?? 0 }),
        ...(image.username ? { username: image.username } : {}),
      },
    });
    const surroundings = { podLogsDir: o.podLogsDir, cgroupParent: podCgroup(pod), dns: o.dns };
    const { container_id: id = '' } = await o.runtime.call('createContainer', {
      pod_sandbox_id: sandbox.id,
      config,
      sandbox_config: sandboxConfig(pod, sandbox.attempt, surroundings),
    });
    await o.at?.('containerCreated', pod.metadata?.uid ?? '');
    this.#say(pod, container, 'Normal', 'Created', 'Container created');
    try {
      await o.runtime.call('startContainer', { container_id: id });
    } catch (error) {
      throw new StartError('RunContainerError', (error as Error).message);
    }
    await o.at?.('containerStarted', pod.metadata?.uid ?? '');
    this.#say(pod, container, 'Normal', 'Started', 'Container started');
    return id;
  }

  async #postStart(pod: Pod, sandbox: ObservedSandbox, container: Container, id: string): Promise<void> {
    const hook = container.lifecycle?.postStart;
    if (hook === undefined) return;
    const { runtime, machine, clock, hostIPs } = this.#o;
    const target = { containerId: id, container, podIP: podIPsOf(pod, sandbox.ips, hostIPs)[0] ?? '' };
    const result = await machine.perform(hook, target, HOOK_TIMEOUT_MS, { runtime, clock, hook: true });
    if (result.warning !== undefined) this.#say(pod, container, 'Warning', 'LifecycleHTTPFallback', result.warning);
    if (result.ok) return;
    this.#say(pod, container, 'Warning', 'FailedPostStartHook', `PostStartHook failed: ${result.message}`);
    const message = `Container ${container.name} failed post start hook, will be restarted`;
    this.#say(pod, container, 'Normal', 'Killing', message);
    const timeout = pod.spec?.terminationGracePeriodSeconds ?? 30;
    await runtime.call('stopContainer', { container_id: id, timeout }, { timeoutMs: (timeout + 60) * 1000 });
    throw new StartError('PostStartHookError', `PostStart hook failed: ${result.message}`);
  }

  #say(pod: Pod, container: Container, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#o.events.event(containerReference(pod, container.name), type, reason, message);
  }

  async #pullSecrets(pod: Pod): Promise<AuthConfig[]> {
    const namespace = pod.metadata?.namespace ?? '';
    const auths: AuthConfig[] = [];
    for (const { name = '' } of pod.spec?.imagePullSecrets ?? []) {
      const secret = await found(this.#o.client.get(secrets, { namespace, name }));
      if (secret !== undefined) auths.push(...registryAuths(secret));
    }
    return auths;
  }
}

/** The pod with the addresses that its status will have. */
function locate(pod: Pod, sandbox: ObservedSandbox, hostIPs: readonly string[]): Pod {
  const ips = podIPsOf(pod, sandbox.ips, hostIPs);
  return {
    ...pod,
    status: {
      ...pod.status,
      ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0] }),
      hostIPs: hostIPs.map((ip) => ({ ip })),
      podIPs: ips.map((ip) => ({ ip })),
      ...(ips[0] === undefined ? {} : { podIP: ips[0] }),
    },
  };
}

async function found<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (isApiError(error, 'NotFound')) return undefined;
    throw error;
  }
}
