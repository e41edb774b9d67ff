/**
 * CPUs of their own for containers that ask for whole ones, under the policy `static`.
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/cpu-management-policies/
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import type { Logger } from '../../lib/log.ts';
import { milliValue } from '../../machinery/quantity.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import type { Grantor, Grants, Holdings } from '../grants.ts';
import type { Failure } from '../status/podStatus.ts';
import { formatCpus, parseCpus, without } from './cpuSet.ts';
import { type Cpu, takeCpus } from './topology.ts';

export interface CpuManagerOptions {
  readonly configuration: Pick<KubeletConfiguration, 'reservedSystemCPUs' | 'systemReserved' | 'kubeReserved'>;
  /** where it is kept who has which */
  readonly stateFile: string;
  readonly topology: readonly Cpu[];
  readonly log: Logger;
}

/** By pod, then by container. */
type Entries = Map<string, Map<string, readonly number[]>>;

export class CpuManager implements Grantor {
  readonly #o: CpuManagerOptions;
  readonly #all: readonly number[];
  readonly #reserved: readonly number[];
  #entries: Entries;

  /** @throws Error where nothing is reserved for the system: containers could take every CPU */
  constructor(options: CpuManagerOptions) {
    this.#o = options;
    this.#all = options.topology.map(({ id }) => id);
    this.#reserved = reservedOf(options);
    if (this.#reserved.length === 0)
      throw new Error('the static policy requires systemReserved.cpu + kubeReserved.cpu to be greater than zero');
    this.#entries = readState(options.stateFile, options.log);
  }

  /** What containers share that have none of their own. */
  shared(): string {
    return formatCpus(without(this.#all, this.#taken()));
  }

  /** The container's own CPUs, or those that all share. */
  cpusOf(uid: string, container: string): string {
    const own = this.#entries.get(uid)?.get(container);
    return own === undefined ? this.shared() : formatCpus(own);
  }

  async allocate(pod: Pod, active: readonly Pod[]): Promise<Failure | undefined> {
    this.release(active, pod.metadata?.uid ?? '');
    const uid = pod.metadata?.uid ?? '';
    const wanted = exclusiveOf(pod);
    if (wanted.length === 0 || this.#entries.has(uid)) return undefined;
    const own = new Map<string, readonly number[]>();
    // Init containers have ended when the others begin: what they had is free for them.
    let reusable: readonly number[] = [];
    for (const { container, count, init } of wanted) {
      const taken = new Set([...this.#taken(), ...this.#reserved, ...[...own.values()].flat()]);
      for (const id of reusable) taken.delete(id);
      const free = without(this.#all, taken);
      const found = takeCpus(this.#o.topology, free, count);
      if (found === undefined) {
        const why = `not enough cpus available to satisfy request: requested=${count}, available=${free.length}`;
        return { reason: 'UnexpectedAdmissionError', message: `Allocate failed due to ${why}, which is unexpected` };
      }
      own.set(container.name, found);
      reusable = init ? [...reusable, ...found] : without([...reusable], found);
    }
    this.#entries.set(uid, own);
    await this.#write();
    return undefined;
  }

  async grants(pod: Pod, container: Container): Promise<Grants> {
    return { cpus: this.cpusOf(pod.metadata?.uid ?? '', container.name) };
  }

  /** The CPUs that a container has for itself. */
  holdings(uid: string, container: string): Holdings {
    return { cpus: this.#entries.get(uid)?.get(container) ?? [] };
  }

  /** Those that are not kept for the system. */
  holdable(): Holdings {
    return { cpus: without(this.#all, this.#reserved) };
  }

  /** What pods had that are no more is free. True where something was. */
  release(active: readonly Pod[], also = ''): boolean {
    const stays = new Set([also, ...active.map((p) => p.metadata?.uid ?? '')]);
    let changed = false;
    for (const uid of this.#entries.keys()) if (!stays.has(uid)) changed = this.#entries.delete(uid) || changed;
    return changed;
  }

  #taken(): number[] {
    return [...this.#entries.values()].flatMap((containers) => [...containers.values()].flat());
  }

  async #write(): Promise<void> {
    const { stateFile } = this.#o;
    const entries = Object.fromEntries(
      [...this.#entries].map(([uid, containers]) => [
        uid,
        Object.fromEntries([...containers].map(([name, cpus]) => [name, formatCpus(cpus)])),
      ]),
    );
    const state = { policyName: 'static', defaultCpuSet: this.shared(), entries };
    await writeFile(`${stateFile}.new`, JSON.stringify(state), { mode: 0o600 });
    await rename(`${stateFile}.new`, stateFile);
  }
}

/** Containers of a guaranteed pod that ask for whole CPUs. */
function exclusiveOf({ spec }: Pod): { container: Container; count: number; init: boolean }[] {
  if (spec === undefined || qosClassOf(spec) !== 'Guaranteed') return [];
  const inits = spec.initContainers ?? [];
  return [...inits, ...spec.containers].flatMap((container) => {
    const milli = milliValue(container.resources?.requests?.cpu ?? container.resources?.limits?.cpu ?? 0);
    if (milli === 0 || milli % 1000 !== 0) return [];
    return [
      { container, count: milli / 1000, init: inits.includes(container) && container.restartPolicy !== 'Always' },
    ];
  });
}

function reservedOf({ configuration, topology }: CpuManagerOptions): number[] {
  const { reservedSystemCPUs, systemReserved, kubeReserved } = configuration;
  if (reservedSystemCPUs !== '') return parseCpus(reservedSystemCPUs);
  const milli = milliValue(systemReserved.cpu ?? 0) + milliValue(kubeReserved.cpu ?? 0);
  const ids = topology.map(({ id }) => id);
  return takeCpus(topology, ids, Math.ceil(milli / 1000)) ?? ids;
}

function readState(path: string, log: Logger): Entries {
  try {
    const { entries = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
      entries?: Record<string, Record<string, string>>;
    };
    return new Map(
      Object.entries(entries).map(([uid, containers]) => [
        uid,
        new Map(Object.entries(containers).map(([name, cpus]) => [name, parseCpus(cpus)])),
      ]),
    );
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn('who has which CPU is not known any more', { err, path });
    return new Map();
  }
}
