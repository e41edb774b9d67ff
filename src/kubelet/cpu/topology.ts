/** Which CPUs share a core and a socket, and which to take so that they belong together. */
import { readFileSync } from 'node:fs';
import { parseCpus } from './cpuSet.ts';

export interface Cpu {
  readonly id: number;
  readonly core: number;
  readonly socket: number;
}

/** Of this machine. @throws the file system's error */
export function readTopology(root = '/sys/devices/system/cpu'): Cpu[] {
  const number = (id: number, file: string) => {
    try {
      return Number(readFileSync(`${root}/cpu${id}/topology/${file}`, 'utf8'));
    } catch {
      return undefined;
    }
  };
  return parseCpus(readFileSync(`${root}/online`, 'utf8')).map((id) => ({
    id,
    core: number(id, 'core_id') ?? id,
    socket: number(id, 'physical_package_id') ?? 0,
  }));
}

/**
 * So many of those that are free: whole sockets first, then whole cores, then what is on cores that others use
 * already, so that whole ones stay. Undefined where there are too few. Pure.
 * @param all every CPU of the machine
 */
export function takeCpus(all: readonly Cpu[], free: readonly number[], count: number): number[] | undefined {
  if (free.length < count) return undefined;
  const isFree = new Set(free);
  const taken: number[] = [];
  const takeWhole = (keyOf: (cpu: Cpu) => string) => {
    for (const group of groupsOf(all, keyOf).values()) {
      const left = group.filter((id) => isFree.has(id));
      if (left.length !== group.length || group.length > count - taken.length) continue;
      for (const id of left) isFree.delete(id);
      taken.push(...left);
    }
  };
  takeWhole(({ socket }) => String(socket));
  takeWhole(({ socket, core }) => `${socket}/${core}`);
  const cores = groupsOf(all, ({ socket, core }) => `${socket}/${core}`);
  const rest = [...cores.values()]
    .map((group) => ({ left: group.filter((id) => isFree.has(id)), size: group.length }))
    .sort((a, b) => Number(b.left.length < b.size) - Number(a.left.length < a.size));
  for (const { left } of rest) for (const id of left) if (taken.length < count) taken.push(id);
  return taken.sort((a, b) => a - b);
}

function groupsOf(all: readonly Cpu[], keyOf: (cpu: Cpu) => string): ReadonlyMap<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const cpu of all) {
    const group = groups.get(keyOf(cpu));
    if (group === undefined) groups.set(keyOf(cpu), [cpu.id]);
    else group.push(cpu.id);
  }
  return groups;
}
