/** Several real nodes: they join, their pods reach each other and every service, and they leave. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Node } from '../src/apis/core/node.ts';
import type { Pod } from '../src/apis/core/pod.ts';
import type { Service } from '../src/apis/core/service.ts';
import { type MachineNode, TestNodes } from './support/nodes.ts';
import { eventually } from './support/process.ts';

const nodes = new TestNodes('nodes');
const NAMES = ['node-0', 'node-1', 'node-2'];
const kubectl = (...args: string[]) => nodes.cluster.kubectl(...args);

const daemonSet = (name: string, container: object) => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name, imagePullPolicy: 'IfNotPresent', ...container }],
      },
    },
  },
});
const service = (name: string, spec: object) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: 'web' }, type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }], ...spec },
});

/** by the name of the node that it is on */
async function podsOf(app: string): Promise<Map<string, Pod>> {
  const { items } = await nodes.cluster.get<{ items: Pod[] }>('pods', '-l', `app=${app}`);
  return new Map(items.map((pod) => [pod.spec?.nodeName ?? '', pod]));
}
let web: Map<string, Pod>;
let asking: Map<string, Pod>;
const nameOf = (pods: Map<string, Pod>, node: string) => pods.get(node)?.metadata?.name ?? '';
const address6Of = (pods: Map<string, Pod>, node: string) => pods.get(node)?.status?.podIPs?.[1]?.ip ?? '';
const addressOf = (pods: Map<string, Pod>, node: string) => pods.get(node)?.status?.podIP ?? '';

beforeAll(async () => {
  await nodes.start(NAMES.length, '--cluster-cidr', '10.60.0.0/16,fd00:60::/48');
  const items = [
    daemonSet('web', { image: 'kubets/echo', readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 } }),
    daemonSet('asking', { image: 'busybox', command: ['sh', '-c', 'echo asking; sleep 1000'] }),
    service('web', {}),
    service('near', { externalTrafficPolicy: 'Local' }),
    service('both', { ipFamilyPolicy: 'RequireDualStack' }),
  ];
  await nodes.cluster.apply({ apiVersion: 'v1', kind: 'List', items });
  for (const name of ['web', 'asking']) await kubectl('rollout', 'status', `daemonset/${name}`, '--timeout=60s');
  web = await podsOf('web');
  asking = await podsOf('asking');
}, 180_000);
afterAll(() => nodes.remove());

const URI = '/cgi-bin/index.cgi';
interface Answered {
  readonly pod: string;
  readonly client: string;
}
function read(text: string): Answered | undefined {
  const [, pod] = /^pod: (.*)$/m.exec(text) ?? [];
  const [, client] = /^client: (?:\[(?:::ffff:)?)?([\da-f.:]+?)(?:\]|$)/m.exec(text) ?? [];
  return pod === undefined || client === undefined ? undefined : { pod, client };
}
async function fromPod(pod: string, address: string): Promise<Answered | undefined> {
  const wget = ['timeout', '3', 'wget', '-qO-', `http://${address}${URI}`];
  return read((await nodes.cluster.tryKubectl(['exec', pod, '--', ...wget])).stdout);
}
const CURL = ['-s', '-m', '3'];
const fromNode = async ({ cluster }: MachineNode, address: string) =>
  read((await cluster.run('curl', [...CURL, `http://${address}${URI}`])).stdout);
const fromOutside = async (address: string) =>
  read((await nodes.outside('curl', ...CURL, `http://${address}${URI}`)).stdout);

/** Whom somebody gets to when he asks as often as it takes to see all that he should. */
async function reached(ask: () => Promise<readonly (Answered | undefined)[]>, count: number): Promise<string[]> {
  const found = new Set<string>();
  for (let i = 0; i < 5 && found.size < count; i++) {
    for (const answered of await ask()) found.add(answered?.pod ?? 'nobody');
  }
  return [...found].sort();
}
const TIMES = 12;
/** Many times from within a pod. */
async function manyFromPod(pod: string, address: string): Promise<(Answered | undefined)[]> {
  const loop = `for i in $(seq ${TIMES}); do timeout 3 wget -qO- http://${address}${URI}; echo; done`;
  const { stdout } = await nodes.cluster.tryKubectl(['exec', pod, '--', 'sh', '-c', loop]);
  return stdout.trim().split('\n\n').map(read);
}
const many = (ask: () => Promise<Answered | undefined>) => () => Promise.all(Array.from({ length: TIMES }, ask));
const all = () => NAMES.map((name) => nameOf(web, name)).sort();
const find = (name: string) => nodes.cluster.get<Service>('service', name);

