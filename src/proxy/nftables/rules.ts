/** Proxying by one table of nftables: the default. */
import { nft } from '../../lib/nft.ts';
import { type Run, runTool } from '../../lib/runTool.ts';
import type { Family } from '../backends.ts';
import type { ServicePort } from '../plan.ts';
import type { RuleOptions, Rules } from '../rules.ts';
import { objectsOf } from './objects.ts';
import { removal, Table } from './table.ts';

export class NftablesRules implements Rules {
  readonly #table: Table;
  readonly #name: string;
  readonly #family: Family;
  readonly #run: Run;

  constructor(options: RuleOptions, family: Family = 4, run: Run = runTool) {
    this.#table = new Table(options, family);
    this.#name = options.table;
    this.#family = family;
    this.#run = run;
  }

  change(changes: ReadonlyMap<string, readonly ServicePort[] | undefined>): string {
    return this.#table.change(new Map([...changes].map(([key, ports]) => [key, ports && objectsOf(ports)])));
  }

  apply(script: string): Promise<void> {
    return nft(script, this.#run);
  }

  replaceAll(): Promise<void> {
    return nft(this.#table.whole(), this.#run);
  }

  remove(): Promise<void> {
    return nft(removal(this.#name, this.#family), this.#run);
  }
}
