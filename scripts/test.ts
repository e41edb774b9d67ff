/**
 * `npm test`: every check and every test, in one report that ends in `N passed, N failed`.
 * Installs from Debian's packages what the end-to-end tests need and the machine lacks.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = (name: string) => join(root, 'node_modules', '.bin', name);
const print = (line: string) => process.stdout.write(`${line}\n`);

/** A program that the end-to-end tests call, and the Debian package that brings it. */
const PROGRAMS: readonly { path: readonly string[]; package: string }[] = [
  { path: ['/usr/bin/containerd', '/usr/local/bin/containerd'], package: 'containerd' },
  { path: ['/usr/sbin/runc', '/usr/bin/runc'], package: 'runc' },
  { path: ['/usr/lib/cni/bridge', '/opt/cni/bin/bridge'], package: 'containernetworking-plugins' },
  { path: ['/usr/sbin/nft'], package: 'nftables' },
  { path: ['/usr/sbin/iptables'], package: 'iptables' },
  { path: ['/usr/sbin/conntrack'], package: 'conntrack' },
  { path: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip'], package: 'iproute2' },
  { path: ['/usr/bin/kubectl', '/usr/local/bin/kubectl'], package: 'kubernetes-client' },
  { path: ['/usr/bin/curl'], package: 'curl' },
  { path: ['/usr/bin/openssl'], package: 'openssl' },
];

/** Why the tests with real containers cannot run here, or undefined where they can. */
function whyNoContainers(): string | undefined {
  if (process.platform !== 'linux') return 'real containers need Linux';
  if (process.getuid?.() !== 0) return 'real containers need root';
  return undefined;
}

function installPrograms(): void {
  const missing = PROGRAMS.filter((p) => !p.path.some((path) => existsSync(path))).map((p) => p.package);
  if (missing.length === 0) return;
  print(`Installing from Debian's packages: ${missing.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const apt = (...args: string[]) =>
    spawnSync('apt-get', ['-qq', ...args], { stdio: ['ignore', 'ignore', 'inherit'], env });
  apt('update');
  if (apt('install', '-y', '--no-install-recommends', ...missing).status !== 0) {
    print(`Not all of them could be installed; the tests that need ${missing.join(', ')} will fail.`);
  }
}

/** The checks besides the tests; each counts as one. */
const CHECKS: readonly { name: string; command: string[] }[] = [
  { name: 'format and lint', command: [bin('biome'), 'check', '.'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'floors and cycles', command: [bin('depcruise'), '--config', '.dependency-cruiser.cjs', 'src'] },
  { name: 'dead code', command: [bin('knip')] },
];

let passed = 0;
let failed = 0;

const only = process.argv.slice(2);
if (only.length === 0) {
  for (const check of CHECKS) {
    const result = spawnSync(check.command[0] ?? '', check.command.slice(1), {
      cwd: root,
      encoding: 'utf8',
      env: withNode(),
    });
    if (result.status === 0) {
      passed++;
      print(`✓ ${check.name}`);
    } else {
      failed++;
      print(`✗ ${check.name}\n${result.stdout}${result.stderr}`);
    }
  }
}

const exclude: string[] = [];
const reason = whyNoContainers();
if (reason === undefined) installPrograms();
else {
  print(`Skipping test/ (clusters with real containers): ${reason}.`);
  exclude.push('--exclude', 'test/**');
}

const reports = mkdtempSync(join(tmpdir(), 'kubets-test-'));
try {
  const report = join(reports, 'report.json');
  const vitest = spawnSync(
    bin('vitest'),
    ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...exclude, ...only],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env: withNode() },
  );
  const counts = existsSync(report)
    ? (JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number; success: boolean })
    : { numPassedTests: 0, numFailedTests: 1, success: false };
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  if (vitest.status !== 0 && counts.numFailedTests === 0) failed++;
} finally {
  rmSync(reports, { recursive: true, force: true });
}

print(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** The pinned Node comes first on the path, so that every tool runs under it. */
function withNode(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${join(root, 'node_modules', 'node', 'bin')}:${process.env.PATH ?? ''}` };
}