describe('nodes that joined', () => {
  it('are Ready, with a range of addresses each, and certificates that were asked for', async () => {
    const { items } = await nodes.cluster.get<{ items: Node[] }>('nodes');
    const ready = items.filter(({ status }) =>
      status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    );
    expect(ready.map(({ metadata }) => metadata?.name).sort()).toEqual(NAMES);
    expect(new Set(items.map(({ spec }) => spec?.podCIDR)).size).toBe(NAMES.length);
    const requests = await kubectl('get', 'csr', '-o', 'jsonpath={.items[*].spec.signerName}');
    expect(requests.split(' ').sort()).toEqual([
      ...Array(2).fill('kubernetes.io/kube-apiserver-client-kubelet'),
      ...Array(2).fill('kubernetes.io/kubelet-serving'),
    ]);
  });

  it('let pods reach each other, on the same node and on others, under their own addresses', async () => {
    const pairs = NAMES.flatMap((from) => NAMES.map((to) => ({ from, to })));
    await Promise.all(
      pairs.map(async ({ from, to }) => {
        const answered = await fromPod(nameOf(asking, from), `${addressOf(web, to)}:8080`);
        expect(answered, `${from} to ${to}`).toEqual({ pod: nameOf(web, to), client: addressOf(asking, from) });
      }),
    );
  });

  it('let pods reach each other over IPv6', async () => {
    const found = { from: '', to: '' };
    for (found.from of ['node-0', 'node-1']) {
      for (found.to of NAMES) {
        const answered = await fromPod(nameOf(asking, found.from), `[${address6Of(web, found.to)}]:8080`);
        const expected = { pod: nameOf(web, found.to), client: address6Of(asking, found.from) };
        expect(answered, JSON.stringify(found)).toEqual(expected);
      }
    }
    const answered = await fromNode(nodes.node(2), `[${address6Of(web, 'node-1')}]:8080`);
    expect(answered?.pod).toBe(nameOf(web, 'node-1'));
  });

  it('show their logs, and run commands, through the API server', async () => {
    expect(await kubectl('logs', nameOf(asking, 'node-1'))).toBe('asking\n');
    expect(await kubectl('exec', nameOf(asking, 'node-2'), '--', 'hostname')).toBe(`${nameOf(asking, 'node-2')}\n`);
  });

  it('have volumes on their own disks, which go with their claims', async () => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } };
    const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'far' }, spec };
    const container = {
      name: 'writer',
      image: 'busybox',
      imagePullPolicy: 'IfNotPresent',
      command: ['sh', '-c', 'echo kept >> /data/file; wc -l < /data/file'],
      volumeMounts: [{ name: 'data', mountPath: '/data' }],
    };
    const writer = (name: string, more: object = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: {
        restartPolicy: 'Never',
        containers: [container],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'far' } }],
        ...more,
      },
    });
    const done = (name: string) =>
      kubectl('wait', `pod/${name}`, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=50s');
    const first = writer('first', { nodeSelector: { 'kubernetes.io/hostname': 'node-1' } });
    await nodes.cluster.apply({ apiVersion: 'v1', kind: 'List', items: [claim, first] });
    await done('first');
    // Where the volume is, its pods are, though they do not ask for the node.
    await nodes.cluster.apply(writer('second'));
    await done('second');
    const second = await nodes.cluster.get<Pod>('pod', 'second');
    expect(second.spec?.nodeName).toBe('node-1');
    expect((await kubectl('logs', 'second')).trim()).toBe('2');
    await kubectl('delete', 'pod', 'first', 'second', '--now');
    await kubectl('delete', 'pvc', 'far', '--timeout=30s');
    await eventually(async () => expect(await kubectl('get', 'pv', '-o', 'name')).toBe(''));
  });

  it('resolve names and reach the API server', async () => {
    const pod = nameOf(asking, 'node-1');
    const { spec } = await find('web');
    expect(await kubectl('exec', pod, '--', 'nslookup', 'web.default.svc.cluster.local')).toContain(spec?.clusterIP);
    const connect = 'nc -w 3 kubernetes.default 443 </dev/null && echo open';
    expect(await kubectl('exec', pod, '--', 'sh', '-c', connect)).toContain('open');
  });
});

