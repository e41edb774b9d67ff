/** Who may open a data directory. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { StorageUnavailableError } from '../storage.ts';

/** How the refusal of a directory that somebody has ends. */
export const IN_USE = 'is in use by another kubets process';

/** A lock that the kernel lets go of when its holder dies, however it dies. */
export interface DirectoryLock {
  release(): Promise<void>;
}

/**
 * Takes the directory for this process, making it where it is absent: a socket in Linux's abstract
 * namespace, named after the directory, can be bound only once. @throws StorageUnavailableError
 */
export async function lockDirectory(dir: string): Promise<DirectoryLock> {
  let real: string;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    real = realpathSync(dir);
  } catch (error) {
    throw new StorageUnavailableError('io', `the data directory ${dir} cannot be made: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const inUse = () => new StorageUnavailableError('in-use', `the data directory ${real} ${IN_USE}`);
  const name = `\0kubets-storage-${createHash('sha256').update(real).digest('hex').slice(0, 32)}`;
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? inUse() : error));
    server.listen(name, () => resolve());
  });
  server.unref();
  const release = () => new Promise<void>((resolve) => server.close(() => resolve()));
  if (isMapped(join(real, 'lock.mdb'))) {
    await release();
    throw inUse();
  }
  return { release };
}

/**
 * Whether a live process has the database open. The abstract namespace is one for each network
 * namespace; the lock that LMDB holds on its lock file is seen from all of them.
 */
function isMapped(path: string): boolean {
  try {
    const { ino } = statSync(path);
    const suffix = `:${ino}`;
    return readFileSync('/proc/locks', 'utf8')
      .split('\n')
      .some((line) => line.split(/\s+/).some((field) => field.endsWith(suffix) && field.split(':').length === 3));
  } catch {
    return false;
  }
}
