/** Ingresses and gateways with real containers: from outside to the service, with TLS, HTTP/2 and upgrades. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Ingress } from '../src/apis/networking/ingress.ts';
import { TestCluster } from './support/cluster.ts';
import { GATEWAY_DEFINITIONS } from './support/gatewayDefinitions.ts';
import { eventually } from './support/process.ts';

const cluster = new TestCluster('ingress');
const kubectl = (...args: string[]) => cluster.kubectl(...args);
const labels = { app: 'echo' };
const HOST = 'echo.test';
let address = '';
let ca = '';

beforeAll(async () => {
  await cluster.up();
  const [key, cert] = [join(cluster.dir, 'tls.key'), join(cluster.dir, 'tls.crt')];
  const names = ['-subj', `/CN=${HOST}`, '-addext', `subjectAltName=DNS:${HOST}`];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-keyout',
      key,
      '-out',
      cert,
      ...names,
    ],
    { stdio: 'ignore' },
  );
  ca = readFileSync(cert, 'utf8');
  await kubectl('create', 'secret', 'tls', 'echo-tls', `--cert=${cert}`, `--key=${key}`);
  const container = { name: 'echo', image: 'kubets/echo', imagePullPolicy: 'IfNotPresent' };
  const paths = [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'echo', port: { name: 'http' } } } }];
  const items = [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'echo' },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'echo' },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'echo' },
      spec: { tls: [{ hosts: [HOST], secretName: 'echo-tls' }], rules: [{ host: HOST, http: { paths } }] },
    },
  ];
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
  await kubectl('rollout', 'status', 'deployment/echo', '--timeout=60s');
  address = await eventually(async () => {
    const { status, spec } = await cluster.get<Ingress>('ingress', 'echo');
    expect(spec?.ingressClassName).toBe('kubets');
    const ip = status?.loadBalancer?.ingress?.[0]?.ip;
    expect(ip).toBeDefined();
    return ip ?? '';
  });
});
afterAll(() => cluster.remove());

const PAGE = '/cgi-bin/index.cgi';

function ask(options: {
  at?: string;
  path?: string;
  port?: number;
  tls?: boolean;
  host?: string;
  method?: string;
  body?: string;
}): Promise<{ status: number; text: string; location?: string }> {
  const { tls = false, host = HOST, method = 'GET', body, at = address, path = PAGE, port = tls ? 443 : 80 } = options;
  return new Promise((resolve, reject) => {
    const common = { host: at, port, path, method, headers: { host }, agent: false as const, timeout: 5_000 };
    const made = tls ? requestTls({ ...common, servername: host, ca }) : request(common);
    made.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      const { location } = response.headers;
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text, ...(location === undefined ? {} : { location }) }),
      );
    });
    made.on('error', reject);
    made.end(body);
  });
}

describe('an ingress', () => {
  it('leads to the endpoints of its service', async () => {
    const hosts = new Set<string>();
    await eventually(async () => expect((await ask({})).status).toBe(200));
    for (let i = 0; i < 20; i++) hosts.add(/^pod: (.*)$/m.exec((await ask({})).text)?.[1] ?? '');
    expect(hosts.size).toBe(2);
    expect((await ask({ method: 'POST', body: 'x'.repeat(100_000) })).text).toContain('method: POST');
  });

  it('has nothing for other hosts, and says when a service has no endpoints', async () => {
    expect((await ask({ host: 'other.test' })).status).toBe(404);
    await kubectl('scale', 'deployment/echo', '--replicas=0');
    await eventually(async () => expect((await ask({})).status).toBe(503));
    await kubectl('scale', 'deployment/echo', '--replicas=2');
    await eventually(async () => expect((await ask({})).status).toBe(200));
  });

  it('has the certificate of its secret, and none for others', async () => {
    expect((await ask({ tls: true })).status).toBe(200);
    await expect(ask({ tls: true, host: 'other.test' })).rejects.toThrow();
  });

  it('speaks HTTP/2', async () => {
    const session = connectHttp2(`https://${address}`, { ca, servername: HOST });
    try {
      const text = await new Promise<string>((resolve, reject) => {
        session.on('error', reject);
        const stream = session.request({ ':path': PAGE, ':authority': HOST });
        let said = '';
        stream.setEncoding('utf8');
        stream.on('data', (chunk: string) => {
          said += chunk;
        });
        stream.on('end', () => resolve(said));
        stream.on('error', reject);
        stream.end();
      });
      expect(text).toContain('pod: echo-');
    } finally {
      session.close();
    }
  });
});

describe('a gateway', () => {
  interface GatewayStatus {
    status?: { addresses?: { value: string }[]; conditions?: { type: string; status: string }[] };
  }
  let gate = '';
  const route = (name: string, listener: string, rules: object[]) => ({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec: { parentRefs: [{ name: 'gate', sectionName: listener }], hostnames: [HOST], rules },
  });
  const path = (value: string) => [{ path: { type: 'PathPrefix', value } }];
  const backendRefs = [{ name: 'echo', port: 80 }];
  const asked = (text: string) => text.match(/^\w+: .*$/gm);

  beforeAll(async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'List', items: [...GATEWAY_DEFINITIONS] });
    await eventually(() => kubectl('get', 'gatewayclass', 'kubets'));
    const gateway = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'gate' },
      spec: {
        gatewayClassName: 'kubets',
        listeners: [
          { name: 'http', port: 8080, protocol: 'HTTP' },
          {
            name: 'https',
            port: 8443,
            protocol: 'HTTPS',
            hostname: HOST,
            tls: { mode: 'Terminate', certificateRefs: [{ name: 'echo-tls' }] },
          },
        ],
      },
    };
    const rewrite = {
      type: 'URLRewrite',
      urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: PAGE } },
    };
    const away = { type: 'RequestRedirect', requestRedirect: { scheme: 'https', port: 8443 } };
    const items = [
      gateway,
      route('plain', 'http', [
        { matches: path('/old'), filters: [rewrite], backendRefs },
        { matches: path('/away'), filters: [away] },
      ]),
      route('secure', 'https', [{ backendRefs }]),
    ];
    await cluster.apply({ apiVersion: 'v1', kind: 'List', items });
    gate = await eventually(async () => {
      const { status } = await cluster.get<GatewayStatus>('gateway', 'gate');
      expect(status?.conditions?.map((one) => [one.type, one.status])).toEqual([
        ['Accepted', 'True'],
        ['Programmed', 'True'],
      ]);
      return status?.addresses?.[0]?.value ?? '';
    });
  });

  it('sends requests where its routes say, changed as they say', async () => {
    const { status, text } = await eventually(async () => {
      const answer = await ask({ at: gate, port: 8080, path: '/old?x=1' });
      expect(answer.status).toBe(200);
      return answer;
    });
    expect(status).toBe(200);
    expect(asked(text)).toContainEqual(expect.stringMatching(/^pod: echo-/));
    expect(await ask({ at: gate, port: 8080, path: '/away/x' })).toMatchObject({
      status: 302,
      location: `https://${HOST}:8443/away/x`,
    });
    expect((await ask({ at: gate, port: 8080, path: '/other' })).status).toBe(404);
  });

  it('ends TLS with the certificate of its listener', async () => {
    expect((await ask({ at: gate, port: 8443, tls: true })).status).toBe(200);
  });

  it('goes with all that was made for it', async () => {
    await kubectl('delete', 'gateway', 'gate');
    await eventually(async () => expect(await kubectl('get', 'service')).not.toContain('gate-kubets'));
    const isServed = () =>
      ask({ at: gate, port: 8080, path: '/old' }).then(
        ({ text }) => text.includes('pod:'),
        () => false,
      );
    await eventually(async () => expect(await isServed()).toBe(false));
  });
});
