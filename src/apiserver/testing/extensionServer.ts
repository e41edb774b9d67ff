/** A small API server of another, for tests: it serves `wares` of `shop.example.com/v1` and tells who asked. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

export const GROUP = 'shop.example.com';
const ROOT = `/apis/${GROUP}/v1`;

const WARES = {
  name: 'wares',
  singularName: 'ware',
  namespaced: true,
  kind: 'Ware',
  verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'watch'],
  shortNames: ['wa'],
};
const RESOURCE_LIST = {
  kind: 'APIResourceList',
  apiVersion: 'v1',
  groupVersion: `${GROUP}/v1`,
  resources: [WARES, { name: 'wares/price', singularName: '', namespaced: true, kind: 'Ware', verbs: ['get'] }],
};
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const GVK = { group: GROUP, version: 'v1', kind: 'Ware' };
const AGGREGATED = {
  kind: 'APIGroupDiscoveryList',
  apiVersion: 'apidiscovery.k8s.io/v2',
  metadata: {},
  items: [
    {
      metadata: { name: GROUP },
      versions: [
        {
          version: 'v1',
          freshness: 'Current',
          resources: [
            {
              resource: 'wares',
              responseKind: GVK,
              scope: 'Namespaced',
              singularResource: 'ware',
              verbs: WARES.verbs,
              shortNames: ['wa'],
            },
          ],
        },
      ],
    },
  ],
};
const SCHEMA = {
  type: 'object',
  description: 'Something that is sold.',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
    price: { type: 'integer', description: 'What it costs.' },
  },
  'x-kubernetes-group-version-kind': [GVK],
};
const GET = {
  operationId: 'readWare',
  'x-kubernetes-action': 'get',
  'x-kubernetes-group-version-kind': GVK,
};

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  /** of the client certificate; absent where there was none that is believed */
  readonly peer: string | undefined;
  readonly body: string;
}

export interface ExtensionServer {
  readonly port: number;
  /** without what discovery and OpenAPI asked */
  readonly asked: Asked[];
  /** answers everything with 500 */
  failing: boolean;
  /** Sends an event to everyone who watches. */
  tell(name: string): void;
  readonly watches: number;
  close(): Promise<void>;
}

export interface ExtensionServerOptions {
  readonly cert: string;
  readonly key: string;
  /** PEM: whose client certificates are believed */
  readonly clientCA: string;
  readonly host?: string;
  readonly aggregatedDiscovery?: boolean;
}

export async function startExtensionServer(options: ExtensionServerOptions): Promise<ExtensionServer> {
  const asked: Asked[] = [];
  const watches = new Set<ServerResponse>();
  const sockets = new Set<Duplex>();
  const wares = new Map<string, object>();
  let failing = false;
  const json = (res: ServerResponse, value: unknown, status = 200, type = 'application/json') => {
    res.writeHead(status, { 'content-type': type });
    res.end(JSON.stringify(value));
  };
  const refuse = (res: ServerResponse, code: number, reason: string, message: string) =>
    json(res, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message }, code);
  const answer = (req: IncomingMessage, res: ServerResponse, body: string) => {
    const url = new URL(req.url ?? '/', 'https://here');
    const path = url.pathname.replace(/\/$/, '');
    if (failing) return refuse(res, 500, 'InternalError', 'out of order');
    if (path === '/apis' && options.aggregatedDiscovery !== false) return json(res, AGGREGATED, 200, AGGREGATED_TYPE);
    if (path === ROOT) return json(res, RESOURCE_LIST);
    if (path === '/openapi/v3') {
      return json(res, { paths: { [ROOT.slice(1)]: { serverRelativeURL: `/openapi/v3${ROOT}?hash=1` } } });
    }
    if (path === `/openapi/v3${ROOT}`) {
      const paths = { [`${ROOT}/namespaces/{namespace}/wares/{name}`]: { get: { ...GET, responses: {} } } };
      return json(res, { openapi: '3.0.0', paths, components: { schemas: { 'com.example.Ware': SCHEMA } } });
    }
    if (path === '/openapi/v2') {
      const $ref = '#/definitions/com.example.Ware';
      const read = { ...GET, responses: { 200: { description: 'OK', schema: { $ref } } } };
      const paths = { [`${ROOT}/namespaces/{namespace}/wares/{name}`]: { get: read }, '/apis/other/': {} };
      return json(res, { swagger: '2.0', paths, definitions: { 'com.example.Ware': SCHEMA, unused: {} } });
    }
    const peer = (req.socket as TLSSocket).authorized
      ? String((req.socket as TLSSocket).getPeerCertificate().subject.CN)
      : undefined;
    asked.push({ method: req.method ?? '', url: req.url ?? '', headers: req.headers, peer, body });
    const [, namespace = '', name = ''] = /\/namespaces\/([^/]+)\/wares\/?([^/]*)/.exec(path) ?? [];
    if (url.searchParams.has('watch')) {
      res.writeHead(200, { 'content-type': 'application/json' });
      res.flushHeaders();
      watches.add(res);
      res.on('close', () => watches.delete(res));
      return;
    }
    const key = `${namespace}/${name}`;
    switch (req.method) {
      case 'POST': {
        const object = JSON.parse(body) as { metadata: { name: string; namespace?: string } };
        object.metadata.namespace = namespace;
        wares.set(`${namespace}/${object.metadata.name}`, object);
        return json(res, object, 201);
      }
      case 'DELETE': {
        if (name === '') for (const k of [...wares.keys()]) if (k.startsWith(`${namespace}/`)) wares.delete(k);
        if (name !== '' && !wares.delete(key)) return refuse(res, 404, 'NotFound', `wares "${name}" not found`);
        return json(res, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' });
      }
      default: {
        const object = wares.get(key);
        if (name !== '' && object === undefined) return refuse(res, 404, 'NotFound', `wares "${name}" not found`);
        if (object !== undefined) return json(res, object);
        const items = [...wares].filter(([k]) => namespace === '' || k.startsWith(`${namespace}/`)).map(([, o]) => o);
        return json(res, { kind: 'WareList', apiVersion: `${GROUP}/v1`, metadata: { resourceVersion: '1' }, items });
      }
    }
  };
  const server = createServer(
    { cert: options.cert, key: options.key, ca: options.clientCA, requestCert: true, rejectUnauthorized: false },
    (req, res) => {
      let body = '';
      req.on('data', (chunk: Buffer) => {
        body += chunk.toString('utf8');
      });
      req.on('end', () => answer(req, res, body));
    },
  );
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  // Says everything back.
  server.on('upgrade', (_req: IncomingMessage, socket: Duplex) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, options.host ?? 'localhost', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    get failing() {
      return failing;
    },
    set failing(value) {
      failing = value;
    },
    tell(name) {
      const object = { kind: 'Ware', apiVersion: `${GROUP}/v1`, metadata: { name } };
      for (const res of watches) res.write(`${JSON.stringify({ type: 'ADDED', object })}\n`);
    },
    get watches() {
      return watches.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
