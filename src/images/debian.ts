/** The content of Debian packages, without installing them. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const QUIET = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' }, maxBuffer: 16 << 20 };

/** A package cannot be had. */
export class PackageError extends Error {
  override readonly name = 'PackageError';
}

/** Only shared libraries are followed: what else a package depends on is for installing it. */
const LIBRARY = /^(lib|zlib|gcc-\d+-base)/;

/** The packages and all the libraries that they need. @throws PackageError */
export async function withLibraries(packages: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const queue = [...packages];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    for (const dependency of await dependenciesOf(name)) if (LIBRARY.test(dependency)) queue.push(dependency);
  }
  return [...found].sort();
}

async function dependenciesOf(name: string): Promise<string[]> {
  let text: string;
  try {
    text = (
      await run(
        'apt-cache',
        [
          'depends',
          '--no-recommends',
          '--no-suggests',
          '--no-conflicts',
          '--no-breaks',
          '--no-replaces',
          '--no-enhances',
          name,
        ],
        QUIET,
      )
    ).stdout;
  } catch {
    throw new PackageError(`Debian has no package ${name} (or its lists are missing: apt-get update)`);
  }
  return [...text.matchAll(/^ {2}(?:Pre)?Depends: ([a-z0-9][a-z0-9+.-]+)/gm)].map((m) => m[1] as string);
}

/** Unpacks packages and their libraries into a folder. Returns their versions. @throws PackageError */
export async function unpackPackages(packages: readonly string[], into: string): Promise<Map<string, string>> {
  const all = await withLibraries(packages);
  const dir = await mkdtemp(join(tmpdir(), 'kubets-packages-'));
  try {
    // apt's own sandbox user must be able to write here.
    await run('chmod', ['777', dir]);
    await run('apt-get', ['-qq', 'download', ...all], { ...QUIET, cwd: dir }).catch((error: Error) => {
      throw new PackageError(`packages could not be downloaded: ${error.message.split('\n').slice(0, 2).join(' ')}`);
    });
    const versions = new Map<string, string>();
    for (const file of (await readdir(dir)).sort()) {
      await mkdir(into, { recursive: true });
      await run('dpkg-deb', ['-x', join(dir, file), into]);
      const [name = '', version = ''] = file.split('_');
      versions.set(name, decodeURIComponent(version));
    }
    return versions;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