it('a pod sends no faster than its annotation says', async () => {
  await nodes.cluster.apply({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'slow', annotations: { 'kubernetes.io/egress-bandwidth': '4M' } },
    spec: {
      nodeName: 'node-1',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'slow',
          image: 'busybox',
          imagePullPolicy: 'IfNotPresent',
          command: ['sh', '-c', 'dd if=/dev/zero of=/tmp/large bs=1000 count=1000; httpd -f -p 80 -h /tmp'],
          readinessProbe: { tcpSocket: { port: 80 }, periodSeconds: 1 },
        },
      ],
    },
  });
  await kubectl('wait', 'pod/slow', '--for=condition=Ready', '--timeout=30s');
  const ip = await kubectl('get', 'pod', 'slow', '-o', 'jsonpath={.status.podIP}');
  const what = ['-s', '-m', '20', '-o', '/dev/null', '-w', '%{size_download} %{time_total}', `http://${ip}/large`];
  const [bytes, seconds] = (await nodes.cluster.run('curl', what)).stdout.split(' ').map(Number);
  expect(bytes).toBe(1_000_000);
  // 8 megabits at 4 a second.
  expect(seconds).toBeGreaterThan(1.6);
  await kubectl('delete', 'pod', 'slow', '--wait=false');
});

describe('a service', () => {
  it('is reached from pods and nodes, wherever its endpoints are, and from itself', async () => {
    const ip = (await find('web')).spec?.clusterIP ?? '';
    for (const from of ['node-0', 'node-1']) {
      expect(await reached(() => manyFromPod(nameOf(asking, from), 'web'), 3), `pod on ${from}`).toEqual(all());
    }
    for (const node of nodes.nodes)
      expect(
        await reached(
          many(() => fromNode(node, ip)),
          3,
        ),
        node.name,
      ).toEqual(all());
    expect(await reached(() => manyFromPod(nameOf(web, 'node-1'), 'web'), 3), 'itself').toEqual(all());
  });

  it('of both families is reached under its addresses, wherever its endpoints are, and from itself', async () => {
    const [v4 = '', v6 = ''] = (await find('both')).spec?.clusterIPs ?? [];
    expect(v4).not.toContain(':');
    expect(v6).toContain(':');
    const asks = [nameOf(asking, 'node-0'), nameOf(asking, 'node-1'), nameOf(web, 'node-1')];
    for (const pod of asks) expect(await reached(() => manyFromPod(pod, `[${v6}]`), 3), pod).toEqual(all());
    const { nodePort } = (await find('both')).spec?.ports?.[0] ?? {};
    const { ipv6 } = nodes.node(1);
    expect(
      await reached(
        many(() => fromOutside(`[${ipv6}]:${nodePort}`)),
        3,
      ),
      'outside',
    ).toEqual(all());
    const lookup = ['exec', nameOf(asking, 'node-1'), '--', 'nslookup', 'both.default.svc.cluster.local'];
    expect(await kubectl(...lookup)).toContain(v6);
  });

  it('is reached from outside on a port of every node', async () => {
    const port = (await find('web')).spec?.ports?.[0]?.nodePort;
    for (const { ip, name } of nodes.nodes) {
      expect(
        await reached(
          many(() => fromOutside(`${ip}:${port}`)),
          3,
        ),
        name,
      ).toEqual(all());
    }
  });

  it('that stays on the node sees who asks', async () => {
    const port = (await find('near')).spec?.ports?.[0]?.nodePort;
    for (const { ip, name } of nodes.nodes) {
      const answered = await fromOutside(`${ip}:${port}`);
      expect(answered, name).toEqual({ pod: nameOf(web, name), client: '192.168.77.100' });
    }
  });
});

