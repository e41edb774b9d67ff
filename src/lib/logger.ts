/** The Logger that writes: one JSON object a line, through pino. */
import { destination, type Level, pino } from 'pino';
import type { Clock } from './clock.ts';
import type { Logger } from './log.ts';

export interface LoggerOptions {
  readonly clock: Clock;
  readonly level?: Level;
  /** a file to append to; absent means standard error */
  readonly file?: string;
}

/** Lines are written at once, so that the last ones before a crash are there. */
export function createLogger(options: LoggerOptions): Logger {
  const sink = destination({ dest: options.file ?? 2, append: true, sync: true });
  return wrap(
    pino(
      {
        level: options.level ?? 'info',
        base: null,
        timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
      },
      sink,
    ),
  );
}

function wrap(inner: pino.Logger): Logger {
  return {
    debug: (message, fields) => inner.debug(fields ?? {}, message),
    info: (message, fields) => inner.info(fields ?? {}, message),
    warn: (message, fields) => inner.warn(fields ?? {}, message),
    error: (message, fields) => inner.error(fields ?? {}, message),
    child: (fields) => wrap(inner.child(fields)),
  };
}
