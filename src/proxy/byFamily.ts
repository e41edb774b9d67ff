/** The rules of both families of addresses, each apart from the other. */
import type { Family } from './backends.ts';
import type { ServicePort } from './plan.ts';
import type { Rules } from './rules.ts';

/** Scripts are handed on with such a line before each family's part. */
const HEAD = '# IPv';

export class RulesByFamily implements Rules {
  readonly #families: readonly (readonly [Family, Rules])[];

  /** Ports of families that are not there have no rules. */
  constructor(families: readonly (readonly [Family, Rules])[]) {
    this.#families = families;
  }

  change(changes: ReadonlyMap<string, readonly ServicePort[] | undefined>): string {
    return this.#families
      .map(([family, rules]) => {
        const own = new Map(
          [...changes].map(([key, ports]) => {
            const some = ports?.filter((port) => port.family === family) ?? [];
            return [key, some.length === 0 ? undefined : some] as const;
          }),
        );
        const script = rules.change(own);
        return script === '' ? '' : `${HEAD}${family}\n${script}`;
      })
      .join('');
  }

  async apply(script: string): Promise<void> {
    for (const [family, rules] of this.#families) {
      const head = `${HEAD}${family}\n`;
      const part = script.split(/^(?=# IPv)/m).find((one) => one.startsWith(head));
      if (part !== undefined) await rules.apply(part.slice(head.length));
    }
  }

  async replaceAll(): Promise<void> {
    await Promise.all(this.#families.map(([, rules]) => rules.replaceAll()));
  }

  async remove(): Promise<void> {
    await Promise.allSettled(this.#families.map(([, rules]) => rules.remove()));
  }
}
