/**
 * Memory of one NUMA node, or as few as hold it, for containers of guaranteed pods, under the policy `Static`.
 * Source: https://kubernetes.io/docs/tasks/administer-cluster/memory-manager/
 */
import { readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import type { Container } from '../../apis/core/container.ts';
import type { Pod } from '../../apis/core/pod.ts';
import { qosClassOf } from '../../apis/core/qos.ts';
import type { Logger } from '../../lib/log.ts';
import { wholeValue } from '../../machinery/quantity.ts';
import type { KubeletConfiguration } from '../config/configuration.ts';
import { formatCpus, parseCpus } from '../cpu/cpuSet.ts';
import { amountOf, thresholdsOf } from '../eviction/thresholds.ts';
import type { Grantor, Grants, Holdings } from '../grants.ts';
import type { Failure } from '../status/podStatus.ts';

/** A NUMA node of the machine. */
export interface MemoryNode {
  readonly id: number;
  readonly bytes: number;
}

type Told = Pick<KubeletConfiguration, 'reservedMemory' | 'systemReserved' | 'kubeReserved' | 'evictionHard'>;

export interface MemoryManagerOptions {
  readonly configuration: Told;
  /** where it is kept who has which */
  readonly stateFile: string;
  readonly nodes: readonly MemoryNode[];
  readonly log: Logger;
}

interface Block {
  readonly nodes: readonly number[];
  readonly bytes: number;
}

/** By pod, then by container. */
type Blocks = Map<string, Map<string, Block>>;

export class MemoryManager implements Grantor {
  readonly #o: MemoryManagerOptions;
  readonly #blocks: Blocks;

  /** @throws Error where not as much is reserved on the nodes as is reserved in all */
  constructor(options: MemoryManagerOptions) {
    this.#o = options;
    const [told, reserved] = [reservedInAll(options), reservedOnNodes(options.configuration)];
    if (told !== reserved)
      throw new Error(
        `the total amount of memory ${reserved} in reservedMemory does not equal the ${told} of node allocatable`,
      );
    this.#blocks = readState(options.stateFile, options.log);
  }

  async allocate(pod: Pod, active: readonly Pod[]): Promise<Failure | undefined> {
    const uid = pod.metadata?.uid ?? '';
    const stays = new Set([uid, ...active.map((p) => p.metadata?.uid ?? '')]);
    for (const other of this.#blocks.keys()) if (!stays.has(other)) this.#blocks.delete(other);
    if (this.#blocks.has(uid)) return undefined;
    const own = new Map<string, Block>();
    let initial: Block | undefined;
    for (const { container, bytes, init } of wantedBy(pod)) {
      // Init containers have ended when the others begin: the largest of them counts.
      const again = initial !== undefined && initial.bytes >= bytes ? initial : undefined;
      const nodes = again?.nodes ?? this.#choose(bytes, own);
      if (nodes === undefined) {
        const why = '[memorymanager] no NUMA nodes have enough memory for the container';
        return { reason: 'UnexpectedAdmissionError', message: `Allocate failed due to ${why}, which is unexpected` };
      }
      const block = { nodes, bytes: again === undefined ? bytes : 0 };
      own.set(container.name, block);
      initial = init ? (again ?? block) : undefined;
    }
    if (own.size === 0) return undefined;
    this.#blocks.set(uid, own);
    await this.#write();
    return undefined;
  }

  async grants(pod: Pod, container: Container): Promise<Grants> {
    const nodes = this.#blocks.get(pod.metadata?.uid ?? '')?.get(container.name)?.nodes;
    return nodes === undefined ? {} : { memoryNodes: formatCpus(nodes) };
  }

  /** The memory that was set aside for a container. */
  holdings(uid: string, container: string): Holdings {
    const block = this.#blocks.get(uid)?.get(container);
    return block === undefined ? {} : { memory: [block] };
  }

  /** What of each node is not kept for the system. */
  holdable(): Holdings {
    const { nodes, configuration } = this.#o;
    return {
      memory: nodes.map(({ id, bytes }) => ({ bytes: bytes - reservedOnNodes(configuration, id), nodes: [id] })),
    };
  }

  /** One node where one is enough, that with the least left; else as few as it takes, those with the most left. */
  #choose(bytes: number, more: ReadonlyMap<string, Block>): number[] | undefined {
    const free = this.#free(more);
    const one = free.filter((node) => node.left >= bytes).sort((a, b) => a.left - b.left)[0];
    if (one !== undefined) return [one.id];
    const chosen: number[] = [];
    let found = 0;
    for (const { id, left } of free.sort((a, b) => b.left - a.left)) {
      chosen.push(id);
      found += left;
      if (found >= bytes) return chosen.sort((a, b) => a - b);
    }
    return undefined;
  }

  #free(more: ReadonlyMap<string, Block>): { readonly id: number; readonly left: number }[] {
    const blocks = [...[...this.#blocks.values()].flatMap((own) => [...own.values()]), ...more.values()];
    const left = new Map(
      this.#o.nodes.map(({ id, bytes }) => [id, bytes - reservedOnNodes(this.#o.configuration, id)] as const),
    );
    for (const { nodes, bytes } of blocks) {
      let rest = bytes;
      for (const [i, id] of nodes.entries()) {
        const taken = i === nodes.length - 1 ? rest : Math.min(rest, left.get(id) ?? 0);
        left.set(id, (left.get(id) ?? 0) - taken);
        rest -= taken;
      }
    }
    return [...left].map(([id, of]) => ({ id, left: Math.max(0, of) }));
  }

  async #write(): Promise<void> {
    const { stateFile } = this.#o;
    const entries = Object.fromEntries([...this.#blocks].map(([uid, own]) => [uid, Object.fromEntries(own)]));
    await writeFile(`${stateFile}.new`, JSON.stringify({ policyName: 'Static', entries }), { mode: 0o600 });
    await rename(`${stateFile}.new`, stateFile);
  }
}

function wantedBy({ spec }: Pod): { container: Container; bytes: number; init: boolean }[] {
  if (spec === undefined || qosClassOf(spec) !== 'Guaranteed') return [];
  const inits = spec.initContainers ?? [];
  return [...inits, ...spec.containers].flatMap((container) => {
    const { requests, limits } = container.resources ?? {};
    const bytes = wholeValue(requests?.memory ?? limits?.memory ?? 0);
    const init = inits.includes(container) && container.restartPolicy !== 'Always';
    return bytes === 0 ? [] : [{ container, bytes, init }];
  });
}

/** What of all memory is not for pods. */
function reservedInAll({ configuration, nodes }: MemoryManagerOptions): number {
  const { systemReserved, kubeReserved, evictionHard } = configuration;
  const capacity = nodes.reduce((sum, { bytes }) => sum + bytes, 0);
  const hard = thresholdsOf({
    evictionHard,
    evictionSoft: {},
    evictionSoftGracePeriod: {},
    evictionMinimumReclaim: {},
  });
  const kept = hard.find(({ signal }) => signal === 'memory.available');
  const eviction = kept === undefined ? 0 : Math.ceil(amountOf(kept.value, capacity));
  return wholeValue(systemReserved.memory ?? 0) + wholeValue(kubeReserved.memory ?? 0) + eviction;
}

/** @param node absent: on all */
function reservedOnNodes({ reservedMemory }: Told, node?: number): number {
  return reservedMemory
    .filter(({ numaNode }) => node === undefined || numaNode === node)
    .reduce((sum, { limits }) => sum + wholeValue(limits.memory ?? 0), 0);
}

function readState(path: string, log: Logger): Blocks {
  try {
    const { entries = {} } = JSON.parse(readFileSync(path, 'utf8')) as {
      entries?: Record<string, Record<string, Block>>;
    };
    return new Map(Object.entries(entries).map(([uid, own]) => [uid, new Map(Object.entries(own))]));
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'ENOENT')
      log.warn('who has which memory is not known any more', { err, path });
    return new Map();
  }
}

/** The NUMA nodes of this machine; one where the kernel tells of none. @param all bytes of memory that there are */
export function readMemoryNodes(all: number, root = '/sys/devices/system/node'): MemoryNode[] {
  try {
    return parseCpus(readFileSync(`${root}/has_memory`, 'utf8')).map((id) => {
      const kilobytes = /MemTotal:\s+(\d+) kB/.exec(readFileSync(`${root}/node${id}/meminfo`, 'utf8'))?.[1];
      return { id, bytes: Number(kilobytes ?? 0) * 1024 };
    });
  } catch {
    return [{ id: 0, bytes: all }];
  }
}
