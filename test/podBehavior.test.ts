/** What a pod may expect of its node and of the API server, beyond that it runs. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Container } from '../src/apis/core/container.ts';
import type { Event } from '../src/apis/core/event.ts';
import type { Pod } from '../src/apis/core/pod.ts';
import type { PodSpec } from '../src/apis/core/podSpec.ts';
import type { Volume } from '../src/apis/core/volumes.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('behavior');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const sh = (script: string) => ['sh', '-c', script];
/** Ends at once where it is told to. */
const IDLE = sh('trap "exit 0" TERM; while true; do sleep 0.2; done');

interface Described {
  readonly name: string;
  readonly command?: string[];
  readonly container?: Partial<Container>;
  readonly spec?: Partial<PodSpec>;
}

const podOf = ({ name, command = IDLE, container, spec }: Described): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    restartPolicy: 'Never',
    containers: [{ name: 'c', image: 'busybox', imagePullPolicy: 'IfNotPresent', command, ...container }],
    ...spec,
  },
});
const apply = (...items: object[]) => cluster.apply({ apiVersion: 'v1', kind: 'List', items });
const create = (...described: Described[]) => apply(...described.map(podOf));
const get = (name: string) => cluster.get<Pod>('pod', name);
const statusOf = async (name: string) => (await get(name)).status?.containerStatuses?.[0];
const until = (name: string, phase: string) =>
  eventually(async () => expect((await get(name)).status?.phase).toBe(phase), 60_000);
const eventsOf = async (name: string) => {
  const list = await kubectl('get', 'events', '--field-selector', `involvedObject.name=${name}`, '-o', 'json');
  return (JSON.parse(list) as { items: Event[] }).items.map((e) => `${e.reason}: ${e.message}`);
};
const mounted = (source: Partial<Volume>, more: object = {}) => ({
  spec: { volumes: [{ name: 'v', ...source }] },
  container: { volumeMounts: [{ name: 'v', mountPath: '/v', ...more }] },
});

beforeAll(async () => {
  await cluster.up();
});
afterAll(() => cluster.remove());

describe('a volume', () => {
  it('has parts that belong to whom it belongs to', async () => {
    const { spec, container } = mounted({ emptyDir: { medium: 'Memory' } });
    const part = { name: 'v', mountPath: '/part', subPathExpr: '$(NAME)/deep' };
    await create({
      name: 'parts',
      command: sh('stat -c "%a %u %g" /v /part /v/x'),
      spec: { ...spec, securityContext: { runAsUser: 1000, fsGroup: 123 } },
      container: { env: [{ name: 'NAME', value: 'x' }], volumeMounts: [...container.volumeMounts, part] },
    });
    await until('parts', 'Succeeded');
    expect(await kubectl('logs', 'parts')).toBe('3777 0 123\n3777 0 123\n3777 0 123\n');
  });

  it('has no part whose name is not known, until it is', async () => {
    const fieldPath = "metadata.annotations['part']";
    await create({
      name: 'unnamed',
      ...mounted({ emptyDir: {} }),
      container: {
        env: [{ name: 'PART', valueFrom: { fieldRef: { fieldPath } } }],
        volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$(PART)' }],
      },
    });
    await eventually(async () =>
      expect((await statusOf('unnamed'))?.state?.waiting).toEqual({
        reason: 'CreateContainerConfigError',
        message: 'missing value for PART',
      }),
    );
    await kubectl('annotate', 'pod', 'unnamed', 'part=there');
    await until('unnamed', 'Running');
  });

  it('is what is in an image', async () => {
    const reference = 'kubets/echo:latest';
    await create(
      {
        name: 'image',
        command: sh('cat /v/index.cgi | head -1; touch /v/x'),
        ...mounted({ image: { reference, pullPolicy: 'IfNotPresent' } }, { subPath: 'www/cgi-bin' }),
      },
      {
        name: 'no-part-of-image',
        ...mounted({ image: { reference, pullPolicy: 'IfNotPresent' } }, { subPath: 'not-there' }),
      },
      { name: 'no-image', ...mounted({ image: { reference: 'nobody/has:this', pullPolicy: 'Never' } }) },
    );
    await until('image', 'Failed');
    const log = await kubectl('logs', 'image');
    expect(log).toContain('#!/bin/sh');
    expect(log).toContain('Read-only file system');
    await eventually(async () =>
      expect((await statusOf('no-image'))?.state?.waiting?.reason).toBe('ErrImageNeverPull'),
    );
    expect((await statusOf('no-part-of-image'))?.state?.waiting?.reason).toBe('CreateContainerError');
  });

  it('gives variables out of a file that was written there', async () => {
    const write = { name: 'w', image: 'busybox', imagePullPolicy: 'IfNotPresent' };
    const fileKeyRef = { volumeName: 'v', path: 'env', key: 'SAID' };
    await create({
      name: 'file',
      command: sh('echo "$SAID"'),
      spec: {
        ...mounted({ emptyDir: {} }).spec,
        initContainers: [
          { ...write, command: sh(`echo "SAID='\\$it'" > /v/env`), volumeMounts: [{ name: 'v', mountPath: '/v' }] },
        ],
      },
      container: { env: [{ name: 'SAID', valueFrom: { fileKeyRef } }] },
    });
    await until('file', 'Succeeded');
    expect(await kubectl('logs', 'file')).toBe('$it\n');
  });
});

