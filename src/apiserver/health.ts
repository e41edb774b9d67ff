/**
 * /healthz, /livez, /readyz: whole and check by check.
 * Source: https://kubernetes.io/docs/reference/using-api/health-checks/
 */
import { type RawAnswer, text } from './answer.ts';
import type { Handler } from './stage.ts';

/** Resolves where all is well; throws where it is not. */
export interface HealthCheck {
  readonly name: string;
  check(): Promise<void>;
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'] as const;

/** The handlers by path. @param checks what each endpoint looks at, in order */
export function healthHandlers(
  checks: Readonly<Record<(typeof ENDPOINTS)[number], readonly HealthCheck[]>>,
): Map<string, Handler> {
  const handlers = new Map<string, Handler>();
  for (const endpoint of ENDPOINTS) {
    handlers.set(`/${endpoint}`, async (ctx) => {
      const excluded = new Set(ctx.query.getAll('exclude'));
      return report(endpoint, checks[endpoint], excluded, ctx.query.has('verbose'));
    });
    for (const check of checks[endpoint]) handlers.set(`/${endpoint}/${check.name}`, () => single(check));
  }
  return handlers;
}

/** Each check has a line, those that were left out, too; which are told where it failed or somebody asks. */
async function report(
  endpoint: string,
  checks: readonly HealthCheck[],
  excluded: Set<string>,
  verbose: boolean,
): Promise<RawAnswer> {
  const lines: string[] = [];
  let failed = false;
  for (const { name, check } of checks) {
    if (excluded.delete(name)) {
      lines.push(`[+]${name} excluded: ok`);
      continue;
    }
    try {
      await check();
      lines.push(`[+]${name} ok`);
    } catch {
      // Why is for the log: whoever asks here need not be known.
      failed = true;
      lines.push(`[-]${name} failed: reason withheld`);
    }
  }
  if (excluded.size > 0) {
    const unknown = [...excluded].sort().map((name) => JSON.stringify(name));
    lines.push(`warn: some health checks cannot be excluded: no matches for ${unknown.join(',')}`);
  }
  if (failed) return text(`${lines.join('\n')}\n${endpoint} check failed\n`, 500);
  return text(verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok');
}

/** Who may ask for one check by its name is told why it fails. */
async function single({ check }: HealthCheck): Promise<RawAnswer> {
  try {
    await check();
    return text('ok');
  } catch (error) {
    return text(`internal server error: ${(error as Error).message}\n`, 500);
  }
}