describe('a network policy', () => {
  it('lets in whom it is for, from other nodes, too, and nobody else', async () => {
    const [friend, stranger] = [nameOf(asking, 'node-1'), nameOf(asking, 'node-2')];
    await kubectl('label', 'pod', friend, 'friend=yes');
    await nodes.cluster.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'friends' },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        ingress: [{ from: [{ podSelector: { matchLabels: { friend: 'yes' } } }] }],
      },
    });
    await eventually(async () => {
      const seen = await Promise.all(
        NAMES.map(async (to) => {
          const addresses = [`${addressOf(web, to)}:8080`, `[${address6Of(web, to)}]:8080`];
          const asked = addresses.flatMap((address) => [fromPod(friend, address), fromPod(stranger, address)]);
          return (await Promise.all(asked)).map((answered) => answered !== undefined);
        }),
      );
      expect(seen).toEqual(NAMES.map(() => [true, false, true, false]));
    });
    await kubectl('delete', 'networkpolicy', 'friends');
  });

  it('that lets pods of a node that joined ask for names only does', async () => {
    const pod = nameOf(asking, 'node-2');
    await kubectl('label', 'pod', pod, 'quiet=yes');
    await nodes.cluster.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'quiet' },
      spec: {
        podSelector: { matchLabels: { quiet: 'yes' } },
        policyTypes: ['Egress'],
        egress: [
          {
            to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
            ports: [{ protocol: 'UDP', port: 53 }],
          },
        ],
      },
    });
    await eventually(async () => expect(await fromPod(pod, `${addressOf(web, 'node-0')}:8080`)).toBeUndefined());
    expect(await kubectl('exec', pod, '--', 'nslookup', 'web.default.svc.cluster.local')).toContain('Name:');
    await kubectl('delete', 'networkpolicy', 'quiet');
  });
});

