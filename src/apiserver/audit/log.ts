/** Where the audit log goes: a line of JSON for each event, at the end of a file. */
import { appendFile, open } from 'node:fs/promises';
import type { Logger } from '../../lib/log.ts';
import { stringifyExactJson } from '../../machinery/exactJson.ts';

export interface AuditLog {
  write(event: object): void;
  /** Resolves when all is written. */
  close(): Promise<void>;
}

/** Only the server's user reads it: it may hold what secrets hold. */
const MODE = 0o600;

/** @param path `-` for standard output. @throws the error of a file that cannot be written to */
export async function openAuditLog(path: string, log: Logger): Promise<AuditLog> {
  if (path === '-') {
    return { write: (event) => void process.stdout.write(`${stringifyExactJson(event)}\n`), async close() {} };
  }
  await (await open(path, 'a', MODE)).close();
  let waiting: string[] = [];
  let writing: Promise<void> | undefined;
  const run = async () => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      try {
        await appendFile(path, lines.join(''), { mode: MODE });
      } catch (error) {
        log.error('audit events are lost', { err: error, events: lines.length });
      }
    }
    writing = undefined;
  };
  return {
    write(event) {
      waiting.push(`${stringifyExactJson(event)}\n`);
      writing ??= run();
    },
    async close() {
      await writing;
    },
  };
}
