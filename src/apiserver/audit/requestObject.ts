/** The body of a request as the audit log has it: as it came, but in JSON. */
import { isApiError } from '../../machinery/status.ts';
import type { RequestBody, RequestContext } from '../context.ts';
import { bodyValue, parseBody, parseCbor, parseJsonBody, parseYaml } from '../verbs/objects.ts';

/** Undefined for what cannot be read: the request is refused for it. */
export async function requestObjectOf(ctx: RequestContext, body: RequestBody): Promise<unknown> {
  if (body.type === 'object') return body.object;
  if (body.bytes.length === 0) return undefined;
  try {
    if (body.contentType.endsWith('+json')) return parseJsonBody(body.bytes).value;
    if (body.contentType.endsWith('+cbor')) return parseCbor(body.bytes).value;
    if (body.contentType.endsWith('+yaml')) return (await parseYaml(body)).value;
    const parsed = await parseBody(body);
    const { subresource } = ctx.info;
    const isOwn = ctx.kind !== undefined && (subresource === '' || subresource === 'status');
    return isOwn && ctx.info.verb !== 'delete' && ctx.kind !== undefined
      ? bodyValue(parsed, ctx.kind.schema)
      : parsed.value;
  } catch (error) {
    if (isApiError(error)) return undefined;
    throw error;
  }
}
