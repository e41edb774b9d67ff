/**
 * What a container had to say when it ended.
 * Source: https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { parseLine } from '../server/readLog.ts';
import { ANNOTATION, logPath } from './labels.ts';
import type { ObservedContainer } from './observed.ts';

const MAX_MESSAGE_BYTES = 4096;
const MAX_LOG_BYTES = 2048;
const MAX_LOG_LINES = 80;
/** Of the log file so much is read to find the last lines: each carries a time and a stream besides its text. */
const LOG_TAIL_BYTES = 16 * 1024;

export class TerminationMessages {
  /** by container id; a container that ended says nothing more */
  readonly #kept = new Map<string, string>();

  /** @param logDirectory of the container's pod */
  of(run: ObservedContainer, logDirectory: string): string {
    const kept = this.#kept.get(run.id);
    if (kept !== undefined) return kept;
    const message = read(run, logDirectory);
    this.#kept.set(run.id, message);
    return message;
  }

  forget(containerIds: Iterable<string>): void {
    for (const id of containerIds) this.#kept.delete(id);
  }
}

function read({ status, name, restarts }: ObservedContainer, logDirectory: string): string {
  const { [ANNOTATION.terminationMessageFile]: file = '', [ANNOTATION.terminationMessagePolicy]: policy } =
    status.annotations ?? {};
  const said = file === '' ? '' : edgeOf(file, MAX_MESSAGE_BYTES, 'start');
  if (said !== '' || policy !== 'FallbackToLogsOnError' || (status.exit_code ?? 0) === 0) return said;
  const lines = edgeOf(join(logDirectory, logPath(name, restarts)), LOG_TAIL_BYTES, 'end')
    .split('\n')
    .flatMap((line) => {
      const parsed = parseLine(Buffer.from(line));
      return parsed === undefined ? [] : [parsed.text.toString('utf8') + (parsed.partial ? '' : '\n')];
    });
  return lines.slice(-MAX_LOG_LINES).join('').slice(-MAX_LOG_BYTES);
}

/** '' for a file that cannot be read. */
function edgeOf(path: string, bytes: number, which: 'start' | 'end'): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const buffer = Buffer.alloc(Math.min(size, bytes));
      const read = readSync(fd, buffer, 0, buffer.length, which === 'start' ? 0 : size - buffer.length);
      return buffer.toString('utf8', 0, read);
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}
