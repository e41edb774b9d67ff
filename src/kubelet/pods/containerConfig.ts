/** From a container's spec to what the runtime needs to make it. */
import { join } from 'node:path';
import type { AppArmorProfile, Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import type { PodSpec } from '../../apis/core/podSpec.ts';
import {
  type ContainerConfig,
  type Device,
  type LinuxContainerResources,
  type LinuxContainerSecurityContext,
  type Mount,
  NAMESPACE_MODE,
  PROFILE_TYPE,
} from '../cri/messages.ts';
import type { Grants } from '../grants.ts';
import { assertStartable, ContainerConfigError, expand } from './environment.ts';
import { ANNOTATION, containerHash, LABEL, logPath } from './labels.ts';
import { resourcesKey } from './resize.ts';
import { namespaceOptions, STRICT } from './sandboxConfig.ts';

export interface ContainerSurroundings {
  /** what the runtime knows the image by */
  readonly imageRef: string;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly devices: readonly Device[];
  readonly grants: Grants;
  /** the folder that local seccomp profiles are named in */
  readonly seccompDir: string;
  readonly resources: LinuxContainerResources;
  readonly restarts: number;
  /** the id of the container whose processes it is to see */
  readonly target?: string;
  readonly terminationMessageFile: string;
  /** numeric or named user that the image asks for */
  readonly imageUser: { readonly uid?: number; readonly username?: string };
}

/** @throws ContainerConfigError where the spec cannot be met */
export function containerConfig(pod: Pod, container: Container, around: ContainerSurroundings): ContainerConfig {
  const { env, grants } = around;
  const meta = pod.metadata ?? {};
  let size = 0;
  const expanded = (texts: readonly string[] = []) =>
    texts.map((text) => {
      const whole = expand(text, env);
      size += whole.length;
      assertStartable(size);
      return whole;
    });
  return {
    metadata: { name: container.name, attempt: around.restarts },
    image: { image: around.imageRef, user_specified_image: container.image ?? '' },
    command: expanded(container.command),
    args: expanded(container.args),
    working_dir: container.workingDir ?? '',
    // What the pod says counts more than what a device brings.
    envs: [...new Map([...Object.entries(grants.envs ?? {}), ...env])].map(([key, value]) => ({ key, value })),
    mounts: [...around.mounts, ...(grants.mounts ?? [])],
    devices: [...around.devices, ...(grants.devices ?? [])],
    CDI_devices: (grants.cdiDevices ?? []).map((name) => ({ name })),
    labels: {
      [LABEL.podName]: meta.name ?? '',
      [LABEL.podNamespace]: meta.namespace ?? '',
      [LABEL.podUid]: meta.uid ?? '',
      [LABEL.containerName]: container.name,
    },
    annotations: {
      ...grants.annotations,
      [ANNOTATION.hash]: containerHash(container),
      [ANNOTATION.resources]: resourcesKey(container),
      [ANNOTATION.restartCount]: String(around.restarts),
      [ANNOTATION.terminationMessagePath]: container.terminationMessagePath ?? '',
      [ANNOTATION.terminationMessagePolicy]: container.terminationMessagePolicy ?? '',
      [ANNOTATION.terminationMessageFile]: around.terminationMessageFile,
    },
    log_path: logPath(container.name, around.restarts),
    stdin: container.stdin ?? false,
    stdin_once: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: {
      resources: {
        ...around.resources,
        ...(grants.cpus === undefined ? {} : { cpuset_cpus: grants.cpus }),
        ...(grants.memoryNodes === undefined ? {} : { cpuset_mems: grants.memoryNodes }),
      },
      security_context: securityContext(pod, container, around),
    },
  };
}

function securityContext(pod: Pod, container: Container, around: ContainerSurroundings): LinuxContainerSecurityContext {
  const spec = pod.spec ?? { containers: [] };
  const own = container.securityContext ?? {};
  const shared = spec.securityContext ?? {};
  const user = own.runAsUser ?? shared.runAsUser;
  const group = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) assertNotRoot(pod, container, user, around.imageUser);
  const seccomp = own.seccompProfile ?? shared.seccompProfile;
  const seLinux = own.seLinuxOptions ?? shared.seLinuxOptions;
  const privileged = own.privileged === true;
  const groups = [
    ...new Set([...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])]),
  ];
  return {
    namespace_options: namespacesOf(spec, around.target),
    privileged,
    readonly_rootfs: own.readOnlyRootFilesystem ?? false,
    ...(seLinux === undefined ? {} : { selinux_options: seLinux }),
    no_new_privs: own.allowPrivilegeEscalation === false,
    capabilities: { add_capabilities: own.capabilities?.add ?? [], drop_capabilities: own.capabilities?.drop ?? [] },
    ...userOf(user, around.imageUser),
    ...(group === undefined ? {} : { run_as_group: { value: group } }),
    supplemental_groups: groups,
    seccomp: {
      profile_type:
        seccomp?.type === 'RuntimeDefault'
          ? PROFILE_TYPE.runtimeDefault
          : seccomp?.type === 'Localhost'
            ? PROFILE_TYPE.localhost
            : PROFILE_TYPE.unconfined,
      ...(seccomp?.localhostProfile === undefined
        ? {}
        : { localhost_ref: join(around.seccompDir, seccomp.localhostProfile) }),
    },
    ...appArmorOf(own.appArmorProfile ?? shared.appArmorProfile),
    ...(shared.supplementalGroupsPolicy === 'Strict' ? { supplemental_groups_policy: STRICT } : {}),
    ...(privileged || own.procMount === 'Unmasked'
      ? {}
      : { masked_paths: MASKED_PATHS, readonly_paths: READONLY_PATHS }),
  };
}

