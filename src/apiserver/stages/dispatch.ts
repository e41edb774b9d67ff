/** The last stage: the verb itself, a subresource's handler, or a path that is no resource. */
import type { Kind, Verb } from '../../machinery/kind.ts';
import { apiError } from '../../machinery/status.ts';
import { admitConnection } from '../admission/connect.ts';
import { forwardRequest } from '../aggregation/forwardRequest.ts';
import type { Answer } from '../answer.ts';
import type { RequestContext, RequestInfo } from '../context.ts';
import { negotiate } from '../encoding/negotiate.ts';
import { type ApiServerParts, type Handler, handlerKey, type Stage } from '../stage.ts';
import { createVerb } from '../verbs/create.ts';
import { deleteVerb } from '../verbs/delete.ts';
import { deleteCollectionVerb } from '../verbs/deleteCollection.ts';
import { getVerb } from '../verbs/get.ts';
import { listVerb } from '../verbs/list.ts';
import { patchVerb } from '../verbs/patch.ts';
import { scaleVerb } from '../verbs/scale.ts';
import { updateVerb } from '../verbs/update.ts';
import { watchVerb } from '../verbs/watch.ts';

/** A verb of a stored kind. `subresource` is '' or a subresource that holds the object itself. */
export type VerbHandler = (parts: ApiServerParts, ctx: RequestContext, kind: Kind) => Answer | Promise<Answer>;

const VERBS: Readonly<Record<Verb, VerbHandler>> = {
  get: getVerb,
  list: listVerb,
  watch: watchVerb,
  create: createVerb,
  update: updateVerb,
  patch: patchVerb,
  delete: deleteVerb,
  deletecollection: deleteCollectionVerb,
};

const NO_SUCH_RESOURCE = 'the server could not find the requested resource';
const NO_SUCH_METHOD = 'the server does not allow this method on the requested resource';

export function dispatch(parts: ApiServerParts): Stage {
  return (ctx) => {
    const { info, kind, remote } = ctx;
    if (remote !== undefined) return forwardRequest(ctx, remote);
    if (!info.isResource) return pathHandler(parts, ctx)(ctx);
    if (kind === undefined) throw apiError('NotFound', NO_SUCH_RESOURCE);
    if (info.subresource !== '') return subresource(parts, ctx, kind);
    if (!kind.verbs.includes(info.verb as Verb) || !fitsPath(info, kind)) {
      throw apiError('MethodNotAllowed', NO_SUCH_METHOD);
    }
    if (!kind.stored) {
      const handler = parts.handlers.get(handlerKey(kind.group, kind.plural));
      if (handler === undefined) throw apiError('MethodNotAllowed', NO_SUCH_METHOD);
      return handler(ctx);
    }
    if (!READS.has(info.verb)) assertAcceptable(ctx, kind);
    return VERBS[info.verb as Verb](parts, ctx, kind);
  };
}

const READS: ReadonlySet<string> = new Set(['get', 'list', 'watch']);

/** What could not be answered is not done either. @throws ApiError NotAcceptable */
function assertAcceptable(ctx: RequestContext, kind: Kind): void {
  negotiate(ctx.header('accept'), ctx.query, { watch: false, kind });
}

/** Single objects are changed by their path, collections are created in, and both only where they are. */
function fitsPath(info: RequestInfo, kind: Kind): boolean {
  switch (info.verb) {
    case 'create':
      return info.name === '' && (!kind.namespaced || info.namespace !== undefined);
    case 'deletecollection':
      return !kind.namespaced || info.namespace !== undefined;
    case 'update':
    case 'patch':
      return info.name !== '';
    default:
      return true;
  }
}

function subresource(parts: ApiServerParts, ctx: RequestContext, kind: Kind): Answer | Promise<Answer> {
  const { info } = ctx;
  const handler = parts.handlers.get(handlerKey(kind.group, kind.plural, info.subresource));
  if (handler !== undefined) {
    const admitting = admitConnection(parts.admission, ctx, kind);
    return admitting === undefined ? handler(ctx) : admitting.then(() => handler(ctx));
  }
  if (info.subresource === 'scale' && kind.scale !== undefined) return scaleVerb(parts, ctx, kind);
  const isStatus = info.subresource === 'status' && kind.status !== undefined;
  const rules = kind.subresources?.[info.subresource];
  if (!isStatus && rules?.rules === undefined) throw apiError('NotFound', NO_SUCH_RESOURCE);
  const allowed: readonly string[] = rules?.verbs ?? ['get', 'update', 'patch'];
  if (!allowed.includes(info.verb)) throw apiError('MethodNotAllowed', NO_SUCH_METHOD);
  return VERBS[info.verb as Verb](parts, ctx, kind);
}

function pathHandler(parts: ApiServerParts, ctx: RequestContext): Handler {
  const { path } = ctx.info;
  const exact = parts.paths.get(path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path);
  if (exact !== undefined) return exact;
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const handler = parts.paths.get(`${path.slice(0, end)}/*`);
    if (handler !== undefined) return handler;
  }
  throw apiError('NotFound', NO_SUCH_RESOURCE);
}
