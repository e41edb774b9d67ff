/** Connections through services live as long as their endpoints do, whatever happens around them. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Pod } from '../src/apis/core/pod.ts';
import type { Service } from '../src/apis/core/service.ts';
import { SystemClock } from '../src/lib/clock.ts';
import { TestCluster } from './support/cluster.ts';
import { ApiClient } from './support/https.ts';
import { eventually, run } from './support/process.ts';

const cluster = new TestCluster('connections');
const clock = new SystemClock();
const PORT = 6379;
const SLICES = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
let api: ApiClient;
let clusterIP: string;
/** the addresses of the endpoint that stays, and of the one that comes and goes */
let stays: string;
let flaps: string;

const pod = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'redis',
        image: 'redis',
        imagePullPolicy: 'IfNotPresent',
        readinessProbe: { tcpSocket: { port: PORT }, periodSeconds: 1 },
      },
    ],
  },
});
const slice = (name: string, service: string, addresses: readonly string[]) => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, labels: { 'kubernetes.io/service-name': service } },
  addressType: 'IPv4',
  endpoints: addresses.map((address) => ({ addresses: [address] })),
  ports: [{ name: '', protocol: 'TCP', port: PORT }],
});
const service = (name: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { ports: [{ port: PORT }] },
});

beforeAll(async () => {
  await cluster.up();
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items: [pod('stays'), pod('flaps'), service('redis')] });
  await cluster.kubectl('wait', 'pod', '--all', '--for=condition=Ready', '--timeout=60s');
  const address = async (name: string) => (await cluster.get<Pod>('pod', name)).status?.podIP ?? '';
  [stays, flaps] = await Promise.all([address('stays'), address('flaps')]);
  await cluster.apply(slice('stays', 'redis', [stays]));
  clusterIP = (await cluster.get<Service>('service', 'redis')).spec?.clusterIP ?? '';
  api = new ApiClient(cluster);
});
afterAll(() => cluster.remove());

/** Asks and is answered, over one connection, until it is closed. */
class Conversation {
  readonly #socket: Socket;
  failure: Error | undefined;
  answers = 0;

  constructor() {
    this.#socket = connect({ host: clusterIP, port: PORT });
    this.#socket.setNoDelay(true);
    this.#socket.on('connect', () => this.#socket.write('PING\r\n'));
    this.#socket.on('data', (data) => {
      if (data.toString() !== '+PONG\r\n') this.failure ??= new Error(`it said ${data}`);
      this.answers++;
      clock.after(10, () => !this.#socket.destroyed && this.#socket.write('PING\r\n'), { ref: true });
    });
    this.#socket.on('error', (error) => {
      this.failure ??= error;
    });
    this.#socket.on('close', () => {
      this.failure ??= new Error('it was closed');
    });
  }

  /** Resolves when it was answered again. */
  async goesOn(): Promise<void> {
    const { answers } = this;
    await eventually(() => {
      if (this.failure !== undefined) throw this.failure;
      expect(this.answers).toBeGreaterThan(answers);
    }, 5_000);
  }

  end(): void {
    this.failure ??= new Error('it was ended');
    this.#socket.destroy();
  }
}

/** A connection of its own for one question. @throws Error where it is not answered */
function askOnce(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: clusterIP, port: PORT, timeout: 3_000 });
    socket.once('connect', () => socket.write('PING\r\n'));
    socket.once('data', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error('no answer within 3 s')));
    socket.once('error', reject);
  });
}

const put = (object: { metadata: { name: string } }) =>
  api.ask({
    method: 'PATCH',
    path: `${SLICES}/${object.metadata.name}?fieldManager=test&force=true`,
    headers: { 'Content-Type': 'application/apply-patch+yaml' },
    body: JSON.stringify(object),
  });
const backends = async () => {
  const { stdout } = await run('nft', ['list', 'ruleset']);
  return [stays, flaps].filter((ip) =>
    new RegExp(`${clusterIP.replaceAll('.', '\\.')} \\. tcp[^,]*${ip} `).test(stdout),
  );
};

describe('a connection to an endpoint that stays', () => {
  it('outlives a thousand changes of the others, and new ones are answered all the while', async () => {
    const open = Array.from({ length: 20 }, () => new Conversation());
    await Promise.all(open.map((one) => one.goesOn()));
    let changes = 0;
    let asked = 0;
    let busy = true;
    const asking = (async () => {
      while (busy) {
        await askOnce();
        asked++;
        await clock.sleep(5);
      }
    })();
    const change = async () => {
      while (changes < 1_000) {
        const number = changes++;
        // Of this service, every other time; of another one, whose endpoints nobody answers at, in between.
        const object =
          number % 2 === 0
            ? slice('flaps', 'redis', number % 4 === 0 ? [flaps] : [])
            : slice('others', 'others', [`192.0.2.${1 + (number % 250)}`]);
        const { status, text } = await put(object);
        if (status >= 300) throw new Error(text);
      }
    };
    await cluster.apply(service('others'));
    await Promise.all([change(), change(), change(), change()]);
    busy = false;
    await asking;
    expect(asked).toBeGreaterThan(100);
    await Promise.all(open.map((one) => one.goesOn()));
    for (const one of open) one.end();
  }, 180_000);

  it('outlives the proxy, which finds its rules as they should be', async () => {
    await put(slice('flaps', 'redis', [flaps]));
    await eventually(async () => expect(await backends()).toEqual([stays, flaps]));
    await put(slice('flaps', 'redis', []));
    await eventually(async () => expect(await backends()).toEqual([stays]));
    const open = Array.from({ length: 5 }, () => new Conversation());
    await Promise.all(open.map((one) => one.goesOn()));
    process.kill(await cluster.pid(), 'SIGKILL');
    await Promise.all(open.map((one) => one.goesOn()));
    await askOnce();
    const up = cluster.up();
    let asked = 0;
    for (let done = false; !done; asked++) {
      await askOnce();
      done = await Promise.race([up.then(() => true), clock.sleep(10).then(() => false)]);
    }
    expect(asked).toBeGreaterThan(10);
    await Promise.all(open.map((one) => one.goesOn()));
    expect(await backends()).toEqual([stays]);
    for (const one of open) one.end();
  });
});
