import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Container } from '../../apis/core/container.ts';
import { container, podOf } from '../testing/observedPods.ts';
import { ContainerConfigError, type EnvironmentSources, environmentOf, expand } from './environment.ts';

const pod = podOf(
  {
    nodeName: 'n',
    serviceAccountName: 'sa',
    containers: [container('main', { resources: { limits: { memory: '1Gi' } } })],
  },
  {
    metadata: { name: 'p', namespace: 'ns', uid: 'u', labels: { app: 'web', 'a.b/c': 'd' }, annotations: { x: 'y' } },
    status: { podIP: '10.0.0.5', podIPs: [{ ip: '10.0.0.5' }], hostIP: '192.168.0.1' },
  },
);

const service = (
  name: string,
  namespace: string,
  clusterIP: string,
  ...ports: { name?: string; port: number; protocol?: string }[]
) => ({
  metadata: { name, namespace },
  spec: { clusterIP, ports },
});

function sources(more: Partial<EnvironmentSources> = {}): EnvironmentSources {
  return {
    configMap: async (name) => (name === 'conf' ? { data: { a: '1', 'b=c': '2', B: '3' } } : undefined),
    secret: async (name) => (name === 'hush' ? { data: { key: Buffer.from('secret').toString('base64') } } : undefined),
    file: async (volume, path) =>
      volume === 'work' && path === 'a/env' ? "KEY='from a file'\nBAD=1" : path === 'env' ? '' : undefined,
    services: [],
    nodeAllocatable: { cpu: '4', memory: '8Gi' },
    ...more,
  };
}

async function envOf(
  main: Partial<Container>,
  more: Partial<EnvironmentSources> = {},
): Promise<Record<string, string>> {
  return Object.fromEntries(await environmentOf(pod, container('main', main), sources(more)));
}

describe('the environment of a container', () => {
  it('comes from everywhere, later over earlier', async () => {
    const skipped: unknown[] = [];
    const env = await envOf(
      {
        envFrom: [
          { configMapRef: { name: 'conf' } },
          { secretRef: { name: 'hush' }, prefix: 'S_' },
          { configMapRef: { name: 'none', optional: true } },
        ],
        env: [
          { name: 'a', value: 'own' },
          { name: 'E', value: '$(a)-$(B)-$(later)' },
          { name: 'later', value: 'x' },
          { name: 'K', valueFrom: { secretKeyRef: { name: 'hush', key: 'key' } } },
          { name: 'NONE', valueFrom: { configMapKeyRef: { name: 'conf', key: 'none', optional: true } } },
        ],
      },
      { skipped: (keys, source) => skipped.push([keys, source]) },
    );
    expect(env).toEqual({ a: 'own', B: '3', S_key: 'secret', E: 'own-3-$(later)', later: 'x', K: 'secret' });
    expect(skipped).toEqual([[['b=c'], 'configMap ns/conf']]);
  });

  it('tells of the pod itself', async () => {
    const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } });
    const resource = (name: string, what: string, divisor?: string) => ({
      name,
      valueFrom: { resourceFieldRef: { resource: what, ...(divisor === undefined ? {} : { divisor }) } },
    });
    const env = await envOf({
      env: [
        field('NAME', 'metadata.name'),
        field('NAMESPACE', 'metadata.namespace'),
        field('UID_', 'metadata.uid'),
        field('LABEL', "metadata.labels['a.b/c']"),
        field('MISSING', "metadata.annotations['none']"),
        field('NODE', 'spec.nodeName'),
        field('SA', 'spec.serviceAccountName'),
        field('IP', 'status.podIP'),
        field('HOST', 'status.hostIP'),
        resource('MEM', 'limits.memory', '1Mi'),
        resource('CPU', 'limits.cpu'),
        resource('ASKED', 'requests.cpu', '1m'),
      ],
    });
    expect(env).toEqual({
      NAME: 'p',
      NAMESPACE: 'ns',
      UID_: 'u',
      LABEL: 'd',
      MISSING: '',
      NODE: 'n',
      SA: 'sa',
      IP: '10.0.0.5',
      HOST: '192.168.0.1',
      MEM: '1024',
      CPU: '4',
      ASKED: '0',
    });
  });

  it('comes from files that the pod itself wrote', async () => {
    const file = (path: string, key: string, optional = false) => ({
      name: 'V',
      valueFrom: { fileKeyRef: { volumeName: 'work', path, key, optional } },
    });
    expect(await envOf({ env: [file('a/env', 'KEY')] })).toEqual({ V: 'from a file' });
    expect(await envOf({ env: [file('env', 'KEY', true), { ...file('none', 'KEY', true), name: 'W' }] })).toEqual({});
    const refusals: [string, string, string][] = [
      ['none', 'KEY', 'file "none" of volume "work" not found'],
      ['env', 'KEY', `couldn't find key KEY in file "env" of volume "work"`],
      ['a/env', 'BAD', 'failed to read file "a/env" of volume "work": invalid environment variable format at line 2'],
    ];
    for (const [path, key, message] of refusals)
      await expect(envOf({ env: [file(path, key)] })).rejects.toThrow(message);
  });

  it('tells of services: the API server always, others of the namespace unless unwanted', async () => {
    const services = [
      service('kubernetes', 'default', '10.96.0.1', { name: 'https', port: 443 }),
      service('my-db', 'ns', '10.96.0.9', { port: 53, protocol: 'UDP' }),
      service('headless', 'ns', 'None', { port: 1 }),
      service('elsewhere', 'other', '10.96.0.10', { port: 1 }),
    ];
    const env = await envOf({}, { services });
    expect(env).toEqual({
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
      KUBERNETES_PORT: 'tcp://10.96.0.1:443',
      KUBERNETES_PORT_443_TCP: 'tcp://10.96.0.1:443',
      KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
      KUBERNETES_PORT_443_TCP_PORT: '443',
      KUBERNETES_PORT_443_TCP_ADDR: '10.96.0.1',
      MY_DB_SERVICE_HOST: '10.96.0.9',
      MY_DB_SERVICE_PORT: '53',
      MY_DB_PORT: 'udp://10.96.0.9:53',
      MY_DB_PORT_53_UDP: 'udp://10.96.0.9:53',
      MY_DB_PORT_53_UDP_PROTO: 'udp',
      MY_DB_PORT_53_UDP_PORT: '53',
      MY_DB_PORT_53_UDP_ADDR: '10.96.0.9',
    });
    const unlinked = await environmentOf(
      { ...pod, spec: { containers: [], enableServiceLinks: false } },
      container('main'),
      sources({ services }),
    );
    expect([...unlinked.keys()].every((name) => name.startsWith('KUBERNETES_'))).toBe(true);
  });

  it.each([
    [{ envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
    [{ envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
    [{ env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] }, 'secret "none" not found'],
    [
      { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'hush', key: 'k' } } }] },
      "couldn't find key k in Secret ns/hush",
    ],
    [
      { env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'conf', key: 'k' } } }] },
      "couldn't find key k in ConfigMap ns/conf",
    ],
  ])('says what is missing: %j', async (main, message) => {
    await expect(envOf(main)).rejects.toThrow(new ContainerConfigError(message));
  });
});

