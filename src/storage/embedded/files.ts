/** Who may open a data directory, and whether what is in it is whole. */
import { createHash } from 'node:crypto';
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { StorageUnavailableError } from '../storage.ts';

/** A lock that the kernel lets go of when its holder dies, however it dies. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes the directory for this process: a socket in Linux's abstract namespace, named after the
 * directory, can be bound only once. @throws StorageUnavailableError where another process has it
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const real = realpathSync(dir);
  const name = `\0kubets-storage-${createHash('sha256').update(real).digest('hex').slice(0, 32)}`;
  const server: Server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new StorageUnavailableError('in-use', `the data directory ${real} is in use by another kubets process`)
          : error,
      );
    });
    server.listen(name, () => resolve());
  });
  server.unref();
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

const PAGE_BYTES = 4096;
const MAGIC = 0xbeefc0de;
/** Where LMDB's two meta pages keep their magic number and the last page in use. */
const MAGIC_AT = 24;
const LAST_PAGE_AT = 144;

/**
 * Looks at the database file before LMDB maps it, since reading past the end of a file that was cut
 * off kills a process. @throws StorageUnavailableError where it is not a whole LMDB file
 */
export function verifyDatabaseFile(dir: string): void {
  const path = join(dir, 'data.mdb');
  if (!existsSync(path)) return;
  const corrupt = (why: string) =>
    new StorageUnavailableError(
      'corrupt',
      `${path} is corrupt: ${why}; restore it from a backup, or delete the data directory to start anew`,
    );
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    if (size === 0) return;
    if (size < 2 * PAGE_BYTES) throw corrupt(`it has only ${size} bytes`);
    const metas = Buffer.alloc(2 * PAGE_BYTES);
    readSync(file, metas, 0, metas.length, 0);
    for (const start of [0, PAGE_BYTES]) {
      if (metas.readUInt32LE(start + MAGIC_AT) !== MAGIC) throw corrupt('its header is not that of a database');
      const needed = (Number(metas.readBigUInt64LE(start + LAST_PAGE_AT)) + 1) * PAGE_BYTES;
      if (needed > size) throw corrupt(`it was cut off: ${size} of ${needed} bytes are there`);
    }
  } finally {
    closeSync(file);
  }
}
