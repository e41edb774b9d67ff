/** The programs that a node needs, and the Debian packages that bring them. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pluginFolder } from '../network/plugins.ts';
import { ClusterError } from './errors.ts';

interface Program {
  readonly program: string;
  readonly package: string;
}

const PROGRAMS: readonly Program[] = [
  { program: 'containerd', package: 'containerd' },
  { program: 'runc', package: 'runc' },
  { program: 'nft', package: 'nftables' },
  { program: 'iptables', package: 'iptables' },
  { program: 'conntrack', package: 'conntrack' },
  { program: 'ip', package: 'iproute2' },
];

const SEARCHED = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Debian packages that are missing on this machine. */
export function missingPackages(): string[] {
  const missing = PROGRAMS.filter(({ program }) => !SEARCHED.some((dir) => existsSync(join(dir, program)))).map(
    (p) => p.package,
  );
  if (pluginFolder() === undefined) missing.push('containernetworking-plugins');
  return missing;
}

/** @throws ClusterError where this machine or user cannot run containers */
export function assertCanRunContainers(): void {
  if (process.platform !== 'linux') throw new ClusterError(`real containers need Linux; this is ${process.platform}`);
  if (process.getuid?.() !== 0)
    throw new ClusterError('kubets up needs root, for network namespaces and cgroups; run it with sudo');
}

/** Installs packages with apt-get. @throws ClusterError */
export function installPackages(packages: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
      env,
    });
  apt('update');
  const result = apt('install', '-y', '--no-install-recommends', ...packages);
  if (result.status === 0) return;
  const said = result.stderr?.trim().split('\n').pop() ?? result.error?.message ?? '';
  throw new ClusterError(
    `${packages.join(', ')} could not be installed (${said}); install them by hand and run kubets up again`,
  );
}
