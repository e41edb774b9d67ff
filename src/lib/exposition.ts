/**
 * Metrics as Prometheus reads them.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export type Labels = Readonly<Record<string, string>>;

/** Values of one metric under one name. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: Iterable<Sample>;
}

export interface Sample {
  readonly labels: Labels;
  readonly value: number | Histogram;
}

/** How many of what was observed were at most as large as each bound. */
export class Histogram {
  readonly #bounds: readonly number[];
  /** of each bucket by itself; the last is what is above all bounds */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  /** A hot path: most of what is observed falls into the first bucket. */
  observe(value: number): void {
    let i = 0;
    while (i < this.#bounds.length && value > (this.#bounds[i] as number)) i++;
    this.#counts[i] = (this.#counts[i] as number) + 1;
    this.#sum += value;
  }

  *lines(name: string, labels: Labels): Generator<string> {
    let count = 0;
    for (const [i, of] of this.#counts.entries()) {
      count += of;
      const bound = this.#bounds[i];
      yield `${name}_bucket${labelText({ ...labels, le: bound === undefined ? '+Inf' : String(bound) })} ${count}`;
    }
    yield `${name}_sum${labelText(labels)} ${this.#sum}`;
    yield `${name}_count${labelText(labels)} ${count}`;
  }
}

/** The whole text. Families without samples are left out. */
export function exposition(families: Iterable<Family>): string {
  const lines: string[] = [];
  for (const { name, help, type, samples } of families) {
    let named = false;
    for (const { labels, value } of samples) {
      if (!named) lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      named = true;
      if (value instanceof Histogram) lines.push(...value.lines(name, labels));
      else lines.push(`${name}${labelText(labels)} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
