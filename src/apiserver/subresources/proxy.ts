/**
 * proxy of pods, services and nodes: plain requests to a port of theirs, through the API server.
 * Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { createGunzip, createInflate } from 'node:zlib';
import { pods } from '../../apis/core/pod.ts';
import { type Service, services } from '../../apis/core/service.ts';
import { type EndpointSlice, endpointSlices } from '../../apis/discovery/endpointSlice.ts';
import type { Random } from '../../lib/random.ts';
import type { Stored } from '../../machinery/kind.ts';
import { apiError, badRequest, notFound } from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import { type Handler, handlerKey } from '../stage.ts';
import { type ForwardOptions, forward, type Target } from './forward.ts';
import type { Kubelets } from './kubelet.ts';
import { PageLinks, type Rewrite, rewriterFor } from './pageLinks.ts';

interface Proxying {
  readonly registry: Registry;
  readonly kubelets: Kubelets;
  readonly random: Random;
}

type Place = Pick<Target, 'protocol' | 'host' | 'port' | 'tls'>;

export function proxyHandlers(parts: Proxying): [string, Handler][] {
  const handler =
    (find: (parts: Proxying, ctx: RequestContext, name: ProxyName) => Promise<Place>): Handler =>
    async (ctx) => {
      const path = targetPath(ctx);
      if (path === undefined) return toFolder(ctx);
      const place = await find(parts, ctx, parseName(ctx.info.name));
      return forward(ctx, { ...place, path }, seenThroughProxy(ctx, place));
    };
  return [
    [handlerKey('', 'pods', 'proxy'), handler(podPlace)],
    [handlerKey('', 'services', 'proxy'), handler(servicePlace)],
    [handlerKey('', 'nodes', 'proxy'), handler(nodePlace)],
  ];
}

interface ProxyName {
  readonly scheme: 'http' | 'https' | undefined;
  readonly name: string;
  /** a number or a port's name; '' for none */
  readonly port: string;
}

/** `name`, `name:port`, `https:name:port`. @throws ApiError BadRequest */
function parseName(text: string): ProxyName {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 3 && (first === 'http' || first === 'https' || first === '')) {
    return { scheme: first === '' ? undefined : first, name: second, port: third };
  }
  if (parts.length <= 2) return { scheme: undefined, name: first, port: second };
  throw badRequest(`invalid request ${JSON.stringify(text)}: it must be a name, name:port or scheme:name:port`);
}

/** /api/v1/nodes/NAME/proxy or /api/v1/namespaces/NS/pods/NAME/proxy, and what comes behind it. */
function splitPath(ctx: RequestContext): { prefix: string; rest: string[] } {
  const parts = ctx.rawPath.split('/');
  const depth = ctx.info.namespace === undefined ? 6 : 8;
  return { prefix: parts.slice(0, depth).join('/'), rest: parts.slice(depth) };
}

/** What comes behind `/proxy` as the client escaped it, with its query; undefined without even a slash. */
function targetPath(ctx: RequestContext): string | undefined {
  const { rest } = splitPath(ctx);
  if (rest.length === 0 && (ctx.method === 'GET' || ctx.method === 'HEAD')) return undefined;
  return `/${rest.join('/')}${queryOf(ctx)}`;
}

/** With its question mark, as the client wrote it. */
function queryOf(ctx: RequestContext): string {
  const url = ctx.raw?.req.url ?? '';
  const mark = url.indexOf('?');
  return mark < 0 || mark === url.length - 1 ? '' : url.slice(mark);
}

/** The other side is told where the client sees it, and its links lead there. */
function seenThroughProxy(ctx: RequestContext, place: Place): ForwardOptions {
  const { prefix, rest } = splitPath(ctx);
  const { req } = ctx.raw ?? {};
  const host = ctx.header('host') ?? ctx.header(':authority') ?? '';
  const address = req?.socket.remoteAddress;
  const before = ctx.header('x-forwarded-for');
  const own = place.host.includes(':') ? `[${place.host}]` : place.host;
  const rewrite = rewriterFor({ prefix, hosts: [`${own}:${place.port}`, host] });
  return {
    headers: {
      host,
      'x-forwarded-uri': `${prefix}/${rest.join('/')}`,
      ...(address === undefined ? {} : { 'x-forwarded-for': before === undefined ? address : `${before}, ${address}` }),
    },
    translateErrors: false,
    unreachable: (message) => apiError('ServiceUnavailable', `error trying to reach service: ${message}`),
    through: (answer, headers) => {
      for (const name of CROSS_ORIGIN) delete headers[name];
      const { location } = answer.headers;
      if (location !== undefined) headers.location = rewrite(location);
      return location === undefined && ctx.method !== 'HEAD' ? linksOf(answer, headers, rewrite) : [];
    },
  };
}

