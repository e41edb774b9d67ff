/** Lists of CPUs as the kernel writes them: `0-3,8`. Pure. */

const MAX_CPU = 4096;

/** In order, each once. @throws Error for what is no list */
export function parseCpus(text: string): number[] {
  const cpus = new Set<number>();
  for (const part of text.trim() === '' ? [] : text.trim().split(',')) {
    const [, from, to = from] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(part) ?? [];
    if (from === undefined || Number(to) < Number(from) || Number(to) > MAX_CPU)
      throw new Error(`${JSON.stringify(text)} is no list of CPUs`);
    for (let cpu = Number(from); cpu <= Number(to); cpu++) cpus.add(cpu);
  }
  return sorted(cpus);
}

export function formatCpus(cpus: Iterable<number>): string {
  const parts: string[] = [];
  let from: number | undefined;
  let last: number | undefined;
  const close = () => {
    if (from !== undefined) parts.push(from === last ? String(from) : `${from}-${last}`);
  };
  for (const cpu of sorted(cpus)) {
    if (last === undefined || cpu !== last + 1) {
      close();
      from = cpu;
    }
    last = cpu;
  }
  close();
  return parts.join(',');
}

export function without(cpus: readonly number[], taken: Iterable<number>): number[] {
  const gone = new Set(taken);
  return cpus.filter((cpu) => !gone.has(cpu));
}

const sorted = (cpus: Iterable<number>) => [...new Set(cpus)].sort((a, b) => a - b);
