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

/** What cannot be written is kept up to this, and lost beyond it. */
const MAX_UNWRITTEN = 1 << 20;

/**
 * Lines are written at once, so that the last ones before a crash are there. Where they cannot be, because the disk is
 * full or the terminal is gone, what is told of goes on all the same.
 */
export function createLogger(options: LoggerOptions): Logger {
  const sink = destination({ dest: options.file ?? 2, append: true, sync: true, maxLength: MAX_UNWRITTEN });
  sink.on('error', () => {});
  return wrap(
    pino(
      {
        level: options.level ?? 'info',
        base: null,
        timestamp: () => `,"time":"${new Date(options.clock.now()).toISOString()}"`,
        formatters: { level: (label) => ({ level: label }) },
        serializers: { err: described },
      },
      sink,
    ),
  );
}

const MOST_CAUSES = 8;

/**
 * An error as it is written. pino's own way marks errors, and whatever they hold that looks like one, while it reads
 * them: what is frozen, as all objects of the API are, would make the writing fail.
 */
function described(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const messages: string[] = [];
  const stacks: string[] = [];
  for (let at: unknown = error; at instanceof Error && messages.length < MOST_CAUSES; at = at.cause) {
    messages.push(at.message);
    stacks.push(at.stack ?? String(at));
  }
  const { cause: _told, message: _first, stack: _own, ...more } = error;
  return {
    type: error.constructor.name,
    message: messages.join(': '),
    stack: stacks.join('\ncaused by: '),
    ...(error instanceof AggregateError ? { errors: error.errors.map(described) } : {}),
    ...more,
  };
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
