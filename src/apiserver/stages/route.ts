/**
 * The first stage: what is it that the request wants?
 * Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris
 */
import { apiError, badRequest } from '../../machinery/status.ts';
import type { RequestInfo } from '../context.ts';
import { timeoutOf } from '../deadline.ts';
import { isLongRunning } from '../longRunning.ts';
import type { ApiServerParts, Stage } from '../stage.ts';

const VERB_OF: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Resources of a namespace itself, not in it. */
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(['status', 'finalize']);

export function route(parts: ApiServerParts): Stage {
  return (ctx) => {
    ctx.info = requestInfo(ctx.method, ctx.rawPath, ctx.query);
    const { info } = ctx;
    const remote = parts.aggregation.isEmpty ? undefined : remoteOf(parts, info);
    if (remote !== undefined) {
      ctx.remote = remote;
      if (!info.isResource) ctx.info = requestInfo(ctx.method, ctx.rawPath, ctx.query, true);
      return undefined;
    }
    if (ctx.query.has('timeout') && !isLongRunning(ctx)) timeoutOf(ctx.query);
    if (!info.isResource) return undefined;
    const kind = parts.registry.kinds.byResource(info.group, info.version, info.resource);
    if (kind === undefined) return undefined;
    ctx.kind = kind;
    if (kind.deprecation !== undefined) ctx.warn(kind.deprecation);
    if (info.verb === 'create' && parts.registry.isClosedForCreation(kind)) {
      throw apiError('MethodNotAllowed', 'create not allowed while custom resource definition is terminating');
    }
    if (kind.namespaced && info.namespace === undefined && info.name !== '') {
      throw apiError('NotFound', 'the server could not find the requested resource');
    }
    if (!kind.namespaced && info.namespace !== undefined && info.resource !== 'namespaces') {
      throw apiError('NotFound', 'the server could not find the requested resource');
    }
    return undefined;
  };
}

/**
 * Whether a request that asks for another protocol may get it: a stream, a watch, or one that others answer. All else is
 * answered as if it had not asked, as the protocol of HTTP demands.
 */
export function mayUpgrade(parts: ApiServerParts, method: string, url: string): boolean {
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  try {
    const info = requestInfo(method, path, new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)));
    return isLongRunning({ info }) || (!parts.aggregation.isEmpty && remoteOf(parts, info) !== undefined);
  } catch {
    // It is refused for its path, in the usual way.
    return false;
  }
}

/** Who serves the group and version in place of this server. */
function remoteOf({ aggregation }: ApiServerParts, info: RequestInfo) {
  if (info.isResource) return aggregation.of(info.group, info.version);
  const [, root, group = '', version = ''] = info.path.split('/');
  return root === 'apis' && version !== '' ? aggregation.of(group, version) : undefined;
}

/**
 * Reads method, path and query. A hot path.
 * @param anyDepth other servers have resources whose subresources are followed by more, of whatever name
 * @throws ApiError BadRequest for escapes that are none
 */
export function requestInfo(method: string, rawPath: string, query: URLSearchParams, anyDepth = false): RequestInfo {
  const path = rawPath.includes('%') ? unescapePath(rawPath) : rawPath;
  const segments = (rawPath.includes('%') ? rawPath : path).split('/');
  const part = (i: number): string => {
    const segment = segments[i] ?? '';
    return segment.includes('%') ? unescapePath(segment) : segment;
  };
  let group = '';
  let version = '';
  let at: number;
  if (segments[1] === 'api' && segments.length > 3) {
    version = part(2);
    at = 3;
  } else if (segments[1] === 'apis' && segments.length > 4) {
    group = part(2);
    version = part(3);
    at = 4;
  } else return nonResource(method, path);
  if (segments.length === at + 1 && segments[at] === '') return nonResource(method, path);

  let namespace: string | undefined;
  let watch = false;
  if (segments[at] === 'watch' && segments.length > at + 1) {
    // The old form of a watch, still served.
    watch = true;
    at++;
  }
  if (segments[at] === 'namespaces' && segments.length > at + 1 && segments[at + 1] !== '') {
    const inNamespace =
      segments.length > at + 2 && !(NAMESPACE_SUBRESOURCES.has(part(at + 2)) && segments.length === at + 3);
    if (inNamespace) {
      namespace = part(at + 1);
      at += 2;
    }
  }
  const resource = part(at);
  const name = part(at + 1);
  const subresource = part(at + 2);
  const rest = segments.slice(at + 3).join('/');
  if (
    !anyDepth &&
    (subresource === '' ? segments.length > at + 2 && segments[at + 2] !== '' : rest !== '' && subresource !== 'proxy')
  ) {
    return nonResource(method, path);
  }
  if (isTrick(name) || isTrick(subresource) || (namespace !== undefined && isTrick(namespace))) {
    throw apiError('NotFound', 'the server could not find the requested resource');
  }
  let verb = VERB_OF[method] ?? method.toLowerCase();
  if (name === '') {
    if (verb === 'get') verb = watch || isTrue(query.get('watch')) ? 'watch' : 'list';
    else if (verb === 'delete') verb = 'deletecollection';
  } else if (verb === 'get' && subresource === '' && (watch || isTrue(query.get('watch')))) verb = 'watch';
  return { verb, isResource: true, group, version, namespace, resource, subresource, name, rest, path };
}

/** No object has such a name; within a key or behind a rule it could mean another one. */
function isTrick(name: string): boolean {
  return name === '.' || name === '..' || name.includes('/') || name.includes('%') || name.includes('\0');
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    verb: method.toLowerCase(),
    isResource: false,
    group: '',
    version: '',
    namespace: undefined,
    resource: '',
    subresource: '',
    name: '',
    rest: '',
    path,
  };
}

/** A boolean of a query, as Kubernetes reads it: being there is enough, unless it says otherwise. */
export function isTrue(text: string | null): boolean {
  return text !== null && text !== '0' && text.toLowerCase() !== 'false';
}

function unescapePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw badRequest('the path of the request is not properly escaped');
  }
}