/** Who may read what this server answers is not for those behind it to say. */
const CROSS_ORIGIN = [
  'access-control-allow-credentials',
  'access-control-allow-headers',
  'access-control-allow-methods',
  'access-control-allow-origin',
];

/** What a page goes through. It is sent as it is read, so that its length is not known before. */
function linksOf(answer: IncomingMessage, headers: Record<string, string | string[]>, rewrite: Rewrite): Duplex[] {
  const type = answer.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  const encoding = answer.headers['content-encoding'] ?? '';
  const unpack = Object.hasOwn(UNPACK, encoding) ? UNPACK[encoding] : undefined;
  if (type !== 'text/html' || unpack === undefined) return [];
  delete headers['content-length'];
  delete headers['content-encoding'];
  return [...unpack(), new PageLinks(rewrite)];
}

/** Encodings of pages that can be read. */
const UNPACK: Readonly<Record<string, () => Duplex[]>> = {
  '': () => [],
  identity: () => [],
  gzip: () => [createGunzip()],
  deflate: () => [createInflate()],
};

/** Links of the page are relative to a folder. */
function toFolder(ctx: RequestContext): Answer {
  const location = `${ctx.rawPath}/${queryOf(ctx)}`;
  return {
    type: 'raw',
    status: 301,
    contentType: 'text/plain',
    body: Buffer.alloc(0),
    headers: { Location: location },
  };
}

async function podPlace(parts: Proxying, ctx: RequestContext, { scheme, name, port }: ProxyName): Promise<Place> {
  const cache = parts.registry.cache(pods);
  await cache.freshen();
  const pod = cache.object(ctx.info.namespace, name);
  if (pod === undefined) throw notFound(pods, name);
  const host = pod.status?.podIP;
  if (!host) throw badRequest('address not allowed');
  const ports = (pod.spec?.containers ?? []).flatMap((c) => c.ports ?? []);
  const number =
    port === '' ? ports[0]?.containerPort : (ports.find((p) => p.name === port)?.containerPort ?? Number(port));
  return { protocol: scheme ?? 'http', host, port: portNumber(number ?? (scheme === 'https' ? 443 : 80), port) };
}

async function servicePlace(parts: Proxying, ctx: RequestContext, { scheme, name, port }: ProxyName): Promise<Place> {
  const { registry } = parts;
  const { namespace } = ctx.info;
  await registry.cache(services).freshen();
  await registry.cache(endpointSlices).freshen();
  const service = registry.cache(services).object(namespace, name);
  if (service === undefined) throw notFound(services, name);
  const portName = servicePort(service, port);
  const places: Place[] = [];
  for (const entry of registry.cache(endpointSlices).entries(namespace)) {
    const slice = entry.object as Stored<EndpointSlice>;
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const number = (slice.ports ?? []).find((p) => (p.name ?? '') === portName)?.port;
    if (number === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const [host] = endpoint.addresses;
      if (endpoint.conditions?.ready === false || host === undefined) continue;
      places.push({ protocol: scheme ?? 'http', host, port: number });
    }
  }
  const chosen = places[parts.random.integer(Math.max(1, places.length))];
  if (chosen === undefined) {
    throw apiError('ServiceUnavailable', `no endpoints available for service ${JSON.stringify(ctx.info.name)}`);
  }
  return chosen;
}

/** The name of the service's port that is meant; endpoints know ports by name. */
function servicePort(service: Stored<Service>, asked: string): string {
  const ports = service.spec?.ports ?? [];
  const found =
    asked === '' && ports.length === 1 ? ports[0] : ports.find((p) => p.name === asked || String(p.port) === asked);
  if (found === undefined && (asked !== '' || ports.every((p) => p.name))) {
    throw apiError(
      'ServiceUnavailable',
      `no service port ${JSON.stringify(asked)} found for service ${JSON.stringify(service.metadata.name)}`,
    );
  }
  return found?.name ?? '';
}

async function nodePlace(parts: Proxying, _ctx: RequestContext, { scheme, name, port }: ProxyName): Promise<Place> {
  const { host, kubeletPort } = await parts.kubelets.address(name);
  if (port === '' || Number(port) === kubeletPort) return parts.kubelets.target(name, '');
  return { protocol: scheme ?? 'http', host, port: portNumber(Number(port), port) };
}

function portNumber(value: number, asked: string): number {
  if (Number.isInteger(value) && value > 0 && value < 65_536) return value;
  throw badRequest(`invalid port ${JSON.stringify(asked)}`);
}
