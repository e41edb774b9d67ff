/** A request for a group and version that another API server serves: passed on to it in the name of its user. */
import { ApiError, apiError } from '../../machinery/status.ts';
import type { Answer, RawAnswer } from '../answer.ts';
import type { RequestContext } from '../context.ts';
import { type ForwardOptions, failureFrom, forward } from '../subresources/forward.ts';
import { identityHeaders } from './identityHeaders.ts';
import type { RemoteApi } from './remoteApi.ts';

const unavailable = (why: string) => apiError('ServiceUnavailable', why);

/** @throws ApiError ServiceUnavailable */
export async function forwardRequest(ctx: RequestContext, api: RemoteApi): Promise<Answer> {
  if (!api.available) throw unavailable('service unavailable');
  const query = ctx.query.toString();
  const path = `${ctx.rawPath}${query === '' ? '' : `?${query}`}`;
  if (ctx.raw === undefined) return answerWithin(ctx, api, path);
  let place: Awaited<ReturnType<RemoteApi['place']>>;
  try {
    place = await api.place();
  } catch (error) {
    throw unavailable(`service unavailable: ${(error as Error).message}`);
  }
  const options: ForwardOptions = {
    headers: { ...identityHeaders(ctx.user), ...forwardedFor(ctx) },
    translateErrors: false,
    unreachable: (message) => unavailable(`error trying to reach service: ${message}`),
  };
  // The client's own escapes and order of parameters.
  const asSent = ctx.raw.req.url ?? path;
  return forward(ctx, { protocol: 'https', ...place, path: asSent, tls: api.tls() }, options);
}

function forwardedFor(ctx: RequestContext): Record<string, string> {
  const address = ctx.raw?.req.socket.remoteAddress;
  if (address === undefined) return {};
  const before = ctx.header('x-forwarded-for');
  return { 'x-forwarded-for': before === undefined ? address : `${before}, ${address}` };
}

/** For parts of this process: what they send and get are objects. */
async function answerWithin(ctx: RequestContext, api: RemoteApi, path: string): Promise<RawAnswer> {
  if (ctx.info.verb === 'watch') {
    throw apiError('MethodNotAllowed', 'what another API server serves cannot be watched within the process');
  }
  const sent = await ctx.readBody();
  const body = sent.type === 'object' && sent.object !== undefined ? JSON.stringify(sent.object) : undefined;
  const { status, body: bytes } = await api
    .ask({
      method: ctx.method,
      path,
      user: ctx.user,
      signal: ctx.signal,
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': sent.contentType }) },
      ...(body === undefined ? {} : { body }),
    })
    .catch((error: Error) => {
      throw error instanceof ApiError ? error : unavailable(`error trying to reach service: ${error.message}`);
    });
  if (status >= 400) throw failureFrom(bytes.toString('utf8'), status);
  return { type: 'raw', status, contentType: 'application/json', body: bytes };
}
