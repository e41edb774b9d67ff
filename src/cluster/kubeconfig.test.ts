import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ClusterError } from './errors.ts';
import { contextName, mergeKubeconfig, removeFromKubeconfig, standaloneKubeconfig } from './kubeconfig.ts';

const access = { name: 'kubets', server: 'https://127.0.0.1:6443', ca: 'CA', cert: 'CERT', key: 'KEY' };
const OTHERS = `# my clusters
apiVersion: v1
kind: Config
current-context: work
clusters:
  - name: work # the real one
    cluster: {server: 'https://work:6443'}
contexts:
  - name: work
    context: {cluster: work, user: me}
users:
  - name: me
    user: {token: secret}
`;

let dir: string;
let path: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'kubets-kubeconfig-'));
  path = join(dir, 'sub', 'config');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the kubeconfig', () => {
  it('is made where there is none, readable only by its owner', async () => {
    await mergeKubeconfig(path, access);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(parse(readFileSync(path, 'utf8'))).toEqual(parse(standaloneKubeconfig(access)));
  });

  it('keeps the contexts and comments of others, and takes ours once', async () => {
    path = join(dir, 'config');
    writeFileSync(path, OTHERS);
    chmodSync(path, 0o644);
    await mergeKubeconfig(path, access);
    await mergeKubeconfig(path, { ...access, server: 'https://127.0.0.1:7000' });
    const text = readFileSync(path, 'utf8');
    const config = parse(text);
    expect(text).toContain('# my clusters');
    expect(text).toContain('# the real one');
    expect(config.clusters.map((c: { name: string }) => c.name)).toEqual(['work', 'kubets']);
    expect(config.clusters[1].cluster.server).toBe('https://127.0.0.1:7000');
    expect(config['current-context']).toBe('kubets');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await removeFromKubeconfig(path, 'kubets');
    const after = parse(readFileSync(path, 'utf8'));
    expect(after.users).toEqual(parse(OTHERS).users);
    expect(after.contexts).toEqual(parse(OTHERS).contexts);
  });

  it.each([
    ['no YAML', 'a: [b'],
    ['a list', '- a\n'],
    ['of another shape', 'clusters: 3\n'],
  ])('is left alone where it is %s', async (_what, text) => {
    path = join(dir, 'config');
    writeFileSync(path, text);
    await expect(mergeKubeconfig(path, access)).rejects.toBeInstanceOf(ClusterError);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});

describe('contextName', () => {
  it('is the cluster’s own for all but the usual one', () => {
    expect([contextName('kubets'), contextName('two')]).toEqual(['kubets', 'kubets-two']);
  });
});