describe('when things go wrong', () => {
  it('a link that was cut and healed carries on, with the connections that were open', async () => {
    const address = addressOf(web, 'node-1');
    const slow = `{ printf 'GET ${URI} HTTP/1.0\\r\\n'; sleep 3; printf '\\r\\n'; sleep 8; } | timeout 15 nc ${address} 8080`;
    const open = nodes.cluster.start('kubectl', ['exec', nameOf(asking, 'node-0'), '--', 'sh', '-c', slow]);
    const answered = () => fromPod(nameOf(asking, 'node-0'), `${address}:8080`);
    await eventually(async () => expect(await answered()).toBeDefined());
    await nodes.link('node-1', 'down');
    expect(await answered()).toBeUndefined();
    await nodes.link('node-1', 'up');
    await eventually(async () => expect(await answered()).toBeDefined());
    await open.said(new RegExp(`pod: ${nameOf(web, 'node-1')}`));
    expect(await kubectl('exec', nameOf(asking, 'node-1'), '--', 'echo', 'here')).toBe('here\n');
  });

  it('an API server that was killed and came back is found by all', async () => {
    process.kill(await nodes.cluster.pid(), 'SIGKILL');
    expect(await fromNode(nodes.node(1), `${addressOf(web, 'node-2')}:8080`)).toBeDefined();
    await nodes.cluster.up('--no-install');
    const pod = nameOf(asking, 'node-1');
    expect(await kubectl('exec', pod, '--', 'nslookup', 'web.default.svc.cluster.local')).toContain('Name:');
    await kubectl('create', 'service', 'clusterip', 'news', '--tcp=80');
    const { clusterIP = '' } = (await find('news')).spec ?? {};
    await eventually(async () => {
      const rules = await Promise.all(nodes.nodes.map(({ cluster }) => cluster.run('nft', ['list', 'ruleset'])));
      expect(rules.map(({ stdout }) => stdout.includes(clusterIP))).toEqual([true, true, true]);
    });
  });

  it('a node that was deleted though it lives is registered again, with the range that it had', async () => {
    const range = async () => kubectl('get', 'node', 'node-1', '-o', 'jsonpath={.spec.podCIDRs} {.metadata.uid}');
    const [before, uid] = (await range()).split(' ');
    await kubectl('delete', 'node', 'node-1');
    await eventually(async () => expect((await range()).split(' ')[0]).toBe(before));
    expect((await range()).split(' ')[1]).not.toBe(uid);
    await kubectl('wait', 'node/node-1', '--for=condition=Ready', '--timeout=30s');
    await kubectl('rollout', 'status', 'daemonset/web', '--timeout=30s');
    [web, asking] = await Promise.all([podsOf('web'), podsOf('asking')]);
    await eventually(async () => {
      expect(await fromPod(nameOf(asking, 'node-0'), `${addressOf(web, 'node-1')}:8080`)).toBeDefined();
    });
  });

  it('the containers of a node whose process was killed run on, and are taken over', async () => {
    const { cluster } = nodes.node(1);
    const identity = ({ metadata, status }: Pod) => {
      const { containerID, restartCount } = status?.containerStatuses?.[0] ?? {};
      return [metadata?.uid, status?.podIP, containerID, restartCount];
    };
    const before = [web, asking].map((pods) => identity(pods.get('node-1') as Pod));
    await kubectl('create', 'service', 'clusterip', 'gone', '--tcp=80');
    const { clusterIP = '' } = (await find('gone')).spec ?? {};
    const rules = async () => (await cluster.run('nft', ['list', 'ruleset'])).stdout;
    await eventually(async () => expect(await rules()).toContain(clusterIP));
    process.kill(await cluster.pid(), 'SIGKILL');
    await kubectl('delete', 'service', 'gone');
    expect(await fromPod(nameOf(asking, 'node-0'), `${addressOf(web, 'node-1')}:8080`)).toBeDefined();
    await cluster.up('--no-install');
    expect(await rules()).not.toContain(clusterIP);
    const found = await Promise.all(['web', 'asking'].map(podsOf));
    expect(found.map((pods) => identity(pods.get('node-1') as Pod))).toEqual(before);
    expect(await kubectl('exec', nameOf(asking, 'node-1'), '--', 'echo', 'here')).toBe('here\n');
  });
});

describe('a node', () => {
  it('does not join twice, under a name that is taken, or with a token that is none', async () => {
    const made = await nodes.cluster.kubets(['token', 'create']);
    const [, , server = '', , token = '', , hash = ''] = made.stdout.trim().split(' ');
    const refused = async (at: MachineNode, words: string[]) => {
      const { code, stderr } = await at.cluster.kubets(['join', server, ...words, '--no-install']);
      expect(code).toBe(1);
      return stderr;
    };
    const right = ['--token', token, '--ca-hash', hash];
    const other = nodes.spare();
    expect(await refused(nodes.node(1), right)).toContain('already');
    expect(await refused(other, [...right, '--node-name', 'node-1'])).toContain('there is a node node-1 already');
    const nobody = ['--token', 'aaaaaa.0123456789abcdef', '--ca-hash', hash];
    expect(await refused(other, nobody)).toContain('does not know the token aaaaaa');
  });

  it('is drained, leaves, and the others forget the way to it', async () => {
    const { cluster, name } = nodes.node(2);
    const routes = async () => (await nodes.cluster.run('ip', ['route'])).stdout;
    const range = await kubectl('get', 'node', name, '-o', 'jsonpath={.spec.podCIDR}');
    expect(await routes()).toContain(range);
    await kubectl('drain', name, '--ignore-daemonsets', '--timeout=30s');
    const gone = await cluster.kubets(['delete']);
    expect(gone.code, gone.stderr).toBe(0);
    await kubectl('delete', 'node', name);
    await eventually(async () => expect(await routes()).not.toContain(range));
    expect(await fromPod(nameOf(asking, 'node-0'), `${addressOf(web, 'node-1')}:8080`)).toBeDefined();
  });
});
