/** Tables of kubectl commands: each is a test, run in order against one cluster. */
import { expect, it } from 'vitest';
import type { TestCluster } from './cluster.ts';
import { eventually } from './process.ts';

export interface Step {
  /** what follows `kubectl`, as it is typed in a shell: quotes hold words together */
  readonly run: string;
  /** what it reads from stdin */
  readonly input?: string | object;
  /** what stdout must hold; stdout and stderr where it fails */
  readonly says?: string | RegExp;
  /** its exit code is not 0 */
  readonly fails?: true;
  /** `says` may take a while: it is run again until it holds */
  readonly soon?: true;
  /** what another command must then say, soon */
  readonly leaves?: readonly [run: string, says: string | RegExp];
}

/** Makes a test of each step. */
export function steps(cluster: TestCluster, table: readonly Step[]): void {
  for (const step of table) it(nameOf(step), () => take(cluster, step));
}

const nameOf = ({ run, fails }: Step) => `kubectl ${run}${fails === true ? ' fails' : ''}`;

async function take(cluster: TestCluster, step: Step): Promise<void> {
  const { run, input, says, leaves } = step;
  const attempt = async () => {
    const outcome = await cluster.tryKubectl(words(run), {
      ...(input === undefined ? {} : { input: typeof input === 'string' ? input : JSON.stringify(input) }),
    });
    const said = outcome.stdout + outcome.stderr;
    if (step.fails === true) expect(outcome.code, said).not.toBe(0);
    else expect(outcome.code, said).toBe(0);
    if (says !== undefined) assertSays(step.fails === true ? said : outcome.stdout, says);
  };
  if (step.soon === true) await eventually(attempt, 15_000);
  else await attempt();
  if (leaves !== undefined) {
    const [command, expected] = leaves;
    await eventually(async () => assertSays(await cluster.kubectl(...words(command)), expected), 15_000);
  }
}

function assertSays(said: string, expected: string | RegExp): void {
  if (typeof expected === 'string') expect(said).toContain(expected);
  else expect(said).toMatch(expected);
}

/** The words of a command line. */
export function words(line: string): string[] {
  return [...line.matchAll(/((?:[^\s"']|"[^"]*"|'[^']*')+)/g)].map(([word]) =>
    word.replaceAll(/"([^"]*)"|'([^']*)'/g, (_all, double?: string, single?: string) => double ?? single ?? ''),
  );
}