describe('a pod', () => {
  it('that a node refuses says why, and nothing else', async () => {
    const sysctls = [{ name: 'kernel.msgmax', value: '65536' }];
    await create({ name: 'refused', spec: { securityContext: { sysctls } } });
    await until('refused', 'Failed');
    const { status } = await get('refused');
    expect(status?.message).toBe('Pod was rejected: forbidden sysctl: "kernel.msgmax" not allowlisted');
    expect(status?.containerStatuses).toBeUndefined();
    expect(await kubectl('get', 'pod', 'refused')).toContain('SysctlForbidden');
  });

  it('is not ready any more while it ends, where its probe says so', async () => {
    const last = sh(
      'touch /ready; bye() { rm /ready; sleep 15; exit 0; }; trap bye TERM; while true; do sleep 0.2; done',
    );
    const readinessProbe = { exec: { command: ['cat', '/ready'] }, periodSeconds: 1, failureThreshold: 1 };
    await create({ name: 'ending', command: last, container: { readinessProbe } });
    await kubectl('wait', 'pod/ending', '--for=condition=Ready', '--timeout=60s');
    await kubectl('delete', 'pod', 'ending', '--wait=false');
    await eventually(async () => {
      const { metadata, status } = await get('ending');
      expect(metadata?.deletionTimestamp).toBeDefined();
      expect(status?.conditions?.find((c) => c.type === 'Ready')?.status).toBe('False');
    }, 12_000);
  });

  it('tries another image at once', async () => {
    await create({
      name: 'crashes',
      command: sh('[ -e /www ] || exit 1; sleep 1000'),
      spec: { restartPolicy: 'Always' },
    });
    await eventually(async () => {
      const status = await statusOf('crashes');
      expect(status?.state?.waiting?.message).toMatch(/^back-off [24]0s/);
    }, 60_000);
    const before = (await statusOf('crashes'))?.restartCount ?? 0;
    await kubectl('set', 'image', 'pod/crashes', 'c=kubets/echo');
    await eventually(async () => {
      const status = await statusOf('crashes');
      expect(status?.restartCount).toBe(before + 1);
      expect(status?.state?.running).toBeDefined();
    }, 15_000);
  });

  it('probed where the answer leads elsewhere is warned of', async () => {
    const answer = 'HTTP/1.1 302 Found\\r\\nLocation: http://0.0.0.0/\\r\\nContent-Length: 0\\r\\n\\r\\n';
    await create({
      name: 'elsewhere',
      command: sh(`while true; do printf '${answer}' | nc -l -p 8080; done`),
      container: { livenessProbe: { httpGet: { port: 8080 }, periodSeconds: 1, initialDelaySeconds: 1 } },
    });
    await eventually(
      async () => expect(await eventsOf('elsewhere')).toContainEqual(expect.stringMatching(/^ProbeWarning: Liveness/)),
      30_000,
    );
    expect((await statusOf('elsewhere'))?.restartCount).toBe(0);
  });
});

describe('through the API server', () => {
  it('a page of a pod has links that lead there again', async () => {
    await apply(
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'page' },
        data: { 'index.html': '<a href="/next">next</a>' },
      },
      podOf({
        name: 'page',
        spec: { volumes: [{ name: 'v', configMap: { name: 'page' } }] },
        command: ['httpd', '-f', '-p', '80', '-h', '/v'],
        container: { volumeMounts: [{ name: 'v', mountPath: '/v' }] },
      }),
    );
    await until('page', 'Running');
    const path = '/api/v1/namespaces/default/pods/page/proxy';
    await eventually(async () =>
      expect(await kubectl('get', '--raw', `${path}/`)).toBe(`<a href="${path}/next">next</a>`),
    );
  });
});
