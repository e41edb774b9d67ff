import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BANDWIDTH_PLUGIN, preparePlugins } from './plugins.ts';

const dir = mkdtempSync(join(tmpdir(), 'kubets-plugins-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the plugin that limits pods', () => {
  it.each([
    [
      { IngressRate: 8e6, IngressBurst: 4294967295, EgressRate: 1e9, EgressBurst: 4294967295 },
      { IngressRate: 8e6, IngressBurst: 8e5, EgressRate: 1e9, EgressBurst: 1e8 },
    ],
    [
      { ingressRate: 0, ingressBurst: 0, egressRate: 1e6, egressBurst: 4294967295 },
      { ingressRate: 0, ingressBurst: 0, egressRate: 1e6, egressBurst: 524288 },
    ],
    [undefined, undefined],
  ])('is given a bucket that fits, for %j', async (bandwidth, expected) => {
    // Stands for the plugin itself, and tells what it was given.
    writeFileSync(join(dir, 'bandwidth'), '#!/bin/sh\necho "$CNI_COMMAND"; cat\n');
    chmodSync(join(dir, 'bandwidth'), 0o755);
    await preparePlugins(dir);
    const config = {
      name: "it's",
      type: BANDWIDTH_PLUGIN,
      runtimeConfig: { bandwidth },
      prevResult: { text: '%s \\n' },
    };
    const env = { ...process.env, CNI_COMMAND: 'ADD' };
    const input = JSON.stringify(config);
    const { stdout } = spawnSync(join(dir, BANDWIDTH_PLUGIN), { input, encoding: 'utf8', env });
    const [command, ...rest] = stdout.split('\n');
    expect(command).toBe('ADD');
    expect(JSON.parse(rest.join('\n'))).toEqual(
      JSON.parse(JSON.stringify({ ...config, runtimeConfig: { bandwidth: expected } })),
    );
  });

  it('is not there where the machine has none', async () => {
    const empty = join(dir, 'empty');
    await preparePlugins(empty);
    const { status } = spawnSync('test', ['-e', join(empty, 'bandwidth')]);
    const text = () => readFileSync(join(empty, BANDWIDTH_PLUGIN), 'utf8');
    if (status === 0) expect(text()).toContain('bandwidth');
    else expect(text).toThrow('ENOENT');
  });
});
