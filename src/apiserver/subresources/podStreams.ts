/**
 * log, exec, attach and port-forward of pods: passed on to the kubelet of the pod's node.
 * Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/#Operations
 */
import { type Pod, pods } from '../../apis/core/pod.ts';
import { type FieldError, invalid } from '../../machinery/fieldError.ts';
import type { Stored } from '../../machinery/kind.ts';
import { apiError, badRequest, invalidObject, notFound } from '../../machinery/status.ts';
import type { Answer } from '../answer.ts';
import { type Authorizer, authorizeAll } from '../authorization/authorizer.ts';
import type { RequestContext } from '../context.ts';
import type { Registry } from '../registry/registry.ts';
import { type Handler, handlerKey } from '../stage.ts';
import { forbidden } from '../stages/authorize.ts';
import { isTrue } from '../stages/route.ts';
import { containerOf } from './containers.ts';
import { type ForwardOptions, forward } from './forward.ts';
import type { Kubelets } from './kubelet.ts';
import { allowing } from './verbs.ts';
import { logOverWebSocket } from './webSocketLog.ts';

const OPTIONS: ForwardOptions = {
  translateErrors: true,
  unreachable: (message) => apiError('InternalError', `error dialing backend: ${message}`),
};

interface Streaming {
  readonly registry: Registry;
  readonly kubelets: Kubelets;
  readonly authorizers: readonly Authorizer[];
}

export function podStreamHandlers(parts: Streaming): [string, Handler][] {
  const key = (subresource: string) => handlerKey('', 'pods', subresource);
  return [
    [key('log'), allowing(['get'], (ctx) => log(parts, ctx))],
    [key('exec'), allowing(['get', 'create'], (ctx) => remoteCommand(parts, ctx, 'exec'))],
    [key('attach'), allowing(['get', 'create'], (ctx) => remoteCommand(parts, ctx, 'attach'))],
    [key('portforward'), allowing(['get', 'create'], (ctx) => portForward(parts, ctx))],
  ];
}

/** The options of a log that are passed on as they are. */
const LOG_OPTIONS = [
  'follow',
  'previous',
  'sinceSeconds',
  'sinceTime',
  'timestamps',
  'tailLines',
  'limitBytes',
  'stream',
];

const FLAGS: ReadonlySet<string> = new Set(['follow', 'previous', 'timestamps']);

async function log(parts: Streaming, ctx: RequestContext): Promise<Answer> {
  const pod = await podOf(parts, ctx);
  checkLogOptions(ctx.query, ctx.info.name);
  const container = containerOf(pod, ctx.query.get('container') ?? '');
  const node = pod.spec?.nodeName;
  // Nothing runs yet, so nothing was said.
  if (!node) return { type: 'raw', status: 204, contentType: 'text/plain', body: Buffer.alloc(0) };
  const query = new URLSearchParams();
  for (const name of LOG_OPTIONS) {
    const value = ctx.query.get(name);
    if (value !== null && value !== '') query.set(name, FLAGS.has(name) ? String(isTrue(value)) : value);
  }
  const verify = !isTrue(ctx.query.get('insecureSkipTLSVerifyBackend'));
  const path = withQuery(pathOf('containerLogs', pod, container), query);
  const target = await parts.kubelets.target(node, path, verify);
  if (ctx.raw?.upgrade !== undefined) return logOverWebSocket(ctx, target, OPTIONS);
  return forward(ctx, target, { ...OPTIONS, method: 'GET' });
}

