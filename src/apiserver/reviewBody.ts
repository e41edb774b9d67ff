/** Reading and answering the kinds that are only asked, never stored. */
import type { Kind, KubeObject } from '../machinery/kind.ts';
import type { Answer } from './answer.ts';
import type { RequestContext } from './context.ts';
import { assertMatchesPath, assertValid, decodeObject, metaOf, parseBody, setDefaults } from './verbs/objects.ts';

/** The object in the request's body, with defaults and valid. @throws ApiError BadRequest, Invalid */
export async function readReview(ctx: RequestContext, kind: Kind): Promise<KubeObject> {
  const object = decodeObject(ctx, kind, await parseBody(await ctx.readBody()));
  if (kind.namespaced) assertMatchesPath(ctx, metaOf(object));
  setDefaults(kind, object);
  assertValid(kind, object.metadata?.name ?? '', kind.validate?.(object) ?? []);
  return object;
}

export function reviewed(object: KubeObject, kind: Kind): Answer {
  return { type: 'object', status: 201, object, kind };
}
