/** Services with real containers: every way to them, and who is sent where. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../src/apis/core/service.ts';
import { devicesOf, nodeAddress, rangesOf } from '../src/cluster/config.ts';
import { TestCluster } from './support/cluster.ts';
import { eventually } from './support/process.ts';

describe.each(['nftables', 'iptables'])('by %s', (mode) => {
  const cluster = new TestCluster(`services-${mode}`);
  const kubectl = (...args: string[]) => cluster.kubectl(...args);
  const labels = { app: 'web' };
  const container = (name: string, command: string) => ({
    name,
    image: 'busybox',
    imagePullPolicy: 'IfNotPresent',
    command: ['sh', '-c', command],
  });
  const service = (name: string, spec: object) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  });

  beforeAll(async () => {
    await cluster.up('--proxy-mode', mode);
    const template = {
      metadata: { labels },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'web', image: 'kubets/echo', imagePullPolicy: 'IfNotPresent' }],
      },
    };
    const items = [
      service('plain', {}),
      service('sticky', { sessionAffinity: 'ClientIP' }),
      service('node', { type: 'NodePort' }),
      service('near', { type: 'NodePort', externalTrafficPolicy: 'Local' }),
      service('balanced', { type: 'LoadBalancer' }),
      service('guarded', { type: 'LoadBalancer', loadBalancerSourceRanges: ['203.0.113.0/24'] }),
      service('outside', { externalIPs: ['10.250.0.7'] }),
      service('nothing', { selector: { app: 'absent' } }),
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: { replicas: 3, selector: { matchLabels: labels }, template },
      },
      {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'asking' },
        spec: { terminationGracePeriodSeconds: 0, containers: [container('asking', 'sleep 1000')] },
      },
    ];
    await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await kubectl('wait', 'pod/asking', '--for=condition=Ready', '--timeout=60s');
  });
  afterAll(() => cluster.remove());

  const find = (name: string) => cluster.get<Service>('service', name);

  /** Who answers, and whom it sees as its client; from the node itself. */
  async function ask(address: string): Promise<{ host: string; client: string }> {
    const response = await fetch(`http://${address}/cgi-bin/index.cgi`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(3_000),
    });
    return read(await response.text());
  }

  function read(text: string): { host: string; client: string } {
    const [, host = ''] = /^pod: (.*)$/m.exec(text) ?? [];
    const [, client = ''] = /^client: (.*)$/m.exec(text) ?? [];
    return { host, client };
  }

  async function hostsOf(address: string, times: number): Promise<Set<string>> {
    const hosts = new Set<string>();
    for (let i = 0; i < times; i++) hosts.add((await ask(address)).host);
    return hosts;
  }

  const inPod = async (address: string) =>
    read(await kubectl('exec', 'asking', '--', 'timeout', '5', 'wget', '-qO-', `http://${address}/cgi-bin/index.cgi`));

  describe('a service', () => {
    it('spreads over its endpoints', async () => {
      const { spec } = await find('plain');
      expect((await hostsOf(spec?.clusterIP ?? '', 40)).size).toBe(3);
      expect((await inPod(spec?.clusterIP ?? '')).host).toMatch(/^web-/);
    });

    it('with affinity sends a client where it was sent before, until that is gone', async () => {
      const ip = (await find('sticky')).spec?.clusterIP ?? '';
      const first = await hostsOf(ip, 15);
      expect(first.size).toBe(1);
      await kubectl('delete', 'pod', [...first][0] ?? '', '--now');
      await eventually(async () => expect(await hostsOf(ip, 5)).not.toEqual(first));
      expect((await hostsOf(ip, 10)).size).toBe(1);
      await kubectl('patch', 'service', 'sticky', '-p', '{"spec":{"sessionAffinity":"None"}}');
      await eventually(async () => expect((await hostsOf(ip, 30)).size).toBe(3));
    });

    it('is reached on a port of the node, from it and from pods', async () => {
      const port = (await find('node')).spec?.ports?.[0]?.nodePort;
      const address = nodeAddress(rangesOf(cluster.config).podGateway);
      expect((await hostsOf(`${address}:${port}`, 40)).size).toBe(3);
      expect((await inPod(`${address}:${port}`)).host).toMatch(/^web-/);
    });

    it('that stays on the node shows its endpoints who the client is', async () => {
      const port = (await find('near')).spec?.ports?.[0]?.nodePort;
      const address = nodeAddress(rangesOf(cluster.config).podGateway);
      const pod = await cluster.get<{ status: { podIP: string } }>('pod', 'asking');
      const { client } = await inPod(`${address}:${port}`);
      expect(client).toContain(pod.status.podIP);
    });

    it('of a load balancer gets an address that works', async () => {
      const ip = await eventually(async () => {
        const found = (await find('balanced')).status?.loadBalancer?.ingress?.[0]?.ip;
        expect(found).toBeDefined();
        return found ?? '';
      });
      expect(await kubectl('get', 'service', 'balanced')).toContain(ip);
      expect((await eventually(() => ask(ip))).host).toMatch(/^web-/);
      expect((await inPod(ip)).host).toMatch(/^web-/);
    });

    it('is open only to those that it is for', async () => {
      const ip = (await find('guarded')).status?.loadBalancer?.ingress?.[0]?.ip ?? '';
      await expect(ask(ip)).rejects.toThrow();
    });

    it('answers on addresses that somebody else leads here', async () => {
      expect((await ask('10.250.0.7')).host).toMatch(/^web-/);
    });

    it.runIf(mode === 'nftables')('refuses at once on ports that it does not have', async () => {
      const ip = (await find('plain')).spec?.clusterIP ?? '';
      await expect(ask(`${ip}:4711`)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
      const asked = ['timeout', '5', 'wget', '-qO-', `http://${ip}:4711/`];
      const outcome = await cluster.tryKubectl(['exec', 'asking', '--', ...asked]);
      expect(outcome.stderr).toContain('Connection refused');
    });

    it('without endpoints refuses at once', async () => {
      const ip = (await find('nothing')).spec?.clusterIP ?? '';
      await expect(ask(ip)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
      const outcome = await cluster.tryKubectl([
        'exec',
        'asking',
        '--',
        'timeout',
        '5',
        'wget',
        '-qO-',
        `http://${ip}/`,
      ]);
      expect(outcome.stderr).toContain('Connection refused');
    });
  });

  it('another mode takes over, and leaves nothing of this one behind', async () => {
    const chains = async () => {
      const { stdout } = await cluster.run('iptables', ['-t', 'nat', '-S'], {});
      return stdout
        .split('\n')
        .filter((line) => line.startsWith(`-N ${devicesOf(cluster.config).table.toUpperCase()}-`));
    };
    expect((await chains()).length > 0).toBe(mode === 'iptables');
    await cluster.kubets(['down']);
    await cluster.up('--proxy-mode', mode === 'iptables' ? 'nftables' : 'iptables');
    await eventually(async () =>
      expect((await ask((await find('plain')).spec?.clusterIP ?? '')).host).toMatch(/^web-/),
    );
    expect((await chains()).length > 0).toBe(mode === 'nftables');
  });
});
