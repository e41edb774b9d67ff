/** The folder that a cluster is. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ClusterError } from './errors.ts';

/**
 * Makes the folder, for its owner only, and those that it is in. One by one: asked to make all of them, Node goes on for
 * ever where a file system lets nobody make one and says that it is not there (as /proc does).
 * @throws ClusterError
 */
export function makeDataDir(dataDir: string): void {
  const missing: string[] = [];
  for (let dir = resolve(dataDir); !existsSync(dir) && dir !== dirname(dir); dir = dirname(dir)) missing.push(dir);
  for (const dir of missing.reverse()) {
    try {
      mkdirSync(dir, { mode: 0o700 });
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code !== 'EEXIST') throw new ClusterError(`the data directory ${dataDir} cannot be made: ${message}`);
    }
  }
}