/** Without a profile the runtime applies its own, where the node has AppArmor. */
function appArmorOf(profile: AppArmorProfile | undefined): Pick<LinuxContainerSecurityContext, 'apparmor'> {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { apparmor: { profile_type: PROFILE_TYPE.runtimeDefault } };
    case 'Localhost':
      return { apparmor: { profile_type: PROFILE_TYPE.localhost, localhost_ref: profile.localhostProfile ?? '' } };
    case 'Unconfined':
      return { apparmor: { profile_type: PROFILE_TYPE.unconfined } };
    default:
      return {};
  }
}

function namespacesOf(spec: PodSpec, target: string | undefined) {
  const options = namespaceOptions(spec);
  // Where all processes of the pod are seen, those of the target are among them.
  if (target === undefined || options.pid !== NAMESPACE_MODE.container) return options;
  return { ...options, pid: NAMESPACE_MODE.target, target_id: target };
}

/** A group without a user is refused by the runtime, so the image's own user is named too. */
function userOf(user: number | undefined, image: ContainerSurroundings['imageUser']): LinuxContainerSecurityContext {
  if (user !== undefined) return { run_as_user: { value: user } };
  if (image.uid !== undefined) return { run_as_user: { value: image.uid } };
  return image.username === undefined ? {} : { run_as_username: image.username };
}

const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

/** @throws ContainerConfigError */
function assertNotRoot(
  pod: Pod,
  container: Container,
  user: number | undefined,
  image: ContainerSurroundings['imageUser'],
): void {
  const uid = user ?? image.uid;
  if (uid !== undefined && uid !== 0) return;
  const { name, namespace, uid: podUid } = pod.metadata ?? {};
  const where = `(pod: ${JSON.stringify(`${name}_${namespace}(${podUid})`)}, container: ${container.name})`;
  if (uid === 0) {
    throw new ContainerConfigError(
      user === 0
        ? `container's runAsUser breaks non-root policy ${where}`
        : `container has runAsNonRoot and image will run as root ${where}`,
    );
  }
  if (image.username) {
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
    );
  }
  throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
}
