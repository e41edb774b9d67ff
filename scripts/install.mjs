// Installs the project's npm packages where they are missing or older than the lock file.
// (npm install and not npm ci: a lock file that was written where the registry lacks other platforms'
// binaries has no entries for them, which npm ci refuses.)
// Runs on any Node from 20 on: it is what brings the pinned one.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const stamp = join(root, 'node_modules', '.package-lock.json');
const lock = join(root, 'package-lock.json');
const node = join(root, 'node_modules', 'node', 'bin', 'node');

/** Resolves to the path of the pinned Node. Exits with one line where npm fails. */
export function install() {
  if (!existsSync(node) || !existsSync(stamp) || statSync(stamp).mtimeMs < statSync(lock).mtimeMs) {
    process.stderr.write('Installing npm packages (once)…\n');
    const npm = spawnSync('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error'], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    if (npm.status !== 0 || !existsSync(node)) {
      process.stderr.write(
        'kubets: npm install failed in this folder; its messages are above. Mend that and run again.\n',
      );
      process.exit(1);
    }
  }
  return node;
}

/** Installs, then runs a TypeScript file of this project under the pinned Node and exits as it does. */
export function run(file, args) {
  const result = spawnSync(install(), [join(root, file), ...args], { stdio: 'inherit', cwd: root });
  process.exit(result.status ?? 1);
}

if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2]) run(process.argv[2], process.argv.slice(3));
