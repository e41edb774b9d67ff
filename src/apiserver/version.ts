/** What version of Kubernetes this is: /version. */
import { rawJson } from './answer.ts';
import type { Handler } from './stage.ts';

export const MAJOR = '1';
export const MINOR = '36';
export const GIT_VERSION = 'v1.36.0+kubets';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export const versionHandler: Handler = () =>
  rawJson({
    major: MAJOR,
    minor: MINOR,
    gitVersion: GIT_VERSION,
    gitCommit: '',
    gitTreeState: 'clean',
    buildDate: '2026-11-01T00:00:00Z',
    goVersion: `node-${process.version}`,
    compiler: 'node',
    platform: `${process.platform}/${ARCHITECTURES[process.arch] ?? process.arch}`,
  });