/** @throws ApiError Invalid */
function checkLogOptions(query: URLSearchParams, name: string): void {
  const errors: FieldError[] = [];
  const atLeast = (field: string, least: number, why: string) => {
    const text = query.get(field);
    if (text === null || text === '') return;
    if (!/^-?\d{1,15}$/.test(text))
      throw badRequest(`${field}: Invalid value: ${JSON.stringify(text)}: must be a whole number`);
    if (Number(text) < least) errors.push(invalid(field, Number(text), why));
  };
  atLeast('tailLines', 0, 'must be greater than or equal to 0');
  atLeast('limitBytes', 1, 'must be greater than 0');
  atLeast('sinceSeconds', 1, 'must be greater than 0');
  const since = query.get('sinceTime') ?? '';
  if (since !== '' && Number.isNaN(Date.parse(since)))
    throw badRequest('sinceTime: Invalid value: must be a time in RFC 3339');
  if (since !== '' && (query.get('sinceSeconds') ?? '') !== '') {
    errors.push({
      type: 'FieldValueForbidden',
      field: '',
      detail: 'at most one of `sinceTime` or `sinceSeconds` may be specified',
    });
  }
  if (errors.length > 0) throw invalidObject({ group: '', kind: 'PodLogOptions' }, name, errors);
}

async function remoteCommand(parts: Streaming, ctx: RequestContext, what: 'exec' | 'attach'): Promise<Answer> {
  checkMayCreate(parts, ctx);
  const pod = await podOf(parts, ctx);
  const container = containerOf(pod, ctx.query.get('container') ?? '');
  const query = new URLSearchParams();
  const tty = isTrue(ctx.query.get('tty'));
  // Output is wanted unless the client says that it is not.
  const wants = (name: string, otherwise: boolean) => {
    const value = ctx.query.get(name);
    return value === null || value === '' ? otherwise : isTrue(value);
  };
  if (wants('stdin', false)) query.set('input', '1');
  if (wants('stdout', true)) query.set('output', '1');
  // A terminal has one output only.
  if (wants('stderr', !tty) && !tty) query.set('error', '1');
  if (tty) query.set('tty', '1');
  if (what === 'exec') {
    const command = ctx.query.getAll('command');
    if (command.length === 0) throw badRequest('you must specify at least 1 command for the container');
    for (const word of command) query.append('command', word);
  }
  const path = withQuery(pathOf(what, pod, container), query);
  return forward(ctx, await parts.kubelets.target(nodeOfPod(pod), path), OPTIONS);
}

async function portForward(parts: Streaming, ctx: RequestContext): Promise<Answer> {
  checkMayCreate(parts, ctx);
  const pod = await podOf(parts, ctx);
  const query = new URLSearchParams();
  for (const port of ctx.query.getAll('ports').flatMap((p) => p.split(','))) query.append('port', port);
  const path = withQuery(pathOf('portForward', pod), query);
  return forward(ctx, await parts.kubelets.target(nodeOfPod(pod), path), OPTIONS);
}

/** A WebSocket begins with a GET; what it does needs the right to create all the same. */
function checkMayCreate(parts: Streaming, ctx: RequestContext): void {
  if (ctx.info.verb === 'create') return;
  const { info } = ctx;
  const attributes = {
    user: ctx.user,
    verb: 'create',
    isResource: true,
    group: info.group,
    version: info.version,
    resource: info.resource,
    subresource: info.subresource,
    namespace: info.namespace ?? '',
    name: info.name,
    path: info.path,
  };
  const decision = authorizeAll(parts.authorizers, attributes);
  if (!decision.allowed) throw forbidden(attributes, decision.reason);
}

async function podOf(parts: Streaming, ctx: RequestContext): Promise<Stored<Pod>> {
  const cache = parts.registry.cache(pods);
  await cache.freshen();
  const pod = cache.object(ctx.info.namespace, ctx.info.name);
  if (pod === undefined) throw notFound(pods, ctx.info.name);
  return pod;
}

function nodeOfPod(pod: Stored<Pod>): string {
  const node = pod.spec?.nodeName;
  if (!node) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
  return node;
}

const pathOf = (what: string, pod: Stored<Pod>, container?: string) =>
  ['', what, pod.metadata.namespace ?? '', pod.metadata.name, ...(container === undefined ? [] : [container])]
    .map(encodeURIComponent)
    .join('/');

function withQuery(path: string, query: URLSearchParams): string {
  const text = query.toString();
  return text === '' ? path : `${path}?${text}`;
}
