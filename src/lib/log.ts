/** Structured logs: one JSON object a line, few, and useful to the person who reads them at night. */

export type Fields = Record<string, unknown>;

export interface Logger {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  /** An `err` field that holds an Error is written with its stack. */
  error(message: string, fields?: Fields): void;
  /** A logger that adds `fields` to every line, e.g. `{ component: 'scheduler' }`. */
  child(fields: Fields): Logger;
}

/** Says nothing; for tests. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};
