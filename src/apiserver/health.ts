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
      const asked = checks[endpoint].filter((c) => !excluded.has(c.name));
      return report(endpoint, asked, ctx.query.has('verbose'));
    });
    for (const check of checks[endpoint]) {
      handlers.set(`/${endpoint}/${check.name}`, async (ctx) => report(endpoint, [check], ctx.query.has('verbose')));
    }
  }
  return handlers;
}

async function report(endpoint: string, checks: readonly HealthCheck[], verbose: boolean): Promise<RawAnswer> {
  const lines: string[] = [];
  let failed = false;
  for (const { name, check } of checks) {
    try {
      await check();
      lines.push(`[+]${name} ok`);
    } catch {
      // Why is for the log: whoever asks here need not be known.
      failed = true;
      lines.push(`[-]${name} failed: reason withheld`);
    }
  }
  if (failed) return text(`${lines.join('\n')}\n${endpoint} check failed\n`, 500);
  return text(verbose ? `${lines.join('\n')}\n${endpoint} check passed\n` : 'ok');
}
