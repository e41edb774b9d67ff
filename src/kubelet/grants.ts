/** What containers are given of the node's own besides cpu and memory: devices, CPUs of their own. */
import type { Container } from '../apis/core/container.ts';
import type { Pod } from '../apis/core/pod.ts';
import type { Device, Mount } from './cri/messages.ts';
import type { Failure } from './status/podStatus.ts';

export interface Grants {
  readonly envs?: Readonly<Record<string, string>>;
  readonly mounts?: readonly Mount[];
  readonly devices?: readonly Device[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly cdiDevices?: readonly string[];
  /** a list of CPUs: `0-1,4` */
  readonly cpus?: string;
  /** a list of NUMA nodes whose memory it has: `0` */
  readonly memoryNodes?: string;
}

/** What a container has for itself, as monitoring asks for it. */
export interface Holdings {
  /** `nodes`: the NUMA nodes that it is near to */
  readonly devices?: readonly { readonly resource: string; readonly id: string; readonly nodes: readonly number[] }[];
  readonly cpus?: readonly number[];
  /** blocks of memory, each on NUMA nodes */
  readonly memory?: readonly { readonly bytes: number; readonly nodes: readonly number[] }[];
}

/** All of them together. */
export function joined(all: readonly Holdings[]): Holdings {
  return {
    devices: all.flatMap((h) => h.devices ?? []),
    cpus: all.flatMap((h) => h.cpus ?? []),
    memory: all.flatMap((h) => h.memory ?? []),
  };
}

/** Gives out what there is only so much of. */
export interface Grantor {
  /** Sets aside what a pod needs. @param active all pods that have their place here. Resolves with why it cannot be. */
  allocate(pod: Pod, active: readonly Pod[]): Promise<Failure | undefined>;
  /** What was set aside for a container, which is about to start. @throws Error where it is not to start */
  grants(pod: Pod, container: Container): Promise<Grants>;
}

/** Several as one. The first that refuses is heard. */
export function together(grantors: readonly Grantor[]): Grantor {
  return {
    async allocate(pod, active) {
      for (const grantor of grantors) {
        const failure = await grantor.allocate(pod, active);
        if (failure !== undefined) return failure;
      }
      return undefined;
    },
    async grants(pod, container) {
      const all = await Promise.all(grantors.map((grantor) => grantor.grants(pod, container)));
      const cpus = all.find((g) => g.cpus !== undefined)?.cpus;
      const memoryNodes = all.find((g) => g.memoryNodes !== undefined)?.memoryNodes;
      return {
        envs: Object.assign({}, ...all.map((g) => g.envs)),
        mounts: all.flatMap((g) => g.mounts ?? []),
        devices: all.flatMap((g) => g.devices ?? []),
        annotations: Object.assign({}, ...all.map((g) => g.annotations)),
        cdiDevices: all.flatMap((g) => g.cdiDevices ?? []),
        ...(cpus === undefined ? {} : { cpus }),
        ...(memoryNodes === undefined ? {} : { memoryNodes }),
      };
    },
  };
}
