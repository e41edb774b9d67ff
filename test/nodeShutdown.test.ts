/** The machine is about to shut down: pods end before it does. systemd is played; pods are real. Needs root. */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodes } from '../src/apis/core/node.ts';
import { pods } from '../src/apis/core/pod.ts';
import { serviceAccounts } from '../src/apis/core/serviceAccount.ts';
import { startTestNode, type TestNode, until } from './support/node.ts';

const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
const namespace = 'default';

describe.skipIf(!isRoot)('the machine shuts down', () => {
  let node: TestNode;
  let dir: string;
  const path = process.env.PATH;
  const told = (active: boolean) =>
    JSON.stringify({ type: 'signal', member: 'PrepareForShutdown', payload: { type: 'b', data: [active] } });

  /** A program of that name, first in the path. */
  function play(name: string, script: string): void {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, name), 0o755);
  }

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'kubets-systemd-'));
    mkdirSync(join(dir, 'said'));
    // The lock is a file; what systemd says is what is put into the folder.
    play('systemd-inhibit', `echo "$@" > ${dir}/lock; cat; rm ${dir}/lock`);
    play('busctl', `while sleep 0.1; do for f in ${dir}/said/*; do test -f $f && cat $f && rm $f; done; done`);
    process.env.PATH = `${dir}:${path}`;
    node = await startTestNode({
      network: '10.199.2',
      bridge: 'kubets-t2',
      configuration: { shutdownGracePeriod: '20s', shutdownGracePeriodCriticalPods: '10s' },
    });
    await until('the default service account', () =>
      node.client.get(serviceAccounts, { namespace, name: 'default' }).catch(() => undefined),
    );
  });
  afterAll(async () => {
    process.env.PATH = path;
    await node?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  const say = (active: boolean) => writeFileSync(join(dir, 'said', String(active)), `${told(active)}\n`);
  function create(name: string, more: object = {}) {
    const command = ['sh', '-c', 'trap "exit 0" TERM; while true; do sleep 0.1; done'];
    const main = { name: 'main', image: 'busybox', imagePullPolicy: 'IfNotPresent', command };
    const spec = { nodeName: node.name, tolerations: [{ operator: 'Exists' }], containers: [main], ...more };
    return node.client.create(pods, { metadata: { name, namespace }, spec });
  }
  const phase = (name: string, wanted: string) =>
    until(`${name} is ${wanted}`, async () => {
      const pod = await node.client.get(pods, { namespace, name });
      return pod.status?.phase === wanted ? pod : undefined;
    });
  const ready = (wanted: string) =>
    until(`the node's Ready is ${wanted}`, async () => {
      const { status } = await node.client.get(nodes, { name: node.name });
      return status?.conditions?.find((c) => c.type === 'Ready' && c.status === wanted);
    });

  it('ends the usual pods, then the critical ones, and lets go of the machine', async () => {
    await Promise.all([create('usual'), create('critical', { priorityClassName: 'system-node-critical' })]);
    await Promise.all([phase('usual', 'Running'), phase('critical', 'Running')]);
    await until('the lock', async () => existsSync(join(dir, 'lock')));
    say(true);
    expect(await ready('False')).toMatchObject({ reason: 'KubeletNotReady', message: 'node is shutting down' });
    const [usual, critical] = await Promise.all([phase('usual', 'Failed'), phase('critical', 'Failed')]);
    const message = 'Pod was terminated in response to imminent node shutdown.';
    expect(usual.status).toMatchObject({ reason: 'Terminated', message });
    expect(usual.status?.conditions).toContainEqual(
      expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }),
    );
    const endOf = (pod: typeof usual) => pod.status?.containerStatuses?.[0]?.state?.terminated;
    expect(endOf(usual)).toMatchObject({ exitCode: 0 });
    expect(Date.parse(endOf(usual)?.finishedAt ?? '')).toBeLessThanOrEqual(
      Date.parse(endOf(critical)?.finishedAt ?? ''),
    );
    await until('the lock is gone', async () => !existsSync(join(dir, 'lock')));
    await create('late');
    expect((await phase('late', 'Failed')).status).toMatchObject({ reason: 'NodeShutdown' });
  });

  it('takes pods again where it does not shut down after all', async () => {
    say(false);
    await ready('True');
    await until('the lock', async () => existsSync(join(dir, 'lock')));
    await create('next', { terminationGracePeriodSeconds: 1 });
    await phase('next', 'Running');
  });
});