describe('$(NAME)', () => {
  const env = new Map([
    ['A', '1'],
    ['EMPTY', ''],
  ]);
  it.each([
    ['$(A)', '1'],
    ['x$(A)y$(A)', 'x1y1'],
    ['$(NONE)', '$(NONE)'],
    ['$(EMPTY)', ''],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$1'],
    ['$$', '$'],
    ['$', '$'],
    ['$A', '$A'],
    ['$(A', '$(A'],
    ['$()', '$()'],
    ['$(A$$(B', '$(A$(B'],
    ['$', '$'],
    ['a$', 'a$'],
  ])('%s is %s', (text, expanded) => {
    expect(expand(text, env)).toBe(expanded);
  });

  it('leaves text without a dollar alone', () => {
    fc.assert(
      fc.property(
        fc.string().map((s) => s.replaceAll('$', '')),
        (text) => {
          expect(expand(text, env)).toBe(text);
        },
      ),
    );
  });
});

describe('what would have no end', () => {
  it('is read in time', () => {
    expect(expand('$('.repeat(700_000), new Map())).toBe('$('.repeat(700_000));
  });

  it('is refused', async () => {
    const ten = (name: string) => `$(${name})`.repeat(10);
    const bomb = Array.from({ length: 30 }, (_, i) => ({
      name: `E${i}`,
      value: i === 0 ? 'x'.repeat(100) : ten(`E${i - 1}`),
    }));
    await expect(envOf({ env: bomb })).rejects.toThrow('argument list too long');
    const wide = Array.from({ length: 500 }, (_, i) => ({
      name: `W${i}`,
      value: i === 0 ? 'x'.repeat(10_000) : '$(W0)',
    }));
    await expect(envOf({ env: wide })).rejects.toThrow('argument list too long');
    const large = { configMap: async () => ({ data: { a: 'x'.repeat(500_000) } }) };
    const envFrom = Array.from({ length: 20 }, (_, i) => ({ prefix: `P${i}`, configMapRef: { name: 'large' } }));
    await expect(envOf({ envFrom }, large)).rejects.toThrow('argument list too long');
  });
});
